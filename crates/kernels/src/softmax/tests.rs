use super::*;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

type Forward = fn(&Exec, &[f32], Axis, &mut [f32]);
type Backward = fn(&Exec, &[f32], &[f32], Axis, &mut [f32]);
type ForwardReference = fn(&[f64], Axis, &mut [f64]);
type BackwardReference = fn(&[f64], &[f64], Axis, &mut [f64]);

const PAIRS: [(Forward, Backward, ForwardReference, BackwardReference); 2] = [
    (
        softmax,
        softmax_backward,
        reference::softmax,
        reference::softmax_backward,
    ),
    (
        log_softmax,
        log_softmax_backward,
        reference::log_softmax,
        reference::log_softmax_backward,
    ),
];

fn axis(outer: usize, size: usize, inner: usize) -> Axis {
    Axis::new(outer, size, inner, &[outer * size * inner]).unwrap()
}

#[test]
fn agrees_with_the_reference() {
    let shapes = [
        (1, 1, 1),
        (5, 1, 1),
        (3, 2, 1),
        (200, 10, 1),
        (7, 15, 1),
        (7, 31, 1),
        (4, 33, 1),
        (3, 63, 1),
        (3, 64, 1),
        (5, 65, 1),
        (2, 1000, 1),
        (1, 20_000, 1),
        (2, 3, 5),
        (1, 10, 300),
        (3, 7, 257),
        (0, 4, 2),
        (2, 0, 3),
        (2, 4, 0),
    ];
    for (outer, size, inner) in shapes {
        let axis = axis(outer, size, inner);
        let x = uniform(1, outer * size * inner, -8.0, 8.0);
        let dy = uniform(2, x.len(), -1.0, 1.0);
        for (forward, backward, plain, plain_backward) in PAIRS {
            let mut expected = vec![0.0; x.len()];
            plain(&doubles(&x), axis, &mut expected);
            let mut expected_dx = vec![0.0; x.len()];
            plain_backward(&expected, &doubles(&dy), axis, &mut expected_dx);
            for cx in Exec::all_for_tests() {
                let what = format!("{axis:?} on {:?}", cx.isa);
                let mut y = vec![f32::NAN; x.len()];
                forward(&cx, &x, axis, &mut y);
                assert_close(&y, &expected, 5e-7, 2e-6, &what);
                let mut dx = vec![f32::NAN; x.len()];
                backward(&cx, &y, &dy, axis, &mut dx);
                assert_close(&dx, &expected_dx, 2e-6, 1e-5, &what);
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for axis in [axis(5000, 10, 1), axis(50, 1000, 1), axis(3, 100, 700)] {
        let x = uniform(1, axis.outer * axis.size * axis.inner, -8.0, 8.0);
        for (forward, backward, ..) in PAIRS {
            let mut first: Vec<(crate::Isa, Vec<f32>, Vec<f32>)> = Vec::new();
            for cx in Exec::all_for_tests() {
                let mut y = vec![0.0; x.len()];
                forward(&cx, &x, axis, &mut y);
                let mut dx = vec![0.0; x.len()];
                backward(&cx, &y, &x, axis, &mut dx);
                match first.iter().find(|(isa, ..)| *isa == cx.isa) {
                    Some((_, first_y, first_dx)) => {
                        assert_same_bits(&y, first_y, "y");
                        assert_same_bits(&dx, first_dx, "dx");
                    }
                    None => first.push((cx.isa, y, dx)),
                }
            }
        }
    }
}

#[test]
fn huge_values_do_not_overflow_and_one_bad_row_stays_alone() {
    for cx in Exec::all_for_tests() {
        for size in [3, 40, 100] {
            let row = |values: [f32; 3]| (0..size).map(move |i| values[i % 3]);
            let infinity = f32::INFINITY;
            let x: Vec<f32> = row([1e30, -1e30, 88.8])
                .chain(row([f32::NAN, 0.0, 1.0]))
                .chain(row([-infinity, 0.0, -infinity]))
                .chain(row([infinity, 0.0, 0.0]))
                .chain(row([-infinity; 3]))
                .chain(row([-1e30, -1e30, -1e30]))
                .collect();
            let axis = axis(6, size, 1);
            let mut y = vec![0.0; x.len()];
            softmax(&cx, &x, axis, &mut y);
            let rows: Vec<&[f32]> = y.chunks(size).collect();
            let ones = x[..size].iter().filter(|&&v| v == 1e30).count() as f32;
            assert!(
                rows[0]
                    .iter()
                    .enumerate()
                    .all(|(i, &v)| v == if i % 3 == 0 { 1.0 / ones } else { 0.0 })
            );
            assert!(rows[1].iter().all(|v| v.is_nan()));
            assert!(
                rows[2]
                    .iter()
                    .enumerate()
                    .all(|(i, &v)| (v > 0.0) == (i % 3 == 1) && v <= 1.0)
            );
            assert!(rows[3].iter().all(|v| v.is_nan()));
            assert!(rows[4].iter().all(|v| v.is_nan()));
            assert!(rows[5].iter().all(|&v| (v - 1.0 / size as f32).abs() < 1e-7));
            let mut plain = vec![0.0; x.len()];
            reference::softmax(&x, axis, &mut plain);
            assert_close(&y, &doubles(&plain), 0.0, 1e-6, "reference");
        }
    }
}

#[test]
fn columns_treat_bad_values_like_rows() {
    let infinity = f32::INFINITY;
    // Columns: fine, with a NaN, with an infinity, only minus infinities.
    let x = [1.0, 0.0, infinity, -infinity, 2.0, f32::NAN, 1.0, -infinity];
    for cx in Exec::all_for_tests() {
        let mut y = [0.0; 8];
        softmax(&cx, &x, axis(1, 2, 4), &mut y);
        assert!((y[0] + y[4] - 1.0).abs() < 1e-6 && y[4] > y[0]);
        assert!([1, 2, 3, 5, 6, 7].iter().all(|&i| y[i].is_nan()), "{y:?}");
    }
}

#[test]
fn sizes_that_do_not_multiply_are_refused() {
    assert_eq!(
        Axis::new(2, 3, 4, &[24, 25]).unwrap_err(),
        "25 elements are not [2, 3, 4]"
    );
    assert!(Axis::new(usize::MAX, 2, 1, &[usize::MAX - 1]).is_err());
}
