use ferrograd_kernels::pool2d::max::Winner;
use ferrograd_kernels::pool2d::{Pool2d, average, max, reference};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch};
use crate::runtime::{DType, Handle, internal};

pub fn geometry(words: &[f64]) -> Result<Pool2d> {
    Pool2d::from_words(words).map_err(|reason| internal(format!("pool2d: {reason}")))
}

/// The largest value of each window. `winners` is 0, or a buffer of bytes (or int32, for windows of more than 255
/// taps) that notes which tap it was; none, if `rectified`, where that value is 0 or less. `words` are those of `Pool2d::from_words`.
#[napi(catch_unwind, js_name = "maxPool2dForward")]
pub fn max_pool2d_forward(
    env: Env,
    x: Handle,
    y: Handle,
    winners: Handle,
    rectified: bool,
    words: &[f64],
) -> Result<()> {
    fn run<W: Winner + Element>(
        mut launch: Launch,
        handles: [Handle; 3],
        rectified: bool,
        pool: Pool2d,
    ) -> Result<()> {
        let [x, y, winners] = handles;
        let mut winners = launch.write::<W>(winners)?;
        match launch.dtype(y)? {
            DType::Float64 => {
                let (x, mut y) = (launch.read::<f64>(x)?, launch.write::<f64>(y)?);
                launch.check(pool.check(x.len(), y.len(), winners.len()))?;
                launch.queue(move |turn| {
                    reference::max_forward(&pool, rectified, x.get(turn), y.get(turn), winners.get(turn))
                })
            }
            _ => {
                let (x, mut y) = (launch.read::<f32>(x)?, launch.write::<f32>(y)?);
                launch.check(pool.check(x.len(), y.len(), winners.len()))?;
                launch.queue(move |turn| {
                    max::forward(
                        turn.exec,
                        &pool,
                        rectified,
                        x.get(turn),
                        y.get(turn),
                        winners.get(turn),
                    )
                })
            }
        }
    }
    let (launch, pool) = (Launch::new(&env, "maxPool2d")?, geometry(words)?);
    match winners_type(&launch, winners, &pool)? {
        DType::Uint8 => run::<u8>(launch, [x, y, winners], rectified, pool),
        _ => run::<i32>(launch, [x, y, winners], rectified, pool),
    }
}

/// Each dy to the cell that won.
#[napi(catch_unwind, js_name = "maxPool2dBackward")]
pub fn max_pool2d_backward(env: Env, dy: Handle, winners: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    fn run<W: Winner + Element>(mut launch: Launch, handles: [Handle; 3], pool: Pool2d) -> Result<()> {
        let [dy, winners, dx] = handles;
        let winners = launch.read::<W>(winners)?;
        if winners.len() != pool.output_len() {
            return Err(internal("maxPool2d: winners of another shape"));
        }
        match launch.dtype(dx)? {
            DType::Float64 => {
                let (dy, mut dx) = (launch.read::<f64>(dy)?, launch.write::<f64>(dx)?);
                launch.check(pool.check(dx.len(), dy.len(), winners.len()))?;
                launch.queue(move |turn| {
                    reference::max_backward(&pool, dy.get(turn), winners.get(turn), dx.get(turn))
                })
            }
            _ => {
                let (dy, mut dx) = (launch.read::<f32>(dy)?, launch.write::<f32>(dx)?);
                launch.check(pool.check(dx.len(), dy.len(), winners.len()))?;
                launch.queue(move |turn| {
                    max::backward(turn.exec, &pool, dy.get(turn), winners.get(turn), dx.get(turn))
                })
            }
        }
    }
    let (launch, pool) = (Launch::new(&env, "maxPool2d")?, geometry(words)?);
    match winners_type(&launch, winners, &pool)? {
        DType::Uint8 => run::<u8>(launch, [dy, winners, dx], pool),
        _ => run::<i32>(launch, [dy, winners, dx], pool),
    }
}

/// Bytes only where they hold every tap's number.
pub fn winners_type(launch: &Launch, winners: Handle, pool: &Pool2d) -> Result<DType> {
    if winners == 0.0 {
        return Ok(DType::Uint8);
    }
    match launch.dtype(winners)? {
        DType::Uint8 if pool.fits_bytes() => Ok(DType::Uint8),
        DType::Int32 => Ok(DType::Int32),
        _ => Err(internal("maxPool2d: winners that do not hold every tap's number")),
    }
}

/// The mean of each window, without its padding.
#[napi(catch_unwind, js_name = "avgPool2dForward")]
pub fn avg_pool2d_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    let pool = geometry(words)?;
    Launch::new(&env, "avgPool2d")?.float(
        [x],
        [y],
        move |[x], [y]| pool.check(x, y, 0),
        move |cx, [x], [y]| average::forward(cx, &pool, x, y),
        move |[x], [y]| reference::average_forward(&pool, x, y),
    )
}

/// Each dy in equal parts to the cells of its window.
#[napi(catch_unwind, js_name = "avgPool2dBackward")]
pub fn avg_pool2d_backward(env: Env, dy: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let pool = geometry(words)?;
    Launch::new(&env, "avgPool2d")?.float(
        [dy],
        [dx],
        move |[dy], [dx]| pool.check(dx, dy, 0),
        move |cx, [dy], [dx]| average::backward(cx, &pool, dy, dx),
        move |[dy], [dx]| reference::average_backward(&pool, dy, dx),
    )
}
