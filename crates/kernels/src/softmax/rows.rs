//! Softmax of rows that lie together, the form that classifiers use; losses build on its pieces.

use super::Form;
use crate::partials::tree_sum;
use crate::simd::vectorize;
use crate::vector_math::{exp, exp_below_zero, log};

/// Accumulators of a reduction along a row.
pub(crate) const LANES: usize = 32;
/// Shorter rows go through the exponential many at a time.
const NARROW: usize = 2 * LANES;

/// How many rows of `size` make a tile.
pub(crate) fn per_tile(size: usize) -> usize {
    (super::TILE / size.max(1)).max(1)
}

/// The largest value that is no NaN; −Infinity without one.
#[inline(always)]
pub(crate) fn largest(row: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            most[lane] = if block[lane] > most[lane] {
                block[lane]
            } else {
                most[lane]
            };
        }
    }
    let mut result = f32::NEG_INFINITY;
    if !blocks.is_empty() {
        for value in most {
            result = if value > result { value } else { result };
        }
    }
    for value in rest {
        result = if *value > result { *value } else { result };
    }
    result
}

/// The sum of a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    let mut total = if blocks.is_empty() { 0.0 } else { tree_sum(sums) };
    for value in rest {
        total += *value;
    }
    total
}

/// The sum of a product of two rows.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut total = if a_blocks.is_empty() { 0.0 } else { tree_sum(sums) };
    for (a, b) in a_rest.iter().zip(b_rest) {
        total += a * b;
    }
    total
}

/// y = exp(x − most), lane by lane.
#[inline(always)]
pub(crate) fn exp_below(x: &[f32], most: &[f32], y: &mut [f32]) {
    for ((y, x), most) in y.iter_mut().zip(x).zip(most) {
        *y = exp_below_zero(x - most);
    }
}

/// exp(x − largest of the row) of every element into `y`, the largest into `most`, the sums of `y` into `sums`.
#[inline(always)]
pub(crate) fn exponentials(x: &[f32], size: usize, y: &mut [f32], most: &mut [f32], sums: &mut [f32]) {
    for (x, most) in x.chunks_exact(size).zip(most.iter_mut()) {
        *most = largest(x);
    }
    let results = most.iter().zip(sums.iter_mut());
    for ((x, y), (most, total)) in x.chunks_exact(size).zip(y.chunks_exact_mut(size)).zip(results) {
        *total = if size >= NARROW {
            exp_and_sum(x, *most, y)
        } else {
            for (y, x) in y.iter_mut().zip(x) {
                *y = x - most;
            }
            0.0
        };
    }
    if size < NARROW {
        // Whole vectors, whatever the length of a row.
        for y in y.iter_mut() {
            *y = exp_below_zero(*y);
        }
        for (y, total) in y.chunks_exact(size).zip(sums) {
            *total = sum(y);
        }
    }
}

/// y = exp(x − most), and its [`sum`].
#[inline(always)]
fn exp_and_sum(x: &[f32], most: f32, y: &mut [f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (x_blocks, x_rest) = x.as_chunks::<LANES>();
    let (y_blocks, y_rest) = y.as_chunks_mut::<LANES>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        for lane in 0..LANES {
            y[lane] = exp_below_zero(x[lane] - most);
            sums[lane] += y[lane];
        }
    }
    let mut total = if x_blocks.is_empty() { 0.0 } else { tree_sum(sums) };
    for (x, y) in x_rest.iter().zip(y_rest) {
        *y = exp_below_zero(x - most);
        total += *y;
    }
    total
}

/// Runs `body(rows of x, their y, largest, sums)` on groups of rows that fit the first-level cache, after
/// [`exponentials`].
macro_rules! for_groups {
    ($x:expr, $size:expr, $y:expr, |$xs:ident, $ys:ident, $most:ident, $sums:ident| $body:block) => {
        let rows = (2048 / $size).clamp(1, 64);
        let (mut most, mut sums) = ([0f32; 64], [0f32; 64]);
        for ($xs, $ys) in $x.chunks(rows * $size).zip($y.chunks_mut(rows * $size)) {
            let count = $xs.len() / $size;
            let ($most, $sums) = (&mut most[..count], &mut sums[..count]);
            exponentials($xs, $size, $ys, $most, $sums);
            $body
        }
    };
}

pub(crate) use for_groups;

vectorize! {
    /// Softmax, or its logarithm, of rows of `size`.
    pub(super) fn forward[F: Form](_form: F, x: &[f32], size: usize, y: &mut [f32]) {
        for_groups!(x, size, y, |x, y, most, sums| {
            for total in sums.iter_mut() {
                *total = if F::LOG { log(*total) } else { 1.0 / *total };
            }
            let totals = most.iter().zip(sums.iter());
            for ((x, y), (most, total)) in x.chunks_exact(size).zip(y.chunks_exact_mut(size)).zip(totals) {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = if F::LOG { x - most - total } else { *y * total };
                }
            }
        });
    }
}

/// The gradient at one element: `sum` is Σ dy·y of the row, or Σ dy for the logarithm.
#[inline(always)]
pub(super) fn gradient<F: Form>(y: f32, dy: f32, sum: f32) -> f32 {
    if F::LOG { dy - exp(y) * sum } else { y * (dy - sum) }
}

vectorize! {
    /// The gradient of [`forward`] from its output and that output's gradient.
    pub(super) fn backward[F: Form](_form: F, y: &[f32], dy: &[f32], size: usize, dx: &mut [f32]) {
        for ((y, dy), dx) in y.chunks_exact(size).zip(dy.chunks_exact(size)).zip(dx.chunks_exact_mut(size)) {
            let total = if F::LOG { sum(dy) } else { dot(dy, y) };
            for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                *dx = gradient::<F>(*y, *dy, total);
            }
        }
    }
}
