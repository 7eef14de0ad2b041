use super::*;
use crate::Isa;
use crate::exec::EMULATED;

pub(super) const A: Varies = Varies {
    a: true,
    b: false,
    c: true,
};
pub(super) const B: Varies = Varies {
    a: false,
    b: true,
    c: true,
};
pub(super) const BOTH: Varies = Varies {
    a: true,
    b: true,
    c: true,
};
pub(super) const SUM: Varies = Varies {
    a: true,
    b: true,
    c: false,
};

fn integers(len: usize, seed: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i * 7 + i / 13 + seed * 3) % 11) as f32 - 5.0)
        .collect()
}

/// The definition again, from the unfolded sizes: `batch` axes are walked one by one. Neither bias nor activation.
fn naive(
    (m, n, k): (usize, usize, usize),
    (ta, tb): (bool, bool),
    batch: &[(usize, Varies)],
    a: &[f32],
    b: &[f32],
    c_len: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0f64; c_len];
    let total: usize = batch.iter().map(|axis| axis.0).product();
    for index in 0..total {
        let (mut rest, mut at, mut sizes) = (index, [0; 3], [m * k, k * n, m * n]);
        for &(size, varies) in batch.iter().rev() {
            for (t, varies) in [varies.a, varies.b, varies.c].into_iter().enumerate() {
                if varies {
                    at[t] += rest % size * sizes[t];
                    sizes[t] *= size;
                }
            }
            rest /= size;
        }
        for i in 0..m {
            for j in 0..n {
                for p in 0..k {
                    let a = a[at[0] + if ta { p * m + i } else { i * k + p }];
                    let b = b[at[1] + if tb { j * k + p } else { p * n + j }];
                    sums[at[2] + i * n + j] += f64::from(a) * f64::from(b);
                }
            }
        }
    }
    sums
}

fn finished(sums: &[f64], bias: &[f32], activation: Activation) -> Vec<f32> {
    let finish = |(at, &sum): (usize, &f64)| {
        let bias = if bias.is_empty() {
            0.0
        } else {
            f64::from(bias[at % bias.len()])
        };
        let v = (sum + bias) as f32;
        if activation == Activation::Relu && v <= 0.0 {
            0.0
        } else {
            v
        }
    };
    sums.iter().enumerate().map(finish).collect()
}

/// Every path against the naive loops and the reference, in integers: all bits equal, for every thread count.
pub(super) fn agree(execs: &[Exec], sizes: (usize, usize, usize), batch: &[(usize, Varies)]) {
    let (m, n, k) = sizes;
    let len = |own: usize, pick: fn(Varies) -> bool| {
        batch
            .iter()
            .filter(|axis| pick(axis.1))
            .fold(own, |all, axis| all * axis.0)
    };
    let (a, b) = (integers(len(m * k, |v| v.a), 1), integers(len(k * n, |v| v.b), 2));
    let c_len = len(m * n, |v| v.c);
    let biases = integers(n, 3);
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let geometry = Geometry::new(sizes, ta, tb, batch).unwrap();
        let sums = naive(sizes, (ta, tb), batch, &a, &b, c_len);
        for (bias, activation) in [(&biases[..0], Activation::None), (&biases[..], Activation::Relu)] {
            let expected = finished(&sums, bias, activation);
            let mut c = vec![f32::NAN; c_len];
            reference::forward(&geometry, activation, [&a, &b, bias], &mut c);
            assert_eq!(c, expected, "reference {sizes:?} {ta} {tb} {batch:?}");
            for cx in execs {
                c.fill(f32::NAN);
                forward(cx, &geometry, activation, [&a, &b, bias], &mut c);
                assert_eq!(c, expected, "{:?} {sizes:?} {ta} {tb} {batch:?}", cx.isa);
                // Where the machine may be emulated, the bits of `a_packed_factor_gives_the_same_bits` are enough.
                let packed =
                    (!EMULATED).then(|| with_packed(cx, &geometry, activation, [&a, &b, bias], c_len));
                if let Some(found) = packed.flatten() {
                    assert_eq!(found, expected, "packed, {:?} {sizes:?} {ta} {tb}", cx.isa);
                }
            }
        }
    }
}

/// Whether a product of so many million multiplications is not too large for this machine.
fn affordable((m, n, k): (usize, usize, usize), millions: usize) -> bool {
    !EMULATED || m * n * k <= millions * 1_000_000
}

