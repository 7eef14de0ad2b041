use super::*;
use crate::Convolution;
use crate::conv2d::tests::{Dice, floats, same};
use crate::exec::EMULATED;

/// A pool whose windows stand side by side over the output of `conv`, with `after` cells of padding behind.
fn pool_over(conv: &Conv2d, window: [usize; 2], after: usize) -> Pool2d {
    let axis = |input, size| Axis::new(input, size, size, 1, 0, after.min(size - 1)).unwrap();
    let (height, width) = (
        axis(conv.height.output, window[0]),
        axis(conv.width.output, window[1]),
    );
    Pool2d::new(conv.batch, height, width, conv.filters).unwrap()
}

/// One pass must have the bits of two, winners included, for bytes and for four of them, with and without a rectifier.
fn check_same<W: Winner + std::fmt::Debug + Default>(
    cx: &Exec,
    conv: &Conv2d,
    pool: &Pool2d,
    [x, w, bias]: [&[f32]; 3],
) {
    for (activation, bias) in [(Activation::Relu, bias), (Activation::None, &[][..])] {
        let what = format!(
            "{conv:?}, {pool:?}, {:?} by {:?} with {} threads",
            cx.isa,
            cx.convolution,
            cx.team.threads()
        );
        let rectified = activation == Activation::Relu;
        let mut map = vec![f32::NAN; conv.output_len()];
        crate::conv2d::forward(cx, conv, x, w, bias, activation, &mut map);
        let mut expected = vec![f32::NAN; pool.output_len()];
        let mut winners = vec![W::default(); expected.len()];
        max::forward(cx, pool, rectified, &map, &mut expected, &mut winners);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();

        let (mut y, mut found) = (vec![9.0; expected.len()], vec![W::from_tap(9); expected.len()]);
        forward(cx, conv, pool, x, w, bias, activation, &mut y, &mut found);
        assert!(bits(&y) == bits(&expected), "{what}");
        assert!(found == winners, "winners, {what}");
        y.fill(9.0);
        forward::<W>(cx, conv, pool, x, w, bias, activation, &mut y, &mut []);
        assert!(bits(&y) == bits(&expected), "without winners, {what}");
        let mut packed = vec![f32::NAN; packed_len(cx, conv)];
        pack(cx, conv, w, &mut packed);
        y.fill(9.0);
        forward_packed::<W>(cx, conv, pool, x, &packed, bias, activation, &mut y, &mut []);
        assert!(bits(&y) == bits(&expected), "packed, {what}");
    }
}

fn check_all_ways(conv: &Conv2d, pool: &Pool2d, execs: &[Exec], dice: &mut Dice) {
    assert!(serves(conv, pool));
    let [mut x, w, bias] = [conv.input_len(), conv.weight_len(), conv.filters].map(|len| floats(dice, len));
    if dice.roll(4) == 0 && !x.is_empty() {
        let at = dice.roll(x.len());
        x[at] = [f32::NAN, f32::INFINITY][dice.roll(2)];
    }
    for cx in execs {
        for way in Convolution::ALL {
            check_same::<u8>(&cx.clone().convolving(way), conv, pool, [&x, &w, &bias]);
        }
        check_same::<i32>(cx, conv, pool, [&x, &w, &bias]);
    }
}

#[test]
fn one_pass_has_the_bits_of_two_on_random_geometry() {
    let (mut dice, execs) = (Dice(19), Exec::all_for_tests());
    let mut found = 0;
    while found < if EMULATED { 15 } else { 60 } {
        let axis = |dice: &mut Dice| {
            let (kernel, stride, dilation) = match dice.roll(3) {
                0 => (1 + dice.roll(5), 1 + dice.roll(2), 1 + dice.roll(2)),
                _ => (3, 1, 1),
            };
            Axis::new(
                1 + dice.roll(20),
                kernel,
                stride,
                dilation,
                dice.roll(3),
                dice.roll(3),
            )
        };
        let (Ok(height), Ok(width)) = (axis(&mut dice), axis(&mut dice)) else {
            continue;
        };
        let (groups, channels, filters) = match dice.roll(4) {
            0 => (1 + dice.roll(3), 1 + dice.roll(4), 9 + dice.roll(5)),
            1 => (1, 16 + dice.roll(30), 16 + dice.roll(60)),
            2 => (1, 8 + dice.roll(20), 1 + dice.roll(4)),
            _ => (1, 1 + dice.roll(4), 1 + dice.roll(40)),
        };
        let batch = dice.roll(5);
        let conv = Conv2d::new(batch, height, width, groups * channels, groups * filters, groups).unwrap();
        let window = [1 + dice.roll(4), 1 + dice.roll(4)];
        if conv.is_depthwise() || window[0] > height.output || window[1] > width.output {
            continue;
        }
        let pool = pool_over(&conv, window, dice.roll(3));
        check_all_ways(&conv, &pool, &execs, &mut dice);
        found += 1;
    }
}

