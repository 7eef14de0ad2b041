use super::form::Form;
use super::matrices::{Side, gradient, input, output, taps, taps_gradient};
use crate::conv2d::tests::{Dice, check_close, floats, run, run_reference, same};
use crate::conv2d::{Algorithm, Conv2d, algorithms};
use crate::exec::EMULATED;
use crate::microkernel::lanes::{Lanes, Plain};
use crate::padding::Axis;
use crate::{Convolution, Exec};

fn random(dice: &mut Dice, kernel: usize) -> Conv2d {
    let axis = |dice: &mut Dice| {
        let (before, after) = (dice.roll(kernel + 1), dice.roll(kernel + 1));
        Axis::new(kernel + dice.roll(14), kernel, 1, 1, before, after).unwrap()
    };
    let (height, width) = (axis(dice), axis(dice));
    let (channels, filters) = (1 + dice.roll(70), 1 + dice.roll(150));
    Conv2d::new(1 + dice.roll(3), height, width, channels, filters, 1).unwrap()
}

fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value * value;
        count += 1.0;
    }
    f64::sqrt(sum / count)
}

/// For each way to convolve the same numbers, the root mean square of the error of each direction, relative to that of
/// the exact result.
fn errors<const WAYS: usize>(ways: [Convolution; WAYS], conv: &Conv2d, dice: &mut Dice) -> [[f64; 3]; WAYS] {
    let [x, w, dy] = [conv.input_len(), conv.weight_len(), conv.output_len()].map(|len| floats(dice, len));
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let expected = run_reference(conv, &wide(&x), &wide(&w), &wide(&dy));
    ways.map(|way| {
        let found = run(&Exec::serial().convolving(way), conv, &x, &w, &dy);
        std::array::from_fn(|i| {
            let error = found[i]
                .iter()
                .zip(&expected[i])
                .map(|(found, expected)| f64::from(*found) - expected);
            root_mean_square(error) / root_mean_square(expected[i].iter().copied())
        })
    })
}

#[test]
fn two_by_two_is_exact_on_integers() {
    let mut dice = Dice(21);
    for _ in 0..if EMULATED { 5 } else { 16 } {
        let conv = random(&mut dice, 3);
        let [x, w, dy] =
            [conv.input_len(), conv.weight_len(), conv.output_len()].map(|len| dice.integers(len));
        // Filters that are multiples of 4 stay whole when they are transformed.
        let w: Vec<f32> = w.iter().map(|v| v * 4.0).collect();
        let mut expected = run_reference(&conv, &x, &w, &dy);
        for cx in Exec::all_for_tests() {
            let mut found = run(&cx.convolving(Convolution::Winograd2), &conv, &x, &w, &dy);
            for (found, expected) in found.iter_mut().zip(&mut expected) {
                // -0 and 0 are the same number.
                assert_eq!(found, expected, "{conv:?}");
            }
        }
    }
}

/// One lane of a side.
fn lane<const N: usize>(side: [Plain; N]) -> [f32; N] {
    side.map(|register| {
        let mut lane = 0.0;
        // SAFETY: plain code, which writes one float.
        unsafe { register.store_first(&mut lane, 1) };
        lane
    })
}

/// A one at `at`, zeros elsewhere.
fn one<const N: usize>(at: usize) -> [Plain; N] {
    // SAFETY: plain code.
    std::array::from_fn(|i| unsafe { Plain::all(if i == at { 1.0 } else { 0.0 }) })
}

/// Of a single pixel and a single tap the output that sees the one under the other is 1, all others are 0; so for the
/// gradient of the taps. What holds for each of them holds for all sums.
fn check_matrices<const M: usize, const R: usize>() {
    let size = M + R - 1;
    let product = |left: Side<Plain>, right: Side<Plain>| -> Side<Plain> {
        let (left, right) = (lane(left), lane(right));
        // SAFETY: plain code.
        std::array::from_fn(|i| unsafe { Plain::all(left[i] * right[i]) })
    };
    let check = |found: &[f32], at: Option<usize>, what: String| {
        for (i, found) in found.iter().enumerate() {
            let expected = if at == Some(i) { 1.0 } else { 0.0 };
            assert!(
                (found - expected).abs() < 1e-6,
                "F({M}, {R}), {what}: {found} at {i}"
            );
        }
    };
    // SAFETY: plain code.
    unsafe {
        for pixel in 0..size {
            let pixels = input::<Plain, M, R>(one(pixel));
            for tap in 0..R {
                let taps = taps::<Plain, M, R>(one(tap));
                let found = lane(output::<Plain, M, R>(product(pixels, taps)));
                check(
                    &found,
                    pixel.checked_sub(tap),
                    format!("pixel {pixel}, tap {tap}"),
                );
            }
            for at in 0..M {
                let outputs = gradient::<Plain, M, R>(one(at));
                let found = lane(taps_gradient::<Plain, M, R>(product(pixels, outputs)));
                check(
                    &found,
                    pixel.checked_sub(at),
                    format!("pixel {pixel}, output {at}"),
                );
            }
        }
    }
}

#[test]
fn transforms_of_every_form_are_those_of_a_convolution() {
    for form in Form::ALL {
        match form {
            Form::F43 => check_matrices::<4, 3>(),
            Form::F23 => check_matrices::<2, 3>(),
            Form::F25 => check_matrices::<2, 5>(),
        }
    }
}

