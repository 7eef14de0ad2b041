//! From one kind of number to another.

use num_traits::AsPrimitive;

use super::grain;
use crate::Exec;
use crate::simd::vectorize;

/// A number that can become a `U`.
pub trait Cast<U: Copy + 'static>: AsPrimitive<U> + Send + Sync {}

impl<T: AsPrimitive<U> + Send + Sync, U: Copy + 'static> Cast<U> for T {}

/// Floats become integers by dropping the fraction; beyond the integer's range they stop at its end, and NaN becomes 0.
/// Int32 becomes uint8 by its low 8 bits. To floats: the nearest.
pub fn cast<T: Cast<U>, U: Copy + Send + 'static>(cx: &Exec, x: &[T], y: &mut [U]) {
    assert_eq!(x.len(), y.len());
    cx.chunks_mut(y, grain::<u32>(), |start, y| {
        cast_span(cx.isa, &x[start..start + y.len()], y)
    });
}

vectorize! {
    fn cast_span[T: Cast<U>, U: Copy + 'static](x: &[T], y: &mut [U]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x.as_();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<T: Cast<U>, U: Copy + Send + PartialEq + std::fmt::Debug + 'static>(x: &[T], zero: U) -> Vec<U> {
        let mut first: Option<Vec<U>> = None;
        for cx in Exec::all_for_tests() {
            let mut y = vec![zero; x.len()];
            cast(&cx, x, &mut y);
            assert_eq!(first.get_or_insert_with(|| y.clone()), &y);
        }
        first.expect("at least one path")
    }

    #[test]
    fn values_saturate_and_round_as_documented() {
        let x = [1.9, -1.9, f32::NAN, 1e20, -1e20, 255.5, f32::INFINITY, 0.0, -0.5].repeat(5);
        let int = [1, -1, 0, i32::MAX, i32::MIN, 255, i32::MAX, 0, 0].repeat(5);
        assert_eq!(all(&x, 0i32), int);
        assert_eq!(all(&x, 0u8), [1, 0, 0, 255, 0, 255, 255, 0, 0].repeat(5));
        assert_eq!(all(&[16_777_217i32, -5], 0f32), [16_777_216.0, -5.0]);
        assert_eq!(all(&[300i32, -1, 7], 0u8), [44, 255, 7]);
        assert_eq!(all(&[1e300f64, 0.1], 0f32), [f32::INFINITY, 0.1]);
        assert_eq!(all(&[0u8, 200], 0f64), [0.0, 200.0]);
        let bytes: Vec<u8> = (0..=255).cycle().take(100_003).collect();
        let floats: Vec<f32> = bytes.iter().map(|&b| f32::from(b)).collect();
        assert_eq!(all(&bytes, 0f32), floats);
        assert_eq!(all(&floats, 0u8), bytes);
    }
}
