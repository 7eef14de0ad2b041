//! Weighted sums of pairs of samples.

use super::{GRAIN, Pixel, parameters};
use crate::Exec;
use crate::dimensions::{check_lengths, product};
use crate::simd::vectorize;

/// The partner and the two weights of each sample.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Elements of one sample.
    inner: usize,
    pairs: Vec<(usize, f64, f64)>,
}

impl Mix {
    /// `pairs` are the partner, the weight of the sample itself and that of its partner, of each of `samples`.
    pub fn new(samples: usize, inner: usize, pairs: &[f64]) -> Result<Mix, String> {
        product(&[samples, inner])?;
        let pairs = parameters::<3>(samples, pairs)?
            .into_iter()
            .map(|[partner, own, other]| {
                if partner >= 0.0 && partner < samples as f64 {
                    Ok((partner as usize, own, other))
                } else {
                    Err(format!("partner {partner} among {samples} samples"))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Mix { inner, pairs })
    }

    /// Lengths of the samples before and after.
    pub fn check(&self, x: usize, y: usize) -> Result<(), String> {
        let len = self.pairs.len() * self.inner;
        check_lengths(&[("x", x, len), ("y", y, len)])
    }
}

/// y[n] = own[n] x[n] + other[n] x[partner[n]]. With partners that are a permutation the gradient is such a sum, too.
pub fn mix<T: Pixel>(cx: &Exec, geometry: &Mix, x: &[T], y: &mut [T]) {
    let inner = geometry.inner;
    assert_eq!(geometry.check(x.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    cx.chunks_mut(y, (GRAIN / inner).max(1) * inner, |start, y| {
        for (i, y) in y.chunks_exact_mut(inner).enumerate() {
            let sample = start / inner + i;
            let (partner, own, other) = geometry.pairs[sample];
            let (a, b) = (&x[sample * inner..][..inner], &x[partner * inner..][..inner]);
            weigh(cx.isa, a, b, T::fraction(own), T::fraction(other), y);
        }
    });
}

vectorize! {
    fn weigh[T: Pixel](a: &[T], b: &[T], own: T::Work, other: T::Work, y: &mut [T]) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = T::from_work(a.work() * own + b.work() * other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{assert_close, uniform};

    #[test]
    fn sums_are_those_of_the_definition_in_every_kind_of_number() {
        let pairs = [[2.0, 0.25, 0.75], [1.0, 0.5, 0.5], [0.0, 1.0, 0.0]];
        for inner in [0, 1, 7, 3000] {
            let geometry = Mix::new(3, inner, pairs.as_flattened()).unwrap();
            let x = uniform(1, 3 * inner, 0.0, 255.0);
            let bytes: Vec<u8> = x.iter().map(|&v| v as u8).collect();
            let sum = |at: &dyn Fn(usize) -> f64, i: usize| {
                let [partner, own, other] = pairs[i / inner];
                own * at(i) + other * at(partner as usize * inner + i % inner)
            };
            let floats: Vec<f64> = (0..x.len()).map(|i| sum(&|i| f64::from(x[i]), i)).collect();
            let whole: Vec<u8> = (0..x.len())
                .map(|i| sum(&|i| f64::from(bytes[i]), i).round_ties_even() as u8)
                .collect();
            for cx in Exec::all_for_tests() {
                let mut y = vec![f32::NAN; x.len()];
                mix(&cx, &geometry, &x, &mut y);
                assert_close(&y, &floats, 0.0, 2e-7, "mix");
                let mut y = vec![0; x.len()];
                mix(&cx, &geometry, &bytes, &mut y);
                assert_eq!(y, whole);
            }
        }
    }

    #[test]
    fn partners_that_are_not_there_are_refused() {
        for partner in [-1.0, 2.0] {
            assert_eq!(
                Mix::new(2, 1, &[0.0, 1.0, 0.0, partner, 1.0, 0.0]).unwrap_err(),
                format!("partner {partner} among 2 samples")
            );
        }
    }
}
