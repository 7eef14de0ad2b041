use super::*;

/// A small generator, so that tests need no other crate.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % below
    }

    fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.roll(9) as f32 - 4.0).collect()
    }
}

fn random_axis(dice: &mut Dice) -> Axis {
    loop {
        let (input, kernel) = (1 + dice.roll(14), 1 + dice.roll(5));
        let (stride, dilation) = (1 + dice.roll(4), 1 + dice.roll(3));
        let (before, after) = (dice.roll(4) * dice.roll(3), dice.roll(4) * dice.roll(3));
        if let Ok(axis) = Axis::new(input, kernel, stride, dilation, before, after) {
            return axis;
        }
    }
}

fn random_conv(dice: &mut Dice) -> Conv2d {
    let (height, width) = (random_axis(dice), random_axis(dice));
    let (groups, channels, filters) = match dice.roll(4) {
        0 => (1 + dice.roll(4), 1 + dice.roll(3), 1 + dice.roll(5)),
        1 => (2 + dice.roll(40), 1, 1 + dice.roll(2)),
        2 => (1, 1 + dice.roll(40), 1 + dice.roll(70)),
        _ => (1, 1 + dice.roll(4), 1 + dice.roll(40)),
    };
    Conv2d::new(
        dice.roll(4),
        height,
        width,
        groups * channels,
        groups * filters,
        groups,
    )
    .unwrap()
}

/// Integers are exact in any order: every path on any number of threads must give the reference's numbers.
fn check(conv: &Conv2d, execs: &[Exec], dice: &mut Dice) {
    let (x, w) = (dice.integers(conv.input_len()), dice.integers(conv.weight_len()));
    let (dy, bias) = (dice.integers(conv.output_len()), dice.integers(conv.filters));
    let mut y = vec![0.0; dy.len()];
    let mut plain = vec![0.0; dy.len()];
    reference::forward(conv, &x, &w, &bias, true, &mut y);
    reference::forward(conv, &x, &w, &[], false, &mut plain);
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    reference::input_gradient(conv, &dy, &w, &mut dx);
    reference::weight_gradient(conv, &x, &dy, &mut dw);
    for cx in execs {
        let what = format!("{conv:?} on {:?} with {} threads", cx.isa, cx.team.threads());
        let mut found = vec![f32::NAN; y.len()];
        forward(cx, conv, &x, &w, &bias, Activation::Relu, &mut found);
        assert_eq!(found, y, "forward, {what}");
        found.fill(f32::NAN);
        forward(cx, conv, &x, &w, &[], Activation::None, &mut found);
        assert_eq!(found, plain, "forward without bias, {what}");
        let mut found = vec![f32::NAN; x.len()];
        input_gradient(cx, conv, &dy, &w, &mut found);
        assert_eq!(found, dx, "input gradient, {what}");
        let mut found = vec![f32::NAN; w.len()];
        weight_gradient(cx, conv, &x, &dy, &mut found);
        assert_eq!(found, dw, "weight gradient, {what}");
    }
}

#[test]
fn every_direction_is_exact_on_random_geometry() {
    let execs = Exec::all_for_tests();
    let mut dice = Dice(7);
    for _ in 0..400 {
        let conv = random_conv(&mut dice);
        check(&conv, &execs, &mut dice);
    }
}

fn same(batch: usize, size: usize, kernel: usize, stride: usize, channels: usize, filters: usize) -> Conv2d {
    let pad = (kernel - 1) / 2;
    let axis = Axis::new(size, kernel, stride, 1, pad, kernel - 1 - pad).unwrap();
    Conv2d::new(batch, axis, axis, channels, filters, 1).unwrap()
}

#[test]
fn layers_of_real_networks_are_exact() {
    let execs = Exec::all_for_tests();
    let mut dice = Dice(3);
    for conv in [
        same(5, 28, 3, 1, 1, 32),
        same(3, 14, 3, 1, 32, 64),
        same(2, 32, 3, 1, 3, 32),
        same(1, 32, 7, 2, 3, 64),
        same(2, 14, 1, 1, 128, 96),
        same(1, 7, 3, 1, 160, 130),
        same(2, 17, 3, 2, 24, 40),
        same(1, 11, 5, 1, 7, 10),
    ] {
        check(&conv, &execs, &mut dice);
    }
}

