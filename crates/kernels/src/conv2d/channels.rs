//! The loops of depthwise convolutions over a line of positions, vectors of channels at a time.

use super::windows::Laid;
use crate::Isa;
use crate::simd::vectorize;

/// Positions that share a load of the weights: enough sums to hide the latency of one.
const POSITIONS: usize = 8;
/// Taps that share a load of dy: a window of 3 × 3.
const TAPS: usize = 9;

/// `sums[p][c]` = over all taps (r, t) the sum of x(p, r, t, c) · weights(r, t, c), for every position p of a line whose
/// windows start at `x`.
pub(super) fn sum(
    isa: Isa,
    laid: &Laid,
    taps: (usize, usize),
    x: &[f32],
    weights: &[f32],
    channels: usize,
    sums: &mut [f32],
) {
    match isa {
        Isa::Scalar => sum_line(isa, Separate, laid, taps, x, weights, channels, sums),
        _ => sum_line(isa, Fused, laid, taps, x, weights, channels, sums),
    }
}

/// `dw[tap][c]` += over all positions p of a line the sum of x(p, tap, c) · dy(p, c).
pub(super) fn multiply(
    isa: Isa,
    laid: &Laid,
    taps: (usize, usize),
    x: &[f32],
    dy: &[f32],
    channels: usize,
    dw: &mut [f32],
) {
    match isa {
        Isa::Scalar => multiply_line(isa, Separate, laid, taps, x, dy, channels, dw),
        _ => multiply_line(isa, Fused, laid, taps, x, dy, channels, dw),
    }
}

vectorize! {
    /// y = sums + bias, then the rectifier if `relu`. An empty `bias` adds nothing.
    pub(super) fn finish[](sums: &[f32], bias: &[f32], relu: bool, y: &mut [f32]) {
        if bias.is_empty() {
            y.copy_from_slice(sums);
        } else {
            for ((y, sum), bias) in y.iter_mut().zip(sums).zip(bias) {
                *y = sum + bias;
            }
        }
        if relu {
            for y in y {
                *y = if *y <= 0.0 { 0.0 } else { *y };
            }
        }
    }
}

/// How a product is added to a sum.
trait MulAdd: Copy {
    /// a · b + sum
    fn mul_add(self, a: f32, b: f32, sum: f32) -> f32;
}

/// In one rounding.
#[derive(Clone, Copy)]
struct Fused;

/// In two, where one would be a call into the maths library.
#[derive(Clone, Copy)]
struct Separate;

impl MulAdd for Fused {
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, sum: f32) -> f32 {
        a.mul_add(b, sum)
    }
}

impl MulAdd for Separate {
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, sum: f32) -> f32 {
        a * b + sum
    }
}

/// # Safety
/// `at + WIDTH` is at most the length of `from`.
#[inline(always)]
unsafe fn vector<const WIDTH: usize>(from: &[f32], at: usize) -> &[f32; WIDTH] {
    debug_assert!(at + WIDTH <= from.len());
    // SAFETY: the caller's promise.
    unsafe { &*from.as_ptr().add(at).cast::<[f32; WIDTH]>() }
}

/// Panics unless all windows of a line are in `x`, and `weights` and `line` have all channels of the taps and positions.
fn check(laid: &Laid, taps: (usize, usize), channels: usize, x: &[f32], weights: &[f32], line: &[f32]) {
    let (Some(position), Some(r), Some(t)) = (
        laid.positions.checked_sub(1),
        taps.0.checked_sub(1),
        taps.1.checked_sub(1),
    ) else {
        return;
    };
    let last = position * laid.position + r * laid.tap_row + t * laid.tap_col;
    assert!(last + channels <= x.len(), "the last tap is inside");
    assert!(weights.len() >= taps.0 * taps.1 * channels && line.len() >= laid.positions * channels);
}

/// Vectors of `width` that cover all channels: where each starts, and how many of its channels the one before has too.
#[inline(always)]
fn vectors(channels: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..channels).step_by(width).map(move |block| {
        let channel = block.min(channels - width);
        (channel, block - channel)
    })
}

vectorize! {
    fn sum_line[M: MulAdd](
        how: M,
        laid: &Laid,
        taps: (usize, usize),
        x: &[f32],
        weights: &[f32],
        channels: usize,
        sums: &mut [f32],
    ) {
        match channels {
            16.. => sum_vectors::<M, 16>(how, laid, taps, x, weights, channels, sums),
            8.. => sum_vectors::<M, 8>(how, laid, taps, x, weights, channels, sums),
            4.. => sum_vectors::<M, 4>(how, laid, taps, x, weights, channels, sums),
            _ => sum_vectors::<M, 1>(how, laid, taps, x, weights, channels, sums),
        }
    }
}

