//! Changes of images that make more of a data set: where to cut, how to turn, what to blank out is given for each
//! sample, so nothing here is random.
//!
//! Images are `[samples, height, width, channels]`. A position on an image is measured in pixels from its upper left
//! corner, so the centre of pixel (row r, column c) is at (r + ½, c + ½).

pub mod color;
mod crop;
mod erase;
mod mix;
pub mod warp;

pub use crop::{Crop, crop};
pub use erase::{Erase, erase};
pub use mix::{Mix, mix};

use num_traits::Float;

use crate::dimensions::{check_lengths, product, whole};

/// Elements in one tile.
const GRAIN: usize = 1 << 14;

/// A number that a pixel can be, and the float that it is computed in.
pub trait Pixel: Copy + Send + Sync + 'static {
    type Work: Float + Send + Sync;
    /// What stands for full brightness.
    const FULL: Self::Work;

    fn work(self) -> Self::Work;
    /// The nearest number; the even one of two, and never beyond the range.
    fn from_work(value: Self::Work) -> Self;
    /// A fraction between two pixels, whose places are always computed in float64.
    fn fraction(value: f64) -> Self::Work;
}

impl Pixel for u8 {
    type Work = f32;
    const FULL: f32 = 255.0;

    #[inline(always)]
    fn work(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_work(value: f32) -> u8 {
        value.round_ties_even() as u8
    }

    #[inline(always)]
    fn fraction(value: f64) -> f32 {
        value as f32
    }
}

macro_rules! float_pixel {
    ($float:ty) => {
        impl Pixel for $float {
            type Work = $float;
            const FULL: $float = 1.0;

            #[inline(always)]
            fn work(self) -> $float {
                self
            }

            #[inline(always)]
            fn from_work(value: $float) -> $float {
                value
            }

            #[inline(always)]
            fn fraction(value: f64) -> $float {
                value as $float
            }
        }
    };
}
float_pixel!(f32);
float_pixel!(f64);

/// The sizes of a batch of images before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    pub samples: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub out_height: usize,
    pub out_width: usize,
}

impl Images {
    /// `words` are samples, height, width, channels, and the height and width of what comes out.
    pub fn from_words(words: &[f64]) -> Result<Images, String> {
        let [samples, height, width, channels, out_height, out_width] = words else {
            return Err(format!("{} sizes instead of 6", words.len()));
        };
        let images = Images {
            samples: whole(*samples)?,
            channels: whole(*channels)?,
            height: whole(*height)?,
            width: whole(*width)?,
            out_height: whole(*out_height)?,
            out_width: whole(*out_width)?,
        };
        product(&[images.samples, images.height, images.width, images.channels])?;
        product(&[
            images.samples,
            images.out_height,
            images.out_width,
            images.channels,
        ])?;
        Ok(images)
    }

    /// Elements of one image.
    pub fn size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Elements of one row of an image that comes out.
    pub fn out_row(&self) -> usize {
        self.out_width * self.channels
    }

    /// Elements of one image that comes out.
    pub fn out_size(&self) -> usize {
        self.out_height * self.out_row()
    }

    /// Lengths of the images, of the color around them and of what comes out.
    pub fn check(&self, x: usize, fill: usize, y: usize) -> Result<(), String> {
        check_lengths(&[
            ("x", x, self.samples * self.size()),
            ("the fill", fill, self.channels),
            ("y", y, self.samples * self.out_size()),
        ])
    }
}

/// The largest place that is told apart from its neighbour, and far more than any image has.
const FAR: f64 = (1u64 << 40) as f64;

/// Cuts a list into the `COUNT` numbers of each sample.
fn parameters<const COUNT: usize>(samples: usize, values: &[f64]) -> Result<Vec<[f64; COUNT]>, String> {
    if Some(values.len()) != samples.checked_mul(COUNT) {
        let len = values.len();
        return Err(format!("{len} parameters for {samples} samples of {COUNT}"));
    }
    if let Some(odd) = values.iter().find(|value| !(-FAR..=FAR).contains(*value)) {
        return Err(format!("{odd} among the parameters"));
    }
    Ok(values
        .chunks_exact(COUNT)
        .map(|chunk| chunk.try_into().expect("exact chunks"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_round_to_the_nearest_and_stay_in_range() {
        let rounded = [-3.0, 0.4, 0.5, 1.5, 254.6, 300.0, f32::NAN].map(u8::from_work);
        assert_eq!(rounded, [0, 0, 0, 2, 255, 255, 0]);
    }

    #[test]
    fn odd_words_are_refused() {
        let images = Images::from_words(&[2.0, 3.0, 4.0, 1.0, 5.0, 6.0]).unwrap();
        assert_eq!(images.check(24, 1, 60), Ok(()));
        assert_eq!(
            images.check(24, 2, 60),
            Err("the fill has 2 elements instead of 1".into())
        );
        assert!(Images::from_words(&[1.0; 5]).is_err());
        assert!(Images::from_words(&[1.0, -1.0, 1.0, 1.0, 1.0, 1.0]).is_err());
        assert!(Images::from_words(&[1.0, 1.0, 1.0, 2.0, 1e14, 1e14]).is_err());
        assert_eq!(
            parameters::<2>(1, &[1.0]),
            Err("1 parameters for 1 samples of 2".into())
        );
        assert_eq!(
            parameters::<1>(1, &[f64::NAN]),
            Err("NaN among the parameters".into())
        );
        assert!(parameters::<1>(1, &[1e13]).is_err());
    }
}
