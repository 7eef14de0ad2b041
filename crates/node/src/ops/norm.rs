//! Batch and layer normalisation.

use ferrograd_kernels::norm::{batch, layer};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::Handle;

/// The batch's statistics of each channel into `statistics`, then y.
#[napi(catch_unwind)]
pub fn batch_norm_train(
    env: Env,
    x: Handle,
    gamma: Handle,
    beta: Handle,
    statistics: Handle,
    y: Handle,
    epsilon: f64,
) -> Result<()> {
    Launch::new(&env, "batchNorm")?.float(
        [x, gamma, beta],
        [statistics, y],
        move |[x, gamma, beta], [statistics, y]| {
            batch::check_forward(x, gamma, beta, statistics, y, true, epsilon)
        },
        move |cx, [x, gamma, beta], [statistics, y]| {
            batch::measure(cx, x, epsilon, statistics);
            batch::normalize(cx, x, statistics, gamma, beta, y);
        },
        move |[x, gamma, beta], [statistics, y]| {
            batch::reference::measure(x, epsilon, statistics);
            batch::reference::normalize(x, statistics, gamma, beta, y);
        },
    )
}

/// Given means and variances into `statistics`, then y. A negative variance stops the stream with an error.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn batch_norm_infer(
    env: Env,
    x: Handle,
    gamma: Handle,
    beta: Handle,
    mean: Handle,
    variance: Handle,
    statistics: Handle,
    y: Handle,
    epsilon: f64,
) -> Result<()> {
    Launch::new(&env, "batchNorm")?.float(
        [x, gamma, beta, mean, variance],
        [statistics, y],
        move |[x, gamma, beta, mean, variance], [statistics, y]| {
            same_length(&[gamma, mean, variance])?;
            batch::check_forward(x, gamma, beta, statistics, y, false, epsilon)
        },
        move |cx, [x, gamma, beta, mean, variance], [statistics, y]| {
            batch::adopt(mean, variance, epsilon, statistics).unwrap_or_else(|reason| panic!("{reason}"));
            batch::normalize(cx, x, statistics, gamma, beta, y);
        },
        move |[x, gamma, beta, mean, variance], [statistics, y]| {
            batch::reference::adopt(mean, variance, epsilon, statistics)
                .unwrap_or_else(|reason| panic!("{reason}"));
            batch::reference::normalize(x, statistics, gamma, beta, y);
        },
    )
}

/// The gradients that have a handle. `training` says that the statistics came from this `x`.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn batch_norm_backward(
    env: Env,
    x: Handle,
    dy: Handle,
    gamma: Handle,
    statistics: Handle,
    training: bool,
    dx: Handle,
    dgamma: Handle,
    dbeta: Handle,
) -> Result<()> {
    Launch::new(&env, "batchNorm")?.float(
        [x, dy, gamma, statistics],
        [dx, dgamma, dbeta],
        |[x, dy, gamma, statistics], gradients| batch::check_backward(x, dy, gamma, statistics, gradients),
        move |cx, [x, dy, gamma, statistics], gradients| {
            batch::backward(cx, x, dy, gamma, statistics, training, gradients)
        },
        move |[x, dy, gamma, statistics], gradients| {
            batch::reference::backward(x, dy, gamma, statistics, training, gradients)
        },
    )
}

/// The gradients of given statistics from those of gamma and beta.
#[napi(catch_unwind)]
pub fn batch_norm_statistics_backward(
    env: Env,
    dgamma: Handle,
    dbeta: Handle,
    gamma: Handle,
    statistics: Handle,
    dmean: Handle,
    dvariance: Handle,
) -> Result<()> {
    Launch::new(&env, "batchNorm")?.float(
        [dgamma, dbeta, gamma, statistics],
        [dmean, dvariance],
        |[dgamma, dbeta, gamma, statistics], [dmean, dvariance]| {
            same_length(&[dgamma, dbeta, gamma, dmean, dvariance])?;
            same_length(&[statistics, batch::STATISTICS * gamma])
        },
        |_, [dgamma, dbeta, gamma, statistics], [dmean, dvariance]| {
            batch::backward_statistics(dgamma, dbeta, gamma, statistics, dmean, dvariance)
        },
        |[dgamma, dbeta, gamma, statistics], [dmean, dvariance]| {
            batch::reference::backward_statistics(dgamma, dbeta, gamma, statistics, dmean, dvariance)
        },
    )
}

/// running = momentum · running + (1 − momentum) · batch, in place, for mean and variance.
#[napi(catch_unwind)]
pub fn batch_norm_update(
    env: Env,
    statistics: Handle,
    mean: Handle,
    variance: Handle,
    momentum: f64,
) -> Result<()> {
    Launch::new(&env, "batchNorm")?.float(
        [statistics],
        [mean, variance],
        |[statistics], [mean, variance]| {
            same_length(&[mean, variance])?;
            same_length(&[statistics, batch::STATISTICS * mean])
        },
        move |_, [statistics], [mean, variance]| batch::update_running(statistics, momentum, mean, variance),
        move |[statistics], [mean, variance]| {
            batch::reference::update_running(statistics, momentum, mean, variance)
        },
    )
}

#[napi(catch_unwind)]
pub fn layer_norm_forward(
    env: Env,
    x: Handle,
    gamma: Handle,
    beta: Handle,
    statistics: Handle,
    y: Handle,
    epsilon: f64,
) -> Result<()> {
    Launch::new(&env, "layerNorm")?.float(
        [x, gamma, beta],
        [statistics, y],
        move |[x, gamma, beta], [statistics, y]| layer::check_forward(x, gamma, beta, statistics, y, epsilon),
        move |cx, [x, gamma, beta], [statistics, y]| {
            layer::forward(cx, x, gamma, beta, epsilon, y, statistics)
        },
        move |[x, gamma, beta], [statistics, y]| {
            layer::reference::forward(x, gamma, beta, epsilon, y, statistics)
        },
    )
}

/// The gradients that have a handle.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn layer_norm_backward(
    env: Env,
    x: Handle,
    dy: Handle,
    gamma: Handle,
    statistics: Handle,
    dx: Handle,
    dgamma: Handle,
    dbeta: Handle,
) -> Result<()> {
    Launch::new(&env, "layerNorm")?.float(
        [x, dy, gamma, statistics],
        [dx, dgamma, dbeta],
        |[x, dy, gamma, statistics], gradients| layer::check_backward(x, dy, gamma, statistics, gradients),
        |cx, [x, dy, gamma, statistics], gradients| layer::backward(cx, x, dy, gamma, statistics, gradients),
        |[x, dy, gamma, statistics], gradients| {
            layer::reference::backward(x, dy, gamma, statistics, gradients)
        },
    )
}
