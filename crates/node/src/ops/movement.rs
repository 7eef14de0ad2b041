//! Moving elements of any dtype.

use ferrograd_kernels::dimensions::{check_lengths, whole};
use ferrograd_kernels::movement::{self as kernel, Cast, Channels, Float, Gather, Level, Transpose, Window};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch, same_length};
use crate::runtime::{DType, Handle, internal};

/// Calls a generic function for the dtype of a buffer: `by_dtype!(dtype, function(arguments))`.
macro_rules! by_dtype {
    ($dtype:expr, $function:ident($($argument:expr),*)) => {
        match $dtype {
            DType::Float32 => $function::<f32>($($argument),*),
            DType::Float64 => $function::<f64>($($argument),*),
            DType::Int32 => $function::<i32>($($argument),*),
            DType::Uint8 => $function::<u8>($($argument),*),
        }
    };
}

/// y = x with its axes in another order; `words` are the shape and the order.
#[napi(catch_unwind)]
pub fn transpose_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    fn queue<T: Element>(mut launch: Launch, x: Handle, y: Handle, geometry: Transpose) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(geometry.check(x.len(), y.len()))?;
        launch.queue(move |turn| kernel::transpose(turn.exec, &geometry, x.get(turn), y.get(turn)))
    }
    let launch = Launch::new(&env, "transpose")?;
    let geometry = Transpose::from_words(words).map_err(|reason| internal(format!("transpose: {reason}")))?;
    by_dtype!(launch.dtype(x)?, queue(launch, x, y, geometry))
}

fn window(name: &str, words: &[f64]) -> Result<Window> {
    Window::from_words(words).map_err(|reason| internal(format!("{name}: {reason}")))
}

/// y = the box of x that `words` (the shape, where the box begins, its size) describe.
#[napi(catch_unwind)]
pub fn slice_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    fn queue<T: Element>(mut launch: Launch, x: Handle, y: Handle, window: Window) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(window.check(x.len(), y.len()))?;
        launch.queue(move |turn| kernel::slice(turn.exec, &window, x.get(turn), y.get(turn)))
    }
    let launch = Launch::new(&env, "slice")?;
    let window = window("slice", words)?;
    by_dtype!(launch.dtype(x)?, queue(launch, x, y, window))
}

/// The box of y = x; the rest of y stays as it is. Several of these make a `concat`.
#[napi(catch_unwind)]
pub fn insert_forward(env: Env, x: Handle, y: Handle, words: &[f64]) -> Result<()> {
    fn queue<T: Element>(mut launch: Launch, x: Handle, y: Handle, window: Window) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(window.check(y.len(), x.len()))?;
        launch.queue(move |turn| kernel::insert(turn.exec, &window, x.get(turn), y.get(turn)))
    }
    let launch = Launch::new(&env, "concat")?;
    let window = window("concat", words)?;
    by_dtype!(launch.dtype(x)?, queue(launch, x, y, window))
}

/// The box of y = x and the rest of y = `value`.
#[napi(catch_unwind)]
pub fn pad_forward(env: Env, x: Handle, y: Handle, words: &[f64], value: f64) -> Result<()> {
    fn queue<T: Element>(mut launch: Launch, x: Handle, y: Handle, window: Window, value: T) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(window.check(y.len(), x.len()))?;
        launch.queue(move |turn| kernel::pad(turn.exec, &window, x.get(turn), value, y.get(turn)))
    }
    let launch = Launch::new(&env, "pad")?;
    let window = window("pad", words)?;
    match launch.dtype(x)? {
        DType::Float32 => queue(launch, x, y, window, value as f32),
        DType::Float64 => queue(launch, x, y, window, value),
        DType::Int32 => queue(launch, x, y, window, value as i32),
        DType::Uint8 => queue(launch, x, y, window, value as u8),
    }
}

fn gather_geometry(words: &[f64]) -> Result<Gather> {
    Gather::from_words(words).map_err(|reason| internal(format!("gather: {reason}")))
}

/// y = slices of x picked by int32 `indices`; `words` are the places outside the axis, its size, the number of indices
/// and the length of a slice. An index outside fails on the executor.
#[napi(catch_unwind)]
pub fn gather_forward(env: Env, x: Handle, indices: Handle, y: Handle, words: &[f64]) -> Result<()> {
    fn queue<T: Element>(mut launch: Launch, [x, indices, y]: [Handle; 3], geometry: Gather) -> Result<()> {
        let (x, indices, mut y) = (
            launch.read::<T>(x)?,
            launch.read::<i32>(indices)?,
            launch.write::<T>(y)?,
        );
        launch.check(geometry.check(x.len(), indices.len(), y.len()))?;
        launch.queue(move |turn| {
            let indices = indices.get(turn);
            kernel::check_indices(indices, geometry.size).unwrap_or_else(|reason| panic!("{reason}"));
            kernel::gather(turn.exec, &geometry, x.get(turn), indices, y.get(turn));
        })
    }
    let launch = Launch::new(&env, "gather")?;
    let geometry = gather_geometry(words)?;
    by_dtype!(launch.dtype(x)?, queue(launch, [x, indices, y], geometry))
}

