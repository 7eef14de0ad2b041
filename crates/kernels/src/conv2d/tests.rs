use super::*;
use crate::{Convolution, Isa};

/// A small generator, so that tests need no other crate.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % below
    }

    pub fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.roll(9) as f32 - 4.0).collect()
    }
}

/// Every path without the Winograd algorithm, which is not exact.
fn direct() -> Vec<Exec> {
    Exec::all_for_tests()
        .into_iter()
        .map(|cx| cx.convolving(Convolution::Direct))
        .collect()
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
pub(super) fn check(conv: &Conv2d, execs: &[Exec], dice: &mut Dice) {
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
        if let Some(packed) = packed(cx, conv, &w) {
            found.fill(f32::NAN);
            forward_packed(cx, conv, &x, &packed, &bias, Activation::Relu, &mut found);
            assert_eq!(found, y, "forward with a packed weight, {what}");
        }
        let mut found = vec![f32::NAN; x.len()];
        input_gradient(cx, conv, &dy, &w, &mut found);
        assert_eq!(found, dx, "input gradient, {what}");
        let mut found = vec![f32::NAN; w.len()];
        weight_gradient(cx, conv, &x, &dy, &mut found);
        assert_eq!(found, dw, "weight gradient, {what}");
    }
}

/// The weight packed, where it has a packed form.
fn packed(cx: &Exec, conv: &Conv2d, w: &[f32]) -> Option<Vec<f32>> {
    let mut packed = vec![f32::NAN; packed_len(cx, conv)];
    pack(cx, conv, w, &mut packed);
    (!packed.is_empty()).then_some(packed)
}

#[test]
fn a_packed_weight_gives_the_same_bits_whatever_batch_it_was_packed_for() {
    let noise = |len: usize| -> Vec<f32> { (0..len).map(|i| (i as f32 * 12.9898).sin()).collect() };
    let convs = [
        same(3, 14, 3, 1, 20, 40),
        same(3, 9, 5, 1, 17, 33),
        same(3, 12, 3, 2, 8, 5),
        same(3, 11, 3, 1, 64, 3),
    ];
    for conv in convs {
        let (x, w, bias) = (
            noise(conv.input_len()),
            noise(conv.weight_len()),
            noise(conv.filters),
        );
        for cx in &Exec::all_for_tests() {
            let mut y = vec![f32::NAN; conv.output_len()];
            forward(cx, &conv, &x, &w, &bias, Activation::None, &mut y);
            let packed = packed(cx, &Conv2d { batch: 2, ..conv }, &w).expect("a packed form");
            let mut found = vec![f32::NAN; y.len()];
            forward_packed(cx, &conv, &x, &packed, &bias, Activation::None, &mut found);
            assert!(found == y, "{conv:?} on {:?}", cx.isa);
        }
    }
    assert_eq!(
        packed_len(
            &Exec::serial(),
            &Conv2d {
                groups: 8,
                ..same(1, 9, 3, 1, 8, 8)
            }
        ),
        0
    );
}

#[test]
fn every_direction_is_exact_on_random_geometry() {
    let execs = direct();
    let mut dice = Dice(7);
    for _ in 0..400 {
        let conv = random_conv(&mut dice);
        check(&conv, &execs, &mut dice);
    }
}

pub(super) fn same(
    batch: usize,
    size: usize,
    kernel: usize,
    stride: usize,
    channels: usize,
    filters: usize,
) -> Conv2d {
    let pad = (kernel - 1) / 2;
    let axis = Axis::new(size, kernel, stride, 1, pad, kernel - 1 - pad).unwrap();
    Conv2d::new(batch, axis, axis, channels, filters, 1).unwrap()
}

#[test]
fn layers_of_real_networks_are_exact() {
    let execs = direct();
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
        // Rows that many filters share are copied, here from pixels that touch; the weight gradient as a plain product.
        same(2, 12, 3, 1, 1, 100),
        same(1, 7, 1, 1, 330, 320),
    ] {
        check(&conv, &execs, &mut dice);
    }
}

/// Layers that run on every loop there is, each large enough for several tiles.
fn all_loops() -> Vec<Conv2d> {
    let grouped = |size, kernel, stride, channels, filters, groups| {
        let axis = Axis::new(size, kernel, stride, 1, kernel / 2, kernel / 2).unwrap();
        Conv2d::new(3, axis, axis, channels, filters, groups).unwrap()
    };
    vec![
        same(3, 20, 3, 1, 40, 48),
        same(40, 4, 3, 1, 24, 70),
        same(3, 21, 3, 2, 33, 20),
        same(4, 30, 3, 1, 16, 3),
        same(4, 30, 3, 1, 3, 16),
        same(2, 40, 1, 1, 50, 3),
        same(1, 9, 3, 1, 130, 200),
        grouped(24, 3, 1, 64, 64, 64),
        grouped(25, 3, 2, 20, 40, 20),
        grouped(24, 3, 1, 32, 48, 4),
    ]
}

