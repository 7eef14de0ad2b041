//! The largest value of each window.

use super::Pool2d;
use super::blocks::{block, block_mut, by_blocks};
use super::window::{Covering, Window, tap_on};
use crate::simd::vectorize;
use crate::{Disjoint, Exec};

/// How the number of the winning tap is stored.
pub trait Winner: Copy + Send + Sync + PartialEq {
    /// The number of no tap.
    const NONE: Self;

    fn from_tap(tap: u32) -> Self;
}

impl Winner for u8 {
    const NONE: u8 = u8::MAX;

    #[inline(always)]
    fn from_tap(tap: u32) -> u8 {
        tap as u8
    }
}

impl Winner for i32 {
    const NONE: i32 = -1;

    #[inline(always)]
    fn from_tap(tap: u32) -> i32 {
        tap as i32
    }
}

/// The largest values of one window and the numbers of their taps, for a block of channels from `channel` on.
#[inline(always)]
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN is to pass")]
fn largest<const LANES: usize>(
    x: &[f32],
    window: &Window,
    kernel_width: usize,
    channel: usize,
) -> ([f32; LANES], [u32; LANES]) {
    let first = (window.rows.start, window.columns.start);
    let mut most: [f32; LANES] = *block(x, window.at(first.0, first.1) + channel);
    let mut winner = [(first.0 * kernel_width + first.1) as u32; LANES];
    for row in window.rows.clone() {
        for column in window.columns.clone() {
            let x: &[f32; LANES] = block(x, window.at(row, column) + channel);
            let tap = (row * kernel_width + column) as u32;
            // Into arrays of their own: written back under the condition they would live in memory.
            let mut next = [0f32; LANES];
            let mut next_winner = [0u32; LANES];
            for lane in 0..LANES {
                // Not `>`: a NaN is taken too, and once there it stays.
                let taken = !(x[lane] <= most[lane]) & !most[lane].is_nan();
                next[lane] = if taken { x[lane] } else { most[lane] };
                next_winner[lane] = if taken { tap } else { winner[lane] };
            }
            most = next;
            winner = next_winner;
        }
    }
    (most, winner)
}

vectorize! {
    /// Output rows from `first` on, with the winners if there is room for them.
    fn forward_rows[W: Winner](
        pool: &Pool2d, rectified: bool, x: &[f32], first: usize, y: &mut [f32], winners: &mut [W],
    ) {
        let channels = pool.channels;
        let line = pool.width.output * channels;
        let keep = !winners.is_empty();
        for (index, y) in y.chunks_exact_mut(line).enumerate() {
            let (image, row) = ((first + index) / pool.height.output, (first + index) % pool.height.output);
            let winners = if keep { &mut winners[index * line..][..line] } else { &mut [] };
            for column in 0..pool.width.output {
                let window = Window::of(pool, image, row, column);
                let at = column * channels;
                if keep {
                    by_blocks!(channels, |channel, LANES| {
                        let (most, winner) = largest::<LANES>(x, &window, pool.width.kernel, channel);
                        *block_mut(y, at + channel) = most;
                        let winners: &mut [W; LANES] = block_mut(winners, at + channel);
                        for lane in 0..LANES {
                            let none = rectified & (most[lane] <= 0.0);
                            winners[lane] = if none { W::NONE } else { W::from_tap(winner[lane]) };
                        }
                    });
                } else {
                    by_blocks!(channels, |channel, LANES| {
                        *block_mut(y, at + channel) = largest::<LANES>(x, &window, pool.width.kernel, channel).0;
                    });
                }
            }
        }
    }
}

