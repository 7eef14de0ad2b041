use super::*;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

struct Found<T> {
    y: Vec<T>,
    statistics: Vec<T>,
    gradients: [Vec<T>; 3],
}

fn fast(cx: &Exec, x: &[f32], dy: &[f32], gamma: &[f32], beta: &[f32], epsilon: f64) -> Found<f32> {
    let rows = x.len() / gamma.len();
    let mut y = vec![f32::NAN; x.len()];
    let mut statistics = vec![f32::NAN; STATISTICS * rows];
    forward(cx, x, gamma, beta, epsilon, &mut y, &mut statistics);
    let mut gradients = [
        vec![f32::NAN; x.len()],
        vec![f32::NAN; gamma.len()],
        vec![f32::NAN; gamma.len()],
    ];
    backward(
        cx,
        x,
        dy,
        gamma,
        &statistics,
        gradients.each_mut().map(|v| v.as_mut_slice()),
    );
    Found {
        y,
        statistics,
        gradients,
    }
}

fn plain(x: &[f32], dy: &[f32], gamma: &[f32], beta: &[f32], epsilon: f64) -> Found<f64> {
    let [x, dy, gamma, beta] = [x, dy, gamma, beta].map(doubles);
    let rows = x.len() / gamma.len();
    let mut y = vec![0.0; x.len()];
    let mut statistics = vec![0.0; STATISTICS * rows];
    reference::forward(&x, &gamma, &beta, epsilon, &mut y, &mut statistics);
    let mut gradients = [vec![0.0; x.len()], vec![0.0; gamma.len()], vec![0.0; gamma.len()]];
    reference::backward(
        &x,
        &dy,
        &gamma,
        &statistics,
        gradients.each_mut().map(|v| v.as_mut_slice()),
    );
    Found {
        y,
        statistics,
        gradients,
    }
}

#[test]
fn agrees_with_the_reference() {
    for (rows, features) in [
        (0, 4),
        (1, 1),
        (3, 2),
        (5, 15),
        (5, 16),
        (4, 17),
        (7, 31),
        (6, 33),
        (2, 1000),
        (300, 768),
    ] {
        let x = uniform(1, rows * features, -3.0, 5.0);
        let dy = uniform(2, rows * features, -1.0, 1.0);
        let gamma = uniform(3, features, -2.0, 2.0);
        let beta = uniform(4, features, -1.0, 1.0);
        let expected = plain(&x, &dy, &gamma, &beta, 1e-3);
        for cx in Exec::all_for_tests() {
            let found = fast(&cx, &x, &dy, &gamma, &beta, 1e-3);
            let what = format!("{rows} x {features} on {:?}", cx.isa);
            assert_close(&found.y, &expected.y, 2e-6, 2e-6, &what);
            let inverse = 2 * rows..3 * rows;
            assert_close(
                &found.statistics[inverse.clone()],
                &expected.statistics[inverse],
                0.0,
                1e-6,
                &what,
            );
            // Few features: all but everything cancels.
            assert_close(
                &found.gradients[0],
                &expected.gradients[0],
                if features < 4 { 1e-4 } else { 5e-6 },
                1e-5,
                &what,
            );
            assert_close(&found.gradients[1], &expected.gradients[1], 1e-5, 2e-6, &what);
            assert_close(&found.gradients[2], &expected.gradients[2], 1e-5, 2e-6, &what);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (rows, features) = (1111, 97);
    let x = uniform(1, rows * features, -3.0, 5.0);
    let dy = uniform(2, rows * features, -1.0, 1.0);
    let gamma = uniform(3, features, -2.0, 2.0);
    let beta = uniform(4, features, -1.0, 1.0);
    for isa in crate::Isa::available() {
        let mut first: Option<Found<f32>> = None;
        for cx in Exec::all_for_tests().into_iter().filter(|cx| cx.isa == isa) {
            let found = fast(&cx, &x, &dy, &gamma, &beta, 1e-3);
            if let Some(first) = &first {
                assert_same_bits(&found.y, &first.y, "y");
                for (found, first) in found.gradients.iter().zip(&first.gradients) {
                    assert_same_bits(found, first, "gradient");
                }
            } else {
                first = Some(found);
            }
        }
    }
}

#[test]
fn extreme_rows_come_out_right() {
    let features = 40;
    let gamma = vec![1.0; features];
    let beta = uniform(4, features, -1.0, 1.0);
    let dy = uniform(2, features, -1.0, 1.0);
    for cx in Exec::all_for_tests() {
        let far: Vec<f32> = (0..features)
            .map(|i| 1e6 + if i % 3 == 0 { 0.0625 } else { 0.0 })
            .collect();
        let constant = vec![0.3; features];
        let huge: Vec<f32> = uniform(5, features, -1e20, 1e20);
        let tiny: Vec<f32> = uniform(6, features, -1e-30, 1e-30);
        for x in [far, constant.clone(), huge, tiny] {
            let found = fast(&cx, &x, &dy, &gamma, &beta, 1e-9);
            let expected = plain(&x, &dy, &gamma, &beta, 1e-9);
            assert_close(&found.y, &expected.y, 1e-5, 1e-5, "y");
        }
        assert_eq!(fast(&cx, &constant, &dy, &gamma, &beta, 1e-300).y, beta);
    }
}

#[test]
fn a_nan_stays_in_its_row() {
    let x: Vec<f32> = (0..60)
        .map(|i| if i == 25 { f32::NAN } else { i as f32 })
        .collect();
    for cx in Exec::all_for_tests() {
        let found = fast(&cx, &x, &x, &[1.0; 20], &[0.0; 20], 1e-3);
        assert!(found.y[20..40].iter().all(|v| v.is_nan()));
        assert!(found.y[..20].iter().chain(&found.y[40..]).all(|v| !v.is_nan()));
    }
}

#[test]
fn wrong_lengths_are_refused() {
    assert_eq!(
        check_forward(6, 3, 3, 5, 6, 1e-3).unwrap_err(),
        "statistics has 5 elements and needs 6 for 2 rows of 3 channels"
    );
    assert_eq!(
        check_forward(6, 3, 3, 6, 6, -1.0).unwrap_err(),
        "epsilon must be a positive finite number, not -1"
    );
    assert_eq!(
        check_backward(6, 6, 3, 6, [5, 0, 0]).unwrap_err(),
        "dx has 5 elements and needs 6 for 2 rows of 3 channels"
    );
}