#[test]
fn the_algorithms_of_a_convolution_can_be_asked() {
    let of = |way: Convolution, conv: &Conv2d| {
        let cx = Exec::serial().convolving(way);
        algorithms(&cx, conv).map(|all| {
            all.iter()
                .map(|one| one.to_string())
                .collect::<Vec<_>>()
                .join(" + ")
        })
    };
    let all = |name: &str| [name; 3].map(String::from);
    let (auto, square) = (Convolution::Auto, |size| same(8, size, 3, 1, 64, 64));
    assert_eq!(of(auto, &square(56)), all("winograd4"));
    assert_eq!(of(auto, &square(2)), all("winograd2"));
    assert_eq!(of(Convolution::Winograd2, &square(56)), all("winograd2"));
    assert_eq!(of(Convolution::Direct, &square(56)), all("direct"));
    // Few channels make the input gradient thin, few filters the other two.
    assert_eq!(of(auto, &same(8, 32, 3, 1, 2, 64)), ["direct", "thin", "direct"]);
    assert_eq!(of(auto, &same(8, 32, 3, 1, 64, 2)), ["thin", "direct", "thin"]);
    // The classes of a stride have windows of their own: of 5 × 5 taps 3 × 3 and fewer, of 3 × 3 at most 2 × 2.
    assert_eq!(
        of(auto, &same(8, 32, 5, 2, 64, 64)),
        ["direct", "winograd4 + direct", "direct"]
    );
    assert_eq!(of(auto, &same(8, 32, 3, 2, 64, 64)), all("direct"));
    // What no tap reaches counts for nothing.
    assert_eq!(of(auto, &same(8, 32, 1, 2, 64, 64)), all("direct"));
    let beside = Axis::new(1, 1, 3, 1, 1, 0).unwrap();
    assert_eq!(
        of(auto, &Conv2d::new(1, beside, beside, 4, 4, 1).unwrap()),
        all("direct")
    );
    // A gradient of 512 × 256 is too large for copies.
    assert_eq!(
        of(auto, &same(8, 7, 1, 1, 512, 256)),
        ["direct", "direct", "product"]
    );
    let axis = Axis::new(24, 3, 1, 1, 1, 1).unwrap();
    assert_eq!(
        of(auto, &Conv2d::new(8, axis, axis, 32, 32, 32).unwrap()),
        all("depthwise")
    );
    assert_eq!(
        of(auto, &Conv2d::new(8, axis, axis, 32, 32, 2).unwrap()),
        all("direct")
    );
}

#[test]
fn the_algorithms_do_not_depend_on_threads() {
    let mut dice = Dice(13);
    let random = (0..1000).map(|_| random_conv(&mut dice));
    let tiled = [1, 2, 8].map(|batch| same(batch, 8, 3, 1, 32, 48));
    for conv in random.chain(tiled) {
        for cx in Exec::all_for_tests() {
            let alone = Exec {
                isa: cx.isa,
                ..Exec::serial()
            };
            assert_eq!(algorithms(&cx, &conv), algorithms(&alone, &conv));
        }
    }
}

#[test]
fn the_batch_decides_about_tiles_only() {
    let forward = |batch| algorithms(&Exec::serial(), &same(batch, 8, 3, 1, 32, 48))[0].clone();
    assert_eq!(forward(1), [Algorithm::Winograd(2)]);
    assert_eq!(forward(2), [Algorithm::Winograd(4)]);
    assert_eq!(forward(64), [Algorithm::Winograd(4)]);
}

pub(super) fn floats(dice: &mut Dice, len: usize) -> Vec<f32> {
    (0..len)
        .map(|_| dice.roll(1 << 20) as f32 / (1 << 19) as f32 - 1.0)
        .collect()
}

/// Forward, input gradient and weight gradient, one after the other.
pub(super) fn run(cx: &Exec, conv: &Conv2d, x: &[f32], w: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let mut found = [dy, x, w].map(|like| vec![f32::NAN; like.len()]);
    forward(cx, conv, x, w, &[], Activation::None, &mut found[0]);
    input_gradient(cx, conv, dy, w, &mut found[1]);
    weight_gradient(cx, conv, x, dy, &mut found[2]);
    found
}

