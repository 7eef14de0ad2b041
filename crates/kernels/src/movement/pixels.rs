//! Rows of pixels as floats: picked, scaled and normalised in one pass.

pub use num_traits::Float;

use super::{Gather, grain};
use crate::Exec;
use crate::simd::vectorize;

/// What a row is made of, as a float. Bytes are pixels and become x / 255; floats stay what they are.
pub trait Level<F>: Copy + Send + Sync {
    fn level(self) -> F;
}

impl Level<f32> for u8 {
    #[inline(always)]
    fn level(self) -> f32 {
        f32::from(self) / 255.0
    }
}

impl Level<f64> for u8 {
    #[inline(always)]
    fn level(self) -> f64 {
        f64::from(self) / 255.0
    }
}

impl<F: Float + Send + Sync> Level<F> for F {
    #[inline(always)]
    fn level(self) -> F {
        self
    }
}

/// Mean and standard deviation of every channel, repeated so often that a block of them fills whole vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Channels<F> {
    means: Vec<F>,
    deviations: Vec<F>,
}

impl<F: Float> Channels<F> {
    /// None where nothing is to be normalised. `inner` is the length of a row, whose elements run through the channels.
    pub fn new(means: &[f64], deviations: &[f64], inner: usize) -> Result<Option<Channels<F>>, String> {
        let channels = means.len();
        if deviations.len() != channels {
            return Err(format!("{channels} means and {} deviations", deviations.len()));
        }
        if channels == 0 {
            return Ok(None);
        }
        if !inner.is_multiple_of(channels) {
            return Err(format!("rows of {inner} elements and {channels} channels"));
        }
        let repeats = 16 * (16 / channels).max(1);
        let repeat = |values: &[f64]| {
            let numbers = values.iter().map(|&value| F::from(value).expect("a float"));
            numbers.collect::<Vec<F>>().repeat(repeats)
        };
        Ok(Some(Channels {
            means: repeat(means),
            deviations: repeat(deviations),
        }))
    }
}

/// y[p, i] = (level(x[indices[p], i]) − mean[c]) / deviation[c], where c runs through the channels with i; without
/// `channels` just the levels, and without `indices` all rows in order. Panics on an index that
/// [`check_indices`](super::check_indices) refuses.
pub fn pixels<T: Level<F>, F: Float + Send + Sync>(
    cx: &Exec,
    geometry: &Gather,
    x: &[T],
    indices: Option<&[i32]>,
    channels: Option<&Channels<F>>,
    y: &mut [F],
) {
    let Gather {
        outer,
        size,
        picked,
        inner,
    } = *geometry;
    assert_eq!(
        geometry.check(x.len(), indices.map_or(picked, <[i32]>::len), y.len()),
        Ok(())
    );
    assert!(outer == 1 && (indices.is_some() || picked == size));
    if y.is_empty() {
        return;
    }
    let rows_per_tile = (grain::<F>() / inner).max(1);
    cx.chunks_mut(y, rows_per_tile * inner, |start, y| {
        for (i, y) in y.chunks_exact_mut(inner).enumerate() {
            let at = start / inner + i;
            let row = indices.map_or(at, |indices| indices[at] as usize);
            assert!(row < size);
            let x = &x[row * inner..][..inner];
            match channels {
                None => levels(cx.isa, x, y),
                Some(channels) => normalised(cx.isa, x, channels, y),
            }
        }
    });
}

vectorize! {
    fn levels[T: Level<F>, F: Float](x: &[T], y: &mut [F]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x.level();
        }
    }
}