/// The product with a right factor that was packed before, where it can be.
fn with_packed(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    [a, b, bias]: [&[f32]; 3],
    len: usize,
) -> Option<Vec<f32>> {
    let mut packed = vec![f32::NAN; packed_len(cx, geometry)];
    if packed.is_empty() {
        return None;
    }
    pack(cx, geometry, b, &mut packed);
    let mut c = vec![f32::NAN; len];
    forward_packed(cx, geometry, activation, [a, &packed, bias], &mut c);
    Some(c)
}

#[test]
fn a_packed_factor_gives_the_same_bits() {
    let noise = |len: usize| -> Vec<f32> { (0..len).map(|i| (i as f32 * 12.9898).sin()).collect() };
    let mut packed = 0;
    for (m, n, k) in [
        (13, 33, 3001),
        (64, 256, 784),
        (200, 530, 400),
        (32, 600, 1100),
        (40, 5, 9),
    ]
    .into_iter()
    .filter(|&sizes| affordable(sizes, 13))
    {
        let (a, b, bias) = (noise(m * k), noise(k * n), noise(n));
        for (ta, tb) in [(false, false), (false, true), (true, false)] {
            let geometry = Geometry::new((m, n, k), ta, tb, &[]).unwrap();
            for cx in &Exec::all_for_tests() {
                for (bias, activation) in [(&bias[..0], Activation::None), (&bias[..], Activation::Relu)] {
                    let mut c = vec![f32::NAN; m * n];
                    forward(cx, &geometry, activation, [&a, &b, bias], &mut c);
                    if let Some(found) = with_packed(cx, &geometry, activation, [&a, &b, bias], m * n) {
                        assert!(found == c, "{:?} {m} {n} {k} {ta} {tb}", cx.isa);
                        packed += 1;
                    }
                }
            }
        }
    }
    assert!(packed > 0);
}

#[test]
fn few_rows_several_matrices_and_a_transposed_result_have_no_packed_form() {
    let scalar = Exec::new(Isa::Scalar, Exec::serial().team);
    let len = |geometry: &Geometry| packed_len(&scalar, geometry);
    let plain = |m, tb| Geometry::new((m, 1000, 2000), false, tb, &[]).unwrap();
    assert_eq!(len(&plain(5, false)), 2000 * 1000);
    assert_eq!(len(&plain(4, false)), 0);
    assert_eq!(len(&plain(5, true)), 0);
    // Axes of A alone are rows; an axis of both is not.
    let batch = |varies| Geometry::new((2, 1000, 2000), false, false, &[(3, varies)]).unwrap();
    assert_eq!(len(&batch(A)), 2000 * 1000);
    assert_eq!(len(&batch(BOTH)), 0);
}

/// One thread on every instruction set, for the many small cases.
fn one_thread() -> Vec<Exec> {
    Exec::all_for_tests()
        .into_iter()
        .filter(|cx| cx.team.threads() == 1)
        .collect()
}

#[test]
fn every_small_size_is_exact() {
    let execs = one_thread();
    let sizes = [0, 1, 2, 3, 5, 7, 13, 17, 31, 33];
    for m in sizes {
        for n in sizes {
            for k in sizes {
                agree(&execs, (m, n, k), &[]);
            }
        }
    }
}

#[test]
fn sizes_round_every_block_are_exact_on_all_threads() {
    let execs = Exec::all_for_tests();
    for sizes in [
        (63, 65, 127),
        (129, 127, 65),
        (25, 97, 385),
        (1, 300, 769),
        (300, 1, 769),
        (97, 10, 128),
        (64, 256, 784),
        (200, 530, 400),
        (5, 7, 5000),
        (13, 33, 3001),
        (600, 70, 3),
        (5, 1100, 700),
        // More than the cache holds, and rows enough to ask for the next part of B.
        (70, 600, 1100),
    ]
    .into_iter()
    .filter(|&sizes| affordable(sizes, 4))
    {
        agree(&execs, sizes, &[]);
    }
}

#[test]
fn a_transposed_factor_that_is_much_longer_than_the_other_becomes_the_left_one() {
    let way = |m, n, k, transposed| {
        let geometry = Geometry::new((m, n, k), false, transposed, &[]).unwrap();
        match turned::way(&Exec::serial(), &geometry) {
            None => "as it stands",
            Some(turned::Way::Tiles(..)) => "tiles",
            Some(turned::Way::Detour(..)) => "detour",
        }
    };
    assert_eq!(way(5, 1100, 700, true), "detour");
    assert_eq!(way(32, 784, 256, true), "tiles");
    assert_eq!(way(5, 1100, 700, false), "as it stands");
    assert_eq!(way(700, 1100, 700, true), "as it stands", "A is as long");
    assert_eq!(way(65, 784, 256, true), "as it stands", "A has many rows");
    assert_eq!(way(5, 1100, 63, true), "as it stands", "little depth");
    // With tiles at every edge, one block of the depth and several, and sums that are cut and so not turned.
    let execs = Exec::all_for_tests();
    for sizes in [
        (1, 13, 64),
        (13, 27, 65),
        (33, 67, 520),
        (40, 100, 1100),
        (64, 130, 256),
        (5, 7, 5000),
        (6, 12, 30_000),
    ] {
        agree(&execs, sizes, &[]);
    }
}

