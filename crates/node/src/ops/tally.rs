use ferrograd_kernels::tally::{self as kernel, Label, Labels, Score};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch};
use crate::runtime::{DType, Handle, internal};

/// Runs `$body` with `T` the type of the scores and `L` that of the labels.
macro_rules! with_types {
    ($launch:expr, $scores:expr, $labels:expr, $body:ident($($argument:expr),*)) => {{
        let (scores, labels) = ($launch.dtype($scores)?, $launch.dtype($labels)?);
        match (scores, labels) {
            (DType::Float32, DType::Float32) => $body::<f32, f32>($($argument),*),
            (DType::Float32, DType::Float64) => $body::<f32, f64>($($argument),*),
            (DType::Float32, DType::Int32) => $body::<f32, i32>($($argument),*),
            (DType::Float32, DType::Uint8) => $body::<f32, u8>($($argument),*),
            (DType::Float64, DType::Float32) => $body::<f64, f32>($($argument),*),
            (DType::Float64, DType::Float64) => $body::<f64, f64>($($argument),*),
            (DType::Float64, DType::Int32) => $body::<f64, i32>($($argument),*),
            (DType::Float64, DType::Uint8) => $body::<f64, u8>($($argument),*),
            _ => Err(internal("a metric of scores that are not floats")),
        }
    }};
}

/// `counts`, float64 of one element, becomes the number of rows whose label is among the `k` highest scores.
#[napi(catch_unwind)]
pub fn tally_hits(
    env: Env,
    scores: Handle,
    labels: Handle,
    counts: Handle,
    classes: u32,
    k: u32,
) -> Result<()> {
    fn run<T: Score + Element, L: Label + Element>(
        mut launch: Launch,
        [scores, labels, counts]: [Handle; 3],
        classes: usize,
        k: usize,
    ) -> Result<()> {
        let (scores, labels) = (launch.read::<T>(scores)?, launch.read::<L>(labels)?);
        let mut counts = launch.write::<f64>(counts)?;
        launch.check(kernel::check_classes(scores.len(), labels.len(), classes))?;
        launch.check(one_for_each(counts.len(), 1))?;
        launch.queue(move |turn| {
            let scores = scores.get(turn);
            let labels = Labels::new(labels.get(turn), scores.len() / classes);
            counts.get(turn)[0] = kernel::hits(turn.exec, scores, &labels, classes, k) as f64;
        })
    }
    let launch = Launch::new(&env, "metric")?;
    let handles = [scores, labels, counts];
    with_types!(
        launch,
        scores,
        labels,
        run(launch, handles, classes as usize, k as usize)
    )
}

/// `counts`, float64 `[classes, 3]`: right, predicted and labelled, for each class.
#[napi(catch_unwind)]
pub fn tally_classes(env: Env, scores: Handle, labels: Handle, counts: Handle, classes: u32) -> Result<()> {
    fn run<T: Score + Element, L: Label + Element>(
        mut launch: Launch,
        [scores, labels, counts]: [Handle; 3],
        classes: usize,
    ) -> Result<()> {
        let (scores, labels) = (launch.read::<T>(scores)?, launch.read::<L>(labels)?);
        let mut counts = launch.write::<f64>(counts)?;
        launch.check(kernel::check_classes(scores.len(), labels.len(), classes))?;
        launch.check(one_for_each(counts.len(), 3 * classes))?;
        launch.queue(move |turn| {
            let scores = scores.get(turn);
            let labels = Labels::new(labels.get(turn), scores.len() / classes);
            let found = kernel::by_class(turn.exec, scores, &labels, classes);
            for (count, found) in counts.get(turn).iter_mut().zip(found.as_flattened()) {
                *count = *found as f64;
            }
        })
    }
    let launch = Launch::new(&env, "metric")?;
    let handles = [scores, labels, counts];
    with_types!(launch, scores, labels, run(launch, handles, classes as usize))
}

/// `counts`, float64 `[4]`: predicted and labelled, predicted, labelled, right; of all elements.
#[napi(catch_unwind)]
pub fn tally_threshold(
    env: Env,
    scores: Handle,
    labels: Handle,
    counts: Handle,
    threshold: f64,
) -> Result<()> {
    fn run<T: Score + Element, L: Label + Element>(
        mut launch: Launch,
        [scores, labels, counts]: [Handle; 3],
        threshold: f64,
    ) -> Result<()> {
        let (scores, labels) = (launch.read::<T>(scores)?, launch.read::<L>(labels)?);
        let mut counts = launch.write::<f64>(counts)?;
        launch.check(one_for_each(labels.len(), scores.len()))?;
        launch.check(one_for_each(counts.len(), 4))?;
        launch.queue(move |turn| {
            let found = kernel::by_threshold(turn.exec, scores.get(turn), labels.get(turn), threshold);
            counts.get(turn).copy_from_slice(&found.map(|count| count as f64));
        })
    }
    let launch = Launch::new(&env, "metric")?;
    let handles = [scores, labels, counts];
    with_types!(launch, scores, labels, run(launch, handles, threshold))
}

fn one_for_each(len: usize, expected: usize) -> std::result::Result<(), String> {
    if len == expected {
        Ok(())
    } else {
        Err(format!("{len} elements where {expected} are expected"))
    }
}
