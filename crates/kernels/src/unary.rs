//! Functions of one number, applied to every element: the loops, and the plain ones of arithmetic.
//!
//! An op is a type with four small functions. The fast pair works on float32 and is inlined into loops that the
//! compiler vectorizes; the exact pair is generic and defines the right answer.

use num_traits::Float;

use crate::Exec;
use crate::simd::{MulAdd, vectorize};
use crate::vector_math;

/// Elements in one tile: 3 µs of memory traffic to 30 µs of arithmetic.
const GRAIN: usize = 1 << 15;

/// An element-wise function and its gradient.
pub trait Unary: Copy + Send + Sync + 'static {
    /// Whether the gradient is computed from `y` (true) or from `x` (false).
    const SAVES_OUTPUT: bool;

    /// y from x.
    fn value<M: MulAdd>(self, x: f32) -> f32;
    /// dx from what was saved and dy.
    fn slope<M: MulAdd>(self, saved: f32, dy: f32) -> f32;

    fn exact_value<T: Float>(self, x: T) -> T;
    fn exact_slope<T: Float>(self, saved: T, dy: T) -> T;
}

/// y = op(x)
pub fn forward<O: Unary>(cx: &Exec, op: O, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    cx.chunks_mut(y, GRAIN, |start, y| {
        values(cx.isa, op, &x[start..start + y.len()], y)
    });
}

/// dx = dy · op'(x), from x or y as [`Unary::SAVES_OUTPUT`] says.
pub fn backward<O: Unary>(cx: &Exec, op: O, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!(saved.len(), dx.len());
    assert_eq!(dy.len(), dx.len());
    cx.chunks_mut(dx, GRAIN, |start, dx| {
        let range = start..start + dx.len();
        slopes(cx.isa, op, &saved[range.clone()], &dy[range], dx);
    });
}

vectorize! {
    fn values<M>[O: Unary](op: O, x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = op.value::<M>(x);
        }
    }
}

vectorize! {
    fn slopes<M>[O: Unary](op: O, saved: &[f32], dy: &[f32], dx: &mut [f32]) {
        for ((dx, &saved), &dy) in dx.iter_mut().zip(saved).zip(dy) {
            *dx = op.slope::<M>(saved, dy);
        }
    }
}

/// A constant as `T`.
#[inline(always)]
pub(crate) fn number<T: Float>(value: f64) -> T {
    T::from(value).expect("a float holds it")
}

/// -x. The gradient needs nothing saved: it is [`Neg`] of dy.
#[derive(Clone, Copy)]
pub struct Neg;

impl Unary for Neg {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        -x
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, _x: f32, dy: f32) -> f32 {
        -dy
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        -x
    }

    fn exact_slope<T: Float>(self, _x: T, dy: T) -> T {
        -dy
    }
}

/// |x|, with gradient 0 at 0.
#[derive(Clone, Copy)]
pub struct Abs;

impl Unary for Abs {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        x.abs()
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let signed = if x < 0.0 { -dy } else { dy };
        if x == 0.0 { dy * 0.0 } else { signed }
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x.abs()
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        if x == T::zero() {
            dy * x.abs()
        } else if x < T::zero() {
            -dy
        } else {
            dy
        }
    }
}

/// e^x
#[derive(Clone, Copy)]
pub struct Exp;

impl Unary for Exp {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        vector_math::exp::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, y: f32, dy: f32) -> f32 {
        dy * y
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x.exp()
    }

    fn exact_slope<T: Float>(self, y: T, dy: T) -> T {
        dy * y
    }
}

/// ln x
#[derive(Clone, Copy)]
pub struct Log;

impl Unary for Log {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        vector_math::log::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        dy / x
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x.ln()
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        dy / x
    }
}

/// The square root; its gradient is infinite at 0.
#[derive(Clone, Copy)]
pub struct Sqrt;

impl Unary for Sqrt {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        x.sqrt()
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, y: f32, dy: f32) -> f32 {
        dy / (2.0 * y)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x.sqrt()
    }

    fn exact_slope<T: Float>(self, y: T, dy: T) -> T {
        dy / (y + y)
    }
}

/// x²
#[derive(Clone, Copy)]
pub struct Square;

impl Unary for Square {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        x * x
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        2.0 * (dy * x)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x * x
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        dy * x + dy * x
    }
}

/// x limited to [min, max], with gradient 1 inside and at both ends. A NaN stays.
#[derive(Clone, Copy)]
pub struct Clip {
    pub min: f64,
    pub max: f64,
}

impl Unary for Clip {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        let (min, max) = (self.min as f32, self.max as f32);
        let y = if x < min { min } else { x };
        if y > max { max } else { y }
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let inside = (x >= self.min as f32) & (x <= self.max as f32);
        if inside { dy } else { 0.0 }
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x.is_nan() {
            x
        } else {
            x.max(number(self.min)).min(number(self.max))
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        if x >= number(self.min) && x <= number(self.max) {
            dy
        } else {
            T::zero()
        }
    }
}

/// What is right, in plain loops.
pub mod reference {
    use super::{Float, Unary};

