//! Changes of images: uint8 and float pixels alike.

use ferrograd_kernels::augment::color::{self, Jitter};
use ferrograd_kernels::augment::warp::{self, Border, Warp};
use ferrograd_kernels::augment::{self as kernel, Crop, Erase, Images, Mix, Pixel};
use ferrograd_kernels::dimensions::whole;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch};
use crate::runtime::{DType, Handle, internal};

/// Calls a generic function for the dtype of the pixels: `by_pixel!(dtype, function(arguments))`.
macro_rules! by_pixel {
    ($dtype:expr, $function:ident($($argument:expr),*)) => {
        match $dtype {
            DType::Uint8 => $function::<u8>($($argument),*),
            DType::Float32 => $function::<f32>($($argument),*),
            DType::Float64 => $function::<f64>($($argument),*),
            DType::Int32 => Err(internal("pixels of dtype int32")),
        }
    };
}

/// A color in the numbers of the pixels.
trait Color: Element + Pixel {
    fn color(fill: &[f64]) -> Vec<Self>;
}

macro_rules! color {
    ($($pixel:ty)*) => {
        $(impl Color for $pixel {
            fn color(fill: &[f64]) -> Vec<$pixel> {
                fill.iter().map(|&value| value as $pixel).collect()
            }
        })*
    };
}
color!(u8 f32 f64);

fn refused<T>(name: &str, result: std::result::Result<T, String>) -> Result<T> {
    result.map_err(|reason| internal(format!("{name}: {reason}")))
}

/// y = a window of each image of x, flipped where wanted; `sizes` are N, H, W, C and the window's height and width,
/// `windows` four numbers for each sample, `fill` the color beyond the image.
#[napi(catch_unwind)]
pub fn crop_images(
    env: Env,
    x: Handle,
    y: Handle,
    sizes: &[f64],
    windows: &[f64],
    fill: &[f64],
) -> Result<()> {
    fn queue<T: Color>(mut launch: Launch, x: Handle, y: Handle, geometry: Crop, fill: &[f64]) -> Result<()> {
        let (x, mut y, fill) = (launch.read::<T>(x)?, launch.write::<T>(y)?, T::color(fill));
        launch.check(geometry.images.check(x.len(), fill.len(), y.len()))?;
        launch.queue(move |turn| kernel::crop(turn.exec, &geometry, x.get(turn), &fill, y.get(turn)))
    }
    let launch = Launch::new(&env, "crop")?;
    let geometry = refused(
        "crop",
        Images::from_words(sizes).and_then(|images| Crop::new(images, windows)),
    )?;
    by_pixel!(launch.dtype(x)?, queue(launch, x, y, geometry, fill))
}

/// y = x with a box of each image painted over; `boxes` are four numbers for each sample.
#[napi(catch_unwind)]
pub fn erase_images(
    env: Env,
    x: Handle,
    y: Handle,
    sizes: &[f64],
    boxes: &[f64],
    fill: &[f64],
) -> Result<()> {
    fn queue<T: Color>(
        mut launch: Launch,
        x: Handle,
        y: Handle,
        geometry: Erase,
        fill: &[f64],
    ) -> Result<()> {
        let (x, mut y, fill) = (launch.read::<T>(x)?, launch.write::<T>(y)?, T::color(fill));
        launch.check(geometry.images.check(x.len(), fill.len(), y.len()))?;
        launch.queue(move |turn| kernel::erase(turn.exec, &geometry, x.get(turn), &fill, y.get(turn)))
    }
    let launch = Launch::new(&env, "erase")?;
    let geometry = refused(
        "erase",
        Images::from_words(sizes).and_then(|images| Erase::new(images, boxes)),
    )?;
    by_pixel!(launch.dtype(x)?, queue(launch, x, y, geometry, fill))
}

fn placed(sizes: &[f64], placements: &[f64], nearest: bool) -> Result<Warp> {
    let border = if nearest { Border::Nearest } else { Border::Fill };
    refused(
        "warp",
        Images::from_words(sizes).and_then(|images| Warp::new(images, placements, border)),
    )
}

