//! Reductions: many elements to one, along any axes.
//!
//! Sums are taken in float64 and rounded once, so a float32 result is as good as its inputs whatever the length.
//! Tiles come from the shape alone, and their partial results are combined in order.

use num_traits::Float;

use crate::broadcast::Broadcast;
use crate::dimensions::{check_lengths, product, strides, wholes};
use crate::{Exec, with_scratch};

mod arg_max;
mod fold;
mod spread;

pub use arg_max::arg_max;
use fold::{Deviation, Fold, Max, Min, Sum, Ties, fold};
use spread::{FromMean, ToTies, expand, spread};

/// An axis and the distance of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    size: usize,
    stride: usize,
}

/// Which elements of a tensor make which element of the result. Neighbouring axes that are both kept or both reduced
/// are merged; the innermost is a contiguous run.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    kept: Vec<Axis>,
    reduced: Vec<Axis>,
    /// The length of the innermost run, and whether it is kept: then neighbours in memory go to different results.
    inner: usize,
    inner_kept: bool,
    pub x_len: usize,
    pub y_len: usize,
    /// Elements that make one result.
    pub count: usize,
    /// The way back: `x` as the left operand, the result as the right one.
    back: Broadcast,
}

impl Reduce {
    /// `reduced` marks the axes that go.
    pub fn new(shape: &[usize], reduced: &[bool]) -> Result<Reduce, String> {
        if shape.len() != reduced.len() {
            return Err(format!("{} axes and {} marks", shape.len(), reduced.len()));
        }
        let x_len = product(shape)?;
        let select = |mark: bool| -> Vec<usize> {
            shape
                .iter()
                .zip(reduced)
                .map(|(&size, &gone)| if gone == mark { size } else { 1 })
                .collect()
        };
        let (kept_shape, reduced_shape) = (select(false), select(true));
        let (y_len, count) = (product(&kept_shape)?, product(&reduced_shape)?);
        // From the inside out; an axis that goes on evenly from the one inside it, of the same kind, is merged.
        let mut axes: Vec<(Axis, bool)> = Vec::new();
        for ((&size, stride), &gone) in shape.iter().zip(strides(shape)).zip(reduced).rev() {
            match axes.last_mut() {
                _ if size == 1 || x_len == 0 => {}
                Some((inside, kind)) if *kind == gone => inside.size *= size,
                _ => axes.push((Axis { size, stride }, gone)),
            }
        }
        axes.reverse();
        let (inner, inner_kept) = match axes.pop() {
            Some((axis, gone)) => (axis.size, !gone),
            None => (1, true),
        };
        let outer = |mark: bool| -> Vec<Axis> {
            axes.iter()
                .filter(|(_, gone)| *gone == mark)
                .map(|(axis, _)| *axis)
                .collect()
        };
        Ok(Reduce {
            kept: outer(false),
            reduced: outer(true),
            inner,
            inner_kept,
            x_len,
            y_len,
            count,
            back: Broadcast::new(shape, &kept_shape)?,
        })
    }

    /// From the shape and, after it, 1 for every axis that goes and 0 for the others.
    pub fn from_words(words: &[f64]) -> Result<Reduce, String> {
        if !words.len().is_multiple_of(2) {
            return Err("not one mark for each axis".to_string());
        }
        let sizes = wholes(words)?;
        let (shape, marks) = sizes.split_at(sizes.len() / 2);
        if marks.iter().any(|&mark| mark > 1) {
            return Err(format!("marks {marks:?} are not 0 or 1"));
        }
        let reduced: Vec<bool> = marks.iter().map(|&mark| mark == 1).collect();
        Reduce::new(shape, &reduced)
    }

    /// Every buffer is as long as the geometry says: those of the input's shape, those of the result's.
    pub fn check(&self, xs: &[usize], ys: &[usize]) -> Result<(), String> {
        xs.iter()
            .try_for_each(|&x| check_lengths(&[("the input", x, self.x_len)]))?;
        ys.iter()
            .try_for_each(|&y| check_lengths(&[("the result", y, self.y_len)]))
    }

    /// The `n`-th of the elements that make result `output`, counted in row-major order of the reduced axes.
    pub fn element(&self, output: usize, n: usize) -> usize {
        if self.inner_kept {
            offset(&self.kept, output / self.inner) + offset(&self.reduced, n) + output % self.inner
        } else {
            offset(&self.kept, output) + offset(&self.reduced, n / self.inner) + n % self.inner
        }
    }
}

