//! Reductions along axes.

use std::sync::Arc;

use ferrograd_kernels::reduce::{self as kernel, Reduce};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::Launch;
use crate::runtime::{DType, Handle, internal};

/// The geometry that `words` (the shape, then 1 for every axis that goes and 0 for the others) describe.
fn geometry(name: &str, words: &[f64]) -> Result<Arc<Reduce>> {
    Reduce::from_words(words)
        .map(Arc::new)
        .map_err(|reason| internal(format!("{name}: {reason}")))
}

#[napi(catch_unwind)]
pub fn sum_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("sum", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "sum")?.float(
        [x],
        [y],
        move |[x], [y]| check.check(&[x], &[y]),
        move |cx, [x], [y]| kernel::sum(cx, &geometry, x, y),
        move |[x], [y]| kernel::reference::sum(&exact, x, y),
    )
}

#[napi(catch_unwind)]
pub fn mean_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("mean", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "mean")?.float(
        [x],
        [y],
        move |[x], [y]| check.check(&[x], &[y]),
        move |cx, [x], [y]| kernel::mean(cx, &geometry, x, y),
        move |[x], [y]| kernel::reference::mean(&exact, x, y),
    )
}

#[napi(catch_unwind)]
pub fn max_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("max", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "max")?.float(
        [x],
        [y],
        move |[x], [y]| check.check(&[x], &[y]),
        move |cx, [x], [y]| kernel::max(cx, &geometry, x, y),
        move |[x], [y]| kernel::reference::max(&exact, x, y),
    )
}

#[napi(catch_unwind)]
pub fn min_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("min", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "min")?.float(
        [x],
        [y],
        move |[x], [y]| check.check(&[x], &[y]),
        move |cx, [x], [y]| kernel::min(cx, &geometry, x, y),
        move |[x], [y]| kernel::reference::min(&exact, x, y),
    )
}

#[napi(catch_unwind)]
pub fn variance_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("variance", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "variance")?.float(
        [x],
        [y],
        move |[x], [y]| check.check(&[x], &[y]),
        move |cx, [x], [y]| kernel::variance(cx, &geometry, x, y),
        move |[x], [y]| kernel::reference::variance(&exact, x, y),
    )
}

#[napi(catch_unwind)]
pub fn sum_backward(env: Env, dy: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("sum", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "sum")?.float(
        [dy],
        [dx],
        move |[dy], [dx]| check.check(&[dx], &[dy]),
        move |cx, [dy], [dx]| kernel::sum_backward(cx, &geometry, dy, dx),
        move |[dy], [dx]| kernel::reference::sum_backward(&exact, dy, dx),
    )
}

#[napi(catch_unwind)]
pub fn mean_backward(env: Env, dy: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("mean", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "mean")?.float(
        [dy],
        [dx],
        move |[dy], [dx]| check.check(&[dx], &[dy]),
        move |cx, [dy], [dx]| kernel::mean_backward(cx, &geometry, dy, dx),
        move |[dy], [dx]| kernel::reference::mean_backward(&exact, dy, dx),
    )
}

/// dx of `max` and `min`, whose result was `y`.
#[napi(catch_unwind)]
pub fn extreme_backward(env: Env, x: Handle, y: Handle, dy: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("max", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "max")?.float(
        [x, y, dy],
        [dx],
        move |[x, y, dy], [dx]| check.check(&[x, dx], &[y, dy]),
        move |cx, [x, y, dy], [dx]| kernel::extreme_backward(cx, &geometry, x, y, dy, dx),
        move |[x, y, dy], [dx]| kernel::reference::extreme_backward(&exact, x, y, dy, dx),
    )
}

#[napi(catch_unwind)]
pub fn variance_backward(env: Env, x: Handle, dy: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("variance", words)?;
    let (check, exact) = (geometry.clone(), geometry.clone());
    Launch::new(&env, "variance")?.float(
        [x, dy],
        [dx],
        move |[x, dy], [dx]| check.check(&[x, dx], &[dy]),
        move |cx, [x, dy], [dx]| kernel::variance_backward(cx, &geometry, x, dy, dx),
        move |[x, dy], [dx]| kernel::reference::variance_backward(&exact, x, dy, dx),
    )
}

/// y, int32: the position of the first largest of the reduced elements.
#[napi(catch_unwind)]
pub fn arg_max_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let geometry = geometry("argMax", words)?;
    let mut launch = Launch::new(&env, "argMax")?;
    let dtype = launch.dtype(x)?;
    let mut y = launch.write::<i32>(y)?;
    match dtype {
        DType::Float32 => {
            let x = launch.read::<f32>(x)?;
            launch.check(geometry.check(&[x.len()], &[y.len()]))?;
            launch.queue(move |turn| kernel::arg_max(turn.exec, &geometry, x.get(turn), y.get(turn)))
        }
        DType::Float64 => {
            let x = launch.read::<f64>(x)?;
            launch.check(geometry.check(&[x.len()], &[y.len()]))?;
            launch.queue(move |turn| kernel::reference::arg_max(&geometry, x.get(turn), y.get(turn)))
        }
        DType::Int32 => {
            let x = launch.read::<i32>(x)?;
            launch.check(geometry.check(&[x.len()], &[y.len()]))?;
            launch.queue(move |turn| kernel::reference::arg_max(&geometry, x.get(turn), y.get(turn)))
        }
        DType::Uint8 => {
            let x = launch.read::<u8>(x)?;
            launch.check(geometry.check(&[x.len()], &[y.len()]))?;
            launch.queue(move |turn| kernel::reference::arg_max(&geometry, x.get(turn), y.get(turn)))
        }
    }
}
