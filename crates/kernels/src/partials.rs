//! Sums over all tiles of a job, in double precision: one row of partial sums a tile, added in tile order.

use std::ops::Add;

use crate::{Disjoint, Exec, with_scratch};

/// Runs `tile(index, row)` for each of `tiles` tiles with a zeroed row of `width` sums of its own, adds the rows
/// up in tile order and hands the totals to `finish`. The result does not depend on the number of threads.
pub(crate) fn sum_tiles<R>(
    cx: &Exec,
    tiles: usize,
    width: usize,
    tile: impl Fn(usize, &mut [f64]) + Sync,
    finish: impl FnOnce(&[f64]) -> R,
) -> R {
    with_doubles(tiles.max(1) * width, |sums| {
        sums.fill(0.0);
        let rows = Disjoint::new(&mut *sums);
        cx.tiles(tiles, |index| {
            // SAFETY: each tile runs once and takes its own row.
            tile(index, unsafe { rows.slice(index * width..(index + 1) * width) });
        });
        let (totals, rest) = sums.split_at_mut(width);
        for row in rest.chunks_exact(width.max(1)) {
            for (total, part) in totals.iter_mut().zip(row) {
                *total += part;
            }
        }
        finish(totals)
    })
}

/// Like [`with_scratch`], for double precision.
pub(crate) fn with_doubles<R>(len: usize, body: impl FnOnce(&mut [f64]) -> R) -> R {
    with_scratch(len * 2, |floats| {
        // SAFETY: scratch memory is initialised and 64-byte aligned, and every bit pattern is a double.
        let doubles = unsafe { std::slice::from_raw_parts_mut(floats.as_mut_ptr().cast::<f64>(), len) };
        body(doubles)
    })
}

/// The sum of an array of accumulators (a power of two), pair by pair: short in latency and the same on every
/// machine.
#[inline(always)]
pub(crate) fn tree_sum<T: Copy + Add<Output = T>, const N: usize>(lanes: [T; N]) -> T {
    tree(lanes, |a, b| a + b)
}

/// What `join` makes of an array of accumulators (a power of two), pair by pair.
#[inline(always)]
pub(crate) fn tree<T: Copy, const N: usize>(mut lanes: [T; N], join: impl Fn(T, T) -> T) -> T {
    let mut half = N / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            *low = join(*low, *high);
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_in_tile_order_on_any_number_of_threads() {
        let first = |cx: &Exec| {
            sum_tiles(
                cx,
                100,
                3,
                |tile, row| {
                    row[0] += 1.0;
                    row[1] += tile as f64;
                    row[2] += 1.0 / (tile as f64 + 1.0);
                },
                |totals| totals.to_vec(),
            )
        };
        let expected = first(&Exec::serial());
        assert_eq!(expected[..2], [100.0, 4950.0]);
        for cx in Exec::all_for_tests() {
            assert_eq!(first(&cx), expected);
        }
    }

    #[test]
    fn no_tile_and_no_width_are_fine() {
        let cx = Exec::serial();
        assert_eq!(
            sum_tiles(&cx, 0, 2, |_, _| (), |totals| totals.to_vec()),
            [0.0, 0.0]
        );
        assert_eq!(sum_tiles(&cx, 4, 0, |_, _| (), |totals| totals.len()), 0);
    }
}