#[test]
fn one_pass_has_the_bits_of_two_in_many_bands() {
    let (mut dice, execs) = (Dice(23), Exec::all_for_tests());
    let cases = [
        // Parts of images, whole images and several; odd sizes, whose last rows no window sees.
        (same(2, 45, 3, 1, 16, 40), [2, 2]),
        (same(25, 8, 3, 1, 24, 70), [2, 2]),
        (same(70, 5, 3, 1, 16, 33), [2, 2]),
        (same(2, 41, 5, 1, 6, 16), [2, 3]),
        (same(2, 40, 3, 1, 20, 3), [2, 2]),
        (same(2, 40, 1, 1, 20, 30), [2, 2]),
        (same(2, 50, 3, 1, 16, 17), [3, 3]),
        (same(3, 40, 3, 1, 3, 32), [2, 2]),
        (same(2, 61, 3, 2, 5, 20), [2, 2]),
    ];
    for (conv, window) in cases.into_iter().skip(if EMULATED { 6 } else { 0 }) {
        for after in if EMULATED { 1..2 } else { 0..2 } {
            let pool = pool_over(&conv, window, after);
            let cx = Exec::serial();
            assert!(Plan::new(&cx, &conv, &pool).bands.count() > 2, "{conv:?}");
            check_all_ways(&conv, &pool, &execs, &mut dice);
        }
    }
}

#[test]
fn bands_begin_on_whole_tiles() {
    let conv = same(2, 61, 3, 1, 32, 32);
    for (way, side) in [(Convolution::Winograd4, 4), (Convolution::Winograd2, 2)] {
        let cx = Exec::serial().convolving(way);
        for window in 1..8 {
            let pool = pool_over(&conv, [window, 2], 0);
            let plan = Plan::new(&cx, &conv, &pool);
            assert_eq!(
                plan.step * window % side,
                0,
                "windows of {window} on tiles of {side}"
            );
            assert!(plan.step <= side);
        }
    }
}

#[test]
fn it_pays_where_sums_are_short_and_there_are_bands_for_all_threads() {
    let two = Exec::new(
        crate::Isa::detect(),
        std::sync::Arc::new(crate::Team::new(2).unwrap()),
    );
    let pays_for = |conv: Conv2d| pays(&two, &conv, &pool_over(&conv, [2, 2], 0));
    assert!(pays_for(same(64, 28, 3, 1, 1, 32)));
    assert!(pays_for(same(64, 14, 3, 1, 32, 64)));
    assert!(pays_for(same(8, 224, 3, 1, 64, 64)));
    assert!(pays_for(same(8, 56, 3, 1, 256, 256)));
    assert!(!pays_for(same(8, 56, 3, 1, 512, 256)));
    assert!(!pays_for(same(8, 14, 3, 1, 256, 512)));
    assert!(!pays_for(same(1, 56, 3, 1, 256, 256)));
    assert!(!pays_for(same(0, 28, 3, 1, 1, 32)));
}

#[test]
fn overlapping_windows_and_depthwise_convolutions_are_left_to_two_passes() {
    let conv = same(64, 28, 3, 1, 16, 32);
    let axis = |stride, before| Axis::new(28, 3, stride, 1, before, 0).unwrap();
    let pool = |axis| Pool2d::new(64, axis, axis, 32).unwrap();
    assert!(serves(&conv, &pool(axis(3, 0))));
    assert!(!serves(&conv, &pool(axis(2, 0))));
    assert!(!serves(&conv, &pool(axis(3, 1))));
    let other = Pool2d {
        batch: 63,
        ..pool(axis(3, 0))
    };
    assert!(!serves(&conv, &other));
    assert!(!pays(&Exec::serial(), &conv, &other));
    let depthwise = Conv2d {
        channels: 32,
        groups: 32,
        ..conv
    };
    assert!(!serves(&depthwise, &pool(axis(3, 0))));
}

#[test]
fn windows_that_hang_far_over_the_edge_overflow_nothing() {
    let most = crate::padding::MOST as usize;
    let tall = Axis::new(1, most, most, 1, 0, most - 1).unwrap();
    let wide = Axis::new(most, 1, 1, 1, 0, 0).unwrap();
    let conv = Conv2d {
        width: wide,
        ..same(1, 1, 1, 1, 1, 1)
    };
    let pool = Pool2d::new(1, tall, wide, 1).unwrap();
    for way in Convolution::ALL {
        let cx = Exec::serial().convolving(way);
        assert_eq!(Plan::new(&cx, &conv, &pool).bands.count(), 1);
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let conv = same(2, 6, 3, 1, 2, 3);
    let pool = pool_over(&conv, [2, 2], 0);
    let good = [144, 54, 3, 54, 54];
    assert_eq!(check(&conv, &pool, good), Ok(()));
    assert_eq!(check(&conv, &pool, [144, 54, 0, 54, 0]), Ok(()));
    for (index, expected) in [
        "the input has 7 elements, the geometry asks for 144",
        "the weight has 7 elements, the geometry asks for 54",
        "the bias has 7 elements, the geometry asks for 3",
        "the output has 7 elements, the geometry asks for 54",
        "the winners has 7 elements, the geometry asks for 54",
    ]
    .into_iter()
    .enumerate()
    {
        let mut lengths = good;
        lengths[index] = 7;
        assert_eq!(check(&conv, &pool, lengths).unwrap_err(), expected);
    }
}
