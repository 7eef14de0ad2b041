//! Random tensors.

use ferrograd_kernels::dimensions::whole;
use ferrograd_kernels::random as kernel;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::{Handle, internal};

fn seed_of(seed: f64) -> Result<u64> {
    // Seeds have 53 bits; `whole` allows fewer, so the upper ones are checked apart.
    let (high, low) = ((seed / 4_294_967_296.0).floor(), seed.rem_euclid(4_294_967_296.0));
    let parts = whole(high).and_then(|high| Ok((high, whole(low)?)));
    let (high, low) = parts.map_err(|_| internal(format!("{seed} is no seed")))?;
    Ok((high as u64) << 32 | low as u64)
}

/// y uniform in [min, max).
#[napi(catch_unwind)]
pub fn random_uniform(env: Env, y: Handle, seed: f64, min: f64, max: f64) -> Result<()> {
    let seed = seed_of(seed)?;
    Launch::new(&env, "randomUniform")?.float(
        [],
        [y],
        |[], [_]| Ok(()),
        move |cx, [], [y]| kernel::uniform(cx, seed, min as f32, max as f32, y),
        move |[], [y]| kernel::reference::fill_uniform(seed, min, max, y),
    )
}

/// y normal.
#[napi(catch_unwind)]
pub fn random_normal(env: Env, y: Handle, seed: f64, mean: f64, std_dev: f64) -> Result<()> {
    let seed = seed_of(seed)?;
    Launch::new(&env, "randomNormal")?.float(
        [],
        [y],
        |[], [_]| Ok(()),
        move |cx, [], [y]| kernel::normal(cx, seed, mean as f32, std_dev as f32, y),
        move |[], [y]| kernel::reference::fill_normal(seed, mean, std_dev, y),
    )
}

/// y normal, within two standard deviations of the mean.
#[napi(catch_unwind)]
pub fn truncated_normal(env: Env, y: Handle, seed: f64, mean: f64, std_dev: f64) -> Result<()> {
    let seed = seed_of(seed)?;
    Launch::new(&env, "truncatedNormal")?.float(
        [],
        [y],
        |[], [_]| Ok(()),
        move |cx, [], [y]| kernel::truncated_normal(cx, seed, mean as f32, std_dev as f32, y),
        move |[], [y]| kernel::reference::fill_truncated_normal(seed, mean, std_dev, y),
    )
}
