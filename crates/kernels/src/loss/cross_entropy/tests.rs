use super::*;
use crate::loss::classes::OneHot;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

/// Labels for `rows` rows of `classes`: indices, one-hot, and a soft distribution.
fn labels(rows: usize, classes: usize) -> (Vec<i32>, Vec<f32>, Vec<f32>) {
    let picks = uniform(7, rows, 0.0, classes as f32);
    let indices: Vec<i32> = picks
        .iter()
        .map(|v| (*v as i32).min(classes as i32 - 1))
        .collect();
    let mut hot = vec![0.0; rows * classes];
    for (row, &class) in indices.iter().enumerate() {
        hot[row * classes + class as usize] = 1.0;
    }
    let mut soft = uniform(8, rows * classes, 0.0, 1.0);
    for row in soft.chunks_mut(classes) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|v| *v /= sum);
    }
    (indices, hot, soft)
}

fn settings<T>(classes: usize, smoothing: f64, weights: &[T]) -> Settings<'_, T> {
    Settings {
        classes,
        smoothing,
        weights,
    }
}

#[test]
fn agrees_with_the_reference() {
    for (rows, classes) in [
        (1, 1),
        (1, 2),
        (5, 3),
        (64, 10),
        (7, 31),
        (6, 33),
        (3, 64),
        (2, 1000),
        (4000, 10),
    ] {
        let x = uniform(1, rows * classes, -6.0, 6.0);
        let (indices, hot, soft) = labels(rows, classes);
        let weights = uniform(3, rows, 0.0, 2.0);
        let dy = [0.75];
        for smoothing in [0.0, 0.1] {
            for weights in [&[][..], &weights, &weights[..1]] {
                let settings_64 = doubles(weights);
                let plain = settings(classes, smoothing, &settings_64[..]);
                let (mut loss, mut dx) = ([0.0], vec![0.0; x.len()]);
                reference::forward(&doubles(&x), &indices[..], plain, &mut loss).unwrap();
                reference::backward(&doubles(&x), &indices[..], plain, &doubles(&dy), &mut dx).unwrap();
                let (mut soft_loss, mut soft_dx, mut soft_dt) = ([0.0], dx.clone(), dx.clone());
                reference::forward_soft(&doubles(&x), &doubles(&soft), plain, &mut soft_loss).unwrap();
                reference::backward_soft(&doubles(&x), &doubles(&soft), plain, &doubles(&dy), &mut soft_dx);
                reference::backward_labels(&doubles(&x), plain, &doubles(&dy), &mut soft_dt);
                let slack = 1e-6 / rows as f64;
                for cx in Exec::all_for_tests() {
                    let what = format!("{rows} x {classes}, smoothing {smoothing}, on {:?}", cx.isa);
                    let fast = settings(classes, smoothing, weights);
                    let (mut found, mut found_dx) = ([f32::NAN], vec![f32::NAN; x.len()]);
                    forward(&cx, &x, &indices[..], fast, &mut found).unwrap();
                    assert_close(&found, &loss, 1e-6, 2e-6, &what);
                    backward(&cx, &x, &indices[..], fast, &dy, &mut found_dx);
                    assert_close(&found_dx, &dx, slack, 2e-5, &what);
                    let indexed = found;

                    forward(&cx, &x, OneHot(&hot[..]), fast, &mut found).unwrap();
                    assert_same_bits(&found, &indexed, &what);
                    forward_soft(&cx, &x, &hot, fast, &mut found).unwrap();
                    assert_close(&found, &loss, 1e-6, 3e-6, &what);
                    backward_soft(&cx, &x, &hot, fast, &dy, &mut found_dx);
                    assert_close(&found_dx, &dx, slack, 2e-5, &what);

                    forward_soft(&cx, &x, &soft, fast, &mut found).unwrap();
                    assert_close(&found, &soft_loss, 1e-6, 3e-6, &what);
                    backward_soft(&cx, &x, &soft, fast, &dy, &mut found_dx);
                    assert_close(&found_dx, &soft_dx, 2.0 * slack, 2e-5, &what);
                    backward_labels(&cx, &x, fast, &dy, &mut found_dx);
                    assert_close(&found_dx, &soft_dt, slack, 2e-5, &what);
                }
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (rows, classes) = (20_000, 10);
    let x = uniform(1, rows * classes, -6.0, 6.0);
    let (indices, ..) = labels(rows, classes);
    for isa in crate::Isa::available() {
        let results: Vec<_> = Exec::all_for_tests()
            .into_iter()
            .filter(|cx| cx.isa == isa)
            .map(|cx| {
                let (mut loss, mut dx) = ([0.0], vec![0.0; x.len()]);
                forward(&cx, &x, &indices[..], settings(classes, 0.1, &[]), &mut loss).unwrap();
                backward(
                    &cx,
                    &x,
                    &indices[..],
                    settings(classes, 0.1, &[]),
                    &[1.0],
                    &mut dx,
                );
                dx.push(loss[0]);
                dx
            })
            .collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn extreme_logits_and_zero_labels() {
    let infinity = f32::INFINITY;
    for cx in Exec::all_for_tests() {
        let loss_of = |x: &[f32], label: i32| {
            let mut loss = [0.0];
            forward(&cx, x, &[label][..], settings(x.len(), 0.0, &[]), &mut loss).unwrap();
            loss[0]
        };
        assert_eq!(loss_of(&[1e30, 0.0], 0), 0.0);
        assert_eq!(loss_of(&[1e30, 0.0], 1), 1e30);
        assert_eq!(loss_of(&[0.0, -infinity], 0), 0.0);
        assert_eq!(loss_of(&[0.0, -infinity], 1), infinity);
        assert!(loss_of(&[infinity, 0.0], 0).is_nan());
        assert!(loss_of(&[-infinity, -infinity], 0).is_nan());
        assert!(loss_of(&[f32::NAN, 0.0], 1).is_nan());
        let mut loss = [0.0];
        forward_soft(
            &cx,
            &[0.0, -infinity],
            &[1.0, 0.0],
            settings(2, 0.0, &[]),
            &mut loss,
        )
        .unwrap();
        assert_eq!(loss, [0.0]);
        forward_soft(
            &cx,
            &[0.0, f32::NAN],
            &[1.0, 0.0],
            settings(2, 0.0, &[]),
            &mut loss,
        )
        .unwrap();
        assert!(loss[0].is_nan());
    }
}

#[test]
fn bad_labels_are_refused_with_the_first_of_them() {
    let rows = 5000;
    let x = vec![0.0; rows * 3];
    let mut indices = vec![1; rows];
    indices[4321] = 3;
    indices[4500] = -1;
    let mut soft = vec![1.0f32 / 3.0; rows * 3];
    soft[3 * 17] = 1.0;
    let mut negative = [0.0, 1.0, 0.0].repeat(rows);
    negative[3 * 4000] = -0.5;
    negative[3 * 4000 + 2] = 0.5;
    let nan = vec![f32::NAN; rows * 3];
    let classes = "label 3 at row 4321 is no class: classes are numbered from 0 to 2";
    for cx in Exec::all_for_tests() {
        let fast = settings(3, 0.0, &[]);
        let mut loss = [0.0];
        assert_eq!(
            forward(&cx, &x, &indices[..], fast, &mut loss).unwrap_err(),
            classes
        );
        let mut dx = vec![0.0; x.len()];
        backward(&cx, &x, &indices[..], fast, &[1.0], &mut dx);
        let share = forward_soft(&cx, &x, &soft, fast, &mut loss).unwrap_err();
        assert!(
            share.starts_with("the labels of row 17 add up to 1.66"),
            "{share}"
        );
        assert_eq!(
            forward_soft(&cx, &x, &negative, fast, &mut loss).unwrap_err(),
            "the labels of row 4000 hold a negative number"
        );
        assert_eq!(
            forward_soft(&cx, &x, &nan, fast, &mut loss).unwrap_err(),
            "the labels of row 0 add up to NaN, not 1"
        );
        assert_eq!(
            forward(&cx, &x, OneHot(&soft[..]), fast, &mut loss).unwrap_err(),
            "the labels of row 0 are not one-hot: one 1 and zeros elsewhere"
        );
    }
    let plain = settings(3, 0.0, &[]);
    assert_eq!(
        reference::forward(&doubles(&x), &indices[..], plain, &mut [0.0]).unwrap_err(),
        classes
    );
    assert!(reference::forward_soft(&doubles(&x), &doubles(&negative), plain, &mut [0.0]).is_err());
}

#[test]
fn wrong_lengths_are_refused() {
    assert_eq!(check(12, 4, true, 3, 0, 1), Ok(4));
    assert_eq!(check(12, 12, false, 3, 2, 1), Ok(4));
    assert_eq!(
        check(12, 4, true, 0, 0, 1).unwrap_err(),
        "12 logits are not rows of 0 classes"
    );
    assert_eq!(
        check(13, 4, true, 3, 0, 1).unwrap_err(),
        "13 logits are not rows of 3 classes"
    );
    assert_eq!(
        check(12, 5, true, 3, 0, 1).unwrap_err(),
        "5 labels for 4 rows of 3 classes"
    );
    assert_eq!(
        check(0, 0, true, 3, 0, 1).unwrap_err(),
        "there is nothing to take a mean of"
    );
    assert_eq!(
        check(12, 4, true, 3, 3, 1).unwrap_err(),
        "3 weights do not share 4 rows equally"
    );
    assert_eq!(
        check(12, 4, true, 3, 0, 2).unwrap_err(),
        "the loss has 2 elements, not 1"
    );
    for smoothing in [1.0, -0.1, f64::NAN] {
        assert!(check_smoothing(smoothing).is_err());
    }
}
