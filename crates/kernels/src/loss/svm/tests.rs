use super::*;
use crate::loss::classes::OneHot;
use crate::sample::{assert_close, doubles, uniform};

fn settings<T>(classes: usize, margin: f64, weights: &[T]) -> Settings<'_, T> {
    Settings {
        classes,
        margin,
        weights,
    }
}

#[test]
fn agrees_with_the_reference_and_whole_numbers_exactly() {
    for (rows, classes) in [(1, 1), (3, 2), (64, 10), (5, 32), (7, 33), (3, 1000), (5000, 10)] {
        let indices: Vec<i32> = uniform(7, rows, 0.0, classes as f32)
            .iter()
            .map(|v| *v as i32 % classes as i32)
            .collect();
        let mut hot = vec![0.0; rows * classes];
        for (row, &class) in indices.iter().enumerate() {
            hot[row * classes + class as usize] = 1.0;
        }
        let whole: Vec<f32> = uniform(2, rows * classes, -9.0, 9.0)
            .iter()
            .map(|v| v.round())
            .collect();
        let weights = uniform(3, rows, 0.0, 2.0);
        for (x, exact) in [(uniform(1, rows * classes, -3.0, 3.0), false), (whole, true)] {
            for weights in [&[][..], &weights] {
                if exact && !weights.is_empty() {
                    continue;
                }
                let weights_64 = doubles(weights);
                let (mut loss, mut dx) = ([0.0], vec![0.0; x.len()]);
                let plain = settings(classes, 1.0, &weights_64[..]);
                reference::forward(&doubles(&x), &indices[..], plain, &mut loss).unwrap();
                reference::backward(&doubles(&x), &indices[..], plain, &[rows as f64], &mut dx).unwrap();
                for cx in Exec::all_for_tests() {
                    let what = format!("{rows} x {classes} on {:?}", cx.isa);
                    let fast = settings(classes, 1.0, weights);
                    let (mut found, mut found_dx) = ([f32::NAN], vec![f32::NAN; x.len()]);
                    forward(&cx, &x, &indices[..], fast, &mut found).unwrap();
                    backward(&cx, &x, &indices[..], fast, &[rows as f32], &mut found_dx);
                    assert_close(&found, &loss, 0.0, if exact { 1e-7 } else { 1e-6 }, &what);
                    assert_close(&found_dx, &dx, 0.0, if exact { 0.0 } else { 1e-6 }, &what);
                    let by_index = found;
                    forward(&cx, &x, OneHot(&hot[..]), fast, &mut found).unwrap();
                    assert_eq!(found, by_index);
                }
            }
        }
    }
}

#[test]
fn nan_shows_and_bad_labels_are_refused() {
    let nan = f32::NAN;
    for cx in Exec::all_for_tests() {
        let mut loss = [0.0];
        for x in [[nan, 1.0, 2.0], [1.0, nan, 2.0]] {
            forward(&cx, &x, &[0][..], settings(3, 1.0, &[]), &mut loss).unwrap();
            assert!(loss[0].is_nan());
            let mut dx = [0.0; 3];
            backward(&cx, &x, &[0][..], settings(3, 1.0, &[]), &[1.0], &mut dx);
            assert!(dx[0].is_nan() && dx.iter().any(|v| v.is_nan()));
            let mut plain = [0.0; 3];
            reference::backward(&x, &[0][..], settings(3, 1.0, &[]), &[1.0], &mut plain).unwrap();
            assert_close(&dx, &doubles(&plain), 0.0, 0.0, "NaN");
        }
        forward(&cx, &[nan], &[0][..], settings(1, 1.0, &[]), &mut loss).unwrap();
        assert!(loss[0].is_nan());
        assert_eq!(
            forward(&cx, &[0.0; 6], &[0, 3][..], settings(3, 1.0, &[]), &mut loss).unwrap_err(),
            "label 3 at row 1 is no class: classes are numbered from 0 to 2"
        );
        backward(
            &cx,
            &[0.0; 6],
            &[0, 3][..],
            settings(3, 1.0, &[]),
            &[1.0],
            &mut [0.0; 6],
        );
    }
    for margin in [-1.0, nan.into(), f64::INFINITY] {
        assert!(check_margin(margin).is_err());
    }
    assert_eq!(check_margin(0.0), Ok(()));
}
