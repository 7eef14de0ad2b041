use super::*;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

struct Case {
    x: Vec<f32>,
    dy: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl Case {
    fn new(rows: usize, channels: usize) -> Case {
        Case {
            x: uniform(1, rows * channels, -3.0, 5.0),
            dy: uniform(2, rows * channels, -1.0, 1.0),
            gamma: uniform(3, channels, -2.0, 2.0),
            beta: uniform(4, channels, -1.0, 1.0),
        }
    }

    fn train(&self, cx: &Exec, epsilon: f64) -> (Vec<f32>, Vec<f32>) {
        let mut statistics = vec![f32::NAN; STATISTICS * self.gamma.len()];
        let mut y = vec![f32::NAN; self.x.len()];
        measure(cx, &self.x, epsilon, &mut statistics);
        normalize(cx, &self.x, &statistics, &self.gamma, &self.beta, &mut y);
        (y, statistics)
    }

    fn train_reference(&self, epsilon: f64) -> (Vec<f64>, Vec<f64>) {
        let mut statistics = vec![0.0; STATISTICS * self.gamma.len()];
        let mut y = vec![0.0; self.x.len()];
        let x = doubles(&self.x);
        reference::measure(&x, epsilon, &mut statistics);
        reference::normalize(
            &x,
            &statistics,
            &doubles(&self.gamma),
            &doubles(&self.beta),
            &mut y,
        );
        (y, statistics)
    }

    fn gradients(&self, cx: &Exec, statistics: &[f32], training: bool) -> [Vec<f32>; 3] {
        let channels = self.gamma.len();
        let mut all = [
            vec![f32::NAN; self.x.len()],
            vec![f32::NAN; channels],
            vec![f32::NAN; channels],
        ];
        backward(
            cx,
            &self.x,
            &self.dy,
            &self.gamma,
            statistics,
            training,
            all.each_mut().map(|v| v.as_mut_slice()),
        );
        all
    }

    fn gradients_reference(&self, statistics: &[f64], training: bool) -> [Vec<f64>; 3] {
        let channels = self.gamma.len();
        let mut all = [vec![0.0; self.x.len()], vec![0.0; channels], vec![0.0; channels]];
        reference::backward(
            &doubles(&self.x),
            &doubles(&self.dy),
            &doubles(&self.gamma),
            statistics,
            training,
            all.each_mut().map(|v| v.as_mut_slice()),
        );
        all
    }
}

const SHAPES: [(usize, usize); 17] = [
    (1, 1),
    (2, 1),
    (1, 7),
    (5, 3),
    (64, 3),
    (1000, 3),
    (31, 10),
    (33, 15),
    (100, 16),
    (101, 17),
    (70, 31),
    (70, 33),
    (300, 64),
    (50, 100),
    (9, 257),
    (8, 1001),
    (70_000, 3),
];

#[test]
fn training_agrees_with_the_reference() {
    for (rows, channels) in SHAPES {
        let case = Case::new(rows, channels);
        let (expected_y, expected_statistics) = case.train_reference(1e-3);
        let expected = case.gradients_reference(&expected_statistics, true);
        for cx in Exec::all_for_tests() {
            let what = format!("{rows} x {channels} on {:?}", cx.isa);
            let (y, statistics) = case.train(&cx, 1e-3);
            assert_close(&y, &expected_y, 2e-6, 2e-6, &what);
            let variance = 2 * channels..4 * channels;
            assert_close(
                &statistics[variance.clone()],
                &expected_statistics[variance],
                1e-7,
                1e-6,
                &what,
            );
            let [dx, dgamma, dbeta] = case.gradients(&cx, &statistics, true);
            let spread = (rows as f64).sqrt() * 1e-6 + 3e-6;
            // One row: everything cancels, and 1/σ is as large as epsilon allows.
            assert_close(&dx, &expected[0], if rows < 3 { 2e-5 } else { 3e-6 }, 1e-5, &what);
            assert_close(&dgamma, &expected[1], spread, 2e-6, &what);
            assert_close(&dbeta, &expected[2], spread, 2e-6, &what);
        }
    }
}

#[test]
fn inference_agrees_with_the_reference() {
    for (rows, channels) in [(0, 3), (1, 5), (40, 3), (33, 64), (7, 300)] {
        let case = Case::new(rows, channels);
        let mean = uniform(5, channels, -1.0, 1.0);
        let variance = uniform(6, channels, 0.0, 2.0);
        let mut expected_statistics = vec![0.0; STATISTICS * channels];
        reference::adopt(
            &doubles(&mean),
            &doubles(&variance),
            1e-3,
            &mut expected_statistics,
        )
        .unwrap();
        let mut expected_y = vec![0.0; case.x.len()];
        let (gamma, beta) = (doubles(&case.gamma), doubles(&case.beta));
        reference::normalize(
            &doubles(&case.x),
            &expected_statistics,
            &gamma,
            &beta,
            &mut expected_y,
        );
        let expected = case.gradients_reference(&expected_statistics, false);
        for cx in Exec::all_for_tests() {
            let mut statistics = vec![f32::NAN; STATISTICS * channels];
            adopt(&mean, &variance, 1e-3, &mut statistics).unwrap();
            let mut y = vec![f32::NAN; case.x.len()];
            normalize(&cx, &case.x, &statistics, &case.gamma, &case.beta, &mut y);
            assert_close(&y, &expected_y, 1e-5, 2e-6, "y");
            let [dx, dgamma, dbeta] = case.gradients(&cx, &statistics, false);
            assert_close(&dx, &expected[0], 1e-6, 2e-6, "dx");
            assert_close(&dgamma, &expected[1], 1e-4, 2e-6, "dgamma");
            assert_close(&dbeta, &expected[2], 1e-5, 2e-6, "dbeta");

            let mut found = [vec![0.0; channels], vec![0.0; channels]];
            let [dmean, dvariance] = found.each_mut();
            backward_statistics(&dgamma, &dbeta, &case.gamma, &statistics, dmean, dvariance);
            let mut wanted = [vec![0.0; channels], vec![0.0; channels]];
            let [dmean, dvariance] = wanted.each_mut();
            reference::backward_statistics(
                &expected[1],
                &expected[2],
                &gamma,
                &expected_statistics,
                dmean,
                dvariance,
            );
            assert_close(&found[0], &wanted[0], 1e-2, 1e-5, "dmean");
            assert_close(&found[1], &wanted[1], 10.0, 1e-4, "dvariance");
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_and_unwanted_gradients_cost_nothing() {
    for (rows, channels) in [(3000, 64), (60_000, 3), (700, 257)] {
        let case = Case::new(rows, channels);
        let mut first: Vec<(Exec, Vec<Vec<f32>>)> = Vec::new();
        for cx in Exec::all_for_tests() {
            let (y, statistics) = case.train(&cx, 1e-3);
            let gradients = case.gradients(&cx, &statistics, true);
            let mut dx = vec![0.0; case.x.len()];
            backward(
                &cx,
                &case.x,
                &case.dy,
                &case.gamma,
                &statistics,
                true,
                [&mut dx, &mut [], &mut []],
            );
            assert_same_bits(&dx, &gradients[0], "dx alone");
            let mut all = vec![y, statistics];
            all.extend(gradients);
            match first.iter().find(|(earlier, _)| earlier.isa == cx.isa) {
                Some((_, expected)) => {
                    for (found, expected) in all.iter().zip(expected) {
                        assert_same_bits(found, expected, "threads");
                    }
                }
                None => first.push((cx, all)),
            }
        }
    }
}

#[test]
fn a_mean_far_above_the_spread_survives() {
    for cx in Exec::all_for_tests() {
        // float32 near 10⁶ moves in steps of 1/16: the data are ±1/16 about 10⁶ + 1/32.
        let mut case = Case::new(50_000, 3);
        for (i, x) in case.x.iter_mut().enumerate() {
            *x = 1e6 + if i / 3 % 2 == 0 { 0.0 } else { 0.0625 } + if i % 3 == 2 { -2e6 } else { 0.0 };
        }
        let (y, statistics) = case.train(&cx, 1e-9);
        let (expected, _) = case.train_reference(1e-9);
        assert_close(&y, &expected, 1e-6, 1e-6, "y");
        assert!(
            statistics[6..9]
                .iter()
                .all(|&variance| (variance - 1.0 / 1024.0).abs() < 1e-9)
        );
    }
}

#[test]
fn an_outlier_in_the_first_row_does_not_cost_precision() {
    for cx in Exec::all_for_tests() {
        let mut case = Case::new(60_000, 3);
        case.x[..3].fill(1e7);
        let (_, statistics) = case.train(&cx, 1e-3);
        let (_, expected) = case.train_reference(1e-3);
        assert_close(&statistics[6..9], &expected[6..9], 0.0, 1e-6, "variance");
        assert_close(&statistics[..3], &expected[..3], 0.0, 1e-6, "mean");
    }
}

#[test]
fn constant_channels_give_exactly_beta_even_with_a_tiny_epsilon() {
    for cx in Exec::all_for_tests() {
        for epsilon in [1e-3, 1e-300] {
            let mut case = Case::new(100, 5);
            case.x.fill(0.1);
            let (y, statistics) = case.train(&cx, epsilon);
            assert!(y.chunks(5).all(|row| row == case.beta));
            let [dx, dgamma, _] = case.gradients(&cx, &statistics, true);
            assert!(dx.iter().all(|v| !v.is_nan()));
            assert_eq!(dgamma, [0.0; 5]);
        }
    }
}

#[test]
fn huge_and_tiny_scales_stay_finite() {
    for cx in Exec::all_for_tests() {
        for scale in [1e20, 1e37, 1e-30] {
            let mut case = Case::new(1000, 3);
            case.x.iter_mut().for_each(|x| *x *= scale);
            let (y, _) = case.train(&cx, 1e-300);
            let (expected, _) = case.train_reference(1e-300);
            assert_close(&y, &expected, 1e-5, 1e-5, "y");
        }
    }
}

#[test]
fn a_nan_stays_in_its_channel() {
    for cx in Exec::all_for_tests() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for row in [0, 17, 99] {
                let mut case = Case::new(100, 3);
                case.x[3 * row + 1] = bad;
                let (y, statistics) = case.train(&cx, 1e-3);
                let [dx, dgamma, _] = case.gradients(&cx, &statistics, true);
                for (i, (y, dx)) in y.iter().zip(&dx).enumerate() {
                    assert_eq!(y.is_nan(), i % 3 == 1, "y[{i}] with {bad} in row {row}");
                    assert_eq!(dx.is_nan(), i % 3 == 1, "dx[{i}] with {bad} in row {row}");
                }
                assert!(dgamma[1].is_nan() && !dgamma[0].is_nan() && !dgamma[2].is_nan());
            }
        }
    }
}

#[test]
fn running_statistics_move_by_the_momentum() {
    let statistics = [1.0f32, 2.0, 0.0, 0.0, 4.0, 9.0, 0.0, 0.0];
    let mut mean = [0.0, 10.0];
    let mut variance = [1.0, 1.0];
    update_running(&statistics, 0.75, &mut mean, &mut variance);
    assert_eq!(mean, [0.25, 8.0]);
    assert_eq!(variance, [1.75, 3.0]);
}

#[test]
fn what_cannot_be_is_refused() {
    let error = |result: Result<(), String>| result.unwrap_err();
    assert_eq!(
        error(adopt(&[0.0; 2], &[1.0, -0.5], 1e-3, &mut [0.0; 8])),
        "the variance of channel 1 is -0.5, which no data has"
    );
    assert_eq!(
        error(check_forward(6, 0, 0, 0, 6, true, 1e-3)),
        "normalisation needs at least one channel"
    );
    assert_eq!(
        error(check_forward(7, 3, 3, 12, 7, true, 1e-3)),
        "7 elements are not rows of 3 channels"
    );
    assert_eq!(
        error(check_forward(6, 3, 2, 12, 6, true, 1e-3)),
        "beta has 2 elements and needs 3 for 2 rows of 3 channels"
    );
    assert_eq!(
        error(check_forward(0, 3, 3, 12, 0, true, 1e-3)),
        "the batch is empty: there is nothing to take a mean of"
    );
    for epsilon in [0.0, -1e-3, f64::NAN, f64::INFINITY] {
        assert_eq!(
            error(check_forward(6, 3, 3, 12, 6, true, epsilon)),
            format!("epsilon must be a positive finite number, not {epsilon}")
        );
    }
    assert_eq!(
        error(check_backward(6, 5, 3, 12, [6, 3, 0])),
        "dy has 5 elements and needs 6 for 2 rows of 3 channels"
    );
    assert_eq!(
        error(check_backward(6, 6, 3, 12, [6, 2, 0])),
        "dGamma has 2 elements and needs 3 for 2 rows of 3 channels"
    );
    assert_eq!(check_backward(6, 6, 3, 12, [0, 3, 3]), Ok(()));
}
