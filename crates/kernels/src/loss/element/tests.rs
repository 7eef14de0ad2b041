use super::*;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

const KINDS: [Kind; 6] = [
    Kind::Squared,
    Kind::Absolute,
    Kind::Huber { delta: 1.0 },
    Kind::Huber { delta: 0.25 },
    Kind::Logistic { smoothing: 0.0 },
    Kind::Logistic { smoothing: 0.2 },
];

#[test]
fn agrees_with_the_reference() {
    for len in [1, 2, 15, 31, 32, 33, 60, 1000, 1025, 40_000] {
        let x = uniform(1, len, -4.0, 4.0);
        let t = uniform(2, len, 0.0, 1.0);
        for kind in KINDS {
            for count in [0, 1, 2, len / 20, len / 3, len] {
                if count > 0 && !len.is_multiple_of(count) {
                    continue;
                }
                let weights = uniform(3, count, 0.0, 2.0);
                let (mut loss, mut dx, mut dt) = ([0.0], vec![0.0; len], vec![0.0; len]);
                let [x_64, t_64, weights_64] = [&x, &t, &weights].map(|v| doubles(v));
                reference::forward(kind, &x_64, &t_64, &weights_64, &mut loss).unwrap();
                reference::backward(kind, &x_64, &t_64, &weights_64, &[3.0], &mut dx);
                reference::backward_labels(kind, &x_64, &t_64, &weights_64, &[3.0], &mut dt);
                for cx in Exec::all_for_tests() {
                    let what = format!("{kind:?}, {len} elements, {count} weights, {:?}", cx.isa);
                    let (mut found, mut found_dx) = ([f32::NAN], vec![f32::NAN; len]);
                    forward(&cx, kind, &x, &t, &weights, &mut found).unwrap();
                    assert_close(&found, &loss, 1e-7, 1e-6, &what);
                    backward(&cx, kind, &x, &t, &weights, &[3.0], &mut found_dx);
                    assert_close(&found_dx, &dx, 1e-6 / len as f64, 2e-6, &what);
                    backward_labels(&cx, kind, &x, &t, &weights, &[3.0], &mut found_dx);
                    assert_close(&found_dx, &dt, 1e-6 / len as f64, 2e-6, &what);
                }
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let x = uniform(1, 200_000, -4.0, 4.0);
    let t = uniform(2, 200_000, 0.0, 1.0);
    for kind in KINDS {
        let mut first: Vec<(crate::Isa, Vec<f32>)> = Vec::new();
        for cx in Exec::all_for_tests() {
            let (mut loss, mut dx) = ([0.0], vec![0.0; x.len()]);
            forward(&cx, kind, &x, &t, &[], &mut loss).unwrap();
            backward(&cx, kind, &x, &t, &[], &[1.0], &mut dx);
            dx.push(loss[0]);
            match first.iter().find(|(isa, _)| *isa == cx.isa) {
                Some((_, expected)) => assert_same_bits(&dx, expected, "threads"),
                None => first.push((cx.isa, dx)),
            }
        }
    }
}

#[test]
fn kinks_extremes_and_nan() {
    let nan = f32::NAN;
    for cx in Exec::all_for_tests() {
        let slope = |kind: Kind, x: f32, t: f32| {
            let mut dx = [0.0];
            backward(&cx, kind, &[x], &[t], &[], &[1.0], &mut dx);
            dx[0]
        };
        let loss = |kind: Kind, x: f32, t: f32| {
            let mut loss = [0.0];
            forward(&cx, kind, &[x], &[t], &[], &mut loss).unwrap();
            loss[0]
        };
        assert_eq!(slope(Kind::Absolute, 2.0, 2.0), 0.0);
        assert_eq!(slope(Kind::Huber { delta: 1.0 }, 3.0, 1.0), 1.0);
        assert_eq!(slope(Kind::Huber { delta: 1.0 }, -3.0, 1.0), -1.0);
        let sure = Kind::Logistic { smoothing: 0.0 };
        assert!((loss(sure, 60.0, 1.0) - (-60f32).exp()).abs() < 1e-32);
        assert_eq!(loss(sure, -200.0, 1.0), 200.0);
        assert_eq!(loss(sure, 1e30, 0.0), 1e30);
        for kind in KINDS {
            assert!(loss(kind, nan, 0.5).is_nan(), "{kind:?}");
            assert!(slope(kind, nan, 0.5).is_nan(), "{kind:?}");
        }
    }
}

#[test]
fn labels_that_are_no_probabilities_are_refused() {
    let kind = Kind::Logistic { smoothing: 0.0 };
    for (position, label) in [(0, 1.5), (70_000, -0.25), (99_999, f32::NAN)] {
        let x = vec![0.0; 100_000];
        let mut t = vec![1.0; 100_000];
        t[position] = label;
        let expected = format!("label {label} at element {position} is no probability from 0 to 1");
        for cx in Exec::all_for_tests() {
            for count in [0, 10, 100_000] {
                let weights = vec![1.0; count];
                let error = forward(&cx, kind, &x, &t, &weights, &mut [0.0]).unwrap_err();
                assert_eq!(error, expected);
            }
        }
        let error = reference::forward(kind, &doubles(&x), &doubles(&t), &[], &mut [0.0]).unwrap_err();
        assert_eq!(error, expected);
    }
}

#[test]
fn settings_and_lengths_that_mean_nothing_are_refused() {
    for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            Kind::Huber { delta }.check().unwrap_err(),
            format!("delta must be a finite number above 0, not {delta}")
        );
    }
    for smoothing in [1.0, -0.1, f64::NAN] {
        assert!(Kind::Logistic { smoothing }.check().is_err());
    }
    assert!(KINDS.iter().all(|kind| kind.check().is_ok()));
    assert_eq!(check(4, 5, 0, 1).unwrap_err(), "5 labels for 4 predictions");
    assert_eq!(
        check(4, 4, 3, 1).unwrap_err(),
        "3 weights do not share 4 rows equally"
    );
    assert_eq!(
        check(0, 0, 0, 1).unwrap_err(),
        "there is nothing to take a mean of"
    );
}
