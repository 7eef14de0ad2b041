//! Losses of single elements, averaged over all of them: squared, absolute, Huber's, and binary cross-entropy of
//! a logit.

use kinds::{Absolute, Element, Huber, Logistic, Squared};

use super::{FirstBad, check_shares};
use crate::Exec;
use crate::partials::sum_tiles;
use crate::simd::vectorize;
use crate::softmax::rows::{LANES, sum as row_sum};

mod kinds;
pub mod reference;
#[cfg(test)]
mod tests;

/// Elements of one tile: some 10 µs of work.
const TILE: usize = 1 << 15;
/// Elements that are added in single precision before the sum moves to double.
const RUN: usize = 32 * LANES;

/// Which loss; d is prediction − label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// d².
    Squared,
    /// |d|. Its slope at 0 is 0.
    Absolute,
    /// ½ d² where |d| ≤ delta, beyond that delta · (|d| − ½ delta) (Huber, 1964).
    Huber { delta: f64 },
    /// −t log σ(x) − (1 − t) log(1 − σ(x)) with the target t = label · (1 − smoothing) + smoothing / 2.
    Logistic { smoothing: f64 },
}

impl Kind {
    /// Fails on a delta or a smoothing that means nothing.
    pub fn check(self) -> Result<(), String> {
        match self {
            Kind::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                Err(format!("delta must be a finite number above 0, not {delta}"))
            }
            Kind::Logistic { smoothing } if !(0.0..1.0).contains(&smoothing) => {
                Err(format!("label smoothing must be from 0 up to 1, not {smoothing}"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks lengths.
pub fn check(predictions: usize, labels: usize, weights: usize, loss: usize) -> Result<(), String> {
    check_shares(predictions, weights, loss)?;
    if labels != predictions {
        return Err(format!("{labels} labels for {predictions} predictions"));
    }
    Ok(())
}

/// Runs `$body` with `$element` one of the four types above.
macro_rules! with_element {
    ($kind:expr, |$element:ident| $body:expr) => {
        match $kind {
            Kind::Squared => {
                let $element = Squared;
                $body
            }
            Kind::Absolute => {
                let $element = Absolute;
                $body
            }
            Kind::Huber { delta } => {
                let $element = Huber(delta as f32);
                $body
            }
            Kind::Logistic { smoothing } => {
                let $element = Logistic(smoothing as f32);
                $body
            }
        }
    };
}

vectorize! {
    /// Σ loss of some elements, and whether a label is refused.
    fn sum<M>[E: Element](element: E, x: &[f32], t: &[f32]) -> (f64, bool) {
        let mut total = 0.0;
        let mut refused = 0;
        let mut losses = [0f32; RUN];
        for (x, t) in x.chunks(RUN).zip(t.chunks(RUN)) {
            // Losses first, their sum after: each of the two loops fills whole vectors.
            let losses = &mut losses[..x.len()];
            for ((loss, x), t) in losses.iter_mut().zip(x).zip(t) {
                *loss = element.loss::<M>(*x, *t);
                refused |= u32::from(!element.takes(*t));
            }
            total += f64::from(row_sum(losses));
        }
        (total, refused != 0)
    }
}

vectorize! {
    /// Σ weight · loss with a weight for each element.
    fn weighted_sum<M>[E: Element](element: E, x: &[f32], t: &[f32], weights: &[f32]) -> (f64, bool) {
        let mut total = 0.0;
        let mut refused = 0;
        let mut losses = [0f32; RUN];
        for ((x, t), weights) in x.chunks(RUN).zip(t.chunks(RUN)).zip(weights.chunks(RUN)) {
            let losses = &mut losses[..x.len()];
            for (((loss, x), t), weight) in losses.iter_mut().zip(x).zip(t).zip(weights) {
                *loss = element.loss::<M>(*x, *t) * weight;
                refused |= u32::from(!element.takes(*t));
            }
            total += f64::from(row_sum(losses));
        }
        (total, refused != 0)
    }
}

vectorize! {
    /// out = slope · factor.
    fn slopes<M>[E: Element](element: E, x: &[f32], t: &[f32], factor: f32, out: &mut [f32]) {
        for ((out, x), t) in out.iter_mut().zip(x).zip(t) {
            *out = element.slope::<M>(*x, *t) * factor;
        }
    }
}

vectorize! {
    /// out = label slope · factor.
    fn label_slopes<M>[E: Element](element: E, x: &[f32], t: &[f32], factor: f32, out: &mut [f32]) {
        for ((out, x), t) in out.iter_mut().zip(x).zip(t) {
            *out = element.label_slope::<M>(*x, *t) * factor;
        }
    }
}

/// The mean of weight · loss.
pub fn forward(
    cx: &Exec,
    kind: Kind,
    predictions: &[f32],
    labels: &[f32],
    weights: &[f32],
    loss: &mut [f32],
) -> Result<(), String> {
    with_element!(kind, |element| forward_element(
        cx,
        element,
        predictions,
        labels,
        weights,
        loss
    ))
}

fn forward_element<E: Element>(
    cx: &Exec,
    element: E,
    predictions: &[f32],
    labels: &[f32],
    weights: &[f32],
    loss: &mut [f32],
) -> Result<(), String> {
    let len = predictions.len();
    // How many elements share a weight.
    let share = if weights.is_empty() {
        len
    } else {
        len / weights.len()
    };
    let bad = FirstBad::none();
    sum_tiles(
        cx,
        len.div_ceil(TILE),
        1,
        |index, total| {
            let tile = index * TILE..len.min((index + 1) * TILE);
            let (sum_of_tile, refused) = if share == 1 && !weights.is_empty() {
                weighted_sum(
                    cx.isa,
                    element,
                    &predictions[tile.clone()],
                    &labels[tile.clone()],
                    &weights[tile.clone()],
                )
            } else {
                let mut total = 0.0;
                let mut refused = false;
                let mut at = tile.start;
                while at < tile.end {
                    let end = ((at / share + 1) * share).min(tile.end);
                    let (part, bad) = sum(cx.isa, element, &predictions[at..end], &labels[at..end]);
                    total += part * weights.get(at / share).map_or(1.0, |&weight| f64::from(weight));
                    refused |= bad;
                    at = end;
                }
                (total, refused)
            };
            total[0] = sum_of_tile;
            if refused {
                let found = labels[tile.clone()].iter().position(|&t| !element.takes(t));
                bad.at(tile.start + found.unwrap_or(0));
            }
        },
        |total| loss[0] = (total[0] / len as f64) as f32,
    );
    bad.into_result(|position| explain(f64::from(labels[position]), position))
}

fn explain(label: f64, position: usize) -> String {
    format!("label {label} at element {position} is no probability from 0 to 1")
}

/// The gradient of [`forward`] with respect to the predictions, times `dy`, that of the loss.
pub fn backward(
    cx: &Exec,
    kind: Kind,
    predictions: &[f32],
    labels: &[f32],
    weights: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) {
    with_element!(kind, |element| {
        each_share(cx, weights, dy[0], dx, |range, factor, dx| {
            slopes(
                cx.isa,
                element,
                &predictions[range.clone()],
                &labels[range],
                factor,
                dx,
            )
        })
    });
}

/// The gradient of [`forward`] with respect to the labels.
pub fn backward_labels(
    cx: &Exec,
    kind: Kind,
    predictions: &[f32],
    labels: &[f32],
    weights: &[f32],
    dy: &[f32],
    dt: &mut [f32],
) {
    with_element!(kind, |element| {
        each_share(cx, weights, dy[0], dt, |range, factor, dt| {
            label_slopes(
                cx.isa,
                element,
                &predictions[range.clone()],
                &labels[range],
                factor,
                dt,
            )
        })
    });
}

/// Runs `body(elements, dy · weight / count, their outputs)` on runs of elements that share a weight.
fn each_share(
    cx: &Exec,
    weights: &[f32],
    dy: f32,
    out: &mut [f32],
    body: impl Fn(std::ops::Range<usize>, f32, &mut [f32]) + Sync,
) {
    let len = out.len();
    let share = if weights.is_empty() {
        len
    } else {
        len / weights.len()
    };
    cx.chunks_mut(out, TILE, |start, out| {
        let mut at = 0;
        while at < out.len() {
            let index = (start + at) / share;
            let end = ((index + 1) * share - start).min(out.len());
            let weight = weights.get(index).copied().unwrap_or(1.0);
            body(
                start + at..start + end,
                dy * weight / len as f32,
                &mut out[at..end],
            );
            at = end;
        }
    });
}
