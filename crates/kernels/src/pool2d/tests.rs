use super::max::Winner;
use super::*;
use crate::Exec;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

/// Batch, height, width, channels; window; stride; dilation; padding top, bottom, left, right.
fn pool(
    image: [usize; 4],
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 4],
) -> Pool2d {
    let [top, bottom, left, right] = padding;
    Pool2d::new(
        image[0],
        Axis::new(image[1], size[0], stride[0], dilation[0], top, bottom).unwrap(),
        Axis::new(image[2], size[1], stride[1], dilation[1], left, right).unwrap(),
        image[3],
    )
    .unwrap()
}

fn cases() -> Vec<Pool2d> {
    let mut cases = vec![
        pool([0, 4, 4, 3], [2, 2], [2, 2], [1, 1], [0; 4]),
        pool([2, 4, 4, 0], [2, 2], [2, 2], [1, 1], [0; 4]),
        pool([1, 1, 1, 1], [1, 1], [1, 1], [1, 1], [0; 4]),
        pool([2, 5, 7, 19], [2, 3], [2, 1], [1, 1], [0, 1, 1, 2]),
        pool([1, 9, 9, 33], [3, 2], [4, 5], [1, 1], [0; 4]),
        pool([1, 8, 9, 2], [3, 3], [1, 2], [2, 3], [2, 1, 3, 3]),
        pool([1, 5, 6, 3], [2, 2], [3, 3], [4, 2], [2, 2, 1, 1]),
        pool([3, 7, 7, 40], [7, 7], [1, 1], [1, 1], [0; 4]),
        pool([1, 20, 20, 5], [20, 20], [1, 1], [1, 1], [0; 4]),
        pool([1, 3, 3, 4], [2, 2], [7, 7], [1, 1], [1, 0, 1, 0]),
        pool([2, 5, 7, 20], [2, 2], [2, 2], [1, 1], [0, 1, 0, 1]),
        pool([1, 7, 8, 6], [3, 3], [3, 3], [1, 1], [0, 2, 0, 1]),
        pool([2, 40, 30, 24], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1]),
    ];
    for channels in [1, 2, 3, 4, 6, 7, 8, 15, 16, 17, 31, 32, 33, 64, 70] {
        cases.push(pool([2, 6, 5, channels], [2, 2], [2, 2], [1, 1], [0; 4]));
        cases.push(pool([1, 6, 5, channels], [3, 3], [2, 2], [1, 1], [1; 4]));
    }
    cases
}

/// Whole numbers with many ties, and now and then a NaN or an infinity where `wild`.
fn values(len: usize, wild: bool) -> Vec<f32> {
    uniform(5, len, -3.0, 4.0)
        .iter()
        .enumerate()
        .map(|(i, v)| match i * 7 % 31 {
            3 if wild => f32::NAN,
            5 | 6 if wild => f32::NEG_INFINITY,
            8 if wild => f32::INFINITY,
            _ => v.floor(),
        })
        .collect()
}

fn check_max<W: Winner + std::fmt::Debug + Default>(pool: &Pool2d) {
    for (wild, rectified) in [(false, false), (true, false), (false, true), (true, true)] {
        let x = values(pool.input_len(), wild);
        let dy = values(pool.output_len(), false);
        let (mut y, mut winners) = (vec![0.0; dy.len()], vec![W::default(); dy.len()]);
        reference::max_forward(pool, rectified, &x, &mut y, &mut winners);
        let mut dx = vec![0.0; x.len()];
        reference::max_backward(pool, &dy, &winners, &mut dx);
        for cx in Exec::all_for_tests() {
            let what = format!("{pool:?} on {:?}", cx.isa);
            let (mut found, mut found_winners) = (vec![9.0; y.len()], vec![W::default(); y.len()]);
            max::forward(&cx, pool, rectified, &x, &mut found, &mut found_winners);
            assert_same_bits(&found, &y, &what);
            assert_eq!(found_winners, winners, "{what}");
            found.fill(9.0);
            max::forward::<W>(&cx, pool, rectified, &x, &mut found, &mut []);
            assert_same_bits(&found, &y, &what);
            let mut found = vec![9.0; x.len()];
            max::backward(&cx, pool, &dy, &winners, &mut found);
            assert!(found == dx, "{what}: {found:?} is not {dx:?}");
        }
    }
}

#[test]
fn max_agrees_with_the_reference_in_every_bit() {
    for pool in cases() {
        check_max::<i32>(&pool);
        if pool.fits_bytes() {
            check_max::<u8>(&pool);
        }
    }
}

