//! Optimizer steps: one call for all weights.

use ferrograd_kernels::update::{
    self as kernel, Adadelta, Adagrad, Adam, Adamax, Clip, Lion, Nadam, PlainSgd, RmsProp, Rule, STATES, Sgd,
    Slot,
};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Input, Launch, Output, Turn, same_length};
use crate::runtime::{DType, internal};

/// The buffers of a step: for each weight its handle, its gradient's and those of its state, one after the other.
#[napi(object)]
pub struct StepBuffers<'a> {
    pub weights: Float64ArraySlice<'a>,
    pub gradients: Float64ArraySlice<'a>,
    /// All first buffers of state, then all second ones, …
    pub states: Float64ArraySlice<'a>,
    /// 0 none, 1 value, 2 norm, 3 global norm.
    pub clip: u32,
    pub bound: f64,
}

struct OpenSlot<T> {
    weight: Output<T>,
    gradient: Input<T>,
    state: [Output<T>; STATES],
}

fn open<T: Element, R: Rule>(launch: &mut Launch, buffers: &StepBuffers) -> Result<Vec<OpenSlot<T>>> {
    let count = buffers.weights.len();
    if buffers.gradients.len() != count || buffers.states.len() != R::STATES * count {
        return Err(internal("a step with too few or too many buffers"));
    }
    (0..count)
        .map(|i| {
            let weight = launch.write::<T>(buffers.weights[i])?;
            let gradient = launch.read::<T>(buffers.gradients[i])?;
            let state = |which: usize| {
                if which < R::STATES {
                    buffers.states[which * count + i]
                } else {
                    0.0
                }
            };
            let state = [
                launch.write(state(0))?,
                launch.write(state(1))?,
                launch.write(state(2))?,
            ];
            launch.check(same_length(&[weight.len(), gradient.len()]))?;
            for state in &state[..R::STATES] {
                launch.check(same_length(&[weight.len(), state.len()]))?;
            }
            Ok(OpenSlot {
                weight,
                gradient,
                state,
            })
        })
        .collect()
}

fn slots<'a, T: Element>(open: &'a mut [OpenSlot<T>], turn: &'a Turn) -> Vec<Slot<'a, T>> {
    open.iter_mut()
        .map(|slot| Slot {
            weight: slot.weight.get(turn),
            gradient: slot.gradient.get(turn),
            state: slot.state.each_mut().map(|state| state.get(turn)),
        })
        .collect()
}

fn step<R: Rule>(env: &Env, name: &'static str, rule: R, buffers: &StepBuffers) -> Result<()> {
    let clip = Clip::from_words(buffers.clip, buffers.bound).map_err(internal)?;
    let mut launch = Launch::new(env, name)?;
    let Some(&first) = buffers.weights.first() else {
        return Ok(());
    };
    match launch.dtype(first)? {
        DType::Float64 => {
            let mut open = open::<f64, R>(&mut launch, buffers)?;
            launch.queue(move |turn| kernel::reference::update(rule, clip, &mut slots(&mut open, turn)))
        }
        _ => {
            let mut open = open::<f32, R>(&mut launch, buffers)?;
            launch.queue(move |turn| kernel::update(turn.exec, rule, clip, &mut slots(&mut open, turn)))
        }
    }
}

#[napi(catch_unwind)]
pub fn plain_sgd_step(env: Env, buffers: StepBuffers, rate: f64, decay: f64) -> Result<()> {
    step(&env, "sgd", PlainSgd { rate, decay }, &buffers)
}

#[napi(catch_unwind)]
pub fn sgd_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    momentum: f64,
    nesterov: bool,
    decay: f64,
) -> Result<()> {
    step(
        &env,
        "sgd",
        Sgd {
            rate,
            momentum,
            nesterov,
            decay,
        },
        &buffers,
    )
}

#[napi(catch_unwind)]
pub fn adagrad_step(env: Env, buffers: StepBuffers, rate: f64, epsilon: f64) -> Result<()> {
    step(&env, "adagrad", Adagrad { rate, epsilon }, &buffers)
}

#[napi(catch_unwind)]
pub fn adadelta_step(env: Env, buffers: StepBuffers, rate: f64, rho: f64, epsilon: f64) -> Result<()> {
    step(&env, "adadelta", Adadelta { rate, rho, epsilon }, &buffers)
}

#[napi(catch_unwind)]
pub fn rmsprop_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    centered: bool,
) -> Result<()> {
    step(
        &env,
        "rmsprop",
        RmsProp {
            rate,
            rho,
            momentum,
            epsilon,
            centered,
        },
        &buffers,
    )
}

#[napi(catch_unwind)]
pub fn adam_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    decay: f64,
) -> Result<()> {
    step(
        &env,
        "adam",
        Adam {
            rate,
            beta1,
            beta2,
            epsilon,
            decay,
        },
        &buffers,
    )
}

#[napi(catch_unwind)]
pub fn adamax_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
) -> Result<()> {
    step(
        &env,
        "adamax",
        Adamax {
            rate,
            beta1,
            beta2,
            epsilon,
        },
        &buffers,
    )
}

/// `now`, `before` and `correction` as in the kernel's `Nadam`.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each number of the formula")]
pub fn nadam_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    now: f64,
    before: f64,
    correction: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
) -> Result<()> {
    step(
        &env,
        "nadam",
        Nadam {
            rate,
            now,
            before,
            correction,
            beta1,
            beta2,
            epsilon,
        },
        &buffers,
    )
}

#[napi(catch_unwind)]
pub fn lion_step(
    env: Env,
    buffers: StepBuffers,
    rate: f64,
    beta1: f64,
    beta2: f64,
    decay: f64,
) -> Result<()> {
    step(
        &env,
        "lion",
        Lion {
            rate,
            beta1,
            beta2,
            decay,
        },
        &buffers,
    )
}