/// Where element `index` of these axes, in row-major order, starts.
#[inline(always)]
fn offset(axes: &[Axis], index: usize) -> usize {
    match axes {
        [] => 0,
        [axis] => index * axis.stride,
        _ => {
            let (mut rest, mut at) = (index, 0);
            for axis in axes.iter().rev() {
                at += rest % axis.size * axis.stride;
                rest /= axis.size;
            }
            at
        }
    }
}

/// Lends working memory in float64.
fn with_doubles<R>(len: usize, body: impl FnOnce(&mut [f64]) -> R) -> R {
    with_scratch(2 * len, |scratch| {
        // SAFETY: every bit pattern is a float64; scratch is aligned to 64 bytes, so nothing is left over.
        let (_, doubles, _) = unsafe { scratch.align_to_mut::<f64>() };
        body(&mut doubles[..len])
    })
}

fn reduce<F: Fold>(
    cx: &Exec,
    op: F,
    geometry: &Reduce,
    x: &[f32],
    y: &mut [f32],
    finish: impl Fn(f64) -> f64,
) {
    assert_eq!((x.len(), y.len()), (geometry.x_len, geometry.y_len));
    with_doubles(y.len(), |totals| {
        fold(cx, op, geometry, x, &[], totals);
        for (y, &total) in y.iter_mut().zip(&*totals) {
            *y = finish(total) as f32;
        }
    });
}

/// The sum; 0 of nothing.
pub fn sum(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [f32]) {
    reduce(cx, Sum, geometry, x, y, |total| total);
}

/// The mean; NaN of nothing.
pub fn mean(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [f32]) {
    let count = geometry.count as f64;
    reduce(cx, Sum, geometry, x, y, |total| total / count);
}

/// The largest; a NaN wins. -Infinity of nothing.
pub fn max(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [f32]) {
    reduce(cx, Max, geometry, x, y, |total| total);
}

/// The smallest; a NaN wins. Infinity of nothing.
pub fn min(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [f32]) {
    reduce(cx, Min, geometry, x, y, |total| total);
}

/// The mean squared deviation from the mean, in two passes; NaN of nothing.
pub fn variance(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [f32]) {
    assert_eq!((x.len(), y.len()), (geometry.x_len, geometry.y_len));
    let count = geometry.count as f64;
    with_means(cx, geometry, x, |means| {
        with_doubles(means.len(), |totals| {
            fold(cx, Deviation, geometry, x, means, totals);
            for (y, &total) in y.iter_mut().zip(&*totals) {
                *y = (total / count) as f32;
            }
        });
    });
}

fn with_means(cx: &Exec, geometry: &Reduce, x: &[f32], body: impl FnOnce(&[f64])) {
    let count = geometry.count as f64;
    with_doubles(geometry.y_len, |means| {
        fold(cx, Sum, geometry, x, &[], means);
        means.iter_mut().for_each(|mean| *mean /= count);
        body(means);
    });
}

/// dx of [`sum`]: dy wherever it came from.
pub fn sum_backward(cx: &Exec, geometry: &Reduce, dy: &[f32], dx: &mut [f32]) {
    expand(cx, geometry, 1.0, dy, dx);
}

/// dx of [`mean`].
pub fn mean_backward(cx: &Exec, geometry: &Reduce, dy: &[f32], dx: &mut [f32]) {
    expand(cx, geometry, geometry.count as f32, dy, dx);
}

/// dx of [`max`] and [`min`], whose result was `y`: dy in equal parts to all that equal y.
pub fn extreme_backward(cx: &Exec, geometry: &Reduce, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!((x.len(), dx.len()), (geometry.x_len, geometry.x_len));
    assert_eq!((y.len(), dy.len()), (geometry.y_len, geometry.y_len));
    with_doubles(y.len(), |extremes| {
        extremes
            .iter_mut()
            .zip(y)
            .for_each(|(extreme, &y)| *extreme = f64::from(y));
        with_doubles(y.len(), |shares| {
            fold(cx, Ties, geometry, x, extremes, shares);
            shares
                .iter_mut()
                .zip(dy)
                .for_each(|(share, &dy)| *share = f64::from(dy) / *share);
            spread(cx, ToTies, geometry, x, extremes, shares, dx);
        });
    });
}

/// dx of [`variance`]: 2 (x - mean) dy / count.
pub fn variance_backward(cx: &Exec, geometry: &Reduce, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!(
        (x.len(), dx.len(), dy.len()),
        (geometry.x_len, geometry.x_len, geometry.y_len)
    );
    let count = geometry.count as f64;
    with_means(cx, geometry, x, |means| {
        with_doubles(means.len(), |slopes| {
            slopes
                .iter_mut()
                .zip(dy)
                .for_each(|(slope, &dy)| *slope = 2.0 * f64::from(dy) / count);
            spread(cx, FromMean, geometry, x, means, slopes, dx);
        });
    });
}