#[inline(always)]
fn sum_vectors<M: MulAdd, const WIDTH: usize>(
    how: M,
    laid: &Laid,
    taps: (usize, usize),
    x: &[f32],
    weights: &[f32],
    channels: usize,
    sums: &mut [f32],
) {
    check(laid, taps, channels, x, weights, sums);
    let even = laid.positions / POSITIONS * POSITIONS;
    // SAFETY: `check` passed; a vector ends at or before the last channel.
    unsafe {
        for p in (0..even).step_by(POSITIONS) {
            for (channel, _) in vectors(channels, WIDTH) {
                sum_block::<M, WIDTH, POSITIONS>(how, laid, taps, x, weights, channels, p, channel, sums);
            }
        }
        for p in even..laid.positions {
            for (channel, _) in vectors(channels, WIDTH) {
                sum_block::<M, WIDTH, 1>(how, laid, taps, x, weights, channels, p, channel, sums);
            }
        }
    }
}

/// # Safety
/// [`check`] passed; there are `COUNT` positions from `position` on, and `WIDTH` channels from `channel` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn sum_block<M: MulAdd, const WIDTH: usize, const COUNT: usize>(
    how: M,
    laid: &Laid,
    taps: (usize, usize),
    x: &[f32],
    weights: &[f32],
    channels: usize,
    position: usize,
    channel: usize,
    sums: &mut [f32],
) {
    let mut total = [[0.0f32; WIDTH]; COUNT];
    for r in 0..taps.0 {
        for t in 0..taps.1 {
            // SAFETY: tap, position and channels are there, and `check` passed.
            let w = unsafe { vector::<WIDTH>(weights, (r * taps.1 + t) * channels + channel) };
            for (p, total) in total.iter_mut().enumerate() {
                let at = (position + p) * laid.position + r * laid.tap_row + t * laid.tap_col + channel;
                // SAFETY: as above.
                let x = unsafe { vector::<WIDTH>(x, at) };
                for j in 0..WIDTH {
                    total[j] = how.mul_add(x[j], w[j], total[j]);
                }
            }
        }
    }
    for (p, total) in total.iter().enumerate() {
        let at = (position + p) * channels + channel;
        sums[at..at + WIDTH].copy_from_slice(total);
    }
}

vectorize! {
    fn multiply_line[M: MulAdd](
        how: M,
        laid: &Laid,
        taps: (usize, usize),
        x: &[f32],
        dy: &[f32],
        channels: usize,
        dw: &mut [f32],
    ) {
        match channels {
            16.. => multiply_vectors::<M, 16>(how, laid, taps, x, dy, channels, dw),
            8.. => multiply_vectors::<M, 8>(how, laid, taps, x, dy, channels, dw),
            4.. => multiply_vectors::<M, 4>(how, laid, taps, x, dy, channels, dw),
            _ => multiply_vectors::<M, 1>(how, laid, taps, x, dy, channels, dw),
        }
    }
}

#[inline(always)]
fn multiply_vectors<M: MulAdd, const WIDTH: usize>(
    how: M,
    laid: &Laid,
    taps: (usize, usize),
    x: &[f32],
    dy: &[f32],
    channels: usize,
    dw: &mut [f32],
) {
    check(laid, taps, channels, x, dw, dy);
    let count = taps.0 * taps.1;
    let even = count / TAPS * TAPS;
    for at in vectors(channels, WIDTH) {
        // SAFETY: `check` passed; a vector ends at or before the last channel.
        unsafe {
            for tap in (0..even).step_by(TAPS) {
                multiply_block::<M, WIDTH, TAPS>(how, laid, taps.1, tap, x, dy, channels, at, dw);
            }
            for tap in even..count {
                multiply_block::<M, WIDTH, 1>(how, laid, taps.1, tap, x, dy, channels, at, dw);
            }
        }
    }
}

/// `COUNT` taps from number `tap` on, of rows of `across`.
///
/// # Safety
/// [`check`] passed; there are so many taps, and `WIDTH` channels from `channel` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn multiply_block<M: MulAdd, const WIDTH: usize, const COUNT: usize>(
    how: M,
    laid: &Laid,
    across: usize,
    tap: usize,
    x: &[f32],
    dy: &[f32],
    channels: usize,
    (channel, skip): (usize, usize),
    dw: &mut [f32],
) {
    let mut total = [[0.0f32; WIDTH]; COUNT];
    let places: [usize; COUNT] = std::array::from_fn(|index| {
        let (r, t) = ((tap + index) / across, (tap + index) % across);
        r * laid.tap_row + t * laid.tap_col + channel
    });
    for p in 0..laid.positions {
        // SAFETY: taps, position and channels are there, and `check` passed.
        let dy = unsafe { vector::<WIDTH>(dy, p * channels + channel) };
        for (total, place) in total.iter_mut().zip(places) {
            // SAFETY: as above.
            let x = unsafe { vector::<WIDTH>(x, p * laid.position + place) };
            for j in 0..WIDTH {
                total[j] = how.mul_add(x[j], dy[j], total[j]);
            }
        }
    }
    for (t, total) in total.iter().enumerate() {
        let to = &mut dw[(tap + t) * channels + channel..][..WIDTH];
        for j in skip..WIDTH {
            to[j] += total[j];
        }
    }
}
