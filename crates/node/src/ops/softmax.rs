//! Softmax and its logarithm along one axis.

use ferrograd_kernels::softmax::{self as kernel, Axis};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::Handle;

/// The tensor as `[outer, size, inner]`, the middle being the axis.
fn axis(outer: f64, size: f64, inner: f64) -> Axis {
    // Casts saturate, and whatever comes of it is compared with the lengths before anything runs.
    Axis {
        outer: outer as usize,
        size: size as usize,
        inner: inner as usize,
    }
}

fn check(axis: Axis, lengths: &[usize]) -> std::result::Result<(), String> {
    Axis::new(axis.outer, axis.size, axis.inner, lengths).map(|_| ())
}

#[napi(catch_unwind)]
pub fn softmax_forward(env: Env, x: Handle, y: Handle, outer: f64, size: f64, inner: f64) -> Result<()> {
    let axis = axis(outer, size, inner);
    Launch::new(&env, "softmax")?.float(
        [x],
        [y],
        move |[x], [y]| check(axis, &[x, y]),
        move |cx, [x], [y]| kernel::softmax(cx, x, axis, y),
        move |[x], [y]| kernel::reference::softmax(x, axis, y),
    )
}

#[napi(catch_unwind)]
pub fn log_softmax_forward(env: Env, x: Handle, y: Handle, outer: f64, size: f64, inner: f64) -> Result<()> {
    let axis = axis(outer, size, inner);
    Launch::new(&env, "logSoftmax")?.float(
        [x],
        [y],
        move |[x], [y]| check(axis, &[x, y]),
        move |cx, [x], [y]| kernel::log_softmax(cx, x, axis, y),
        move |[x], [y]| kernel::reference::log_softmax(x, axis, y),
    )
}

#[napi(catch_unwind)]
pub fn softmax_backward(
    env: Env,
    y: Handle,
    dy: Handle,
    dx: Handle,
    outer: f64,
    size: f64,
    inner: f64,
) -> Result<()> {
    let axis = axis(outer, size, inner);
    Launch::new(&env, "softmax")?.float(
        [y, dy],
        [dx],
        move |[y, dy], [dx]| check(axis, &[y, dy, dx]),
        move |cx, [y, dy], [dx]| kernel::softmax_backward(cx, y, dy, axis, dx),
        move |[y, dy], [dx]| kernel::reference::softmax_backward(y, dy, axis, dx),
    )
}

#[napi(catch_unwind)]
pub fn log_softmax_backward(
    env: Env,
    y: Handle,
    dy: Handle,
    dx: Handle,
    outer: f64,
    size: f64,
    inner: f64,
) -> Result<()> {
    let axis = axis(outer, size, inner);
    Launch::new(&env, "logSoftmax")?.float(
        [y, dy],
        [dx],
        move |[y, dy], [dx]| check(axis, &[y, dy, dx]),
        move |cx, [y, dy], [dx]| kernel::log_softmax_backward(cx, y, dy, axis, dx),
        move |[y, dy], [dx]| kernel::reference::log_softmax_backward(y, dy, axis, dx),
    )
}