/// y = each image of x seen through an affine map; `placements` are ten numbers for each sample. Beyond what may be read
/// stands the nearest pixel or `fill`.
#[napi(catch_unwind)]
#[allow(
    clippy::too_many_arguments,
    reason = "two buffers and what happens between them"
)]
pub fn warp_images(
    env: Env,
    x: Handle,
    y: Handle,
    sizes: &[f64],
    placements: &[f64],
    nearest: bool,
    fill: &[f64],
) -> Result<()> {
    fn queue<T: Color>(mut launch: Launch, x: Handle, y: Handle, geometry: Warp, fill: &[f64]) -> Result<()> {
        let (x, mut y, fill) = (launch.read::<T>(x)?, launch.write::<T>(y)?, T::color(fill));
        launch.check(geometry.images.check(x.len(), fill.len(), y.len()))?;
        launch.queue(move |turn| warp::warp(turn.exec, &geometry, x.get(turn), &fill, y.get(turn)))
    }
    let mut launch = Launch::new(&env, "warp")?;
    let geometry = placed(sizes, placements, nearest)?;
    match launch.dtype(x)? {
        DType::Uint8 => queue::<u8>(launch, x, y, geometry, fill),
        DType::Float64 => {
            let (x, mut y, fill) = (launch.read::<f64>(x)?, launch.write::<f64>(y)?, fill.to_vec());
            launch.check(geometry.images.check(x.len(), fill.len(), y.len()))?;
            launch.queue(move |turn| warp::reference::warp(&geometry, x.get(turn), &fill, y.get(turn)))
        }
        _ => queue::<f32>(launch, x, y, geometry, fill),
    }
}

/// dx = the gradient of `warp_images`.
#[napi(catch_unwind)]
pub fn warp_images_backward(
    env: Env,
    dy: Handle,
    dx: Handle,
    sizes: &[f64],
    placements: &[f64],
    nearest: bool,
) -> Result<()> {
    let geometry = placed(sizes, placements, nearest)?;
    let (images, exact) = (geometry.images, geometry.clone());
    Launch::new(&env, "warp")?.float(
        [dy],
        [dx],
        |[dy], [dx]| images.check(dx, images.channels, dy),
        move |cx, [dy], [dx]| warp::gradient(cx, &geometry, dy, dx),
        move |[dy], [dx]| warp::gradient(&ferrograd_kernels::Exec::serial(), &exact, dy, dx),
    )
}

/// y = weighted sums of the samples of x; `pairs` are the partner and two weights for each.
#[napi(catch_unwind)]
pub fn mix_samples(env: Env, x: Handle, y: Handle, samples: f64, pairs: &[f64]) -> Result<()> {
    fn queue<T: Element + Pixel>(mut launch: Launch, x: Handle, y: Handle, geometry: Mix) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(geometry.check(x.len(), y.len()))?;
        launch.queue(move |turn| kernel::mix(turn.exec, &geometry, x.get(turn), y.get(turn)))
    }
    let launch = Launch::new(&env, "mix")?;
    let samples = refused("mix", whole(samples))?;
    let inner = launch.len(x)?.checked_div(samples).unwrap_or(0);
    let geometry = refused("mix", Mix::new(samples, inner, pairs))?;
    by_pixel!(launch.dtype(x)?, queue(launch, x, y, geometry))
}

/// y = x in other colors; `changes` are four numbers for each sample.
#[napi(catch_unwind)]
pub fn jitter_colors(env: Env, x: Handle, y: Handle, sizes: &[f64], changes: &[f64]) -> Result<()> {
    fn queue<T: Element + Pixel>(mut launch: Launch, x: Handle, y: Handle, geometry: Jitter) -> Result<()> {
        let (x, mut y) = (launch.read::<T>(x)?, launch.write::<T>(y)?);
        launch.check(geometry.check(x.len(), y.len()))?;
        launch.queue(move |turn| color::jitter(turn.exec, &geometry, x.get(turn), y.get(turn)))
    }
    let mut launch = Launch::new(&env, "jitter")?;
    let images = refused("jitter", Images::from_words(sizes))?;
    let pixels = images.height * images.width;
    let geometry = refused(
        "jitter",
        Jitter::new(images.samples, pixels, images.channels, changes),
    )?;
    match launch.dtype(x)? {
        DType::Uint8 => queue::<u8>(launch, x, y, geometry),
        DType::Float64 => {
            let (x, mut y) = (launch.read::<f64>(x)?, launch.write::<f64>(y)?);
            launch.check(geometry.check(x.len(), y.len()))?;
            launch.queue(move |turn| color::reference::jitter(&geometry, x.get(turn), y.get(turn)))
        }
        _ => queue::<f32>(launch, x, y, geometry),
    }
}