#[test]
fn every_form_is_close_with_the_same_bits_on_any_number_of_threads() {
    let mut dice = Dice(4);
    for (mode, kernel) in [
        (Convolution::Winograd2, 3),
        (Convolution::Winograd4, 3),
        (Convolution::Winograd2, 5),
        (Convolution::Auto, 5),
    ] {
        let execs: Vec<Exec> = Exec::all_for_tests()
            .into_iter()
            .map(|cx| cx.convolving(mode))
            .collect();
        for _ in 0..if EMULATED { 2 } else { 6 } {
            check_close(&random(&mut dice, kernel), &execs, 4e-5, &mut dice);
        }
    }
    // A gradient so large that all threads share its products; windows whose classes of pixels have 5 × 5 taps.
    let axis = Axis::new(20, 10, 2, 1, 4, 4).unwrap();
    let classes = Conv2d::new(2, axis, axis, 20, 32, 1).unwrap();
    let execs = Exec::all_for_tests();
    assert_eq!(algorithms(&execs[0], &classes)[1], [Algorithm::Winograd(2)]);
    for conv in [same(1, 9, 5, 1, 80, 70), classes] {
        check_close(&conv, &execs, 4e-5, &mut dice);
    }
}

/// Each error of `found` is at most `factor` times that of `direct`, for the directions forward, input and weight gradient.
fn check_errors(conv: &Conv2d, direct: [f64; 3], found: [f64; 3], factors: [f64; 3]) {
    for direction in 0..3 {
        assert!(
            found[direction] <= factors[direction] * direct[direction],
            "{conv:?} {direction}: {found:?}, direct {direct:?}"
        );
    }
}

#[test]
fn errors_stay_within_what_is_promised() {
    use Convolution::{Direct, Winograd2, Winograd4};
    let mut dice = Dice(9);
    let threes = [
        same(1, 32, 3, 1, 32, 32),
        same(6, 14, 3, 1, 256, 16),
        same(4, 28, 3, 1, 64, 64),
        // So many tiles that the weight gradient has several sums.
        same(1, 184, 3, 1, 96, 48),
    ];
    for conv in threes.into_iter().take(if EMULATED { 2 } else { 4 }) {
        let [direct, two, four] = errors([Direct, Winograd2, Winograd4], &conv, &mut dice);
        check_errors(&conv, direct, two, [1.0; 3]);
        check_errors(&conv, direct, four, [3.0; 3]);
    }
    let five = [
        same(6, 14, 5, 1, 128, 16),
        same(2, 28, 5, 1, 64, 24),
        same(4, 16, 5, 1, 32, 64),
    ];
    for conv in five.into_iter().take(if EMULATED { 1 } else { 3 }) {
        let [direct, two] = errors([Direct, Winograd2], &conv, &mut dice);
        check_errors(&conv, direct, two, [3.0; 3]);
    }
    // Sums over so few positions that direct ones hardly round, and over many channels.
    let short = [(8, 32, 48), (14, 48, 32), (14, 600, 16), (14, 16, 600)];
    for (size, channels, filters) in short.into_iter().take(if EMULATED { 2 } else { 4 }) {
        for (kernel, way) in [(3, Winograd4), (5, Winograd2)] {
            let conv = same(1, size, kernel, 1, channels, filters);
            let [direct, found] = errors([Direct, way], &conv, &mut dice);
            check_errors(&conv, direct, found, [3.0, 3.0, 5.0]);
        }
    }
}

#[test]
fn the_choice_follows_the_sizes() {
    let auto = Exec::serial();
    let choice = |cx: &Exec, conv: &Conv2d| super::tile_of(cx, &conv.view(), conv.groups, conv.filters);
    assert_eq!(choice(&auto, &same(8, 56, 3, 1, 64, 64)), Some(4));
    assert_eq!(choice(&auto, &same(8, 2, 3, 1, 64, 64)), Some(2));
    // Few tiles in all do not pay for the filters that they read.
    assert_eq!(choice(&auto, &same(1, 16, 3, 1, 64, 64)), Some(4));
    assert_eq!(choice(&auto, &same(1, 8, 3, 1, 64, 64)), Some(2));
    assert_eq!(choice(&auto, &same(1, 2, 3, 1, 64, 64)), None);
    assert_eq!(choice(&auto, &same(8, 56, 3, 1, 3, 64)), None);
    assert_eq!(choice(&auto, &same(8, 56, 3, 2, 64, 64)), None);
    assert_eq!(choice(&auto, &same(8, 56, 5, 1, 64, 64)), Some(2));
    assert_eq!(choice(&auto, &same(8, 56, 5, 1, 16, 16)), Some(2));
    assert_eq!(choice(&auto, &same(8, 56, 5, 1, 6, 100)), None);
    assert_eq!(choice(&auto, &same(8, 1, 5, 1, 64, 64)), None);
    assert_eq!(choice(&auto, &same(8, 56, 4, 1, 64, 64)), None);
    // There are no tiles of 4 × 4 outputs for 5 × 5 windows, and none for windows of other shapes.
    let four = auto.clone().convolving(Convolution::Winograd4);
    assert_eq!(choice(&four, &same(8, 56, 5, 1, 64, 64)), None);
    let (three, five) = [3, 5]
        .map(|kernel| Axis::new(56, kernel, 1, 1, 2, 2).unwrap())
        .into();
    assert_eq!(
        choice(&auto, &Conv2d::new(8, three, five, 64, 64, 1).unwrap()),
        None
    );
    for kernel in [3, 5] {
        let (direct, two) = (Convolution::Direct, Convolution::Winograd2);
        let conv = same(8, 56, kernel, 1, 64, 64);
        assert_eq!(choice(&auto.clone().convolving(direct), &conv), None);
        assert_eq!(choice(&auto.clone().convolving(two), &conv), Some(2));
    }
}
