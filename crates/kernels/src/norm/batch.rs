//! Batch normalisation: each channel over all rows (Ioffe and Szegedy, 2015).
//!
//! `statistics` is one buffer of four rows of channels: the mean, the mean's low part, the biased variance and
//! 1 / √(variance + epsilon). [`measure`] fills it from the data (training), [`adopt`] from given numbers
//! (inference); everything else only reads it.

use lanes::{add_moments, add_products, input_gradient, scale_only, scale_shift};

use super::wide::Wide;
use super::{Rows, check_epsilon, inverse_deviation, split};
use crate::partials::{sum_tiles, with_doubles};
use crate::{Exec, with_scratch};

mod lanes;
pub mod reference;
#[cfg(test)]
mod tests;

/// Rows of the `statistics` buffer.
pub const STATISTICS: usize = 4;

/// The rows of a `statistics` buffer.
struct Statistics<'a, T> {
    mean: &'a [T],
    low: &'a [T],
    variance: &'a [T],
    inverse: &'a [T],
}

fn rows_of<T>(statistics: &[T]) -> Statistics<'_, T> {
    let (mean, rest) = statistics.split_at(statistics.len() / STATISTICS);
    let (low, rest) = rest.split_at(mean.len());
    let (variance, inverse) = rest.split_at(mean.len());
    Statistics {
        mean,
        low,
        variance,
        inverse,
    }
}

/// Checks the buffers of a forward pass; `training` also asks for at least one row to measure.
pub fn check_forward(
    x: usize,
    gamma: usize,
    beta: usize,
    statistics: usize,
    y: usize,
    training: bool,
    epsilon: f64,
) -> Result<(), String> {
    check_epsilon(epsilon)?;
    let dims = Rows::new(x, gamma)?;
    if training && dims.rows == 0 {
        return Err("the batch is empty: there is nothing to take a mean of".into());
    }
    dims.check(&[
        ("beta", beta, gamma),
        ("statistics", statistics, STATISTICS * gamma),
        ("y", y, x),
    ])
}

/// Checks the buffers of a backward pass; a length of 0 means that the gradient is not wanted.
pub fn check_backward(
    x: usize,
    dy: usize,
    gamma: usize,
    statistics: usize,
    gradients: [usize; 3],
) -> Result<(), String> {
    let dims = Rows::new(x, gamma)?;
    let [dx, dgamma, dbeta] = gradients;
    let wanted = |found: usize, expected: usize| if found == 0 { 0 } else { expected };
    dims.check(&[
        ("dy", dy, x),
        ("statistics", statistics, STATISTICS * gamma),
        ("dx", dx, wanted(dx, x)),
        ("dGamma", dgamma, wanted(dgamma, gamma)),
        ("dBeta", dbeta, wanted(dbeta, gamma)),
    ])
}

/// Training: the batch's mean and biased variance of each channel into `statistics`, in one pass.
pub fn measure(cx: &Exec, x: &[f32], epsilon: f64, statistics: &mut [f32]) {
    let channels = statistics.len() / STATISTICS;
    let rows = x.len() / channels;
    let wide = Wide::new(rows, channels);
    let pivots = &x[..channels];
    with_scratch(wide.lanes, |pivot| {
        wide.spread(pivots, pivot);
        let pivot = &*pivot;
        sum_tiles(
            cx,
            x.len().div_ceil(wide.tile),
            2 * channels,
            |tile, totals| {
                let part = &x[tile * wide.tile..x.len().min((tile + 1) * wide.tile)];
                sum_lanes(&wide, totals, |sums, squares| {
                    add_moments(cx.isa, part, pivot, sums, squares)
                });
            },
            |totals| {
                let count = rows as f64;
                for channel in 0..channels {
                    let offset = totals[channel] / count;
                    let variance = totals[channels + channel] / count - offset * offset;
                    let variance = if variance < 0.0 { 0.0 } else { variance };
                    let (mean, low) = split(f64::from(pivots[channel]) + offset);
                    statistics[channel] = mean;
                    statistics[channels + channel] = low;
                    statistics[2 * channels + channel] = variance as f32;
                    statistics[3 * channels + channel] = inverse_deviation(variance, epsilon) as f32;
                }
            },
        );
    });
}

/// Runs `add` on two zeroed rows of lanes and folds them into the two halves of `totals`.
fn sum_lanes(wide: &Wide, totals: &mut [f64], add: impl FnOnce(&mut [f64], &mut [f64])) {
    with_doubles(2 * wide.lanes, |lanes| {
        lanes.fill(0.0);
        let (first, second) = lanes.split_at_mut(wide.lanes);
        add(first, second);
        let (first_total, second_total) = totals.split_at_mut(wide.channels);
        wide.fold(first, first_total);
        wide.fold(second, second_total);
    });
}

/// Inference: given means and variances into `statistics`. A negative variance is an error.
pub fn adopt(mean: &[f32], variance: &[f32], epsilon: f64, statistics: &mut [f32]) -> Result<(), String> {
    let channels = mean.len();
    for channel in 0..channels {
        check_variance(channel, f64::from(variance[channel]))?;
        statistics[channel] = mean[channel];
        statistics[channels + channel] = 0.0;
        statistics[2 * channels + channel] = variance[channel];
        statistics[3 * channels + channel] = inverse_deviation(f64::from(variance[channel]), epsilon) as f32;
    }
    Ok(())
}

