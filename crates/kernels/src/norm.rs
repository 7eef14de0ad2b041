//! Normalisation: over the batch for each channel ([`batch`]), over the features of each row ([`layer`]).
//!
//! Both see `[rows, channels]`. Sums run in double precision from a pivot (a value of the data itself), in one
//! pass. With a pivot among the n values, (pivot − mean)² ≤ n · variance, so the cancellation in
//! Σd²/n − (Σd/n)² costs at most a factor n of the 2⁻⁵³ precision, however large the mean is beside the spread;
//! and squares of anything that float32 holds stay finite. The mean is kept as a sum of two floats, so that
//! `x − mean` is exact to the last bit of `x` too.

pub mod batch;
pub mod layer;
mod wide;

use num_traits::Float;

/// `[rows, channels]` of a normalisation, whatever the rank of the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub rows: usize,
    pub channels: usize,
}

impl Rows {
    /// Splits `len` elements into rows of `channels`; an error where that does not go.
    pub fn new(len: usize, channels: usize) -> Result<Rows, String> {
        if channels == 0 {
            return Err("normalisation needs at least one channel".into());
        }
        if !len.is_multiple_of(channels) {
            return Err(format!("{len} elements are not rows of {channels} channels"));
        }
        Ok(Rows {
            rows: len / channels,
            channels,
        })
    }

    /// Fails unless every named buffer has its length.
    fn check(self, lengths: &[(&str, usize, usize)]) -> Result<(), String> {
        for (name, found, expected) in lengths {
            if found != expected {
                return Err(format!(
                    "{name} has {found} elements and needs {expected} for {} rows of {} channels",
                    self.rows, self.channels
                ));
            }
        }
        Ok(())
    }
}

/// Fails unless `epsilon` is a positive finite number: with 0 a constant channel would divide by zero.
pub fn check_epsilon(epsilon: f64) -> Result<(), String> {
    if epsilon > 0.0 && epsilon.is_finite() {
        Ok(())
    } else {
        Err(format!("epsilon must be a positive finite number, not {epsilon}"))
    }
}

/// The largest 1 / σ: with a tiny epsilon that of a constant channel would overflow float32, and with gamma's
/// help turn 0 into NaN.
const LARGEST_INVERSE: f64 = 1e33;

/// 1 / √(variance + epsilon). Rounding may have left the variance a hair below zero; a NaN stays one.
fn inverse_deviation(variance: f64, epsilon: f64) -> f64 {
    let inverse = 1.0
        / (if variance < 0.0 {
            epsilon
        } else {
            variance + epsilon
        })
        .sqrt();
    if inverse > LARGEST_INVERSE {
        LARGEST_INVERSE
    } else {
        inverse
    }
}

/// `value` in the float type of a reference kernel.
fn of<T: Float>(value: f64) -> T {
    T::from(value).expect("every float type holds a rounded double")
}

/// A double as the sum of two floats.
fn split(value: f64) -> (f32, f32) {
    let high = value as f32;
    let low = (value - f64::from(high)) as f32;
    (high, if low.is_finite() { low } else { 0.0 })
}