#[test]
fn average_agrees_with_the_reference_and_whole_numbers_exactly_where_means_are() {
    for pool in cases() {
        let x = values(pool.input_len(), false);
        let dy = values(pool.output_len(), false);
        let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        reference::average_forward(&pool, &doubles(&x), &mut y);
        reference::average_backward(&pool, &doubles(&dy), &mut dx);
        let exact = (pool.height.kernel * pool.width.kernel).is_power_of_two()
            && pool.height.before + pool.height.after + pool.width.before + pool.width.after == 0;
        for cx in Exec::all_for_tests() {
            let what = format!("{pool:?} on {:?}", cx.isa);
            let mut found = vec![9.0; y.len()];
            average::forward(&cx, &pool, &x, &mut found);
            // Whole numbers: the sum is exact and the division rounds once.
            assert_close(&found, &y, 0.0, if exact { 0.0 } else { 6e-8 }, &what);
            let mut found = vec![9.0; x.len()];
            average::backward(&cx, &pool, &dy, &mut found);
            assert_close(&found, &dx, if exact { 0.0 } else { 1e-6 }, 0.0, &what);
        }
    }
}

#[test]
fn large_planes_keep_their_precision_and_threads_change_no_bit() {
    let pool = pool([2, 200, 150, 20], [200, 150], [1, 1], [1, 1], [0; 4]);
    let x = uniform(1, pool.input_len(), 0.0, 1.0);
    let mut expected = vec![0.0; pool.output_len()];
    reference::average_forward(&pool, &doubles(&x), &mut expected);
    for cx in Exec::all_for_tests() {
        let mut y = vec![0.0; expected.len()];
        average::forward(&cx, &pool, &x, &mut y);
        assert_close(&y, &expected, 0.0, 2e-6, "mean of 30,000 cells");
    }
    let pool = super::tests::pool([3, 64, 64, 32], [3, 3], [1, 1], [1, 1], [1; 4]);
    let dy = uniform(2, pool.output_len(), -1.0, 1.0);
    let mut first: Vec<(crate::Isa, Vec<f32>)> = Vec::new();
    for cx in Exec::all_for_tests() {
        let mut dx = vec![0.0; pool.input_len()];
        average::backward(&cx, &pool, &dy, &mut dx);
        match first.iter().find(|(isa, _)| *isa == cx.isa) {
            Some((_, expected)) => assert_same_bits(&dx, expected, "threads"),
            None => first.push((cx.isa, dx)),
        }
    }
}

#[test]
fn the_first_of_ties_wins_and_a_nan_beats_all() {
    let pool = pool([1, 1, 4, 1], [1, 4], [1, 1], [1, 1], [0; 4]);
    let nan = f32::NAN;
    let low = f32::NEG_INFINITY;
    for cx in Exec::all_for_tests() {
        for (x, wins) in [
            ([1.0, 2.0, 2.0, 1.0], 1),
            ([0.0, -0.0, 0.0, -0.0], 0),
            ([nan, 1.0, nan, 2.0], 0),
            ([1.0, f32::INFINITY, nan, nan], 2),
            ([low, low, low, low], 0),
            ([low, low, -5.0, low], 2),
        ] {
            let (mut y, mut winners) = ([0.0], [9u8]);
            max::forward(&cx, &pool, false, &x, &mut y, &mut winners);
            assert_eq!(winners, [wins], "{x:?}");
            assert_same_bits(&y, &[x[wins as usize]], "y");
            let mut dx = [9.0; 4];
            max::backward(&cx, &pool, &[5.0], &winners, &mut dx);
            assert!((0..4).all(|i| dx[i] == if i == wins as usize { 5.0 } else { 0.0 }));
        }
    }
}

#[test]
fn winners_of_another_shape_do_no_harm() {
    let pool = pool([1, 4, 4, 3], [2, 2], [2, 2], [1, 1], [0; 4]);
    for cx in Exec::all_for_tests() {
        for wrong in [-1, 4, i32::MAX, i32::MIN] {
            let mut dx = vec![1.0; pool.input_len()];
            max::backward(&cx, &pool, &[1.0; 12], &[wrong; 12], &mut dx);
            assert!(dx.iter().all(|&v| v == 0.0));
        }
    }
}

