//! Brightness, contrast, saturation and hue.
//!
//! Grey is the luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B; of images that have not three channels, the value
//! itself.

use num_traits::Float;

use super::{GRAIN, Pixel, parameters};
use crate::Exec;
use crate::dimensions::{check_lengths, product};
use crate::simd::vectorize;

const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// What happens to the colors of each sample.
#[derive(Clone, Debug)]
pub struct Jitter {
    pixels: usize,
    channels: usize,
    changes: Vec<Change>,
}

/// Factors of 1 and a shift of 0 change nothing.
#[derive(Clone, Copy, Debug)]
struct Change {
    brightness: f64,
    contrast: f64,
    saturation: f64,
    /// In turns around the color circle.
    hue: f64,
}

impl Jitter {
    /// `changes` are the brightness, contrast and saturation factors and the shift of the hue, in turns, of each of
    /// `samples`. The last two need three channels.
    pub fn new(samples: usize, pixels: usize, channels: usize, changes: &[f64]) -> Result<Jitter, String> {
        product(&[samples, pixels, channels])?;
        let changes = parameters::<4>(samples, changes)?
            .into_iter()
            .map(|[brightness, contrast, saturation, hue]| {
                if channels == 3 || (saturation == 1.0 && hue == 0.0) {
                    Ok(Change {
                        brightness,
                        contrast,
                        saturation,
                        hue,
                    })
                } else {
                    Err(format!("saturation and hue of {channels} channels"))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Jitter {
            pixels,
            channels,
            changes,
        })
    }

    /// Lengths of the images before and after.
    pub fn check(&self, x: usize, y: usize) -> Result<(), String> {
        let len = self.changes.len() * self.pixels * self.channels;
        check_lengths(&[("x", x, len), ("y", y, len)])
    }
}

/// One after the other, each clamped to the range of brightness: brightness · x; mean + contrast · (x − mean), with the
/// mean of the grey image; grey + saturation · (x − grey); and the hue turned in HSV.
pub fn jitter<T: Pixel>(cx: &Exec, geometry: &Jitter, x: &[T], y: &mut [T]) {
    let size = geometry.pixels * geometry.channels;
    assert_eq!(geometry.check(x.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    cx.chunks_mut(y, (GRAIN / size).max(1) * size, |start, y| {
        for (i, y) in y.chunks_exact_mut(size).enumerate() {
            let change = &geometry.changes[start / size + i];
            let x = &x[start + i * size..][..size];
            if geometry.channels == 3 {
                jitter_rgb(cx.isa, change, x, y);
            } else {
                jitter_grey(cx.isa, change, x, y);
            }
        }
    });
}

vectorize! {
    fn jitter_rgb[T: Pixel](change: &Change, x: &[T], y: &mut [T]) {
        let [brightness, contrast, saturation, hue] =
            [change.brightness, change.contrast, change.saturation, change.hue].map(T::fraction);
        let bright = |x: &[T]| [x[0], x[1], x[2]].map(|v| clamp(v.work() / T::FULL * brightness));
        let mean = if change.contrast == 1.0 {
            number(0.0)
        } else {
            let sum: f64 = x.chunks_exact(3).map(|x| double(luma(bright(x)))).sum();
            T::fraction(sum / (x.len() / 3) as f64)
        };
        for (x, y) in x.chunks_exact(3).zip(y.chunks_exact_mut(3)) {
            let mut rgb = bright(x);
            if change.contrast != 1.0 {
                rgb = rgb.map(|v| clamp(mean + (v - mean) * contrast));
            }
            if change.saturation != 1.0 {
                let grey = luma(rgb);
                rgb = rgb.map(|v| clamp(grey + (v - grey) * saturation));
            }
            if change.hue != 0.0 {
                rgb = turn_hue(rgb, hue);
            }
            for (y, v) in y.iter_mut().zip(rgb) {
                *y = T::from_work(v * T::FULL);
            }
        }
    }
}

vectorize! {
    fn jitter_grey[T: Pixel](change: &Change, x: &[T], y: &mut [T]) {
        let [brightness, contrast] = [change.brightness, change.contrast].map(T::fraction);
        let bright = |x: T| clamp(x.work() / T::FULL * brightness);
        let mean = if change.contrast == 1.0 {
            number(0.0)
        } else {
            T::fraction(x.iter().map(|&x| double(bright(x))).sum::<f64>() / x.len() as f64)
        };
        for (&x, y) in x.iter().zip(y) {
            let v = bright(x);
            let v = if change.contrast == 1.0 { v } else { clamp(mean + (v - mean) * contrast) };
            *y = T::from_work(v * T::FULL);
        }
    }
}

#[inline(always)]
fn clamp<W: Float>(v: W) -> W {
    v.max(W::zero()).min(W::one())
}

#[inline(always)]
fn double<W: Float>(v: W) -> f64 {
    v.to_f64().expect("a float is a double")
}

#[inline(always)]
fn number<W: Float>(v: f64) -> W {
    W::from(v).expect("a float holds it")
}

#[inline(always)]
fn luma<W: Float>([r, g, b]: [W; 3]) -> W {
    r * number(LUMA[0]) + g * number(LUMA[1]) + b * number(LUMA[2])
}

/// Turns the hue and keeps value and saturation of HSV (Smith 1978). Hues are counted in sixths of a turn.
#[inline(always)]
fn turn_hue<W: Float>([r, g, b]: [W; 3], turns: W) -> [W; 3] {
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = high - low;
    // Grey has no hue.
    if chroma == W::zero() {
        return [r, g, b];
    }
    let hue = if high == r {
        (g - b) / chroma
    } else if high == g {
        (b - r) / chroma + number(2.0)
    } else {
        (r - g) / chroma + number(4.0)
    };
    let six = number::<W>(6.0);
    let hue = hue + six * turns;
    [5.0, 3.0, 1.0].map(|offset| {
        let k = hue + number(offset);
        let k = k - six * (k / six).floor();
        high - chroma * clamp(k.min(number::<W>(4.0) - k))
    })
}

pub mod reference {
    //! The same step by step over whole images, with the hue taken around by the six cases of the textbook.

    use num_traits::Float;

    use super::{Jitter, LUMA};

    pub fn jitter<T: Float>(geometry: &Jitter, x: &[T], y: &mut [T]) {
        let channels = geometry.channels;
        let size = geometry.pixels * channels;
        for (sample, change) in geometry.changes.iter().enumerate() {
            let x = &x[sample * size..][..size];
            let mut image: Vec<f64> = x
                .iter()
                .map(|v| (v.to_f64().expect("a double") * change.brightness).clamp(0.0, 1.0))
                .collect();
            let mean = grey(&image, channels).iter().sum::<f64>() / geometry.pixels as f64;
            let mean = mean / if channels == 3 { 1.0 } else { channels as f64 };
            for v in &mut image {
                *v = (mean * (1.0 - change.contrast) + *v * change.contrast).clamp(0.0, 1.0);
            }
            if channels == 3 {
                let greys = grey(&image, channels);
                for (v, grey) in image.iter_mut().zip(greys.iter().flat_map(|grey| [grey; 3])) {
                    *v = (grey * (1.0 - change.saturation) + *v * change.saturation).clamp(0.0, 1.0);
                }
                for pixel in image.chunks_exact_mut(3) {
                    turn(pixel, change.hue);
                }
            }
            for (y, v) in y[sample * size..][..size].iter_mut().zip(image) {
                *y = T::from(v).expect("a float holds it");
            }
        }
    }

    /// The luma of each pixel, or the sum of its channels.
    fn grey(image: &[f64], channels: usize) -> Vec<f64> {
        let weight = |c: usize| if channels == 3 { LUMA[c] } else { 1.0 };
        let sum = |pixel: &[f64]| pixel.iter().enumerate().map(|(c, v)| v * weight(c)).sum();
        image.chunks_exact(channels.max(1)).map(sum).collect()
    }

    /// To hue, saturation and value, and back.
    fn turn(pixel: &mut [f64], turns: f64) {
        let (r, g, b) = (pixel[0], pixel[1], pixel[2]);
        let (value, low) = (r.max(g).max(b), r.min(g).min(b));
        if value == low {
            return;
        }
        let degrees = match (value - r, value - g) {
            (0.0, _) => 60.0 * (g - b) / (value - low),
            (_, 0.0) => 120.0 + 60.0 * (b - r) / (value - low),
            _ => 240.0 + 60.0 * (r - g) / (value - low),
        };
        let degrees = (degrees + 360.0 * turns).rem_euclid(360.0);
        let saturation = (value - low) / value;
        let within = (degrees / 60.0).fract();
        let (p, q, t) = (
            value * (1.0 - saturation),
            value * (1.0 - saturation * within),
            value * (1.0 - saturation * (1.0 - within)),
        );
        let rgb = match (degrees / 60.0) as usize {
            0 => [value, t, p],
            1 => [q, value, p],
            2 => [p, value, t],
            3 => [p, q, value],
            4 => [t, p, value],
            _ => [value, p, q],
        };
        pixel.copy_from_slice(&rgb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

    const CHANGES: [[f64; 4]; 6] = [
        [1.0, 1.0, 1.0, 0.0],
        [0.6, 1.0, 1.0, 0.0],
        [1.8, 1.4, 1.0, 0.0],
        [1.0, 0.3, 1.9, 0.0],
        [0.9, 1.2, 0.5, 0.21],
        [0.0, 0.0, 0.0, -0.5],
    ];

    fn geometry(pixels: usize, channels: usize) -> Jitter {
        let changes: Vec<f64> = CHANGES
            .iter()
            .flat_map(|&[b, c, s, h]| {
                if channels == 3 {
                    [b, c, s, h]
                } else {
                    [b, c, 1.0, 0.0]
                }
            })
            .collect();
        Jitter::new(CHANGES.len(), pixels, channels, &changes).unwrap()
    }

    #[test]
    fn agrees_with_the_reference_on_every_path_and_team() {
        for (pixels, channels) in [(1, 1), (7, 3), (64, 2), (5000, 3), (9000, 1)] {
            let geometry = geometry(pixels, channels);
            let x = uniform(1, CHANGES.len() * pixels * channels, 0.0, 1.0);
            let bytes: Vec<u8> = x.iter().map(|&v| (v * 255.0) as u8).collect();
            let units: Vec<f64> = bytes.iter().map(|&v| f64::from(v) / 255.0).collect();
            let (mut expected, mut expected_bytes) = (vec![f64::NAN; x.len()], vec![f64::NAN; x.len()]);
            reference::jitter(&geometry, &doubles(&x), &mut expected);
            reference::jitter(&geometry, &units, &mut expected_bytes);
            let mut first: Option<Vec<f32>> = None;
            for cx in Exec::all_for_tests() {
                let mut y = vec![f32::NAN; x.len()];
                jitter(&cx, &geometry, &x, &mut y);
                assert_close(&y, &expected, 2e-6, 0.0, "jitter");
                assert_same_bits(&y, first.get_or_insert_with(|| y.clone()), "threads");
                let mut y = vec![99u8; x.len()];
                jitter(&cx, &geometry, &bytes, &mut y);
                for (y, expected) in y.iter().zip(&expected_bytes) {
                    assert!((f64::from(*y) - 255.0 * expected).abs() < 0.501, "{y} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_third_of_a_turn_makes_red_green_and_pixels_that_nothing_changes_stay() {
        let third = Jitter::new(1, 2, 3, &[1.0, 1.0, 1.0, 1.0 / 3.0]).unwrap();
        let mut y = [0u8; 6];
        jitter(&Exec::serial(), &third, &[200, 10, 10, 9, 9, 9], &mut y);
        assert_eq!(y, [10, 200, 10, 9, 9, 9]);
        let nothing = Jitter::new(1, 256, 1, &[1.0, 1.0, 1.0, 0.0]).unwrap();
        let x: Vec<u8> = (0..=255).collect();
        let mut y = vec![0; 256];
        jitter(&Exec::serial(), &nothing, &x, &mut y);
        assert_eq!(y, x);
    }

    #[test]
    fn colors_of_other_than_three_channels_are_refused() {
        let error = Err("saturation and hue of 1 channels".to_string());
        assert_eq!(Jitter::new(1, 1, 1, &[1.0, 1.0, 0.5, 0.0]).map(|_| ()), error);
        assert_eq!(Jitter::new(1, 1, 1, &[1.0, 1.0, 1.0, 0.5]).map(|_| ()), error);
    }
}
