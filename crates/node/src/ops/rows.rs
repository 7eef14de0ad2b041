use ferrograd_kernels::rows as kernel;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::{Handle, internal};

/// Row i of `to` becomes row `order[i]` of `from`; `rows` is how many `from` has. All dtypes.
#[napi(catch_unwind)]
pub fn pick_rows(env: Env, from: Handle, rows: f64, order: &[i32], to: Handle) -> Result<()> {
    let mut launch = Launch::new(&env, "batch")?;
    if launch.dtype(from)? != launch.dtype(to)? {
        return Err(internal("batch: buffers of different dtype"));
    }
    let from = launch.read_bytes(from)?;
    let mut to = launch.write_bytes(to)?;
    let rows = rows as usize;
    let row = from.len().checked_div(rows).unwrap_or(0);
    launch.check(
        kernel::check_pick(from.len(), order.len(), to.len(), row).and_then(
            |()| match kernel::first_outside(order, rows) {
                Some(at) => Err(format!("there is no row {} among {rows}", order[at])),
                None => Ok(()),
            },
        ),
    )?;
    let order = order.to_vec();
    launch.queue(move |turn| kernel::pick(turn.exec, from.get(turn), &order, to.get(turn), row))
}

/// Copies all of `from` into `to`, from element `at` on.
#[napi(catch_unwind)]
pub fn place_rows(env: Env, from: Handle, to: Handle, at: f64) -> Result<()> {
    let mut launch = Launch::new(&env, "predict")?;
    let dtype = launch.dtype(from)?;
    if dtype != launch.dtype(to)? {
        return Err(internal("predict: buffers of different dtype"));
    }
    let from = launch.read_bytes(from)?;
    let mut to = launch.write_bytes(to)?;
    let at = (at as usize)
        .checked_mul(dtype.size())
        .ok_or_else(|| internal("predict: a place beyond all memory"))?;
    launch.check(kernel::check_place(from.len(), to.len(), at))?;
    launch.queue(move |turn| kernel::place(turn.exec, from.get(turn), to.get(turn), at))
}
