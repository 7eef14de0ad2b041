use super::*;

/// Shapes and axes: last, first, middle, several, all, none, merged, alternating, empty.
const CASES: [(&[usize], &[usize]); 28] = [
    (&[300, 3], &[1]),
    (&[40, 16], &[1]),
    (&[40, 31], &[1]),
    (&[40, 77], &[1]),
    (&[], &[]),
    (&[1], &[0]),
    (&[70_003], &[0]),
    (&[3, 4], &[]),
    (&[37, 10], &[1]),
    (&[5, 33], &[1]),
    (&[3, 40_000], &[1]),
    (&[500, 3], &[0]),
    (&[33_001, 3], &[0]),
    (&[1000, 64], &[0]),
    (&[3000, 17], &[0]),
    (&[9, 300], &[0]),
    (&[7, 5, 5, 16], &[1, 2]),
    (&[2, 8, 8, 40], &[0, 1, 2]),
    (&[4, 3, 6], &[0, 2]),
    (&[4, 3, 5, 2], &[1, 3]),
    (&[4, 3, 5, 2], &[0, 2]),
    (&[2, 3, 2, 3, 2, 3], &[0, 2, 4]),
    (&[1, 6, 1], &[0, 2]),
    (&[31, 1, 15], &[0, 1, 2]),
    (&[0, 3], &[1]),
    (&[0, 3], &[0]),
    (&[3, 0], &[1]),
    (&[2, 0, 3], &[0, 1, 2]),
];

fn cases() -> impl Iterator<Item = (String, Reduce)> {
    CASES.iter().map(|(shape, axes)| {
        let marks: Vec<bool> = (0..shape.len()).map(|axis| axes.contains(&axis)).collect();
        (
            format!("{shape:?} along {axes:?}"),
            Reduce::new(shape, &marks).unwrap(),
        )
    })
}

fn values(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (i as f32 * 0.754_877).fract() * 4.0 - 1.0)
        .collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Within a rounding or two of the exact value, or both NaN.
fn assert_close(case: &str, got: &[f32], exact: &[f64], scale: f64) {
    assert_eq!(got.len(), exact.len());
    for (i, (&got, &exact)) in got.iter().zip(exact).enumerate() {
        let same = got == exact as f32 || (got.is_nan() && exact.is_nan());
        let error = (f64::from(got) - exact).abs();
        assert!(
            same || error <= 1.2e-7 * exact.abs().max(scale),
            "{case}: [{i}] {got} instead of {exact}"
        );
    }
}

/// The outputs of a kernel, which all paths and threads must give to the bit.
fn on_all(case: &str, len: usize, kernel: impl Fn(&Exec, &mut [f32])) -> Vec<f32> {
    let mut first: Option<Vec<u32>> = None;
    for cx in Exec::all_for_tests() {
        let mut y = vec![-77.0; len];
        kernel(&cx, &mut y);
        let bits: Vec<u32> = y.iter().map(|y| y.to_bits()).collect();
        assert_eq!(
            first.get_or_insert_with(|| bits.clone()),
            &bits,
            "{case} {:?}",
            cx.isa
        );
    }
    first
        .expect("at least one path")
        .into_iter()
        .map(f32::from_bits)
        .collect()
}

type Forward = fn(&Exec, &Reduce, &[f32], &mut [f32]);
type Exact = fn(&Reduce, &[f64], &mut [f64]);

const FORWARD: [(&str, Forward, Exact); 5] = [
    ("sum", sum, reference::sum),
    ("mean", mean, reference::mean),
    ("max", max, reference::max),
    ("min", min, reference::min),
    ("variance", variance, reference::variance),
];

#[test]
fn forward_agrees_with_the_reference_in_float64() {
    for (case, geometry) in cases() {
        let mut x = values(geometry.x_len);
        for special in [None, Some(f32::NAN), Some(f32::INFINITY)] {
            if let (Some(special), true) = (special, x.len() > 20) {
                let at = x.len() * 2 / 3;
                x[at] = special;
            }
            for (name, forward, exact) in FORWARD {
                let y = on_all(&case, geometry.y_len, |cx, y| forward(cx, &geometry, &x, y));
                let mut expected = vec![0.0; geometry.y_len];
                exact(&geometry, &wide(&x), &mut expected);
                assert_close(&format!("{name} of {case}"), &y, &expected, 1e-5);
            }
        }
    }
}

