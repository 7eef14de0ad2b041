use ferrograd_kernels::accumulate as kernel;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::Handle;

/// y += x.
#[napi(catch_unwind)]
pub fn accumulate(env: Env, x: Handle, y: Handle) -> Result<()> {
    Launch::new(&env, "accumulate")?.float(
        [x],
        [y],
        |[x], [y]| same_length(&[x, y]),
        |cx, [x], [y]| kernel::accumulate(cx, x, y),
        |[x], [y]| kernel::reference::accumulate(x, y),
    )
}
