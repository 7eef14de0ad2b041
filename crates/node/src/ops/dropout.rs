use ferrograd_kernels::dropout::{self as kernel, Mask};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Launch, same_length};
use crate::runtime::{Handle, internal};

/// y = x with a share of `rate` dropped. The gradient is the same of dy.
#[napi(catch_unwind)]
pub fn dropout_forward(env: Env, x: Handle, y: Handle, seed: f64, rate: f64) -> Result<()> {
    let mask = Mask::new(seed as u64, rate).map_err(|reason| internal(format!("dropout: {reason}")))?;
    Launch::new(&env, "dropout")?.float(
        [x],
        [y],
        |[x], [y]| same_length(&[x, y]),
        move |cx, [x], [y]| kernel::dropout(cx, mask, x, y),
        move |[x], [y]| kernel::reference::dropout(mask, x, y),
    )
}
