//! The multi-class support vector machine (Weston and Watkins, 1999): for each row the sum over wrong classes of
//! max(0, margin + s_j − s_y), averaged over the rows.

use super::FirstBad;
use super::classes::Classes;
use crate::Exec;
use crate::partials::{sum_tiles, tree_sum};
use crate::simd::vectorize;

pub mod reference;
#[cfg(test)]
mod tests;

/// Elements of one tile: some 10 µs of work.
const TILE: usize = 1 << 15;
const LANES: usize = 32;

/// What a call has beside its tensors.
#[derive(Clone, Copy)]
pub struct Settings<'a, T> {
    pub classes: usize,
    pub margin: f64,
    /// One for each equal share of the rows, or none.
    pub weights: &'a [T],
}

impl<T: Copy> Settings<'_, T> {
    /// The weight of a row.
    #[inline(always)]
    fn weight(&self, row: usize, rows: usize, one: T) -> T {
        if self.weights.is_empty() {
            one
        } else {
            self.weights[row / (rows / self.weights.len())]
        }
    }
}

/// Fails unless `margin` is a finite number from 0.
pub fn check_margin(margin: f64) -> Result<(), String> {
    if margin >= 0.0 && margin.is_finite() {
        Ok(())
    } else {
        Err(format!("the margin must be a finite number from 0, not {margin}"))
    }
}

/// max(0, v), and NaN for NaN.
#[inline(always)]
fn hinge(v: f32) -> f32 {
    if v <= 0.0 { 0.0 } else { v }
}

/// The slope of [`hinge`].
#[inline(always)]
fn slope(v: f32) -> f32 {
    let above = if v > 0.0 { 1.0 } else { 0.0 };
    if v.is_nan() { v } else { above }
}

/// Σ f(x − right + margin) of some scores.
#[inline(always)]
fn sum_over(scores: &[f32], right: f32, margin: f32, f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; LANES];
    let (blocks, rest) = scores.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += f(block[lane] - right + margin);
        }
    }
    let mut total = if blocks.is_empty() { 0.0 } else { tree_sum(sums) };
    for x in rest {
        total += f(x - right + margin);
    }
    total
}

vectorize! {
    /// Σ weight · loss of some rows, the first of which is number `first`.
    fn forward_rows[C: Classes](
        x: &[f32], labels: C, first: usize, rows: usize, settings: Settings<'_, f32>, bad: &FirstBad,
    ) -> f64 {
        let size = settings.classes;
        let margin = settings.margin as f32;
        let mut total = 0.0;
        for (row, x) in (first..).zip(x.chunks_exact(size)) {
            match labels.class(row, size) {
                Some(class) => {
                    let right = x[class];
                    let loss = sum_over(&x[..class], right, margin, hinge)
                        + sum_over(&x[class + 1..], right, margin, hinge);
                    // A row of one class has no sum to show that its score is NaN.
                    let loss = if right.is_nan() { right } else { loss };
                    total += f64::from(settings.weight(row, rows, 1.0) * loss);
                }
                None => bad.at(row),
            }
        }
        total
    }
}

vectorize! {
    /// The gradient of some rows: for each wrong class the slope, for the right one minus their sum.
    fn backward_rows[C: Classes](
        x: &[f32], labels: C, first: usize, rows: usize, settings: Settings<'_, f32>, dy: f32, dx: &mut [f32],
    ) {
        let size = settings.classes;
        let margin = settings.margin as f32;
        for (row, (x, dx)) in (first..).zip(x.chunks_exact(size).zip(dx.chunks_exact_mut(size))) {
            let Some(class) = labels.class(row, size) else {
                dx.fill(f32::NAN);
                continue;
            };
            let right = x[class];
            let factor = dy * settings.weight(row, rows, 1.0) / rows as f32;
            for (dx, x) in dx.iter_mut().zip(x) {
                *dx = slope(x - right + margin) * factor;
            }
            let count = sum_over(&x[..class], right, margin, slope) + sum_over(&x[class + 1..], right, margin, slope);
            dx[class] = -count * factor;
        }
    }
}

/// The loss from class indices or one-hot rows.
pub fn forward<C: Classes>(
    cx: &Exec,
    scores: &[f32],
    labels: C,
    settings: Settings<'_, f32>,
    loss: &mut [f32],
) -> Result<(), String> {
    let size = settings.classes;
    let rows = scores.len() / size;
    let tile = (TILE / size).max(1) * size;
    let bad = FirstBad::none();
    sum_tiles(
        cx,
        scores.len().div_ceil(tile),
        1,
        |index, total| {
            let part = &scores[index * tile..scores.len().min((index + 1) * tile)];
            total[0] = forward_rows(cx.isa, part, labels, index * tile / size, rows, settings, &bad);
        },
        |total| loss[0] = (total[0] / rows as f64) as f32,
    );
    bad.into_result(|row| labels.explain(row, size))
}

/// The gradient of [`forward`] with respect to the scores, times `dy`, that of the loss.
pub fn backward<C: Classes>(
    cx: &Exec,
    scores: &[f32],
    labels: C,
    settings: Settings<'_, f32>,
    dy: &[f32],
    dx: &mut [f32],
) {
    let size = settings.classes;
    let rows = scores.len() / size;
    cx.chunks_mut(dx, (TILE / size).max(1) * size, |start, dx| {
        let part = &scores[start..start + dx.len()];
        backward_rows(cx.isa, part, labels, start / size, rows, settings, dy[0], dx);
    });
}