vectorize! {
    fn normalised[T: Level<F>, F: Float](x: &[T], channels: &Channels<F>, y: &mut [F]) {
        let block = channels.means.len();
        for (x, y) in x.chunks(block).zip(y.chunks_mut(block)) {
            let statistics = channels.means.iter().zip(&channels.deviations);
            for ((y, x), (&mean, &deviation)) in y.iter_mut().zip(x).zip(statistics) {
                *y = (x.level() - mean) / deviation;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    /// The right answer, in plain loops.
    fn reference<T: Level<F>, F: Float>(
        geometry: &Gather,
        x: &[T],
        indices: Option<&[i32]>,
        statistics: (&[F], &[F]),
        y: &mut [F],
    ) {
        let (means, deviations) = statistics;
        for p in 0..geometry.picked {
            let row = indices.map_or(p, |indices| indices[p] as usize);
            for i in 0..geometry.inner {
                let level = x[row * geometry.inner + i].level();
                y[p * geometry.inner + i] = if means.is_empty() {
                    level
                } else {
                    (level - means[i % means.len()]) / deviations[i % means.len()]
                };
            }
        }
    }

    fn check<T: Level<F>, F: Float + Send + Sync + Debug>(
        [size, picked, inner]: [usize; 3],
        channels: usize,
        make: impl Fn(usize) -> T,
    ) {
        let x: Vec<T> = (0..size * inner).map(make).collect();
        let indices: Vec<i32> = (0..picked).map(|p| (p * p * 7 % size.max(1)) as i32).collect();
        let means: Vec<f64> = (0..channels).map(|c| 0.4 + 0.01 * c as f64).collect();
        let deviations: Vec<f64> = (0..channels).map(|c| 0.2 + 0.03 * c as f64).collect();
        let narrow = |values: &[f64]| values.iter().map(|&v| F::from(v).unwrap()).collect::<Vec<F>>();
        let prepared = Channels::<F>::new(&means, &deviations, inner).unwrap();
        for indices in [Some(indices.as_slice()), None] {
            let picked = if indices.is_some() { picked } else { size };
            let geometry = Gather::new(1, size, picked, inner).unwrap();
            let mut expected = vec![F::zero(); picked * inner];
            let statistics = (narrow(&means), narrow(&deviations));
            reference(
                &geometry,
                &x,
                indices,
                (&statistics.0, &statistics.1),
                &mut expected,
            );
            for cx in Exec::all_for_tests() {
                let mut y = vec![-F::one(); expected.len()];
                pixels(&cx, &geometry, &x, indices, prepared.as_ref(), &mut y);
                assert_eq!(y, expected, "{geometry:?}, {channels} channels");
            }
        }
    }

    #[test]
    fn rows_become_floats_as_the_reference_says() {
        let shapes: [[usize; 3]; 7] = [
            [5, 7, 3],
            [3, 40, 28 * 28],
            [60, 50, 12 * 12 * 3],
            [2, 3, 70_001],
            [4, 0, 6],
            [4, 3, 0],
            [1, 1, 1],
        ];
        for shape in shapes {
            for channels in [0, 1, 3, 7, 40] {
                if shape[2].is_multiple_of(channels.max(1)) {
                    check::<u8, f32>(shape, channels, |i| (i * 31 % 256) as u8);
                    check::<u8, f64>(shape, channels, |i| (i * 31 % 256) as u8);
                    check::<f32, f32>(shape, channels, |i| i as f32 * 0.37 - 5.0);
                    check::<f64, f64>(shape, channels, |i| i as f64 * 0.37 - 5.0);
                }
            }
        }
    }

    #[test]
    fn levels_are_quotients_rounded_once() {
        let x: Vec<u8> = (0..=255).collect();
        let geometry = Gather::new(1, 1, 1, 256).unwrap();
        for cx in Exec::all_for_tests() {
            let mut y = vec![0.0f32; 256];
            pixels(&cx, &geometry, &x, None, None, &mut y);
            for (byte, &y) in x.iter().zip(&y) {
                assert_eq!(y, (f64::from(*byte) / 255.0) as f32);
            }
            assert_eq!((y[0], y[255]), (0.0, 1.0));
        }
    }

    #[test]
    fn statistics_that_do_not_fit_are_refused() {
        assert_eq!(Channels::<f32>::new(&[], &[], 5), Ok(None));
        assert_eq!(
            Channels::<f32>::new(&[0.5, 0.5], &[1.0], 6),
            Err("2 means and 1 deviations".to_string())
        );
        assert_eq!(
            Channels::<f32>::new(&[0.5, 0.5], &[1.0, 1.0], 5),
            Err("rows of 5 elements and 2 channels".to_string())
        );
    }
}