#[test]
fn floats_are_close_and_have_the_same_bits_on_any_number_of_threads() {
    let mut dice = Dice(11);
    let conv = same(3, 20, 3, 1, 40, 48);
    let mut random = |len: usize| -> Vec<f32> {
        (0..len)
            .map(|_| dice.roll(1 << 20) as f32 / (1 << 19) as f32 - 1.0)
            .collect()
    };
    let (x, w, dy) = (
        random(conv.input_len()),
        random(conv.weight_len()),
        random(conv.output_len()),
    );
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let mut expected = vec![0.0; conv.weight_len()];
    reference::weight_gradient(&conv, &wide(&x), &wide(&dy), &mut expected);
    let mut before: Option<(Isa, Vec<f32>)> = None;
    for cx in Exec::all_for_tests() {
        let mut all = vec![0.0; conv.output_len()];
        forward(&cx, &conv, &x, &w, &[], Activation::None, &mut all);
        let mut dw = vec![0.0; conv.weight_len()];
        weight_gradient(&cx, &conv, &x, &dy, &mut dw);
        let rms = (expected.iter().map(|v| v * v).sum::<f64>() / expected.len() as f64).sqrt();
        for (found, expected) in dw.iter().zip(&expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5 * rms,
                "{found} {expected}, rms {rms}"
            );
        }
        all.extend(dw);
        if let Some((isa, bits)) = &before
            && *isa == cx.isa
        {
            assert!(*bits == all, "{:?} with {} threads", cx.isa, cx.team.threads());
        }
        before = Some((cx.isa, all));
    }
}

use crate::Isa;

#[test]
fn nan_and_infinity_go_where_they_belong() {
    let conv = same(1, 6, 3, 1, 2, 3);
    for cx in Exec::all_for_tests() {
        let mut x = vec![1.0; conv.input_len()];
        x[0] = f32::NAN;
        let mut y = vec![0.0; conv.output_len()];
        forward(
            &cx,
            &conv,
            &x,
            &vec![0.0; conv.weight_len()],
            &[],
            Activation::Relu,
            &mut y,
        );
        for (i, y) in y.iter().enumerate() {
            let (row, col) = (i / 3 / 6, i / 3 % 6);
            assert_eq!(y.is_nan(), row < 2 && col < 2, "{row} {col}");
        }
        x[0] = f32::INFINITY;
        forward(
            &cx,
            &conv,
            &x,
            &vec![1.0; conv.weight_len()],
            &[],
            Activation::None,
            &mut y,
        );
        assert_eq!(y[0], f32::INFINITY);
        assert_eq!(y[3 * 3], 12.0);
    }
}

#[test]
fn geometry_from_outside_is_checked() {
    let good = [
        1.0, 4.0, 4.0, 2.0, 3.0, 3.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
    ];
    assert!(Conv2d::from_words(&good).is_ok());
    for i in 0..good.len() {
        for bad in [-1.0, 0.5, f64::NAN, 2f64.powi(53)] {
            let mut words = good;
            words[i] = bad;
            assert!(Conv2d::from_words(&words).is_err(), "number {i} is {bad}");
        }
    }
    for (i, bad) in [
        (4, 0.0),
        (7, 0.0),
        (8, 0.0),
        (10, 0.0),
        (7, 3.0),
        (4, 5.0),
        (10, 2.0e9),
    ] {
        let mut words = good;
        words[i] = bad;
        assert!(Conv2d::from_words(&words).is_err(), "number {i} is {bad}");
    }
    let conv = Conv2d::from_words(&good).unwrap();
    assert!(conv.check(32, 90, 20, 5).is_ok() && conv.check(32, 90, 20, 0).is_ok());
    assert!(conv.check(31, 90, 20, 0).is_err() && conv.check(32, 90, 20, 4).is_err());
}