fn check_variance(channel: usize, variance: f64) -> Result<(), String> {
    if variance < 0.0 {
        return Err(format!(
            "the variance of channel {channel} is {variance}, which no data has"
        ));
    }
    Ok(())
}

/// y = (x − mean) · gamma / √(variance + epsilon) + beta.
pub fn normalize(cx: &Exec, x: &[f32], statistics: &[f32], gamma: &[f32], beta: &[f32], y: &mut [f32]) {
    let statistics = rows_of(statistics);
    let wide = Wide::new(x.len() / gamma.len(), gamma.len());
    with_scratch(5 * wide.lanes, |scratch| {
        let (scales, lanes) = scratch.split_at_mut(gamma.len());
        for ((scale, gamma), inverse) in scales.iter_mut().zip(gamma).zip(statistics.inverse) {
            *scale = gamma * inverse;
        }
        let [mean, low, scale, shift] = spread(&wide, lanes, [statistics.mean, statistics.low, scales, beta]);
        cx.chunks_mut(y, wide.tile, |start, y| {
            scale_shift(cx.isa, &x[start..start + y.len()], mean, low, scale, shift, y);
        });
    });
}

/// Lays each of the per-channel `values` out over its row of lanes.
fn spread<'a, const N: usize>(wide: &Wide, scratch: &'a mut [f32], values: [&[f32]; N]) -> [&'a [f32]; N] {
    let mut rows = scratch.chunks_exact_mut(wide.lanes);
    values.map(|values| {
        let row = rows.next().expect("one row of lanes for each value");
        wide.spread(values, row);
        &*row
    })
}

/// The gradients of [`normalize`]; an empty output is not computed. `training` says that the statistics came
/// from this very `x`, so that its gradient also runs through them:
/// dx = gamma / σ · (dy − Σdy/n − x̂ · Σ(dy·x̂)/n), otherwise dx = gamma / σ · dy.
pub fn backward(
    cx: &Exec,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    statistics: &[f32],
    training: bool,
    gradients: [&mut [f32]; 3],
) {
    let [dx, dgamma, dbeta] = gradients;
    let statistics = rows_of(statistics);
    let channels = gamma.len();
    let wide = Wide::new(x.len() / channels, channels);
    let with_input = !dx.is_empty();
    let needs_sums = !dgamma.is_empty() || !dbeta.is_empty() || (training && with_input);
    with_scratch(3 * channels + 5 * wide.lanes, |scratch| {
        let (per_channel, lanes) = scratch.split_at_mut(3 * channels);
        let [scales, slopes, shifts] = per_channel
            .get_disjoint_mut([0..channels, channels..2 * channels, 2 * channels..3 * channels])
            .expect("three rows of channels");
        for ((scale, gamma), inverse) in scales.iter_mut().zip(gamma).zip(statistics.inverse) {
            *scale = gamma * inverse;
        }
        if needs_sums {
            let [mean, low] = spread(&wide, lanes, [statistics.mean, statistics.low]);
            sum_tiles(
                cx,
                x.len().div_ceil(wide.tile),
                2 * channels,
                |tile, totals| {
                    let range = tile * wide.tile..x.len().min((tile + 1) * wide.tile);
                    sum_lanes(&wide, totals, |sums, products| {
                        add_products(cx.isa, &x[range.clone()], &dy[range], mean, low, sums, products)
                    });
                },
                |totals| {
                    let (sums, products) = totals.split_at(channels);
                    let count = (x.len() / channels) as f64;
                    for channel in 0..channels {
                        let inverse = f64::from(statistics.inverse[channel]);
                        let scale = f64::from(scales[channel]);
                        let slope = -(scale * inverse) * (inverse * products[channel] / count);
                        slopes[channel] = slope as f32;
                        shifts[channel] = (-scale * sums[channel] / count) as f32;
                    }
                    for (dbeta, sum) in dbeta.iter_mut().zip(sums) {
                        *dbeta = *sum as f32;
                    }
                    for ((dgamma, product), inverse) in
                        dgamma.iter_mut().zip(products).zip(statistics.inverse)
                    {
                        *dgamma = (product * f64::from(*inverse)) as f32;
                    }
                },
            );
        }
        if with_input && training {
            let values = [statistics.mean, statistics.low, scales, slopes, shifts];
            let coefficients = spread(&wide, lanes, values);
            cx.chunks_mut(dx, wide.tile, |start, dx| {
                let range = start..start + dx.len();
                input_gradient(cx.isa, &x[range.clone()], &dy[range], coefficients, dx);
            });
        } else if with_input {
            let [scale] = spread(&wide, lanes, [scales]);
            cx.chunks_mut(dx, wide.tile, |start, dx| {
                scale_only(cx.isa, &dy[start..start + dx.len()], scale, dx);
            });
        }
    });
}

/// Gradients with respect to given statistics (inference only), from those of gamma and beta:
/// dMean = −gamma / σ · dBeta, dVariance = −½ gamma / σ² · dGamma.
pub fn backward_statistics(
    dgamma: &[f32],
    dbeta: &[f32],
    gamma: &[f32],
    statistics: &[f32],
    dmean: &mut [f32],
    dvariance: &mut [f32],
) {
    reference::backward_statistics(dgamma, dbeta, gamma, statistics, dmean, dvariance);
}

/// running ← momentum · running + (1 − momentum) · batch, for the mean and the biased variance.
pub fn update_running(statistics: &[f32], momentum: f64, mean: &mut [f32], variance: &mut [f32]) {
    reference::update_running(statistics, momentum, mean, variance);
}
