//! Batch normalisation written down plainly: what the fast kernels must compute.

use super::{STATISTICS, Statistics, check_variance, rows_of};
use crate::norm::{inverse_deviation, of};
use num_traits::Float;

pub fn measure<T: Float>(x: &[T], epsilon: f64, statistics: &mut [T]) {
    let channels = statistics.len() / STATISTICS;
    let count = of::<T>((x.len() / channels) as f64);
    let column = |channel: usize| x.iter().skip(channel).step_by(channels).copied();
    for channel in 0..channels {
        let total = |f: &dyn Fn(T) -> T| column(channel).fold(T::zero(), |sum, v| sum + f(v));
        let mean = total(&|v| v) / count;
        let low = total(&|v| v - mean) / count;
        let variance = total(&|v| (v - mean - low) * (v - mean - low)) / count;
        statistics[channel] = mean;
        statistics[channels + channel] = low;
        statistics[2 * channels + channel] = variance;
        statistics[3 * channels + channel] =
            of(inverse_deviation(variance.to_f64().unwrap_or(f64::NAN), epsilon));
    }
}

pub fn adopt<T: Float>(mean: &[T], variance: &[T], epsilon: f64, statistics: &mut [T]) -> Result<(), String> {
    let channels = mean.len();
    for channel in 0..channels {
        check_variance(channel, variance[channel].to_f64().unwrap_or(f64::NAN))?;
        statistics[channel] = mean[channel];
        statistics[channels + channel] = T::zero();
        statistics[2 * channels + channel] = variance[channel];
        statistics[3 * channels + channel] = of(inverse_deviation(
            variance[channel].to_f64().unwrap_or(f64::NAN),
            epsilon,
        ));
    }
    Ok(())
}

pub fn normalize<T: Float>(x: &[T], statistics: &[T], gamma: &[T], beta: &[T], y: &mut [T]) {
    let statistics = rows_of(statistics);
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        let c = i % gamma.len();
        *y = (*x - statistics.mean[c] - statistics.low[c]) * statistics.inverse[c] * gamma[c] + beta[c];
    }
}

pub fn backward<T: Float>(
    x: &[T],
    dy: &[T],
    gamma: &[T],
    statistics: &[T],
    training: bool,
    gradients: [&mut [T]; 3],
) {
    let [dx, dgamma, dbeta] = gradients;
    let channels = gamma.len();
    let count = of::<T>((x.len() / channels) as f64);
    let Statistics {
        mean, low, inverse, ..
    } = rows_of(statistics);
    let normal = |i: usize| (x[i] - mean[i % channels] - low[i % channels]) * inverse[i % channels];
    for c in 0..channels {
        let cells = || (c..x.len()).step_by(channels);
        let sum = cells().fold(T::zero(), |sum, i| sum + dy[i]);
        let product = cells().fold(T::zero(), |sum, i| sum + dy[i] * normal(i));
        if !dbeta.is_empty() {
            dbeta[c] = sum;
        }
        if !dgamma.is_empty() {
            dgamma[c] = product;
        }
        if !dx.is_empty() {
            for i in cells() {
                let through_statistics = if training {
                    (sum + normal(i) * product) / count
                } else {
                    T::zero()
                };
                dx[i] = gamma[c] * inverse[c] * (dy[i] - through_statistics);
            }
        }
    }
}

pub fn backward_statistics<T: Float>(
    dgamma: &[T],
    dbeta: &[T],
    gamma: &[T],
    statistics: &[T],
    dmean: &mut [T],
    dvariance: &mut [T],
) {
    let inverse = rows_of(statistics).inverse;
    for (c, dmean) in dmean.iter_mut().enumerate() {
        *dmean = -(gamma[c] * inverse[c] * dbeta[c]);
    }
    for (c, dvariance) in dvariance.iter_mut().enumerate() {
        *dvariance = -(of::<T>(0.5) * gamma[c] * inverse[c] * inverse[c] * dgamma[c]);
    }
}

pub fn update_running<T: Float>(statistics: &[T], momentum: f64, mean: &mut [T], variance: &mut [T]) {
    let batch = rows_of(statistics);
    let (keep, take) = (of::<T>(momentum), of::<T>(1.0 - momentum));
    for (running, batch) in mean.iter_mut().zip(batch.mean) {
        *running = keep * *running + take * *batch;
    }
    for (running, batch) in variance.iter_mut().zip(batch.variance) {
        *running = keep * *running + take * *batch;
    }
}
