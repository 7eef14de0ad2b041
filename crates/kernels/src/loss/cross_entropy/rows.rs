//! The loops of cross-entropy over rows of logits.

use super::{SLACK, Settings};
use crate::loss::FirstBad;
use crate::loss::classes::Classes;
use crate::partials::tree_sum;
use crate::simd::vectorize;
use crate::softmax::rows::{LANES, exponentials, for_groups, sum};
use crate::vector_math::log;

/// Σ (x − most) of a row. Not Σx − n · most: that would lose small terms beside a large maximum.
#[inline(always)]
fn sum_below(row: &[f32], most: f32) -> f32 {
    let mut sums = [0f32; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane] - most;
        }
    }
    let mut total = if blocks.is_empty() { 0.0 } else { tree_sum(sums) };
    for x in rest {
        total += x - most;
    }
    total
}

vectorize! {
    /// Σ weight · loss of some rows, the first of which is number `first`; `e` is working memory.
    pub(super) fn forward_classes<M>[C: Classes](
        x: &[f32], labels: C, first: usize, rows: usize, settings: Settings<'_, f32>, e: &mut [f32], bad: &FirstBad,
    ) -> f64 {
        let size = settings.classes;
        let smoothing = settings.smoothing as f32;
        let mut total = 0.0;
        let mut row = first;
        for_groups!(M, x, size, e, |x, e, most, sums| {
            for sum in sums.iter_mut() {
                *sum = log::<M>(*sum);
            }
            for (x, (most, log_sum)) in x.chunks_exact(size).zip(most.iter().zip(sums.iter())) {
                match labels.class(row, size) {
                    Some(class) => {
                        let mut loss = log_sum - (x[class] - most);
                        if smoothing > 0.0 {
                            let uniform = log_sum - sum_below(x, *most) / size as f32;
                            loss = loss * (1.0 - smoothing) + uniform * smoothing;
                        }
                        total += f64::from(settings.weight(row, rows, 1.0) * loss);
                    }
                    None => bad.at(row),
                }
                row += 1;
            }
        });
        total
    }
}

vectorize! {
    /// As [`forward_classes`], with a label for each logit.
    pub(super) fn forward_probabilities<M>[](
        x: &[f32], labels: &[f32], first: usize, rows: usize, settings: Settings<'_, f32>, e: &mut [f32], bad: &FirstBad,
    ) -> f64 {
        let size = settings.classes;
        let smoothing = settings.smoothing as f32;
        let mut total = 0.0;
        let mut row = first;
        for_groups!(M, x, size, e, |x, e, most, sums| {
            for sum in sums.iter_mut() {
                *sum = log::<M>(*sum);
            }
            for (x, (most, log_sum)) in x.chunks_exact(size).zip(most.iter().zip(sums.iter())) {
                let t = &labels[row * size..][..size];
                let (share, mut loss) = target_sums(x, t, *most, *log_sum);
                if !fine(t, share) {
                    bad.at(row);
                }
                if smoothing > 0.0 {
                    let uniform = log_sum - sum_below(x, *most) / size as f32;
                    loss = loss * (1.0 - smoothing) + uniform * smoothing;
                }
                total += f64::from(settings.weight(row, rows, 1.0) * loss);
                row += 1;
            }
        });
        total
    }
}

/// Σ t and −Σ t · log softmax(x) of one row. A label of 0 counts for nothing even where the logarithm is −∞.
#[inline(always)]
fn target_sums(x: &[f32], t: &[f32], most: f32, log_sum: f32) -> (f32, f32) {
    let mut shares = [0f32; LANES];
    let mut losses = [0f32; LANES];
    let (x_blocks, x_rest) = x.as_chunks::<LANES>();
    let (t_blocks, t_rest) = t.as_chunks::<LANES>();
    for (x, t) in x_blocks.iter().zip(t_blocks) {
        for lane in 0..LANES {
            let loss = t[lane] * (log_sum - (x[lane] - most));
            shares[lane] += t[lane];
            losses[lane] += if t[lane] == 0.0 { 0.0 } else { loss };
        }
    }
    let (mut share, mut total) = (0.0, 0.0);
    for (x, t) in x_rest.iter().zip(t_rest) {
        let loss = t * (log_sum - (x - most));
        share += t;
        total += if *t == 0.0 { 0.0 } else { loss };
    }
    // A NaN among the logits shows in `log_sum`, though its own label may be 0.
    let total = if log_sum.is_nan() { log_sum } else { total };
    (tree_sum(shares) + share, tree_sum(losses) + total)
}