/// What is right, in plain loops.
pub mod reference {
    use super::{Float, Reduce};

    fn each<T: Float, A>(
        geometry: &Reduce,
        x: &[T],
        y: &mut [T],
        start: A,
        step: impl Fn(A, T) -> A,
        finish: impl Fn(A) -> T,
    ) where
        A: Copy,
    {
        for (output, y) in y.iter_mut().enumerate() {
            *y = finish(
                (0..geometry.count).fold(start, |total, n| step(total, x[geometry.element(output, n)])),
            );
        }
    }

    fn count<T: Float>(geometry: &Reduce) -> T {
        T::from(geometry.count).expect("a float holds it")
    }

    pub fn sum<T: Float>(geometry: &Reduce, x: &[T], y: &mut [T]) {
        each(geometry, x, y, T::zero(), |total, x| total + x, |total| total);
    }

    pub fn mean<T: Float>(geometry: &Reduce, x: &[T], y: &mut [T]) {
        each(
            geometry,
            x,
            y,
            T::zero(),
            |total, x| total + x,
            |total| total / count(geometry),
        );
    }

    pub fn max<T: Float>(geometry: &Reduce, x: &[T], y: &mut [T]) {
        let larger = |best: T, x: T| if x > best || x.is_nan() { x } else { best };
        each(geometry, x, y, T::neg_infinity(), larger, |best| best);
    }

    pub fn min<T: Float>(geometry: &Reduce, x: &[T], y: &mut [T]) {
        let smaller = |best: T, x: T| if x < best || x.is_nan() { x } else { best };
        each(geometry, x, y, T::infinity(), smaller, |best| best);
    }

    pub fn variance<T: Float>(geometry: &Reduce, x: &[T], y: &mut [T]) {
        mean(geometry, x, y);
        for (output, y) in y.iter_mut().enumerate() {
            let mean = *y;
            *y = (0..geometry.count).fold(T::zero(), |total, n| {
                let deviation = x[geometry.element(output, n)] - mean;
                total + deviation * deviation
            }) / count(geometry);
        }
    }

    /// The position of the first largest among each result's elements; a NaN wins.
    pub fn arg_max<T: PartialOrd + Copy>(geometry: &Reduce, x: &[T], y: &mut [i32]) {
        for (output, y) in y.iter_mut().enumerate() {
            let mut best = 0;
            for n in 1..geometry.count {
                let (x, before) = (x[geometry.element(output, n)], x[geometry.element(output, best)]);
                // Only a NaN does not equal itself.
                #[allow(clippy::eq_op, reason = "tells a NaN, for every type of number")]
                if before == before && (x > before || x != x) {
                    best = n;
                }
            }
            *y = best as i32;
        }
    }

    pub fn sum_backward<T: Float>(geometry: &Reduce, dy: &[T], dx: &mut [T]) {
        for (output, &dy) in dy.iter().enumerate() {
            (0..geometry.count).for_each(|n| dx[geometry.element(output, n)] = dy);
        }
    }

    pub fn mean_backward<T: Float>(geometry: &Reduce, dy: &[T], dx: &mut [T]) {
        for (output, &dy) in dy.iter().enumerate() {
            (0..geometry.count).for_each(|n| dx[geometry.element(output, n)] = dy / count(geometry));
        }
    }

    pub fn extreme_backward<T: Float>(geometry: &Reduce, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
        for output in 0..geometry.y_len {
            let chosen = |x: T| x == y[output] || (x.is_nan() && y[output].is_nan());
            let elements = || (0..geometry.count).map(|n| geometry.element(output, n));
            let ties = T::from(elements().filter(|&at| chosen(x[at])).count()).expect("a float holds it");
            for at in elements() {
                dx[at] = if chosen(x[at]) {
                    dy[output] / ties
                } else {
                    T::zero()
                };
            }
        }
    }

    pub fn variance_backward<T: Float>(geometry: &Reduce, x: &[T], dy: &[T], dx: &mut [T]) {
        let mut means = vec![T::zero(); geometry.y_len];
        mean(geometry, x, &mut means);
        let two = T::one() + T::one();
        for output in 0..geometry.y_len {
            for at in (0..geometry.count).map(|n| geometry.element(output, n)) {
                dx[at] = two * (x[at] - means[output]) * dy[output] / count(geometry);
            }
        }
    }
}

#[cfg(test)]
mod tests;