/// y = rows of x as floats, bytes scaled to 0…1, less `means` and over `deviations` of the channels if there are any.
/// `indices` pick the rows; without them (0) y has all of them. `words` as in `gather_forward`.
#[napi(catch_unwind)]
pub fn pixels_forward(
    env: Env,
    x: Handle,
    indices: Handle,
    y: Handle,
    words: &[f64],
    means: &[f64],
    deviations: &[f64],
) -> Result<()> {
    fn queue<T, F>(
        mut launch: Launch,
        [x, indices, y]: [Handle; 3],
        words: &[f64],
        [means, deviations]: [&[f64]; 2],
    ) -> Result<()>
    where
        T: Element + Level<F>,
        F: Element + Float,
    {
        let geometry = Gather::from_words(words).map_err(|reason| internal(format!("pixels: {reason}")))?;
        let channels = Channels::<F>::new(means, deviations, geometry.inner)
            .map_err(|reason| internal(format!("pixels: {reason}")))?;
        let all = indices == 0.0;
        let (x, indices, mut y) = (
            launch.read::<T>(x)?,
            launch.read::<i32>(indices)?,
            launch.write::<F>(y)?,
        );
        let picked = if all { geometry.size } else { indices.len() };
        launch.check(geometry.check(x.len(), picked, y.len()))?;
        launch.queue(move |turn| {
            let indices = (!all).then(|| indices.get(turn));
            kernel::check_indices(indices.unwrap_or(&[]), geometry.size)
                .unwrap_or_else(|reason| panic!("{reason}"));
            kernel::pixels(
                turn.exec,
                &geometry,
                x.get(turn),
                indices,
                channels.as_ref(),
                y.get(turn),
            );
        })
    }
    let launch = Launch::new(&env, "batch")?;
    let (handles, statistics) = ([x, indices, y], [means, deviations]);
    match (launch.dtype(x)?, launch.dtype(y)?) {
        (DType::Uint8, DType::Float32) => queue::<u8, f32>(launch, handles, words, statistics),
        (DType::Uint8, DType::Float64) => queue::<u8, f64>(launch, handles, words, statistics),
        (DType::Float32, DType::Float32) => queue::<f32, f32>(launch, handles, words, statistics),
        (DType::Float64, DType::Float64) => queue::<f64, f64>(launch, handles, words, statistics),
        (from, to) => Err(internal(format!("pixels: {} as {}", from.name(), to.name()))),
    }
}

/// dx = the slices of dy added up where they were picked.
#[napi(catch_unwind)]
pub fn gather_backward(env: Env, dy: Handle, indices: Handle, dx: Handle, words: &[f64]) -> Result<()> {
    let mut launch = Launch::new(&env, "gather")?;
    let geometry = gather_geometry(words)?;
    let indices = launch.read::<i32>(indices)?;
    match launch.dtype(dx)? {
        DType::Float64 => {
            let (dy, mut dx) = (launch.read::<f64>(dy)?, launch.write::<f64>(dx)?);
            launch.check(geometry.check(dx.len(), indices.len(), dy.len()))?;
            launch.queue(move |turn| {
                let (dy, indices, dx) = (dy.get(turn), indices.get(turn), dx.get(turn));
                kernel::scatter_add(turn.exec, &geometry, dy, indices, dx);
            })
        }
        _ => {
            let (dy, mut dx) = (launch.read::<f32>(dy)?, launch.write::<f32>(dx)?);
            launch.check(geometry.check(dx.len(), indices.len(), dy.len()))?;
            launch.queue(move |turn| {
                let (dy, indices, dx) = (dy.get(turn), indices.get(turn), dx.get(turn));
                kernel::scatter_add(turn.exec, &geometry, dy, indices, dx);
            })
        }
    }
}

/// y = a row of `depth` zeros and a single one for each index. An index outside fails on the executor.
#[napi(catch_unwind)]
pub fn one_hot_forward(env: Env, indices: Handle, y: Handle, depth: f64) -> Result<()> {
    let mut launch = Launch::new(&env, "oneHot")?;
    let depth = whole(depth).map_err(internal)?;
    let indices = launch.read::<i32>(indices)?;
    let rows = indices.len();
    let expect = |len: usize| match rows.checked_mul(depth) {
        Some(wanted) => check_lengths(&[("y", len, wanted)]),
        None => Err(format!("{rows} rows of {depth}")),
    };
    match launch.dtype(y)? {
        DType::Float64 => {
            let mut y = launch.write::<f64>(y)?;
            launch.check(expect(y.len()))?;
            launch.queue(move |turn| {
                let indices = indices.get(turn);
                kernel::check_indices(indices, depth).unwrap_or_else(|reason| panic!("{reason}"));
                kernel::one_hot(turn.exec, depth, indices, y.get(turn));
            })
        }
        _ => {
            let mut y = launch.write::<f32>(y)?;
            launch.check(expect(y.len()))?;
            launch.queue(move |turn| {
                let indices = indices.get(turn);
                kernel::check_indices(indices, depth).unwrap_or_else(|reason| panic!("{reason}"));
                kernel::one_hot(turn.exec, depth, indices, y.get(turn));
            })
        }
    }
}

/// y = x as another kind of number.
#[napi(catch_unwind)]
pub fn cast_forward(env: Env, x: Handle, y: Handle) -> Result<()> {
    fn queue<T: Element + Cast<U>, U: Element>(mut launch: Launch, x: Handle, y: Handle) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<U>(y)?);
        launch.check(same_length(&[x.len(), y.len()]))?;
        launch.queue(move |turn| kernel::cast(turn.exec, x.get(turn), y.get(turn)))
    }
    fn from<T>(launch: Launch, x: Handle, y: Handle) -> Result<()>
    where
        T: Element + Cast<f32> + Cast<f64> + Cast<i32> + Cast<u8>,
    {
        match launch.dtype(y)? {
            DType::Float32 => queue::<T, f32>(launch, x, y),
            DType::Float64 => queue::<T, f64>(launch, x, y),
            DType::Int32 => queue::<T, i32>(launch, x, y),
            DType::Uint8 => queue::<T, u8>(launch, x, y),
        }
    }
    let launch = Launch::new(&env, "cast")?;
    by_dtype!(launch.dtype(x)?, from(launch, x, y))
}