#[test]
fn backward_agrees_with_the_reference_in_float64() {
    for (case, geometry) in cases() {
        // Few different values: many ties.
        let x: Vec<f32> = values(geometry.x_len).iter().map(|x| (x * 4.0).round()).collect();
        let dy: Vec<f32> = values(geometry.y_len).iter().map(|v| v + 0.3).collect();
        let (wide_x, wide_dy) = (wide(&x), wide(&dy));
        let len = geometry.x_len;
        let check = |name: &str, kernel: &dyn Fn(&Exec, &mut [f32]), exact: &dyn Fn(&mut [f64])| {
            let dx = on_all(&case, len, kernel);
            let mut expected = vec![0.0; len];
            exact(&mut expected);
            assert_close(&format!("{name} of {case}"), &dx, &expected, 1e-6);
        };
        check("sum", &|cx, dx| sum_backward(cx, &geometry, &dy, dx), &|dx| {
            reference::sum_backward(&geometry, &wide_dy, dx);
        });
        check("mean", &|cx, dx| mean_backward(cx, &geometry, &dy, dx), &|dx| {
            reference::mean_backward(&geometry, &wide_dy, dx);
        });
        check(
            "variance",
            &|cx, dx| variance_backward(cx, &geometry, &x, &dy, dx),
            &|dx| {
                reference::variance_backward(&geometry, &wide_x, &wide_dy, dx);
            },
        );
        for (forward, exact_forward) in [(max as Forward, reference::max as Exact), (min, reference::min)] {
            let mut y = vec![0.0; geometry.y_len];
            forward(&Exec::serial(), &geometry, &x, &mut y);
            let mut exact_y = vec![0.0; geometry.y_len];
            exact_forward(&geometry, &wide_x, &mut exact_y);
            check(
                "extreme",
                &|cx, dx| extreme_backward(cx, &geometry, &x, &y, &dy, dx),
                &|dx| {
                    reference::extreme_backward(&geometry, &wide_x, &exact_y, &wide_dy, dx);
                },
            );
        }
    }
}

#[test]
fn arg_max_finds_the_first_largest_and_nan_first() {
    for (case, geometry) in cases() {
        if geometry.count == 0 {
            continue;
        }
        let mut x: Vec<f32> = values(geometry.x_len).iter().map(|x| (x * 4.0).round()).collect();
        for special in [None, Some(f32::NEG_INFINITY), Some(f32::NAN)] {
            if let Some(special) = special {
                x.iter_mut().skip(1).step_by(7).for_each(|x| *x = special);
            }
            let mut expected = vec![0; geometry.y_len];
            reference::arg_max(&geometry, &x, &mut expected);
            for cx in Exec::all_for_tests() {
                let mut y = vec![-1; geometry.y_len];
                arg_max(&cx, &geometry, &x, &mut y);
                assert_eq!(y, expected, "{case} {:?}", cx.isa);
            }
        }
        x.fill(f32::NEG_INFINITY);
        let mut y = vec![-1; geometry.y_len];
        arg_max(&Exec::serial(), &geometry, &x, &mut y);
        assert!(y.iter().all(|&y| y == 0));
    }
}

#[test]
fn long_sums_keep_float32s_precision() {
    let cx = Exec::serial();
    let geometry = Reduce::new(&[10_000_000], &[true]).unwrap();
    let x = vec![0.1; geometry.x_len];
    let mut y = [0.0];
    sum(&cx, &geometry, &x, &mut y);
    assert_eq!(y[0], (0.1f32 as f64 * 1e7) as f32);
    // A mean far from 0: one pass of squares in float32 would give 0 or a negative number.
    let x: Vec<f32> = (0..1000).map(|i| 4096.0 + (i % 2) as f32 * 0.125).collect();
    let geometry = Reduce::new(&[1000], &[true]).unwrap();
    variance(&cx, &geometry, &x, &mut y);
    assert_eq!(y[0], 0.0625 * 0.0625);
    let big = Reduce::new(&[100], &[true]).unwrap();
    sum(&cx, &big, &[1e38; 100], &mut y);
    assert_eq!(y[0], f32::INFINITY);
}

#[test]
fn nothing_sums_to_zero_and_has_no_mean() {
    let cx = Exec::serial();
    let geometry = Reduce::new(&[2, 0], &[false, true]).unwrap();
    let mut y = [9.0, 9.0];
    sum(&cx, &geometry, &[], &mut y);
    assert_eq!(y, [0.0, 0.0]);
    mean(&cx, &geometry, &[], &mut y);
    assert!(y[0].is_nan() && y[1].is_nan());
    variance(&cx, &geometry, &[], &mut y);
    assert!(y[0].is_nan() && y[1].is_nan());
}

#[test]
fn odd_geometries_are_refused() {
    assert!(Reduce::from_words(&[2.0, 3.0, 1.0]).is_err());
    assert!(Reduce::from_words(&[2.0, 2.0]).is_err());
    assert!(Reduce::from_words(&[f64::NAN, 0.0]).is_err());
    assert!(Reduce::new(&[1 << 30, 1 << 30], &[true, true]).is_err());
    let geometry = Reduce::from_words(&[2.0, 3.0, 0.0, 1.0]).unwrap();
    assert_eq!((geometry.x_len, geometry.y_len, geometry.count), (6, 2, 3));
    assert!(geometry.check(&[6], &[3]).is_err());
}
