use ferrograd_kernels::Precision;
use ferrograd_kernels::conv2d::{Conv2d, pooled};
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::check_lengths;
use ferrograd_kernels::pool2d::Pool2d;
use ferrograd_kernels::pool2d::max::Winner;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::pool2d::winners_type;
use crate::launch::{Element, Launch};
use crate::runtime::{DType, Handle, Runtime};

fn geometries(conv: &[f64], pool: &[f64]) -> Result<(Conv2d, Precision, Pool2d)> {
    let (conv, precision) = super::conv2d::geometry(conv)?;
    Ok((conv, precision, super::pool2d::geometry(pool)?))
}

/// Whether a convolution and the max-pool over it are faster in one pass. Words as those of `conv2dForward` and
/// `maxPool2dForward`.
#[napi(catch_unwind, js_name = "conv2dMaxPool2dPays")]
pub fn conv2d_max_pool2d_pays(env: Env, conv_words: &[f64], pool_words: &[f64]) -> Result<bool> {
    let (conv, precision, pool) = geometries(conv_words, pool_words)?;
    let runtime = Runtime::of(&env)?;
    let pays = pooled::pays(&runtime.borrow().exec.at(precision), &conv, &pool);
    Ok(pays)
}

/// y = maxPool2d(x ∗ weight + bias, rectified if `relu`) in float32, where it pays. The bias may be 0; `winners` as in
/// `maxPool2dForward`. If `packed`, `conv2dPack` has packed the weight.
#[napi(catch_unwind, js_name = "conv2dMaxPool2dForward")]
#[allow(clippy::too_many_arguments)]
pub fn conv2d_max_pool2d_forward(
    env: Env,
    x: Handle,
    weight: Handle,
    packed: bool,
    bias: Handle,
    y: Handle,
    winners: Handle,
    relu: bool,
    conv_words: &[f64],
    pool_words: &[f64],
) -> Result<()> {
    let (conv, precision, pool) = geometries(conv_words, pool_words)?;
    let work = Work {
        packed: packed
            .then(|| super::conv2d::conv2d_packed_size(env, conv_words))
            .transpose()?,
        relu,
        conv,
        precision,
        pool,
    };
    let launch = Launch::new(&env, "conv2d + maxPool2d")?;
    match winners_type(&launch, winners, &pool)? {
        DType::Uint8 => work.queue::<u8>(launch, [x, weight, bias, y, winners]),
        _ => work.queue::<i32>(launch, [x, weight, bias, y, winners]),
    }
}

struct Work {
    /// Elements of the packed weight, if it is.
    packed: Option<f64>,
    relu: bool,
    conv: Conv2d,
    precision: Precision,
    pool: Pool2d,
}

impl Work {
    fn queue<W: Winner + Element>(self, mut launch: Launch, handles: [Handle; 5]) -> Result<()> {
        let Work {
            packed,
            relu,
            conv,
            precision,
            pool,
        } = self;
        let [x, weight, bias, y, winners] = handles;
        let x = launch.read::<f32>(x)?;
        let weight = launch.read::<f32>(weight)?;
        let bias = launch.read::<f32>(bias)?;
        let mut y = launch.write::<f32>(y)?;
        let mut winners = launch.write::<W>(winners)?;
        let wanted = packed.map_or(conv.weight_len(), |size| size as usize);
        launch.check(check_lengths(&[("the weight", weight.len(), wanted)]))?;
        let lengths = [x.len(), conv.weight_len(), bias.len(), y.len(), winners.len()];
        launch.check(pooled::check(&conv, &pool, lengths))?;
        let run = if packed.is_some() {
            pooled::forward_packed::<W>
        } else {
            pooled::forward::<W>
        };
        let activation = if relu { Activation::Relu } else { Activation::None };
        launch.queue(move |turn| {
            let (x, weight, bias) = (x.get(turn), weight.get(turn), bias.get(turn));
            run(
                &turn.exec.at(precision),
                &conv,
                &pool,
                x,
                weight,
                bias,
                activation,
                y.get(turn),
                winners.get(turn),
            );
        })
    }
}
