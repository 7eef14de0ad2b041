//! Statistics of data of any dtype, in float64.

use ferrograd_kernels::dimensions::{check_lengths, whole};
use ferrograd_kernels::moments::{self, Sample};
use ferrograd_kernels::{covariance as products, principal};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch};
use crate::runtime::{DType, Handle, internal};

/// Calls a generic function for the dtype of the samples.
macro_rules! by_dtype {
    ($launch:expr, $x:expr, $function:ident($($argument:expr),*)) => {
        match $launch.dtype($x)? {
            DType::Float32 => $function::<f32>($($argument),*),
            DType::Float64 => $function::<f64>($($argument),*),
            DType::Int32 => $function::<i32>($($argument),*),
            DType::Uint8 => $function::<u8>($($argument),*),
        }
    };
}

/// Rows of `columns` numbers fill a buffer.
fn check_rows(numbers: usize, columns: usize) -> std::result::Result<(), String> {
    match numbers.checked_rem(columns) {
        Some(0) if numbers > 0 => Ok(()),
        _ => Err(format!("{numbers} numbers in {columns} columns")),
    }
}

/// `mean`, float64, becomes the mean of each column of x, and `variance` the population's, unless its handle is 0.
#[napi(catch_unwind)]
pub fn moments(env: Env, x: Handle, mean: Handle, variance: Handle) -> Result<()> {
    fn queue<T: Element + Sample>(
        mut launch: Launch,
        x: Handle,
        mean: Handle,
        variance: Handle,
    ) -> Result<()> {
        let x = launch.read::<T>(x)?;
        let (mut mean, mut variance) = (launch.write::<f64>(mean)?, launch.write::<f64>(variance)?);
        launch.check(check_rows(x.len(), mean.len()))?;
        if variance.len() != 0 {
            launch.check(check_lengths(&[("variance", variance.len(), mean.len())]))?;
        }
        launch.queue(move |turn| moments::moments(turn.exec, x.get(turn), mean.get(turn), variance.get(turn)))
    }
    let launch = Launch::new(&env, "moments")?;
    by_dtype!(launch, x, queue(launch, x, mean, variance))
}

/// `covariance`, float64, becomes that of the columns of x, whose `mean` is known.
#[napi(catch_unwind)]
pub fn covariance(env: Env, x: Handle, mean: Handle, covariance: Handle) -> Result<()> {
    fn queue<T: Element + Sample>(mut launch: Launch, x: Handle, mean: Handle, to: Handle) -> Result<()> {
        let (x, mean, mut to) = (
            launch.read::<T>(x)?,
            launch.read::<f64>(mean)?,
            launch.write::<f64>(to)?,
        );
        launch.check(check_rows(x.len(), mean.len()))?;
        launch.check(check_lengths(&[("covariance", to.len(), square(mean.len()))]))?;
        launch.queue(move |turn| products::covariance(turn.exec, x.get(turn), mean.get(turn), to.get(turn)))
    }
    let launch = Launch::new(&env, "covariance")?;
    by_dtype!(launch, x, queue(launch, x, mean, covariance))
}

fn square(side: usize) -> usize {
    side.saturating_mul(side)
}

/// Bytes of working memory of `principal_of_covariance`.
#[napi(catch_unwind)]
pub fn principal_of_covariance_bytes(features: f64) -> Result<f64> {
    Ok(principal::covariance_bytes(whole(features).map_err(internal)?) as f64)
}

/// Principal axes of data with this covariance: `variances` and the rows of `axes`, largest first.
#[napi(catch_unwind)]
pub fn principal_of_covariance(
    env: Env,
    covariance: Handle,
    variances: Handle,
    axes: Handle,
    scratch: Handle,
) -> Result<()> {
    let mut launch = Launch::new(&env, "principalAxes")?;
    let covariance = launch.read::<f64>(covariance)?;
    let (mut variances, mut axes) = (launch.write::<f64>(variances)?, launch.write::<f64>(axes)?);
    let mut scratch = launch.write::<u8>(scratch)?;
    let features = variances.len();
    launch.check(check_lengths(&[
        ("covariance", covariance.len(), square(features)),
        ("axes", axes.len(), square(features)),
        ("scratch", scratch.len(), principal::covariance_bytes(features)),
    ]))?;
    launch.queue(move |turn| {
        let (variances, axes) = (variances.get(turn), axes.get(turn));
        principal::of_covariance(covariance.get(turn), variances, axes, scratch.get(turn));
    })
}

/// Bytes of working memory of `principal_of_samples`.
#[napi(catch_unwind)]
pub fn principal_of_samples_bytes(samples: f64, features: f64) -> Result<f64> {
    let (samples, features) = (
        whole(samples).map_err(internal)?,
        whole(features).map_err(internal)?,
    );
    Ok(principal::samples_bytes(samples, features) as f64)
}

/// Principal axes of fewer samples than features: as many as there are samples. `centred` is as large as x.
#[napi(catch_unwind)]
pub fn principal_of_samples(
    env: Env,
    x: Handle,
    mean: Handle,
    variances: Handle,
    centred: Handle,
    axes: Handle,
    scratch: Handle,
) -> Result<()> {
    fn queue<T: Element + Sample>(
        mut launch: Launch,
        [x, mean, variances, centred, axes, scratch]: [Handle; 6],
    ) -> Result<()> {
        let (x, mean) = (launch.read::<T>(x)?, launch.read::<f64>(mean)?);
        let (mut variances, mut centred) = (launch.write::<f64>(variances)?, launch.write::<f64>(centred)?);
        let (mut axes, mut scratch) = (launch.write::<f64>(axes)?, launch.write::<u8>(scratch)?);
        let (samples, features) = (variances.len(), mean.len());
        launch.check(if samples <= features {
            Ok(())
        } else {
            Err(format!("{samples} samples of {features} features"))
        })?;
        launch.check(check_lengths(&[
            ("x", x.len(), samples.saturating_mul(features)),
            ("centred", centred.len(), x.len()),
            ("axes", axes.len(), x.len()),
            (
                "scratch",
                scratch.len(),
                principal::samples_bytes(samples, features),
            ),
        ]))?;
        launch.queue(move |turn| {
            let (variances, centred, axes) = (variances.get(turn), centred.get(turn), axes.get(turn));
            let (x, mean) = (x.get(turn), mean.get(turn));
            principal::of_samples(turn.exec, x, mean, variances, [centred, axes], scratch.get(turn));
        })
    }
    let launch = Launch::new(&env, "principalAxes")?;
    let handles = [x, mean, variances, centred, axes, scratch];
    by_dtype!(launch, x, queue(launch, handles))
}
