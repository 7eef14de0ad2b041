//! Losses of single elements written down plainly: what the fast kernels must compute.

use num_traits::Float;

use super::{Kind, explain};

fn of<T: Float>(value: f64) -> T {
    T::from(value).expect("every float type holds a rounded double")
}

fn smooth<T: Float>(t: T, smoothing: f64) -> T {
    t * of(1.0 - smoothing) + of(0.5 * smoothing)
}

fn loss<T: Float>(kind: Kind, x: T, t: T) -> T {
    let d = x - t;
    match kind {
        Kind::Squared => d * d,
        Kind::Absolute => d.abs(),
        Kind::Huber { delta } if d.abs() <= of(delta) => of::<T>(0.5) * d * d,
        Kind::Huber { delta } => of::<T>(delta) * (d.abs() - of(0.5 * delta)),
        Kind::Logistic { smoothing } => {
            let t = smooth(t, smoothing);
            let wrong = if x > T::zero() { T::one() - t } else { t };
            x.abs() * wrong + (-x.abs()).exp().ln_1p()
        }
    }
}

fn slope<T: Float>(kind: Kind, x: T, t: T) -> T {
    let d = x - t;
    match kind {
        Kind::Squared => d + d,
        Kind::Absolute if d == T::zero() || d.is_nan() => d,
        Kind::Absolute => d.signum(),
        Kind::Huber { delta } if d.abs() > of(delta) => of::<T>(delta) * d.signum(),
        Kind::Huber { .. } => d,
        Kind::Logistic { smoothing } => (T::one() + (-x).exp()).recip() - smooth(t, smoothing),
    }
}

fn label_slope<T: Float>(kind: Kind, x: T, t: T) -> T {
    match kind {
        Kind::Logistic { smoothing } => -x * of(1.0 - smoothing),
        _ => -slope(kind, x, t),
    }
}

/// The weight of element `index` of `len`.
fn weight<T: Float>(weights: &[T], index: usize, len: usize) -> T {
    if weights.is_empty() {
        T::one()
    } else {
        weights[index / (len / weights.len())]
    }
}

pub fn forward<T: Float>(
    kind: Kind,
    predictions: &[T],
    labels: &[T],
    weights: &[T],
    loss_out: &mut [T],
) -> Result<(), String> {
    let mut total = T::zero();
    for (i, (&x, &t)) in predictions.iter().zip(labels).enumerate() {
        if matches!(kind, Kind::Logistic { .. }) && !(t >= T::zero() && t <= T::one()) {
            return Err(explain(t.to_f64().unwrap_or(f64::NAN), i));
        }
        total = total + weight(weights, i, predictions.len()) * loss(kind, x, t);
    }
    loss_out[0] = total / of(predictions.len() as f64);
    Ok(())
}

pub fn backward<T: Float>(
    kind: Kind,
    predictions: &[T],
    labels: &[T],
    weights: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    let len = dx.len();
    for (i, dx) in dx.iter_mut().enumerate() {
        let factor = dy[0] * weight(weights, i, len) / of(len as f64);
        *dx = slope(kind, predictions[i], labels[i]) * factor;
    }
}

pub fn backward_labels<T: Float>(
    kind: Kind,
    predictions: &[T],
    labels: &[T],
    weights: &[T],
    dy: &[T],
    dt: &mut [T],
) {
    let len = dt.len();
    for (i, dt) in dt.iter_mut().enumerate() {
        let factor = dy[0] * weight(weights, i, len) / of(len as f64);
        *dt = label_slope(kind, predictions[i], labels[i]) * factor;
    }
}
