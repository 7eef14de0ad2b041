use std::sync::Arc;

use ferrograd_kernels::matmul::{self as kernel, Geometry};
use ferrograd_kernels::microkernel::Activation;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::{Handle, internal};

/// c = op(a) op(b), plus the bias unless its handle is 0, rectified if `relu`. `words` are those of
/// `Geometry::from_words`.
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
    let geometry = Geometry::from_words(words).map_err(|reason| internal(format!("matmul: {reason}")))?;
    let geometry = Arc::new(geometry);
    let (check, exact) = (geometry.clone(), geometry.clone());
    let activation = if relu { Activation::Relu } else { Activation::None };
    Launch::new(&env, "matmul")?.float(
        [a, b, bias],
        [c],
        move |[a, b, bias], [c]| check.check_lengths(a, b, bias, c),
        move |cx, inputs, [c]| kernel::forward(cx, &geometry, activation, inputs, c),
        move |inputs, [c]| kernel::reference::forward(&exact, activation, inputs, c),
    )
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