pub(super) fn run_reference<T: num_traits::Float>(conv: &Conv2d, x: &[T], w: &[T], dy: &[T]) -> [Vec<T>; 3] {
    let mut found = [dy, x, w].map(|like| vec![T::nan(); like.len()]);
    reference::forward(conv, x, w, &[], false, &mut found[0]);
    reference::input_gradient(conv, dy, w, &mut found[1]);
    reference::weight_gradient(conv, x, dy, &mut found[2]);
    found
}

/// All directions must come within `bound` times the root mean square of the exact result, and have the same bits on any
/// number of threads.
pub(super) fn check_close(conv: &Conv2d, execs: &[Exec], bound: f64, dice: &mut Dice) {
    let [x, w, dy] = [conv.input_len(), conv.weight_len(), conv.output_len()].map(|len| floats(dice, len));
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let expected = run_reference(conv, &wide(&x), &wide(&w), &wide(&dy));
    let mut before: Option<(Isa, [Vec<f32>; 3])> = None;
    for cx in execs {
        let what = format!("{conv:?}, {:?} with {} threads", cx.isa, cx.team.threads());
        let found = run(cx, conv, &x, &w, &dy);
        for (found, expected) in found.iter().zip(&expected) {
            let rms = (expected.iter().map(|v| v * v).sum::<f64>() / expected.len() as f64).sqrt();
            for (found, expected) in found.iter().zip(expected) {
                let error = (f64::from(*found) - expected).abs();
                assert!(error < bound * rms, "{what}: {found} for {expected}, rms {rms}");
            }
        }
        if let Some((isa, bits)) = &before
            && *isa == cx.isa
        {
            assert!(*bits == found, "{what}: other bits");
        }
        before = Some((cx.isa, found));
    }
}

#[test]
fn floats_are_close_and_have_the_same_bits_on_any_number_of_threads() {
    let (mut dice, execs) = (Dice(11), direct());
    for conv in all_loops() {
        check_close(&conv, &execs, 1e-5, &mut dice);
    }
}

#[test]
fn what_is_not_finite_is_so_in_the_same_places_as_in_the_reference() {
    let mut dice = Dice(5);
    let execs = direct();
    for round in 0..200 {
        let conv = random_conv(&mut dice);
        let mut inputs =
            [conv.input_len(), conv.weight_len(), conv.output_len()].map(|len| dice.integers(len));
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][round % 3];
        let into = &mut inputs[round / 3 % 3];
        if into.is_empty() {
            continue;
        }
        let at = dice.roll(into.len());
        into[at] = odd;
        let [x, w, dy] = &inputs;
        let expected = run_reference(&conv, x, w, dy);
        for cx in &execs {
            for (found, expected) in run(cx, &conv, x, w, dy).iter().zip(&expected) {
                for (found, expected) in found.iter().zip(expected) {
                    let same = found == expected || found.is_nan() && expected.is_nan();
                    assert!(same, "{conv:?}, {:?}: {found} for {expected}", cx.isa);
                }
            }
        }
    }
}

#[test]
fn legal_giants_need_no_giant_memory() {
    let most = crate::padding::MOST as usize;
    let cx = Exec::serial().convolving(Convolution::Direct);
    let mut dice = Dice(2);
    for axis in [
        Axis::new(3, 2, most, 1, most, most),
        Axis::new(3, 2, most, 1 << 30, 1 << 29, 1 << 29),
        Axis::new(2, 2, 1 << 30, most - 2, most, 0),
        Axis::new(5, 1, 1 << 20, 1, 0, 1 << 22),
    ] {
        let axis = axis.unwrap();
        for (channels, filters, groups) in [(3, 4, 1), (4, 4, 4), (16, 2, 1)] {
            let conv = Conv2d::new(1, axis, axis, channels, filters, groups).unwrap();
            let [x, w, dy] =
                [conv.input_len(), conv.weight_len(), conv.output_len()].map(|len| dice.integers(len));
            assert_eq!(
                run(&cx, &conv, &x, &w, &dy),
                run_reference(&conv, &x, &w, &dy),
                "{conv:?}"
            );
        }
    }
}

#[test]
#[should_panic(expected = "the weight has 1 elements, the geometry asks for 9")]
fn wrong_lengths_panic_before_anything_is_read() {
    let conv = same(1, 4, 3, 1, 1, 1);
    let (mut y, cx) = (vec![0.0; 16], Exec::serial());
    forward(&cx, &conv, &[0.0; 16], &[0.0], &[], Activation::None, &mut y);
}

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
