//! Dropout (Srivastava and others, 2014), inverted: what is kept is scaled up, so inference needs nothing.
//!
//! Whether element `i` is dropped depends on the seed and `i` alone, so no mask is stored: the backward pass runs
//! the same kernel on the gradient.

use crate::Exec;
use crate::random::{BLOCK, bits_block};
use crate::simd::vectorize;

/// Elements of one tile: some 10 µs of random bits; whole blocks of them.
const TILE: usize = 512 * BLOCK;

/// What to drop and how to scale the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    seed: u64,
    /// Elements whose 32 random bits are below this are dropped.
    threshold: u32,
    scale: f64,
}

impl Mask {
    /// Drops each element with probability `rate`, from 0 up to but not 1.
    pub fn new(seed: u64, rate: f64) -> Result<Mask, String> {
        if !(0.0..1.0).contains(&rate) {
            return Err(format!("the rate must be from 0 up to 1, not {rate}"));
        }
        Ok(Mask {
            seed,
            // Saturates: a rate a hair below 1 keeps one element in 2³².
            threshold: (rate * 4_294_967_296.0).round() as u32,
            scale: 1.0 / (1.0 - rate),
        })
    }
}

vectorize! {
    fn drop_some[](seed: u64, threshold: u32, scale: f32, first: u64, x: &[f32], y: &mut [f32]) {
        for (block, (x, y)) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)).enumerate() {
            let bits = bits_block(seed, first + block as u64, 0);
            for ((y, x), bits) in y.iter_mut().zip(x).zip(&bits) {
                *y = if *bits < threshold { 0.0 } else { x * scale };
            }
        }
    }
}

/// y = 0 where dropped, x / (1 − rate) elsewhere. The gradient is the same of dy.
pub fn dropout(cx: &Exec, mask: Mask, x: &[f32], y: &mut [f32]) {
    cx.chunks_mut(y, TILE, |start, y| {
        let x = &x[start..start + y.len()];
        let first = (start / BLOCK) as u64;
        drop_some(cx.isa, mask.seed, mask.threshold, mask.scale as f32, first, x, y);
    });
}

pub mod reference {
    //! Dropout one element at a time.

    use num_traits::Float;

    use super::Mask;
    use crate::random::bits_at;

    pub fn dropout<T: Float>(mask: Mask, x: &[T], y: &mut [T]) {
        let scale = T::from(mask.scale).expect("every float type holds a rounded double");
        for (index, (y, &x)) in y.iter_mut().zip(x).enumerate() {
            let dropped = bits_at(mask.seed, index as u64) < mask.threshold;
            *y = if dropped { T::zero() } else { x * scale };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{assert_same_bits, uniform};

    #[test]
    fn agrees_with_the_reference_on_every_path_and_team() {
        for len in [0, 1, 15, 63, 64, 65, 1000, 70_000] {
            let x = uniform(1, len, -1.0, 1.0);
            for rate in [0.0, 0.25, 0.999] {
                let mask = Mask::new(42, rate).unwrap();
                let mut expected = vec![f32::NAN; len];
                reference::dropout(mask, &x, &mut expected);
                for cx in Exec::all_for_tests() {
                    let mut y = vec![f32::NAN; len];
                    dropout(&cx, mask, &x, &mut y);
                    assert_same_bits(&y, &expected, "dropout");
                }
            }
        }
    }

    #[test]
    fn the_share_and_the_mean_are_right_and_seeds_differ() {
        let cx = Exec::serial();
        let x = vec![1.0; 1_000_000];
        let mut first = vec![0.0; x.len()];
        for (seed, rate) in [(1, 0.1), (2, 0.5), (3, 0.75)] {
            let mut y = vec![0.0; x.len()];
            dropout(&cx, Mask::new(seed, rate).unwrap(), &x, &mut y);
            let dropped = y.iter().filter(|&&v| v == 0.0).count() as f64 / 1e6;
            assert!((dropped - rate).abs() < 0.002, "{dropped} for {rate}");
            let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e6;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
            assert_ne!(y, first);
            first = y;
        }
    }

    #[test]
    fn what_is_dropped_is_zero_whatever_it_was() {
        let cx = Exec::serial();
        let mask = Mask::new(7, 0.5).unwrap();
        let mut y = [1.0; 100];
        dropout(&cx, mask, &[f32::NAN; 100], &mut y);
        let dropped = y.iter().filter(|v| **v == 0.0).count();
        assert!(dropped > 20 && y.iter().filter(|v| v.is_nan()).count() == 100 - dropped);
    }

    #[test]
    fn rates_outside_are_refused() {
        for rate in [1.0, -0.1, 1.5, f64::NAN] {
            assert_eq!(
                Mask::new(0, rate).unwrap_err(),
                format!("the rate must be from 0 up to 1, not {rate}")
            );
        }
        let nearly = Mask::new(0, 1.0 - f64::EPSILON).unwrap();
        assert_eq!(nearly.threshold, u32::MAX);
    }
}