/// The largest value of each window into `y`, and the number of the winning tap into `winners` unless it is empty.
/// Bytes hold the numbers only where [`Pool2d::fits_bytes`].
///
/// If `rectified`, nobody wins where the largest value is 0 or less: [`backward`] then also does what the gradient of a
/// rectifier under this pool would do.
pub fn forward<W: Winner>(
    cx: &Exec,
    pool: &Pool2d,
    rectified: bool,
    x: &[f32],
    y: &mut [f32],
    winners: &mut [W],
) {
    if y.is_empty() {
        return;
    }
    let line = pool.width.output * pool.channels;
    let keep = !winners.is_empty();
    let winners = Disjoint::new(winners);
    cx.chunks_mut(y, pool.output_rows() * line, |start, y| {
        let range = if keep { start..start + y.len() } else { 0..0 };
        // SAFETY: the same part of the winners as of `y`, which no other tile has.
        let winners = unsafe { winners.slice(range) };
        forward_rows(cx.isa, pool, rectified, x, start / line, y, winners);
    });
}

/// dy where the window's winner is this tap, else 0; added to `dx` unless it is the first to arrive.
#[inline(always)]
fn collect<W: Winner, const LANES: usize>(
    dy: &[f32; LANES],
    winners: &[W; LANES],
    tap: W,
    first: bool,
    dx: &mut [f32; LANES],
) {
    let mut sum = if first { [0f32; LANES] } else { *dx };
    for lane in 0..LANES {
        sum[lane] += if winners[lane] == tap { dy[lane] } else { 0.0 };
    }
    *dx = sum;
}

vectorize! {
    /// Input rows from `first` on.
    fn backward_rows[W: Winner](pool: &Pool2d, dy: &[f32], winners: &[W], first: usize, dx: &mut [f32]) {
        let channels = pool.channels;
        let line = pool.width.input * channels;
        for (index, dx) in dx.chunks_exact_mut(line).enumerate() {
            let (image, row) = ((first + index) / pool.height.input, (first + index) % pool.height.input);
            if pool.side_by_side() {
                let (from_row, tap_row) = (row / pool.height.kernel, row % pool.height.kernel);
                let covered = if from_row < pool.height.output { pool.width.output * pool.width.kernel } else { 0 };
                let covered = covered.min(pool.width.input);
                let (dx, rest) = dx.split_at_mut(covered * channels);
                rest.fill(0.0);
                for (from_column, dx) in dx.chunks_mut(pool.width.kernel * channels).enumerate() {
                    let at = pool.output_at(image, from_row, from_column);
                    for (tap_column, dx) in dx.chunks_exact_mut(channels).enumerate() {
                        let tap = W::from_tap((tap_row * pool.width.kernel + tap_column) as u32);
                        by_blocks!(channels, |channel, LANES| {
                            collect::<W, LANES>(
                                block(dy, at + channel),
                                block(winners, at + channel),
                                tap,
                                true,
                                block_mut(dx, channel),
                            )
                        });
                    }
                }
                continue;
            }
            let above = Covering::from(&pool.height, row).next().unwrap_or(0..0);
            let columns = dx.chunks_exact_mut(channels).zip(Covering::from(&pool.width, 0));
            for (column, (dx, beside)) in columns.enumerate() {
                let mut arrived = false;
                for from_row in above.clone() {
                    let Some(tap_row) = tap_on(&pool.height, from_row, row) else { continue };
                    for from_column in beside.clone() {
                        let Some(tap_column) = tap_on(&pool.width, from_column, column) else { continue };
                        let tap = W::from_tap((tap_row * pool.width.kernel + tap_column) as u32);
                        let at = pool.output_at(image, from_row, from_column);
                        by_blocks!(channels, |channel, LANES| {
                            collect::<W, LANES>(
                                block(dy, at + channel),
                                block(winners, at + channel),
                                tap,
                                !arrived,
                                block_mut(dx, channel),
                            )
                        });
                        arrived = true;
                    }
                }
                if !arrived {
                    dx.fill(0.0);
                }
            }
        }
    }
}

/// The gradient of [`forward`]: each dy goes to the cell that won.
pub fn backward<W: Winner>(cx: &Exec, pool: &Pool2d, dy: &[f32], winners: &[W], dx: &mut [f32]) {
    if dx.is_empty() {
        return;
    }
    let line = pool.width.input * pool.channels;
    cx.chunks_mut(dx, pool.input_rows() * line, |start, dx| {
        backward_rows(cx.isa, pool, dy, winners, start / line, dx);
    });
}
