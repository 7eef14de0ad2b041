//! Softmax and cross-entropy in one: −Σ t · log softmax(x), averaged over the rows.
//!
//! With smoothing s over C classes the targets are t · (1 − s) + s / C (Szegedy and others, 2016).

use rows::{
    backward_classes, backward_labels_rows, backward_probabilities, forward_classes, forward_probabilities,
};

use super::classes::Classes;
use super::{FirstBad, check_shares};
use crate::partials::sum_tiles;
use crate::softmax::rows::per_tile;
use crate::{Exec, with_scratch};

pub mod reference;
mod rows;
#[cfg(test)]
mod tests;

/// How far the labels of a row may add up to something else than 1.
const SLACK: f64 = 1e-3;

/// What a call has beside its tensors.
#[derive(Clone, Copy)]
pub struct Settings<'a, T> {
    pub classes: usize,
    pub smoothing: f64,
    /// One for each equal share of the rows, or none.
    pub weights: &'a [T],
}

impl<T: Copy> Settings<'_, T> {
    /// The weight of a row.
    #[inline(always)]
    pub(super) fn weight(&self, row: usize, rows: usize, one: T) -> T {
        if self.weights.is_empty() {
            one
        } else {
            self.weights[row / (rows / self.weights.len())]
        }
    }
}

/// Checks lengths: `labels` is one for each row where `indices`, else one for each logit.
pub fn check(
    logits: usize,
    labels: usize,
    indices: bool,
    classes: usize,
    weights: usize,
    loss: usize,
) -> Result<usize, String> {
    if classes == 0 || !logits.is_multiple_of(classes) {
        return Err(format!("{logits} logits are not rows of {classes} classes"));
    }
    let rows = logits / classes;
    check_shares(rows, weights, loss)?;
    let expected = if indices { rows } else { logits };
    if labels != expected {
        return Err(format!("{labels} labels for {rows} rows of {classes} classes"));
    }
    Ok(rows)
}

/// Fails unless `smoothing` is from 0 up to but not 1.
pub fn check_smoothing(smoothing: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&smoothing) {
        Ok(())
    } else {
        Err(format!("label smoothing must be from 0 up to 1, not {smoothing}"))
    }
}

fn explain_row(row: usize, share: f64) -> String {
    if (share - 1.0).abs() <= SLACK {
        format!("the labels of row {row} hold a negative number")
    } else {
        format!("the labels of row {row} add up to {share}, not 1")
    }
}

/// The loss from class indices or one-hot rows.
pub fn forward<C: Classes>(
    cx: &Exec,
    logits: &[f32],
    labels: C,
    settings: Settings<'_, f32>,
    loss: &mut [f32],
) -> Result<(), String> {
    let size = settings.classes;
    let bad = FirstBad::none();
    run(cx, logits, size, loss, |part, first, e| {
        forward_classes(
            cx.isa,
            part,
            labels,
            first,
            logits.len() / size,
            settings,
            e,
            &bad,
        )
    });
    bad.into_result(|row| labels.explain(row, size))
}

/// The loss from a distribution over the classes for each row.
pub fn forward_soft(
    cx: &Exec,
    logits: &[f32],
    labels: &[f32],
    settings: Settings<'_, f32>,
    loss: &mut [f32],
) -> Result<(), String> {
    let size = settings.classes;
    let bad = FirstBad::none();
    run(cx, logits, size, loss, |part, first, e| {
        forward_probabilities(
            cx.isa,
            part,
            labels,
            first,
            logits.len() / size,
            settings,
            e,
            &bad,
        )
    });
    bad.into_result(|row| {
        let share = labels[row * size..][..size].iter().map(|&t| f64::from(t)).sum();
        explain_row(row, share)
    })
}

/// Runs `body(part of the logits, its first row, working memory)` on tiles and averages what it returns.
fn run(
    cx: &Exec,
    logits: &[f32],
    size: usize,
    loss: &mut [f32],
    body: impl Fn(&[f32], usize, &mut [f32]) -> f64 + Sync,
) {
    let tile = per_tile(size) * size;
    sum_tiles(
        cx,
        logits.len().div_ceil(tile),
        1,
        |index, total| {
            let part = &logits[index * tile..logits.len().min((index + 1) * tile)];
            total[0] = with_scratch(part.len(), |e| body(part, index * tile / size, e));
        },
        |total| loss[0] = (total[0] / (logits.len() / size) as f64) as f32,
    );
}

/// The gradient of [`forward`] with respect to the logits, times `dy`, that of the loss.
pub fn backward<C: Classes>(
    cx: &Exec,
    logits: &[f32],
    labels: C,
    settings: Settings<'_, f32>,
    dy: &[f32],
    dx: &mut [f32],
) {
    let size = settings.classes;
    let rows = logits.len() / size;
    cx.chunks_mut(dx, per_tile(size) * size, |start, dx| {
        let part = &logits[start..start + dx.len()];
        backward_classes(cx.isa, part, labels, start / size, rows, settings, dy[0], dx);
    });
}

/// The gradient of [`forward_soft`] with respect to the logits.
pub fn backward_soft(
    cx: &Exec,
    logits: &[f32],
    labels: &[f32],
    settings: Settings<'_, f32>,
    dy: &[f32],
    dx: &mut [f32],
) {
    let size = settings.classes;
    let rows = logits.len() / size;
    cx.chunks_mut(dx, per_tile(size) * size, |start, dx| {
        let part = &logits[start..start + dx.len()];
        backward_probabilities(cx.isa, part, labels, start / size, rows, settings, dy[0], dx);
    });
}

/// The gradient of [`forward_soft`] with respect to the labels.
pub fn backward_labels(cx: &Exec, logits: &[f32], settings: Settings<'_, f32>, dy: &[f32], dt: &mut [f32]) {
    let size = settings.classes;
    let rows = logits.len() / size;
    cx.chunks_mut(dt, per_tile(size) * size, |start, dt| {
        let part = &logits[start..start + dt.len()];
        backward_labels_rows(cx.isa, part, start / size, rows, settings, dy[0], dt);
    });
}
