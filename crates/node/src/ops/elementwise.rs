//! Functions of two numbers with broadcasting.

use std::sync::Arc;

use ferrograd_kernels::broadcast::Broadcast;
use ferrograd_kernels::elementwise::arithmetic::{Add, Div, Maximum, Minimum, Mul, Pow, Sub};
use ferrograd_kernels::elementwise::{self as kernel, Binary, Side};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::{Handle, internal};

/// The geometry that `words` (both shapes, filled up to the same rank) describe; without words both operands are
/// equally long, or one of them is a single element.
fn geometry(
    launch: &Launch,
    name: &str,
    a: Handle,
    b: Handle,
    words: Option<&[f64]>,
) -> Result<Arc<Broadcast>> {
    let geometry = match words {
        Some(words) => Broadcast::from_words(words),
        None => Broadcast::from_lengths(launch.len(a)?, launch.len(b)?),
    };
    geometry
        .map(Arc::new)
        .map_err(|reason| internal(format!("{name}: {reason}")))
}

/// y = op(a, b)
fn forward(
    env: &Env,
    name: &'static str,
    op: impl Binary,
    [a, b, y]: [Handle; 3],
    words: Option<&[f64]>,
) -> Result<()> {
    let launch = Launch::new(env, name)?;
    let geometry = geometry(&launch, name, a, b, words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    launch.float(
        [a, b],
        [y],
        move |[a, b], [y]| check.check(a, b, &[y]),
        move |cx, [a, b], [y]| kernel::forward(cx, op, &geometry, a, b, y),
        move |[a, b], [y]| kernel::reference::forward(op, &exact, a, b, y),
    )
}

/// d = dy · the slope along one operand, in the shape of the result.
fn backward(
    env: &Env,
    name: &'static str,
    op: impl Binary,
    of_b: bool,
    [dy, a, b, d]: [Handle; 4],
    words: Option<&[f64]>,
) -> Result<()> {
    let launch = Launch::new(env, name)?;
    let geometry = geometry(&launch, name, a, b, words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    let side = if of_b { Side::B } else { Side::A };
    launch.float(
        [dy, a, b],
        [d],
        move |[dy, a, b], [d]| check.check(a, b, &[dy, d]),
        move |cx, [dy, a, b], [d]| kernel::backward(cx, op, side, &geometry, dy, [a, b], d),
        move |[dy, a, b], [d]| kernel::reference::backward(op, side, &exact, dy, [a, b], d),
    )
}

#[napi(catch_unwind)]
pub fn add_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "add", Add, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn sub_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "sub", Sub, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn mul_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "mul", Mul, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn mul_backward(
    env: Env,
    of_b: bool,
    dy: Handle,
    a: Handle,
    b: Handle,
    d: Handle,
    words: Option<&[f64]>,
) -> Result<()> {
    backward(&env, "mul", Mul, of_b, [dy, a, b, d], words)
}

#[napi(catch_unwind)]
pub fn div_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "div", Div, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn div_backward(
    env: Env,
    of_b: bool,
    dy: Handle,
    a: Handle,
    b: Handle,
    d: Handle,
    words: Option<&[f64]>,
) -> Result<()> {
    backward(&env, "div", Div, of_b, [dy, a, b, d], words)
}

#[napi(catch_unwind)]
pub fn pow_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "pow", Pow, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn pow_backward(
    env: Env,
    of_b: bool,
    dy: Handle,
    a: Handle,
    b: Handle,
    d: Handle,
    words: Option<&[f64]>,
) -> Result<()> {
    backward(&env, "pow", Pow, of_b, [dy, a, b, d], words)
}

#[napi(catch_unwind)]
pub fn maximum_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "maximum", Maximum, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn maximum_backward(
    env: Env,
    of_b: bool,
    dy: Handle,
    a: Handle,
    b: Handle,
    d: Handle,
    words: Option<&[f64]>,
) -> Result<()> {
    backward(&env, "maximum", Maximum, of_b, [dy, a, b, d], words)
}

#[napi(catch_unwind)]
pub fn minimum_forward(env: Env, a: Handle, b: Handle, y: Handle, words: Option<&[f64]>) -> Result<()> {
    forward(&env, "minimum", Minimum, [a, b, y], words)
}

#[napi(catch_unwind)]
pub fn minimum_backward(
    env: Env,
    of_b: bool,
    dy: Handle,
    a: Handle,
    b: Handle,
    d: Handle,
    words: Option<&[f64]>,
) -> Result<()> {
    backward(&env, "minimum", Minimum, of_b, [dy, a, b, d], words)
}
