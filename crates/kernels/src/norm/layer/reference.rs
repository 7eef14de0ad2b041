//! Layer normalisation written down plainly: what the fast kernels must compute.

use crate::norm::{inverse_deviation, of};
use num_traits::Float;

pub fn forward<T: Float>(x: &[T], gamma: &[T], beta: &[T], epsilon: f64, y: &mut [T], statistics: &mut [T]) {
    let features = gamma.len();
    let rows = x.len() / features;
    let count = of::<T>(features as f64);
    for row in 0..rows {
        let range = row * features..(row + 1) * features;
        let x = &x[range.clone()];
        let total = |f: &dyn Fn(T) -> T| x.iter().fold(T::zero(), |sum, &v| sum + f(v));
        let mean = total(&|v| v) / count;
        let low = total(&|v| v - mean) / count;
        let variance = total(&|v| (v - mean - low) * (v - mean - low)) / count;
        let inverse = of(inverse_deviation(variance.to_f64().unwrap_or(f64::NAN), epsilon));
        statistics[row] = mean;
        statistics[rows + row] = low;
        statistics[2 * rows + row] = inverse;
        for (i, y) in y[range].iter_mut().enumerate() {
            *y = (x[i] - mean - low) * inverse * gamma[i] + beta[i];
        }
    }
}

pub fn backward<T: Float>(x: &[T], dy: &[T], gamma: &[T], statistics: &[T], gradients: [&mut [T]; 3]) {
    let [dx, dgamma, dbeta] = gradients;
    let features = gamma.len();
    let rows = x.len() / features;
    let count = of::<T>(features as f64);
    dgamma.fill(T::zero());
    dbeta.fill(T::zero());
    for row in 0..rows {
        let (mean, low, inverse) = (
            statistics[row],
            statistics[rows + row],
            statistics[2 * rows + row],
        );
        let at = row * features;
        let normal = |i: usize| (x[at + i] - mean - low) * inverse;
        let sum = (0..features).fold(T::zero(), |sum, i| sum + dy[at + i] * gamma[i]);
        let product = (0..features).fold(T::zero(), |sum, i| sum + dy[at + i] * gamma[i] * normal(i));
        for i in 0..features {
            if !dx.is_empty() {
                dx[at + i] = inverse * (dy[at + i] * gamma[i] - (sum + normal(i) * product) / count);
            }
            if !dgamma.is_empty() {
                dgamma[i] = dgamma[i] + dy[at + i] * normal(i);
            }
            if !dbeta.is_empty() {
                dbeta[i] = dbeta[i] + dy[at + i];
            }
        }
    }
}
