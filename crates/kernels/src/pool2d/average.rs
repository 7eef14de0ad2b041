//! The mean of each window, over the cells that are no padding.

use super::Pool2d;
use super::blocks::{block, block_mut, by_blocks};
use super::window::{Covering, Window, tap_on, taps};
use crate::Exec;
use crate::simd::vectorize;

/// The mean of one window for a block of channels from `channel` on. Each row is added up first, which keeps the
/// rounding error of a large window small.
#[inline(always)]
fn mean<const LANES: usize>(x: &[f32], window: &Window, channel: usize) -> [f32; LANES] {
    let mut total = [0f32; LANES];
    for row in window.rows.clone() {
        let mut sum = [0f32; LANES];
        for column in window.columns.clone() {
            let x: &[f32; LANES] = block(x, window.at(row, column) + channel);
            for lane in 0..LANES {
                sum[lane] += x[lane];
            }
        }
        for lane in 0..LANES {
            total[lane] += sum[lane];
        }
    }
    let count = (window.rows.len() * window.columns.len()) as f32;
    for value in &mut total {
        *value /= count;
    }
    total
}

vectorize! {
    /// Output rows from `first` on.
    fn forward_rows[](pool: &Pool2d, x: &[f32], first: usize, y: &mut [f32]) {
        let channels = pool.channels;
        for (index, y) in y.chunks_exact_mut(pool.width.output * channels).enumerate() {
            let (image, row) = ((first + index) / pool.height.output, (first + index) % pool.height.output);
            for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                let window = Window::of(pool, image, row, column);
                by_blocks!(channels, |channel, LANES| {
                    *block_mut(y, channel) = mean::<LANES>(x, &window, channel);
                });
            }
        }
    }
}

/// The mean of each window into `y`.
pub fn forward(cx: &Exec, pool: &Pool2d, x: &[f32], y: &mut [f32]) {
    if y.is_empty() {
        return;
    }
    let line = pool.width.output * pool.channels;
    cx.chunks_mut(y, pool.output_rows() * line, |start, y| {
        forward_rows(cx.isa, pool, x, start / line, y);
    });
}

/// dy · share, added to `dx` unless it is the first to arrive.
#[inline(always)]
fn collect<const LANES: usize>(dy: &[f32; LANES], share: f32, first: bool, dx: &mut [f32; LANES]) {
    let mut sum = if first { [0f32; LANES] } else { *dx };
    for lane in 0..LANES {
        sum[lane] += dy[lane] * share;
    }
    *dx = sum;
}

vectorize! {
    /// Input rows from `first` on.
    fn backward_rows[](pool: &Pool2d, dy: &[f32], first: usize, dx: &mut [f32]) {
        let channels = pool.channels;
        let line = pool.width.input * channels;
        for (index, dx) in dx.chunks_exact_mut(line).enumerate() {
            let (image, row) = ((first + index) / pool.height.input, (first + index) % pool.height.input);
            if pool.side_by_side() {
                let from_row = row / pool.height.kernel;
                let covered = if from_row < pool.height.output { pool.width.output * pool.width.kernel } else { 0 };
                let covered = covered.min(pool.width.input);
                let (dx, rest) = dx.split_at_mut(covered * channels);
                rest.fill(0.0);
                let rows = taps(&pool.height, from_row.min(pool.height.output - 1)).len();
                for (from_column, dx) in dx.chunks_mut(pool.width.kernel * channels).enumerate() {
                    let share = 1.0 / (rows * taps(&pool.width, from_column).len()) as f32;
                    let at = pool.output_at(image, from_row, from_column);
                    for dx in dx.chunks_exact_mut(channels) {
                        by_blocks!(channels, |channel, LANES| {
                            collect::<LANES>(block(dy, at + channel), share, true, block_mut(dx, channel))
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
                    if tap_on(&pool.height, from_row, row).is_none() {
                        continue;
                    }
                    let rows = taps(&pool.height, from_row).len();
                    for from_column in beside.clone() {
                        if tap_on(&pool.width, from_column, column).is_none() {
                            continue;
                        }
                        let share = 1.0 / (rows * taps(&pool.width, from_column).len()) as f32;
                        let at = pool.output_at(image, from_row, from_column);
                        by_blocks!(channels, |channel, LANES| {
                            collect::<LANES>(block(dy, at + channel), share, !arrived, block_mut(dx, channel))
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

/// The gradient of [`forward`]: each dy is shared out equally over the cells of its window.
pub fn backward(cx: &Exec, pool: &Pool2d, dy: &[f32], dx: &mut [f32]) {
    if dx.is_empty() {
        return;
    }
    let line = pool.width.input * pool.channels;
    cx.chunks_mut(dx, pool.input_rows() * line, |start, dx| {
        backward_rows(cx.isa, pool, dy, start / line, dx);
    });
}
