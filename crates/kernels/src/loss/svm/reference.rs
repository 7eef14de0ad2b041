//! The support vector machine's loss written down plainly: what the fast kernels must compute.

use num_traits::Float;

use super::Settings;
use crate::loss::classes::Classes;

fn of<T: Float>(value: f64) -> T {
    T::from(value).expect("every float type holds a rounded double")
}

pub fn forward<T: Float, C: Classes>(
    scores: &[T],
    labels: C,
    settings: Settings<'_, T>,
    loss: &mut [T],
) -> Result<(), String> {
    let size = settings.classes;
    let rows = scores.len() / size;
    let mut total = T::zero();
    for (row, x) in scores.chunks_exact(size).enumerate() {
        let class = labels.class(row, size).ok_or_else(|| labels.explain(row, size))?;
        for j in (0..size).filter(|&j| j != class) {
            let v = x[j] - x[class] + of(settings.margin);
            if v > T::zero() || v.is_nan() {
                total = total + settings.weight(row, rows, T::one()) * v;
            }
        }
        if x[class].is_nan() {
            total = x[class];
        }
    }
    loss[0] = total / of(rows as f64);
    Ok(())
}

pub fn backward<T: Float, C: Classes>(
    scores: &[T],
    labels: C,
    settings: Settings<'_, T>,
    dy: &[T],
    dx: &mut [T],
) -> Result<(), String> {
    let size = settings.classes;
    let rows = scores.len() / size;
    dx.fill(T::zero());
    for (row, (x, dx)) in scores
        .chunks_exact(size)
        .zip(dx.chunks_exact_mut(size))
        .enumerate()
    {
        let class = labels.class(row, size).ok_or_else(|| labels.explain(row, size))?;
        let factor = dy[0] * settings.weight(row, rows, T::one()) / of(rows as f64);
        for j in (0..size).filter(|&j| j != class) {
            let v = x[j] - x[class] + of(settings.margin);
            let slope = if v > T::zero() { factor } else { T::zero() };
            let slope = if v.is_nan() { v } else { slope };
            dx[j] = slope;
            dx[class] = dx[class] - slope;
        }
    }
    Ok(())
}