/// Whether a row of labels is a distribution.
#[inline(always)]
fn fine(t: &[f32], share: f32) -> bool {
    let mut negative = false;
    for t in t {
        negative |= *t < 0.0;
    }
    !negative && (f64::from(share) - 1.0).abs() <= SLACK
}

vectorize! {
    /// dx = (softmax(x) − target) · dy · weight / rows for some rows.
    pub(super) fn backward_classes<M>[C: Classes](
        x: &[f32], labels: C, first: usize, rows: usize, settings: Settings<'_, f32>, dy: f32, dx: &mut [f32],
    ) {
        let size = settings.classes;
        let smoothing = settings.smoothing as f32;
        let mut row = first;
        for_groups!(M, x, size, dx, |x, dx, most, sums| {
            for (dx, sum) in dx.chunks_exact_mut(size).zip(sums.iter()) {
                let factor = dy * settings.weight(row, rows, 1.0) / rows as f32;
                let scale = factor / sum;
                let uniform = factor * smoothing / size as f32;
                for dx in dx.iter_mut() {
                    *dx = *dx * scale - uniform;
                }
                if let Some(class) = labels.class(row, size) {
                    dx[class] -= factor * (1.0 - smoothing);
                }
                row += 1;
            }
        });
    }
}

vectorize! {
    /// As [`backward_classes`], with a label for each logit: dx = (softmax(x) · Σt − t) · dy · weight / rows.
    pub(super) fn backward_probabilities<M>[](
        x: &[f32], labels: &[f32], first: usize, rows: usize, settings: Settings<'_, f32>, dy: f32, dx: &mut [f32],
    ) {
        let size = settings.classes;
        let smoothing = settings.smoothing as f32;
        let mut row = first;
        for_groups!(M, x, size, dx, |x, dx, most, sums| {
            for (dx, total) in dx.chunks_exact_mut(size).zip(sums.iter()) {
                let t = &labels[row * size..][..size];
                let factor = dy * settings.weight(row, rows, 1.0) / rows as f32;
                let keep = factor * (1.0 - smoothing);
                let uniform = factor * smoothing / size as f32;
                let scale = (keep * sum(t) + factor * smoothing) / total;
                for (dx, t) in dx.iter_mut().zip(t) {
                    *dx = *dx * scale - (t * keep + uniform);
                }
                row += 1;
            }
        });
    }
}

vectorize! {
    /// The gradient of the labels: −log softmax(x) · (1 − smoothing) · dy · weight / rows for some rows.
    pub(super) fn backward_labels_rows<M>[](
        x: &[f32], first: usize, rows: usize, settings: Settings<'_, f32>, dy: f32, dt: &mut [f32],
    ) {
        let size = settings.classes;
        let smoothing = settings.smoothing as f32;
        let mut row = first;
        for_groups!(M, x, size, dt, |x, dt, most, sums| {
            for sum in sums.iter_mut() {
                *sum = log::<M>(*sum);
            }
            for ((x, dt), (most, log_sum)) in
                x.chunks_exact(size).zip(dt.chunks_exact_mut(size)).zip(most.iter().zip(sums.iter()))
            {
                let factor = dy * settings.weight(row, rows, 1.0) / rows as f32 * (1.0 - smoothing);
                for (dt, x) in dt.iter_mut().zip(x) {
                    *dt = (log_sum - (x - most)) * factor;
                }
                row += 1;
            }
        });
    }
}
