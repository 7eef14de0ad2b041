//! Softmax and its logarithm along one axis, forward and backward.
//!
//! The largest value of each row is subtracted first (Blanchard, Higham and Higham, 2021), so nothing finite
//! overflows. A row that holds NaN or +Infinity, or only −Infinity, becomes NaN.

use crate::simd::vectorize;
use crate::{Disjoint, Exec};

pub mod reference;
pub(crate) mod rows;
#[cfg(test)]
mod tests;

/// Elements of one tile: some 10 µs of exponentials.
const TILE: usize = 1 << 14;
/// Lanes that go together when the axis is not the last.
const LANES: usize = 256;

/// A tensor as `[outer, size, inner]`, the middle being the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    pub outer: usize,
    pub size: usize,
    pub inner: usize,
}

impl Axis {
    /// Fails unless the three sizes multiply to each of the `lengths`.
    pub fn new(outer: usize, size: usize, inner: usize, lengths: &[usize]) -> Result<Axis, String> {
        let product = outer
            .checked_mul(size)
            .and_then(|product| product.checked_mul(inner));
        for len in lengths {
            if product != Some(*len) {
                return Err(format!("{len} elements are not [{outer}, {size}, {inner}]"));
            }
        }
        Ok(Axis { outer, size, inner })
    }
}

/// Which of the two a loop computes.
pub(crate) trait Form: Copy + Sync {
    const LOG: bool;
}

#[derive(Clone, Copy)]
struct Plain;

#[derive(Clone, Copy)]
struct Logarithm;

impl Form for Plain {
    const LOG: bool = false;
}

impl Form for Logarithm {
    const LOG: bool = true;
}

/// y = exp(x − max) / Σ exp(x − max).
pub fn softmax(cx: &Exec, x: &[f32], axis: Axis, y: &mut [f32]) {
    forward(cx, Plain, x, axis, y);
}

/// y = x − max − log Σ exp(x − max).
pub fn log_softmax(cx: &Exec, x: &[f32], axis: Axis, y: &mut [f32]) {
    forward(cx, Logarithm, x, axis, y);
}

/// dx = y · (dy − Σ dy·y), from the softmax `y`.
pub fn softmax_backward(cx: &Exec, y: &[f32], dy: &[f32], axis: Axis, dx: &mut [f32]) {
    backward(cx, Plain, y, dy, axis, dx);
}

/// dx = dy − exp(y) · Σ dy, from the logarithm of the softmax `y`.
pub fn log_softmax_backward(cx: &Exec, y: &[f32], dy: &[f32], axis: Axis, dx: &mut [f32]) {
    backward(cx, Logarithm, y, dy, axis, dx);
}

fn forward<F: Form>(cx: &Exec, form: F, x: &[f32], axis: Axis, y: &mut [f32]) {
    if y.is_empty() {
        return;
    }
    if axis.inner == 1 {
        cx.chunks_mut(y, rows::per_tile(axis.size) * axis.size, |start, y| {
            rows::forward(cx.isa, form, &x[start..start + y.len()], axis.size, y);
        });
    } else {
        columns(cx, axis, y, |at, y| {
            columns_forward(cx.isa, form, x, axis, at.0, at.1, y)
        });
    }
}

fn backward<F: Form>(cx: &Exec, form: F, y: &[f32], dy: &[f32], axis: Axis, dx: &mut [f32]) {
    if dx.is_empty() {
        return;
    }
    if axis.inner == 1 {
        cx.chunks_mut(dx, rows::per_tile(axis.size) * axis.size, |start, dx| {
            let range = start..start + dx.len();
            rows::backward(cx.isa, form, &y[range.clone()], &dy[range], axis.size, dx);
        });
    } else {
        columns(cx, axis, dx, |at, dx| {
            columns_backward(cx.isa, form, [y, dy], axis, at.0, at.1, dx)
        });
    }
}

/// Cuts `[outer, size, inner]` into blocks of lanes and runs `body((first element, lanes), out)` on each.
fn columns(cx: &Exec, axis: Axis, out: &mut [f32], body: impl Fn((usize, usize), &Disjoint<f32>) + Sync) {
    let out = Disjoint::new(out);
    let blocks = axis.inner.div_ceil(LANES);
    let work = axis.size * axis.inner.min(LANES);
    cx.ranges(axis.outer * blocks, TILE / work.max(1), |range| {
        for unit in range {
            let lane = unit % blocks * LANES;
            let first = unit / blocks * axis.size * axis.inner + lane;
            body((first, LANES.min(axis.inner - lane)), &out);
        }
    });
}

vectorize! {
    /// Softmax down `lanes` columns, the first of which begins at `first`.
    fn columns_forward<M>[F: Form](_form: F, x: &[f32], axis: Axis, first: usize, lanes: usize, y: &Disjoint<f32>) {
        let mut most = [f32::NEG_INFINITY; LANES];
        let mut sums = [0f32; LANES];
        let (most, sums) = (&mut most[..lanes], &mut sums[..lanes]);
        let row = |index: usize| first + index * axis.inner..first + index * axis.inner + lanes;
        for index in 0..axis.size {
            for (most, x) in most.iter_mut().zip(&x[row(index)]) {
                *most = if *x > *most { *x } else { *most };
            }
        }
        for index in 0..axis.size {
            // SAFETY: each block of lanes belongs to one unit of work, and its rows lie apart.
            let y = unsafe { y.slice(row(index)) };
            rows::exp_below::<M>(&x[row(index)], most, y);
            for (sum, y) in sums.iter_mut().zip(y) {
                *sum += *y;
            }
        }
        for sum in sums.iter_mut() {
            *sum = if F::LOG { crate::vector_math::log::<M>(*sum) } else { 1.0 / *sum };
        }
        for index in 0..axis.size {
            // SAFETY: as above.
            let y = unsafe { y.slice(row(index)) };
            for (((y, x), most), sum) in y.iter_mut().zip(&x[row(index)]).zip(most.iter()).zip(sums.iter()) {
                *y = if F::LOG { x - most - sum } else { *y * sum };
            }
        }
    }
}

vectorize! {
    /// The gradient of [`columns_forward`] from its output and that output's gradient.
    fn columns_backward<M>[F: Form](
        _form: F, inputs: [&[f32]; 2], axis: Axis, first: usize, lanes: usize, dx: &Disjoint<f32>,
    ) {
        let [y, dy] = inputs;
        let mut sums = [0f32; LANES];
        let sums = &mut sums[..lanes];
        let row = |index: usize| first + index * axis.inner..first + index * axis.inner + lanes;
        for index in 0..axis.size {
            for ((sum, y), dy) in sums.iter_mut().zip(&y[row(index)]).zip(&dy[row(index)]) {
                *sum += if F::LOG { *dy } else { dy * y };
            }
        }
        for index in 0..axis.size {
            // SAFETY: each block of lanes belongs to one unit of work, and its rows lie apart.
            let dx = unsafe { dx.slice(row(index)) };
            let inputs = y[row(index)].iter().zip(&dy[row(index)]);
            for ((dx, (y, dy)), sum) in dx.iter_mut().zip(inputs).zip(sums.iter()) {
                *dx = rows::gradient::<M, F>(*y, *dy, *sum);
            }
        }
    }
}
