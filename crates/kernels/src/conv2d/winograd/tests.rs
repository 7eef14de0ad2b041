use crate::conv2d::Conv2d;
use crate::conv2d::tests::{Dice, check_close, floats, run, run_reference, same};
use crate::padding::Axis;
use crate::{Convolution, Exec};

fn random(dice: &mut Dice) -> Conv2d {
    let axis = |dice: &mut Dice| Axis::new(3 + dice.roll(14), 3, 1, 1, dice.roll(4), dice.roll(4)).unwrap();
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
    for _ in 0..16 {
        let conv = random(&mut dice);
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

#[test]
fn both_tiles_are_close_with_the_same_bits_on_any_number_of_threads() {
    let mut dice = Dice(4);
    for mode in [Convolution::Winograd2, Convolution::Winograd4] {
        let execs: Vec<Exec> = Exec::all_for_tests()
            .into_iter()
            .map(|cx| cx.convolving(mode))
            .collect();
        for _ in 0..6 {
            check_close(&random(&mut dice), &execs, 4e-5, &mut dice);
        }
    }
}

#[test]
fn errors_stay_within_what_is_promised() {
    let mut dice = Dice(9);
    for conv in [
        same(2, 28, 3, 1, 64, 64),
        same(2, 14, 3, 1, 256, 128),
        same(1, 32, 3, 1, 32, 32),
    ] {
        let ways = [
            Convolution::Direct,
            Convolution::Winograd2,
            Convolution::Winograd4,
        ];
        let [direct, two, four] = errors(ways, &conv, &mut dice);
        for direction in 0..3 {
            assert!(
                two[direction] <= direct[direction],
                "{conv:?} {direction}: {two:?}, direct {direct:?}"
            );
            assert!(
                four[direction] <= 3.0 * direct[direction],
                "{conv:?} {direction}: {four:?}, direct {direct:?}"
            );
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
    assert_eq!(choice(&auto, &same(8, 56, 5, 1, 64, 64)), None);
    let direct = auto.convolving(Convolution::Direct);
    assert_eq!(choice(&direct, &same(8, 56, 3, 1, 64, 64)), None);
}
