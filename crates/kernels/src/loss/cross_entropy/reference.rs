//! Cross-entropy written down plainly: what the fast kernels must compute.

use num_traits::Float;

use super::{SLACK, Settings, explain_row};
use crate::loss::classes::Classes;

fn of<T: Float>(value: f64) -> T {
    T::from(value).expect("every float type holds a rounded double")
}

/// log softmax of one row.
fn logarithms<T: Float>(x: &[T]) -> Vec<T> {
    let most = x.iter().fold(T::neg_infinity(), |most, &x| most.max(x));
    let sum = x.iter().fold(T::zero(), |sum, &x| sum + (x - most).exp());
    x.iter().map(|&x| x - most - sum.ln()).collect()
}

/// The target of one logit from its label.
fn smooth<T: Float>(label: T, settings: Settings<'_, T>) -> T {
    let smoothing = of::<T>(settings.smoothing);
    label * (T::one() - smoothing) + smoothing / of(settings.classes as f64)
}

/// Calls `body(row, logits, labels)` with the labels of each row as a distribution.
fn each_row<T: Float, C: Classes>(
    logits: &[T],
    labels: C,
    size: usize,
    mut body: impl FnMut(usize, &[T], &[T]),
) -> Result<(), String> {
    let mut row_labels = vec![T::zero(); size];
    for (row, x) in logits.chunks_exact(size).enumerate() {
        row_labels.fill(T::zero());
        let class = labels.class(row, size).ok_or_else(|| labels.explain(row, size))?;
        row_labels[class] = T::one();
        body(row, x, &row_labels);
    }
    Ok(())
}

fn row_loss<T: Float>(x: &[T], t: &[T], settings: Settings<'_, T>) -> T {
    let mut loss = T::zero();
    for (&t, log) in t.iter().zip(logarithms(x)) {
        let target = smooth(t, settings);
        if target != T::zero() || log.is_nan() {
            loss = loss - target * log;
        }
    }
    loss
}

fn row_gradient<T: Float>(x: &[T], t: &[T], factor: T, settings: Settings<'_, T>, dx: &mut [T]) {
    let total = t.iter().fold(T::zero(), |sum, &t| sum + smooth(t, settings));
    for ((dx, &t), log) in dx.iter_mut().zip(t).zip(logarithms(x)) {
        *dx = (log.exp() * total - smooth(t, settings)) * factor;
    }
}

pub fn forward<T: Float, C: Classes>(
    logits: &[T],
    labels: C,
    settings: Settings<'_, T>,
    loss: &mut [T],
) -> Result<(), String> {
    let rows = logits.len() / settings.classes;
    let mut total = T::zero();
    each_row(logits, labels, settings.classes, |row, x, t| {
        total = total + settings.weight(row, rows, T::one()) * row_loss(x, t, settings);
    })?;
    loss[0] = total / of(rows as f64);
    Ok(())
}

pub fn forward_soft<T: Float>(
    logits: &[T],
    labels: &[T],
    settings: Settings<'_, T>,
    loss: &mut [T],
) -> Result<(), String> {
    let size = settings.classes;
    let rows = logits.len() / size;
    let mut total = T::zero();
    for (row, (x, t)) in logits
        .chunks_exact(size)
        .zip(labels.chunks_exact(size))
        .enumerate()
    {
        let share = t.iter().fold(0.0, |sum, t| sum + t.to_f64().unwrap_or(f64::NAN));
        let negative = t.iter().any(|&t| t < T::zero());
        if negative || (share - 1.0).abs() > SLACK || share.is_nan() {
            return Err(explain_row(row, share));
        }
        total = total + settings.weight(row, rows, T::one()) * row_loss(x, t, settings);
    }
    loss[0] = total / of(rows as f64);
    Ok(())
}

pub fn backward<T: Float, C: Classes>(
    logits: &[T],
    labels: C,
    settings: Settings<'_, T>,
    dy: &[T],
    dx: &mut [T],
) -> Result<(), String> {
    let size = settings.classes;
    let rows = logits.len() / size;
    each_row(logits, labels, size, |row, x, t| {
        let factor = dy[0] * settings.weight(row, rows, T::one()) / of(rows as f64);
        row_gradient(x, t, factor, settings, &mut dx[row * size..][..size]);
    })
}

pub fn backward_soft<T: Float>(
    logits: &[T],
    labels: &[T],
    settings: Settings<'_, T>,
    dy: &[T],
    dx: &mut [T],
) {
    let size = settings.classes;
    let rows = logits.len() / size;
    for (row, (x, t)) in logits
        .chunks_exact(size)
        .zip(labels.chunks_exact(size))
        .enumerate()
    {
        let factor = dy[0] * settings.weight(row, rows, T::one()) / of(rows as f64);
        row_gradient(x, t, factor, settings, &mut dx[row * size..][..size]);
    }
}

pub fn backward_labels<T: Float>(logits: &[T], settings: Settings<'_, T>, dy: &[T], dt: &mut [T]) {
    let size = settings.classes;
    let rows = logits.len() / size;
    let keep = T::one() - of(settings.smoothing);
    for (row, (x, dt)) in logits
        .chunks_exact(size)
        .zip(dt.chunks_exact_mut(size))
        .enumerate()
    {
        let factor = dy[0] * settings.weight(row, rows, T::one()) / of(rows as f64) * keep;
        for (dt, log) in dt.iter_mut().zip(logarithms(x)) {
            *dt = -log * factor;
        }
    }
}
