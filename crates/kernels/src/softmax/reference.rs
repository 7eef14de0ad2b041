//! Softmax written down plainly: what the fast kernels must compute.

use super::Axis;
use num_traits::Float;

/// Calls `body` with the positions of each row along the axis.
fn each_row(axis: Axis, mut body: impl FnMut(&dyn Fn(usize) -> usize)) {
    for outer in 0..axis.outer {
        for inner in 0..axis.inner {
            body(&|index| (outer * axis.size + index) * axis.inner + inner);
        }
    }
}

pub fn softmax<T: Float>(x: &[T], axis: Axis, y: &mut [T]) {
    each_row(axis, |at| {
        let most = (0..axis.size).fold(T::neg_infinity(), |most, i| most.max(x[at(i)]));
        let sum = (0..axis.size).fold(T::zero(), |sum, i| sum + (x[at(i)] - most).exp());
        for i in 0..axis.size {
            y[at(i)] = (x[at(i)] - most).exp() / sum;
        }
    });
}

pub fn log_softmax<T: Float>(x: &[T], axis: Axis, y: &mut [T]) {
    each_row(axis, |at| {
        let most = (0..axis.size).fold(T::neg_infinity(), |most, i| most.max(x[at(i)]));
        let sum = (0..axis.size).fold(T::zero(), |sum, i| sum + (x[at(i)] - most).exp());
        for i in 0..axis.size {
            y[at(i)] = x[at(i)] - most - sum.ln();
        }
    });
}

pub fn softmax_backward<T: Float>(y: &[T], dy: &[T], axis: Axis, dx: &mut [T]) {
    each_row(axis, |at| {
        let sum = (0..axis.size).fold(T::zero(), |sum, i| sum + dy[at(i)] * y[at(i)]);
        for i in 0..axis.size {
            dx[at(i)] = y[at(i)] * (dy[at(i)] - sum);
        }
    });
}

pub fn log_softmax_backward<T: Float>(y: &[T], dy: &[T], axis: Axis, dx: &mut [T]) {
    each_row(axis, |at| {
        let sum = (0..axis.size).fold(T::zero(), |sum, i| sum + dy[at(i)]);
        for i in 0..axis.size {
            dx[at(i)] = dy[at(i)] - y[at(i)].exp() * sum;
        }
    });
}
