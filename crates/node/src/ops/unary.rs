//! Functions of one number, applied to every element.

use ferrograd_kernels::activation::{Elu, Gelu, GeluTanh, LeakyRelu, Relu, Sigmoid, Softplus, Swish, Tanh};
use ferrograd_kernels::unary::{self as kernel, Abs, Clip, Exp, Log, Neg, Sqrt, Square, Unary};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::Handle;

/// y = op(x)
fn forward(env: &Env, name: &'static str, op: impl Unary, x: Handle, y: Handle) -> Result<()> {
    Launch::new(env, name)?.float(
        [x],
        [y],
        |[x], [y]| same_length(&[x, y]),
        move |cx, [x], [y]| kernel::forward(cx, op, x, y),
        move |[x], [y]| kernel::reference::forward(op, x, y),
    )
}

/// dx from dy and what was saved: x or y, as the op says.
fn backward(
    env: &Env,
    name: &'static str,
    op: impl Unary,
    saved: Handle,
    dy: Handle,
    dx: Handle,
) -> Result<()> {
    Launch::new(env, name)?.float(
        [saved, dy],
        [dx],
        |[saved, dy], [dx]| same_length(&[saved, dy, dx]),
        move |cx, [saved, dy], [dx]| kernel::backward(cx, op, saved, dy, dx),
        move |[saved, dy], [dx]| kernel::reference::backward(op, saved, dy, dx),
    )
}

#[napi(catch_unwind)]
pub fn neg_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "neg", Neg, x, y)
}

#[napi(catch_unwind)]
pub fn abs_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "abs", Abs, x, y)
}

#[napi(catch_unwind)]
pub fn abs_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "abs", Abs, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn exp_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "exp", Exp, x, y)
}

#[napi(catch_unwind)]
pub fn exp_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "exp", Exp, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn log_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "log", Log, x, y)
}

#[napi(catch_unwind)]
pub fn log_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "log", Log, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn sqrt_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "sqrt", Sqrt, x, y)
}

#[napi(catch_unwind)]
pub fn sqrt_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "sqrt", Sqrt, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn square_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "square", Square, x, y)
}

#[napi(catch_unwind)]
pub fn square_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "square", Square, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn relu_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "relu", Relu, x, y)
}

#[napi(catch_unwind)]
pub fn relu_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "relu", Relu, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn leaky_relu_forward(env: Env, x: Handle, y: Handle, alpha: f64) -> Result<()> {
    forward(&env, "leakyRelu", LeakyRelu { alpha }, x, y)
}

#[napi(catch_unwind)]
pub fn leaky_relu_backward(env: Env, saved: Handle, dy: Handle, dx: Handle, alpha: f64) -> Result<()> {
    backward(&env, "leakyRelu", LeakyRelu { alpha }, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn elu_forward(env: Env, x: Handle, y: Handle, alpha: f64) -> Result<()> {
    forward(&env, "elu", Elu { alpha }, x, y)
}

#[napi(catch_unwind)]
pub fn elu_backward(env: Env, saved: Handle, dy: Handle, dx: Handle, alpha: f64) -> Result<()> {
    backward(&env, "elu", Elu { alpha }, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn gelu_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "gelu", Gelu, x, y)
}

#[napi(catch_unwind)]
pub fn gelu_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "gelu", Gelu, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn gelu_tanh_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "geluTanh", GeluTanh, x, y)
}

#[napi(catch_unwind)]
pub fn gelu_tanh_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "geluTanh", GeluTanh, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn sigmoid_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "sigmoid", Sigmoid, x, y)
}

#[napi(catch_unwind)]
pub fn sigmoid_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "sigmoid", Sigmoid, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn tanh_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "tanh", Tanh, x, y)
}

#[napi(catch_unwind)]
pub fn tanh_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "tanh", Tanh, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn softplus_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "softplus", Softplus, x, y)
}

#[napi(catch_unwind)]
pub fn softplus_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "softplus", Softplus, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn swish_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    forward(&env, "swish", Swish, x, y)
}

#[napi(catch_unwind)]
pub fn swish_backward(env: Env, saved: Handle, dy: Handle, dx: Handle) -> Result<()> {
    backward(&env, "swish", Swish, saved, dy, dx)
}

#[napi(catch_unwind)]
pub fn clip_forward(env: Env, x: Handle, y: Handle, min: f64, max: f64) -> Result<()> {
    forward(&env, "clip", Clip { min, max }, x, y)
}

#[napi(catch_unwind)]
pub fn clip_backward(env: Env, saved: Handle, dy: Handle, dx: Handle, min: f64, max: f64) -> Result<()> {
    backward(&env, "clip", Clip { min, max }, saved, dy, dx)
}
