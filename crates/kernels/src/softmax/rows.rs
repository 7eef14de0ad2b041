//! Softmax of rows that lie together, the form that classifiers use; losses build on its pieces.

use super::Form;
use crate::partials::{tree, tree_sum};
use crate::simd::{MulAdd, vectorize};
use crate::vector_math::{exp, exp_below_zero, log};

/// Accumulators of a reduction along a row.
pub(crate) const LANES: usize = 32;
/// Accumulators of a maximum, which takes one instruction a vector.
const WIDE: usize = 64;
/// Shorter rows go through the exponential many at a time.
const NARROW: usize = 2 * LANES;

/// How many rows of `size` make a tile.
pub(crate) fn per_tile(size: usize) -> usize {
    (super::TILE / size.max(1)).max(1)
}

/// The largest value that is no NaN; −Infinity without one.
#[inline(always)]
pub(crate) fn largest(row: &[f32]) -> f32 {
    let Some(last) = row.last_chunk::<WIDE>() else {
        return row
            .iter()
            .fold(f32::NEG_INFINITY, |most, &value| larger(value, most));
    };
    let mut most = [f32::NEG_INFINITY; WIDE];
    for block in row.as_chunks::<WIDE>().0 {
        for lane in 0..WIDE {
            most[lane] = larger(block[lane], most[lane]);
        }
    }
    // It may overlap the block before: a value that counts twice is no larger.
    for lane in 0..WIDE {
        most[lane] = larger(last[lane], most[lane]);
    }
    tree(most, larger)
}

/// The larger of two; `b` where `a` is NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The sum of a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let Some(last) = row.last_chunk::<LANES>() else {
        return row.iter().sum();
    };
    let mut sums = [0f32; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    for lane in 0..LANES {
        sums[lane] += unseen(lane, LANES - rest.len(), last[lane]);
    }
    tree_sum(sums)
}

/// The last elements of a row are taken as one more whole block, which overlaps the one before: what stands in a lane
/// below `seen` was counted there, and is nothing here.
#[inline(always)]
fn unseen(lane: usize, seen: usize, value: f32) -> f32 {
    if lane < seen { 0.0 } else { value }
}

/// The sum of a product of two rows of one length.
#[inline(always)]
fn dot<M: MulAdd>(a: &[f32], b: &[f32]) -> f32 {
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<LANES>(), b.last_chunk::<LANES>()) else {
        return a.iter().zip(b).fold(0.0, |sum, (&a, &b)| M::mul_add(a, b, sum));
    };
    let mut sums = [0f32; LANES];
    let (a_blocks, rest) = a.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] = M::mul_add(a[lane], b[lane], sums[lane]);
        }
    }
    for lane in 0..LANES {
        sums[lane] += unseen(lane, LANES - rest.len(), a_last[lane] * b_last[lane]);
    }
    tree_sum(sums)
}

/// y = exp(x − most), lane by lane.
#[inline(always)]
pub(crate) fn exp_below<M: MulAdd>(x: &[f32], most: &[f32], y: &mut [f32]) {
    for ((y, x), most) in y.iter_mut().zip(x).zip(most) {
        *y = exp_below_zero::<M>(x - most);
    }
}

/// exp(x − largest of the row) of every element into `y`, the largest into `most`, the sums of `y` into `sums`.
#[inline(always)]
pub(crate) fn exponentials<M: MulAdd>(
    x: &[f32],
    size: usize,
    y: &mut [f32],
    most: &mut [f32],
    sums: &mut [f32],
) {
    for (x, most) in x.chunks_exact(size).zip(most.iter_mut()) {
        *most = largest(x);
    }
    let results = most.iter().zip(sums.iter_mut());
    for ((x, y), (most, total)) in x.chunks_exact(size).zip(y.chunks_exact_mut(size)).zip(results) {
        *total = if size >= NARROW {
            exp_and_sum::<M>(x, *most, y)
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
            *y = exp_below_zero::<M>(*y);
        }
        for (y, total) in y.chunks_exact(size).zip(sums) {
            *total = sum(y);
        }
    }
}

/// y = exp(x − most), and its sum; the row has [`LANES`] elements at least.
#[inline(always)]
fn exp_and_sum<M: MulAdd>(x: &[f32], most: f32, y: &mut [f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (x_blocks, rest) = x.as_chunks::<LANES>();
    for (x, y) in x_blocks.iter().zip(y.as_chunks_mut::<LANES>().0) {
        for lane in 0..LANES {
            y[lane] = exp_below_zero::<M>(x[lane] - most);
            sums[lane] += y[lane];
        }
    }
    let last = x.last_chunk::<LANES>().zip(y.last_chunk_mut::<LANES>());
    let (x, y) = last.expect("no row that is so short");
    for lane in 0..LANES {
        y[lane] = exp_below_zero::<M>(x[lane] - most);
        sums[lane] += unseen(lane, LANES - rest.len(), y[lane]);
    }
    tree_sum(sums)
}

/// Runs `body(rows of x, their y, largest, sums)` on groups of rows that fit the first-level cache, after
/// [`exponentials`].
macro_rules! for_groups {
    ($add:ident, $x:expr, $size:expr, $y:expr, |$xs:ident, $ys:ident, $most:ident, $sums:ident| $body:block) => {
        let rows = (2048 / $size).clamp(1, 64);
        let (mut most, mut sums) = ([0f32; 64], [0f32; 64]);
        for ($xs, $ys) in $x.chunks(rows * $size).zip($y.chunks_mut(rows * $size)) {
            let count = $xs.len() / $size;
            let ($most, $sums) = (&mut most[..count], &mut sums[..count]);
            exponentials::<$add>($xs, $size, $ys, $most, $sums);
            $body
        }
    };
}

pub(crate) use for_groups;

vectorize! {
    /// Softmax, or its logarithm, of rows of `size`.
    pub(super) fn forward<M>[F: Form](_form: F, x: &[f32], size: usize, y: &mut [f32]) {
        for_groups!(M, x, size, y, |x, y, most, sums| {
            for total in sums.iter_mut() {
                *total = if F::LOG { log::<M>(*total) } else { 1.0 / *total };
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
pub(super) fn gradient<M: MulAdd, F: Form>(y: f32, dy: f32, sum: f32) -> f32 {
    if F::LOG {
        M::mul_add(-exp::<M>(y), sum, dy)
    } else {
        y * (dy - sum)
    }
}

vectorize! {
    /// The gradient of [`forward`] from its output and that output's gradient.
    pub(super) fn backward<M>[F: Form](_form: F, y: &[f32], dy: &[f32], size: usize, dx: &mut [f32]) {
        for ((y, dy), dx) in y.chunks_exact(size).zip(dy.chunks_exact(size)).zip(dx.chunks_exact_mut(size)) {
            let total = if F::LOG { sum(dy) } else { dot::<M>(dy, y) };
            for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                *dx = gradient::<M, F>(*y, *dy, total);
            }
        }
    }
}
