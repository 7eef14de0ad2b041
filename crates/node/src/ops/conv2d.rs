use ferrograd_kernels::Precision;
use ferrograd_kernels::conv2d::{self as kernel, Conv2d};
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::check_lengths;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::parted;
use crate::launch::Launch;
use crate::runtime::{Handle, Runtime, internal};

/// The words of `Conv2d::from_words`, and behind them a precision.
pub fn geometry(words: &[f64]) -> Result<(Conv2d, Precision)> {
    let parted = parted(words).and_then(|(words, precision)| Ok((Conv2d::from_words(words)?, precision)));
    parted.map_err(|reason| internal(format!("conv2d: {reason}")))
}

/// y = x ∗ weight, plus the bias unless its handle is 0, rectified if `relu`. `words` are those of
/// `Conv2d::from_words`, then the code of the precision.
#[napi(catch_unwind, js_name = "conv2dForward")]
pub fn conv2d_forward(
    env: Env,
    x: Handle,
    weight: Handle,
    bias: Handle,
    y: Handle,
    relu: bool,
    words: &[f64],
) -> Result<()> {
    let (conv, precision) = geometry(words)?;
    let activation = if relu { Activation::Relu } else { Activation::None };
    Launch::new(&env, "conv2d")?.float(
        [x, weight, bias],
        [y],
        move |[x, weight, bias], [y]| conv.check(x, weight, y, bias),
        move |cx, [x, weight, bias], [y]| {
            kernel::forward(&cx.at(precision), &conv, x, weight, bias, activation, y)
        },
        move |[x, weight, bias], [y]| kernel::reference::forward(&conv, x, weight, bias, relu, y),
    )
}

/// Elements of the weight in the order that `conv2dForwardPacked` reads it; 0 if that is the order it has.
#[napi(catch_unwind, js_name = "conv2dPackedSize")]
pub fn conv2d_packed_size(env: Env, words: &[f64]) -> Result<f64> {
    let (conv, precision) = geometry(words)?;
    let runtime = Runtime::of(&env)?;
    let size = kernel::packed_len(&runtime.borrow().exec.at(precision), &conv);
    Ok(size as f64)
}

/// Packs a float32 weight.
#[napi(catch_unwind, js_name = "conv2dPack")]
pub fn conv2d_pack(env: Env, weight: Handle, packed: Handle, words: &[f64]) -> Result<()> {
    let (conv, precision) = geometry(words)?;
    let size = conv2d_packed_size(env, words)?;
    let mut launch = Launch::new(&env, "conv2d")?;
    let weight = launch.read::<f32>(weight)?;
    let mut packed = launch.write::<f32>(packed)?;
    launch.check(check_lengths(&[
        ("the weight", weight.len(), conv.weight_len()),
        ("the packed weight", packed.len(), size as usize),
    ]))?;
    launch.queue(move |turn| {
        kernel::pack(
            &turn.exec.at(precision),
            &conv,
            weight.get(turn),
            packed.get(turn),
        )
    })
}

/// `conv2dForward` in float32 with a weight that `conv2dPack` has packed.
#[napi(catch_unwind, js_name = "conv2dForwardPacked")]
pub fn conv2d_forward_packed(
    env: Env,
    x: Handle,
    packed: Handle,
    bias: Handle,
    y: Handle,
    relu: bool,
    words: &[f64],
) -> Result<()> {
    let (conv, precision) = geometry(words)?;
    let size = conv2d_packed_size(env, words)?;
    let activation = if relu { Activation::Relu } else { Activation::None };
    let mut launch = Launch::new(&env, "conv2d")?;
    let (x, packed, bias) = (
        launch.read::<f32>(x)?,
        launch.read::<f32>(packed)?,
        launch.read::<f32>(bias)?,
    );
    let mut y = launch.write::<f32>(y)?;
    launch.check(conv.check(x.len(), conv.weight_len(), y.len(), bias.len()))?;
    launch.check(check_lengths(&[(
        "the packed weight",
        packed.len(),
        size as usize,
    )]))?;
    launch.queue(move |turn| {
        let (x, packed, bias) = (x.get(turn), packed.get(turn), bias.get(turn));
        kernel::forward_packed(
            &turn.exec.at(precision),
            &conv,
            x,
            packed,
            bias,
            activation,
            y.get(turn),
        );
    })
}

/// dx, the gradient of the input.
#[napi(catch_unwind, js_name = "conv2dInputGradient")]
pub fn conv2d_input_gradient(env: Env, dy: Handle, weight: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let (conv, precision) = geometry(words)?;
    Launch::new(&env, "conv2d")?.float(
        [dy, weight],
        [dx],
        move |[dy, weight], [dx]| conv.check(dx, weight, dy, 0),
        move |cx, [dy, weight], [dx]| kernel::input_gradient(&cx.at(precision), &conv, dy, weight, dx),
        move |[dy, weight], [dx]| kernel::reference::input_gradient(&conv, dy, weight, dx),
    )
}

/// dweight, the gradient of the weight.
#[napi(catch_unwind, js_name = "conv2dWeightGradient")]
pub fn conv2d_weight_gradient(env: Env, x: Handle, dy: Handle, dweight: Handle, words: &[f64]) -> Result<()> {
    let (conv, precision) = geometry(words)?;
    Launch::new(&env, "conv2d")?.float(
        [x, dy],
        [dweight],
        move |[x, dy], [dweight]| conv.check(x, dweight, dy, 0),
        move |cx, [x, dy], [dweight]| kernel::weight_gradient(&cx.at(precision), &conv, x, dy, dweight),
        move |[x, dy], [dweight]| kernel::reference::weight_gradient(&conv, x, dy, dweight),
    )
}

/// What computes the forward pass, the input gradient and the weight gradient in float32. Several algorithms for the
/// classes of one input gradient are joined by " + ".
#[napi(catch_unwind, js_name = "conv2dAlgorithms")]
pub fn conv2d_algorithms(env: Env, words: &[f64]) -> Result<Vec<String>> {
    let (conv, precision) = geometry(words)?;
    let runtime = Runtime::of(&env)?;
    let found = kernel::algorithms(&runtime.borrow().exec.at(precision), &conv);
    let names = found.map(|all| {
        all.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" + ")
    });
    Ok(names.into())
}