    pub fn forward<T: Float, O: Unary>(op: O, x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = op.exact_value(x);
        }
    }

    pub fn backward<T: Float, O: Unary>(op: O, saved: &[T], dy: &[T], dx: &mut [T]) {
        for ((dx, &saved), &dy) in dx.iter_mut().zip(saved).zip(dy) {
            *dx = op.exact_slope(saved, dy);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Isa;

    /// Values of every size and sign, special ones included, and where functions bend.
    pub(crate) fn samples(len: usize) -> Vec<f32> {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1e-45,
            -1e-40,
            f32::MAX,
            88.0,
        ];
        let spread = (0..).map(|i| {
            let i = i as f32;
            (i * 0.618_034).fract() * 24.0 - 12.0
        });
        special.into_iter().chain(spread).take(len).collect()
    }

    /// Checks an op on every path against the exact form in float64, and that all threads, and all paths that
    /// fuse, agree to the bit.
    /// `tolerance` is in ulp of the value.
    pub(crate) fn check<O: Unary>(name: &str, op: O, tolerance: f64) {
        for len in [0, 1, 2, 15, 16, 17, 31, 33, 1000, 2 * GRAIN + 5] {
            let x = samples(len);
            let dy: Vec<f32> = (0..len).map(|i| 0.5 + (i % 9) as f32 * 0.25).collect();
            let mut found: Vec<(bool, Vec<f32>, Vec<f32>)> = Vec::new();
            for cx in Exec::all_for_tests() {
                let mut y = vec![-7.0; len];
                let mut dx = vec![-7.0; len];
                forward(&cx, op, &x, &mut y);
                let saved = if O::SAVES_OUTPUT { &y } else { &x };
                backward(&cx, op, saved, &dy, &mut dx);
                let rounds_once = cx.isa != Isa::Scalar;
                match found.iter().find(|(fused, ..)| *fused == rounds_once) {
                    Some((_, first_y, first_dx)) => {
                        assert_same_bits(name, first_y, &y);
                        assert_same_bits(name, first_dx, &dx);
                    }
                    None => found.push((rounds_once, y, dx)),
                }
            }
            assert!(!found.is_empty());
            for (_, y, dx) in found {
                check_values(name, op, tolerance, [&x, &dy], [&y, &dx]);
            }
        }
    }

    /// Fails unless `y` and `dx` are what the exact form gives for `x` and `dy`.
    fn check_values<O: Unary>(name: &str, op: O, tolerance: f64, [x, dy]: [&[f32]; 2], [y, dx]: [&[f32]; 2]) {
        for i in 0..x.len() {
            let exact = op.exact_value(f64::from(x[i]));
            assert_near(name, x[i], y[i], exact, tolerance * 1.2e-7 * exact.abs());
            let saved = if O::SAVES_OUTPUT { y[i] } else { x[i] };
            let upstream = f64::from(dy[i]);
            let exact = op.exact_slope(f64::from(saved), upstream);
            // A gradient may be a sum that cancels.
            let scale = if tolerance > 2.0 {
                exact.abs().max(upstream)
            } else {
                exact.abs()
            };
            let allowed = tolerance * 1.2e-7 * scale;
            assert_near(&format!("{name} gradient"), x[i], dx[i], exact, allowed);
        }
    }

    fn assert_same_bits(name: &str, a: &[f32], b: &[f32]) {
        let differs = a
            .iter()
            .zip(b)
            .position(|(a, b)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()));
        assert_eq!(differs, None, "{name}");
    }

    fn assert_near(name: &str, x: f32, got: f32, exact: f64, allowed: f64) {
        let want = exact as f32;
        let same = got == want || (got.is_nan() && want.is_nan());
        let error = (f64::from(got) - exact).abs();
        // Subnormal numbers are spaced 1.4e-45, and some functions multiply them by x.
        let subnormal = 2e-45 * f64::from(x.abs().clamp(1.0, 200.0));
        assert!(
            same || error <= allowed + subnormal,
            "{name} at {x:e}: {got:e} instead of {exact:e}"
        );
    }

    #[test]
    fn arithmetic_agrees_with_the_exact_form() {
        check("neg", Neg, 0.0);
        check("abs", Abs, 0.0);
        check("exp", Exp, 1.0);
        check("log", Log, 1.0);
        check("sqrt", Sqrt, 0.5);
        check("square", Square, 0.5);
        check("clip", Clip { min: -1.0, max: 2.5 }, 0.0);
        check(
            "clip below",
            Clip {
                min: f64::NEG_INFINITY,
                max: 0.0,
            },
            0.0,
        );
    }

    #[test]
    fn gradients_at_the_bends_are_as_documented() {
        let cx = Exec::serial();
        let slope = |saved: f32, f: fn(&Exec, &[f32], &mut [f32])| {
            let mut dx = [9.0];
            f(&cx, &[saved], &mut dx);
            dx[0]
        };
        assert_eq!(slope(0.0, |cx, s, dx| backward(cx, Abs, s, &[3.0], dx)), 0.0);
        assert_eq!(
            slope(0.0, |cx, s, dx| backward(cx, Sqrt, s, &[3.0], dx)),
            f32::INFINITY
        );
        assert_eq!(
            slope(2.0, |cx, s, dx| backward(
                cx,
                Clip { min: 0.0, max: 2.0 },
                s,
                &[3.0],
                dx
            )),
            3.0
        );
    }
}