#[test]
fn geometry_that_cannot_be_is_refused() {
    let error = |numbers: [f64; 14]| Pool2d::from_words(&numbers).unwrap_err();
    //           n    h    w    c    kh   kw   sh   sw   dh   dw   top  bot  left right
    let good = [
        1.0, 4.0, 4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
    ];
    assert!(Pool2d::from_words(&good).is_ok());
    let with = |index: usize, value: f64| {
        let mut numbers = good;
        numbers[index] = value;
        numbers
    };
    assert_eq!(
        error(with(4, 0.0)),
        "height: kernel 0 is not from 1 to 2147483647"
    );
    assert_eq!(
        error(with(6, 0.0)),
        "height: stride 0 is not from 1 to 2147483647"
    );
    assert_eq!(
        error(with(8, 0.0)),
        "height: dilation 0 is not from 1 to 2147483647"
    );
    assert_eq!(
        error(with(4, 2147483647.0)),
        "height: a window of 2147483647 cells does not fit in 4"
    );
    assert!(error(with(6, 1e12)).contains("whole number"));
    assert!(error(with(4, -1.0)).contains("whole number"));
    assert_eq!(
        error(with(10, 2.0)),
        "height: window 0 of 3 stands on padding alone"
    );
    assert_eq!(
        error(with(13, 3.0)),
        "width: window 2 of 3 stands on padding alone"
    );
    assert_eq!(
        error(with(10, 2147483647.0)),
        "height: window 0 of 1073741825 stands on padding alone"
    );
    // Two taps that straddle an image of one row.
    let mut straddle = with(1, 1.0);
    (straddle[8], straddle[10], straddle[11], straddle[6]) = (2.0, 1.0, 1.0, 1.0);
    assert_eq!(error(straddle), "height: window 0 of 1 stands on padding alone");
    assert_eq!(
        error(with(1, 0.0)),
        "height: a window of 2 cells does not fit in 0"
    );
    let mut huge = good;
    (huge[0], huge[1], huge[2]) = (2e9, 2e9, 2e9);
    assert!(error(huge).contains("more than memory can hold"));

    // As long as anything can be: checked at once, not window by window.
    assert!(Pool2d::from_words(&with(1, 2147483647.0)).is_ok());

    let pool = Pool2d::from_words(&good).unwrap();
    assert_eq!(pool.check(48, 12, 12), Ok(()));
    assert_eq!(pool.check(48, 12, 0), Ok(()));
    assert_eq!(
        pool.check(48, 11, 0).unwrap_err(),
        "the output has 11 elements, the geometry asks for 12"
    );
    assert_eq!(
        pool.check(48, 12, 48).unwrap_err(),
        "the winners has 48 elements, the geometry asks for 12"
    );
}

#[test]
fn windows_without_a_cell_are_found_wherever_they_are() {
    for input in 1..7 {
        for kernel in 1..4 {
            for stride in 1..4 {
                for dilation in 1..4 {
                    for (before, after) in [(0, 0), (1, 0), (0, 2), (2, 2), (3, 1), (0, 5), (6, 6)] {
                        let Ok(axis) = Axis::new(input, kernel, stride, dilation, before, after) else {
                            continue;
                        };
                        let empty = (0..axis.output).find(|&position| axis.taps(position).is_empty());
                        let found = Pool2d::new(1, axis, Axis::new(1, 1, 1, 1, 0, 0).unwrap(), 1);
                        let expected = empty.map(|position| {
                            format!(
                                "height: window {position} of {} stands on padding alone",
                                axis.output
                            )
                        });
                        assert_eq!(found.err(), expected, "{axis:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn covering_windows_are_those_whose_taps_land_there() {
    for pool in cases() {
        for axis in [pool.height, pool.width] {
            for cell in 0..axis.input {
                let expected: Vec<(usize, usize)> = (0..axis.output)
                    .flat_map(|position| axis.taps(position).map(move |tap| (position, tap)))
                    .filter(|&(position, tap)| {
                        axis.start(position) + (tap * axis.dilation) as isize == cell as isize
                    })
                    .collect();
                // From the first cell on and from this one: both arrive at the same positions.
                let positions = window::Covering::from(&axis, 0).nth(cell).unwrap();
                assert_eq!(
                    window::Covering::from(&axis, cell).next(),
                    Some(positions.clone())
                );
                let found: Vec<(usize, usize)> = positions
                    .filter_map(|position| window::tap_on(&axis, position, cell).map(|tap| (position, tap)))
                    .collect();
                assert_eq!(found, expected, "{axis:?} at {cell}");
            }
        }
    }
}
