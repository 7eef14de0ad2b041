use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::Handle;

#[napi(catch_unwind)]
pub fn relu_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    Launch::new(&env, "relu")?.float(
        [x],
        [y],
        |[x], [y]| same_length(&[x, y]),
        |_cx, [x], [y]| {
            y.iter_mut()
                .zip(x)
                .for_each(|(y, x)| *y = if *x <= 0.0 { 0.0 } else { *x })
        },
        |[x], [y]| {
            y.iter_mut()
                .zip(x)
                .for_each(|(y, x)| *y = if *x <= 0.0 { 0.0 } else { *x })
        },
    )
}

#[napi(catch_unwind)]
pub fn relu_backward(env: Env, dy: Handle, y: Handle, dx: Handle) -> Result<()> {
    Launch::new(&env, "relu")?.float(
        [dy, y],
        [dx],
        |[dy, y], [dx]| same_length(&[dy, y, dx]),
        |_cx, [dy, y], [dx]| (0..dx.len()).for_each(|i| dx[i] = if y[i] > 0.0 { dy[i] } else { 0.0 }),
        |[dy, y], [dx]| (0..dx.len()).for_each(|i| dx[i] = if y[i] > 0.0 { dy[i] } else { 0.0 }),
    )
}
