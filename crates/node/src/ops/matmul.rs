use std::sync::Arc;

use ferrograd_kernels::Precision;
use ferrograd_kernels::matmul::{self as kernel, Geometry};
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::check_lengths;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::parted;
use crate::launch::Launch;
use crate::runtime::{Handle, Runtime, internal};

/// The words of `Geometry::from_words`, and behind them a precision.
fn geometry(words: &[f64]) -> Result<(Geometry, Precision)> {
    let parted = parted(words).and_then(|(words, precision)| Ok((Geometry::from_words(words)?, precision)));
    parted.map_err(|reason| internal(format!("matmul: {reason}")))
}

/// c = op(a) op(b), plus the bias unless its handle is 0, rectified if `relu`. `words` are those of
/// `Geometry::from_words`, then the code of the precision.
#[napi(catch_unwind)]
pub fn matmul_forward(
    env: Env,
    a: Handle,
    b: Handle,
    bias: Handle,
    c: Handle,
    relu: bool,
    words: &[f64],
) -> Result<()> {
    let (geometry, precision) = geometry(words)?;
    let geometry = Arc::new(geometry);
    let (check, exact) = (geometry.clone(), geometry.clone());
    let activation = if relu { Activation::Relu } else { Activation::None };
    Launch::new(&env, "matmul")?.float(
        [a, b, bias],
        [c],
        move |[a, b, bias], [c]| check.check_lengths(a, b, bias, c),
        move |cx, inputs, [c]| kernel::forward(&cx.at(precision), &geometry, activation, inputs, c),
        move |inputs, [c]| kernel::reference::forward(&exact, activation, inputs, c),
    )
}

/// Elements of b in the order that `matmulForwardPacked` reads it; 0 where there is no packed form.
#[napi(catch_unwind)]
pub fn matmul_packed_size(env: Env, words: &[f64]) -> Result<f64> {
    let (geometry, precision) = geometry(words)?;
    let runtime = Runtime::of(&env)?;
    let size = kernel::packed_len(&runtime.borrow().exec.at(precision), &geometry);
    Ok(size as f64)
}

/// Packs a float32 b.
#[napi(catch_unwind)]
pub fn matmul_pack(env: Env, b: Handle, packed: Handle, words: &[f64]) -> Result<()> {
    let (geometry, precision) = geometry(words)?;
    let size = matmul_packed_size(env, words)?;
    let mut launch = Launch::new(&env, "matmul")?;
    let b = launch.read::<f32>(b)?;
    let mut packed = launch.write::<f32>(packed)?;
    launch.check(check_lengths(&[
        ("the right factor", b.len(), geometry.right_len()),
        ("the packed right factor", packed.len(), size as usize),
    ]))?;
    launch.queue(move |turn| kernel::pack(&turn.exec.at(precision), &geometry, b.get(turn), packed.get(turn)))
}

/// `matmulForward` in float32 with a b that `matmulPack` has packed.
#[napi(catch_unwind)]
pub fn matmul_forward_packed(
    env: Env,
    a: Handle,
    packed: Handle,
    bias: Handle,
    c: Handle,
    relu: bool,
    words: &[f64],
) -> Result<()> {
    let (geometry, precision) = geometry(words)?;
    let size = matmul_packed_size(env, words)?;
    let activation = if relu { Activation::Relu } else { Activation::None };
    let mut launch = Launch::new(&env, "matmul")?;
    let (a, packed, bias) = (
        launch.read::<f32>(a)?,
        launch.read::<f32>(packed)?,
        launch.read::<f32>(bias)?,
    );
    let mut c = launch.write::<f32>(c)?;
    launch.check(geometry.check_lengths(a.len(), geometry.right_len(), bias.len(), c.len()))?;
    launch.check(check_lengths(&[(
        "the packed right factor",
        packed.len(),
        size as usize,
    )]))?;
    launch.queue(move |turn| {
        let factors = [a.get(turn), packed.get(turn), bias.get(turn)];
        kernel::forward_packed(
            &turn.exec.at(precision),
            &geometry,
            activation,
            factors,
            c.get(turn),
        );
    })
}

/// dbias = the sum of dy over all axes but the last.
#[napi(catch_unwind)]
pub fn matmul_bias_gradient(env: Env, dy: Handle, dbias: Handle) -> Result<()> {
    Launch::new(&env, "matmul")?.float(
        [dy],
        [dbias],
        |[dy], [dbias]| match dy.checked_rem(dbias) {
            Some(0) => Ok(()),
            None if dy == 0 => Ok(()),
            _ => Err(format!("{dy} gradients for {dbias} biases")),
        },
        |cx, [dy], [dbias]| kernel::column_sums(cx, dy, dbias),
        |[dy], [dbias]| kernel::reference::column_sums(dy, dbias),
    )
}