#[test]
fn axes_before_the_matrices_broadcast_and_sum() {
    let execs = Exec::all_for_tests();
    for batch in [
        vec![(3, BOTH)],
        vec![(3, A)],
        vec![(3, B)],
        vec![(2, A), (3, B)],
        vec![(2, B), (3, A)],
        vec![(2, BOTH), (1, A), (3, A)],
        vec![(4, SUM)],
        vec![(2, SUM), (3, BOTH), (2, SUM)],
        vec![(3, BOTH), (2, SUM)],
        vec![(
            2,
            Varies {
                a: true,
                b: false,
                c: false,
            },
        )],
        vec![(0, BOTH)],
        vec![(0, SUM)],
        vec![(2, BOTH), (0, A)],
    ] {
        for sizes in [(1, 1, 1), (3, 5, 4), (17, 33, 9), (0, 3, 2), (2, 0, 3), (2, 3, 0)] {
            agree(&execs, sizes, &batch);
        }
    }
    agree(&execs, (40, 50, 60), &[(7, BOTH)]);
    agree(&execs, (9, 10, 50), &[(6, BOTH), (40, SUM)]);
    agree(&execs, (9, 10, 11), &[(300, BOTH)]);
}

#[test]
fn bits_do_not_depend_on_threads_and_rows_not_on_other_rows() {
    let execs = Exec::all_for_tests();
    let real = |len: usize, seed: u32| -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| next()).collect()
    };
    for (m, n, k, transposed) in [
        (70, 90, 1000, false),
        (6, 9, 20000, false),
        (300, 200, 150, false),
        (5, 1100, 700, true),
    ] {
        let (a, b) = (real(m * k, 1), real(k * n, 2));
        let geometry = Geometry::new((m, n, k), false, transposed, &[]).unwrap();
        let mut exact = vec![0.0; m * n];
        let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        reference::forward(
            &geometry,
            Activation::None,
            [&wide(&a), &wide(&b), &[]],
            &mut exact,
        );
        let mut first: Option<(Isa, Vec<f32>)> = None;
        for cx in &execs {
            let mut c = vec![0.0; m * n];
            forward(cx, &geometry, Activation::None, [&a, &b, &[]], &mut c);
            let worst = c
                .iter()
                .zip(&exact)
                .map(|(&c, &e)| (f64::from(c) - e).abs())
                .fold(0.0, f64::max);
            assert!(
                worst < 2e-6 * (k as f64).sqrt() * 4.0,
                "{worst} off for {m} × {n} × {k}"
            );
            match &first {
                Some((isa, bits)) if *isa == cx.isa => {
                    assert_eq!(*bits, c, "{isa:?} on {} threads", cx.team.threads())
                }
                _ => first = Some((cx.isa, c)),
            }
        }
    }
    for cx in &one_thread() {
        let (m, n, k) = (70, 50, 900);
        let (a, b) = (real(m * k, 3), real(k * n, 4));
        let mut all = vec![0.0; m * n];
        let whole = Geometry::new((m, n, k), false, false, &[]).unwrap();
        forward(cx, &whole, Activation::None, [&a, &b, &[]], &mut all);
        let mut row = vec![0.0; 5 * n];
        let five = Geometry::new((5, n, k), false, false, &[]).unwrap();
        forward(
            cx,
            &five,
            Activation::None,
            [&a[30 * k..35 * k], &b, &[]],
            &mut row,
        );
        assert_eq!(row, all[30 * n..35 * n], "{:?}", cx.isa);
    }
}

#[test]
fn not_a_number_and_infinity_spread_along_their_row_and_column_only() {
    for cx in &Exec::all_for_tests() {
        for (m, n, k) in [(1, 1, 1), (7, 5, 3), (40, 70, 400), (300, 200, 100), (3, 4, 9000)] {
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for (ta, tb) in [(false, false), (true, true)] {
                    let geometry = Geometry::new((m, n, k), ta, tb, &[]).unwrap();
                    let (row, col, depth) = (m / 2, n / 2, k / 2);
                    // Odd numbers meet zeros, which must not hide them.
                    let (mut a, mut b) = (vec![0.0; m * k], vec![0.0; k * n]);
                    let mut c = vec![0.0; m * n];
                    a[if ta { depth * m + row } else { row * k + depth }] = odd;
                    forward(cx, &geometry, Activation::None, [&a, &b, &[]], &mut c);
                    assert!(
                        c.iter().enumerate().all(|(at, v)| v.is_nan() == (at / n == row)),
                        "A {m} {n} {k}"
                    );
                    a.fill(0.0);
                    b[if tb { col * k + depth } else { depth * n + col }] = odd;
                    forward(cx, &geometry, Activation::Relu, [&a, &b, &[]], &mut c);
                    assert!(
                        c.iter().enumerate().all(|(at, v)| v.is_nan() == (at % n == col)),
                        "B {m} {n} {k}"
                    );
                }
            }
        }
    }
}

#[test]
fn sixteen_million_products_stay_within_the_error_bound() {
    let k = (1 << 24) + 1;
    let geometry = Geometry::new((1, 1, k), false, false, &[]).unwrap();
    let (a, b, mut c) = (vec![0.1f32; k], vec![1.0; k], [0.0]);
    let exact = f64::from(0.1f32) * k as f64;
    forward(
        &Exec::serial(),
        &geometry,
        Activation::None,
        [&a, &b, &[]],
        &mut c,
    );
    // A plain chain of float32 would be wrong by a quarter here.
    assert!(
        (f64::from(c[0]) - exact).abs() < 1e-3 * exact,
        "{} for {exact}",
        c[0]
    );
}

#[test]
fn impossible_sizes_and_wrong_lengths_are_errors() {
    let huge = 1 << 40;
    assert_eq!(
        Geometry::new((huge, huge, 1), false, false, &[]).unwrap_err(),
        format!("{huge} · {huge} elements are too many")
    );
    assert!(Geometry::new((usize::MAX, 2, 0), false, false, &[]).is_err());
    assert!(Geometry::new((1, 1, 1), false, false, &[(huge, BOTH), (huge, BOTH)]).is_err());
    assert!(Geometry::new((1 << 30, 1 << 30, 1 << 30), false, false, &[]).is_err());
    assert!(Geometry::new((1, 1, 1), false, false, &[(1, BOTH); 65]).is_err());
    let geometry = Geometry::new((2, 3, 4), false, false, &[(5, A)]).unwrap();
    assert_eq!(geometry.check_lengths(40, 12, 0, 30), Ok(()));
    assert_eq!(geometry.check_lengths(40, 12, 3, 30), Ok(()));
    assert_eq!(
        geometry.check_lengths(40, 12, 2, 30).unwrap_err(),
        "buffers of 40, 12, 30 elements and 2 biases, where 40, 12, 30 and 3 are expected"
    );
    assert!(geometry.check_lengths(40, 60, 0, 30).is_err());
}

#[test]
fn words_are_read_as_sizes_and_checked() {
    let words = [2.0, 3.0, 4.0, 1.0, 0.0, 5.0, 7.0, 6.0, 5.0];
    let axes = [(5, BOTH), (6, A)];
    assert_eq!(
        Geometry::from_words(&words),
        Geometry::new((2, 3, 4), true, false, &axes)
    );
    for wrong in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
        for at in 0..words.len() {
            let mut words = words;
            words[at] = wrong;
            assert!(Geometry::from_words(&words).is_err(), "{wrong} at {at}");
        }
    }
    for len in [0, 4, 6, 8] {
        assert_eq!(
            Geometry::from_words(&words[..len]).unwrap_err(),
            format!("{len} words")
        );
    }
}

#[test]
fn columns_are_summed_on_every_path() {
    for cx in &Exec::all_for_tests() {
        for (rows, columns) in [
            (0, 3),
            (3, 0),
            (0, 0),
            (1, 1),
            (2, 33),
            (5000, 7),
            (700, 300),
            (40000, 1),
        ] {
            let x = integers(rows * columns, 8);
            let mut expected = vec![f32::NAN; columns];
            reference::column_sums(&x, &mut expected);
            let mut sums = vec![f32::NAN; columns];
            column_sums(cx, &x, &mut sums);
            assert_eq!(sums, expected, "{:?} {rows} x {columns}", cx.isa);
        }
    }
}
