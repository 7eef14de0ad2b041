//! The functions of two numbers that ops are made of.

use num_traits::Float;

use super::Binary;
use crate::simd::Separate;
use crate::vector_math;

/// a + b
#[derive(Clone, Copy)]
pub struct Add;

impl Binary for Add {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, _a: f32, _b: f32) -> f32 {
        dy
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, _a: f32, _b: f32) -> f32 {
        dy
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        a + b
    }

    fn exact_slope_a<T: Float>(self, dy: T, _a: T, _b: T) -> T {
        dy
    }

    fn exact_slope_b<T: Float>(self, dy: T, _a: T, _b: T) -> T {
        dy
    }
}

/// a - b
#[derive(Clone, Copy)]
pub struct Sub;

impl Binary for Sub {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, _a: f32, _b: f32) -> f32 {
        dy
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, _a: f32, _b: f32) -> f32 {
        -dy
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        a - b
    }

    fn exact_slope_a<T: Float>(self, dy: T, _a: T, _b: T) -> T {
        dy
    }

    fn exact_slope_b<T: Float>(self, dy: T, _a: T, _b: T) -> T {
        -dy
    }
}

/// a b
#[derive(Clone, Copy)]
pub struct Mul;

impl Binary for Mul {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, _a: f32, b: f32) -> f32 {
        dy * b
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, a: f32, _b: f32) -> f32 {
        dy * a
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        a * b
    }

    fn exact_slope_a<T: Float>(self, dy: T, _a: T, b: T) -> T {
        dy * b
    }

    fn exact_slope_b<T: Float>(self, dy: T, a: T, _b: T) -> T {
        dy * a
    }
}

/// a / b
#[derive(Clone, Copy)]
pub struct Div;

impl Binary for Div {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        a / b
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, _a: f32, b: f32) -> f32 {
        dy / b
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, a: f32, b: f32) -> f32 {
        -dy * ((a / b) / b)
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        a / b
    }

    fn exact_slope_a<T: Float>(self, dy: T, _a: T, b: T) -> T {
        dy / b
    }

    fn exact_slope_b<T: Float>(self, dy: T, a: T, b: T) -> T {
        -dy * ((a / b) / b)
    }
}

/// a^b. Where the formula is 0 times infinity at a = 0 or b = 0 the gradient is 0.
#[derive(Clone, Copy)]
pub struct Pow;

impl Binary for Pow {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        vector_math::pow(a, b)
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, a: f32, b: f32) -> f32 {
        let slope = dy * (b * vector_math::pow(a, b - 1.0));
        if b == 0.0 { 0.0 } else { slope }
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, a: f32, b: f32) -> f32 {
        let slope = dy * (vector_math::pow(a, b) * vector_math::log::<Separate>(a));
        if (a == 0.0) & (b >= 0.0) { 0.0 } else { slope }
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        a.powf(b)
    }

    fn exact_slope_a<T: Float>(self, dy: T, a: T, b: T) -> T {
        if b == T::zero() {
            T::zero()
        } else {
            dy * (b * a.powf(b - T::one()))
        }
    }

    fn exact_slope_b<T: Float>(self, dy: T, a: T, b: T) -> T {
        if a == T::zero() && b >= T::zero() {
            T::zero()
        } else {
            dy * (a.powf(b) * a.ln())
        }
    }
}

/// The larger of a and b, NaN if either is. The gradient goes to the larger, in halves to both where they are equal.
#[derive(Clone, Copy)]
pub struct Maximum;

impl Binary for Maximum {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        // A NaN in b fails the comparison and is taken; one in a is put back.
        let larger = if a > b { a } else { b };
        if a.is_nan() { a } else { larger }
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, a: f32, b: f32) -> f32 {
        share(dy, a > b, a == b)
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, a: f32, b: f32) -> f32 {
        share(dy, b > a, a == b)
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        if a.is_nan() || a > b { a } else { b }
    }

    fn exact_slope_a<T: Float>(self, dy: T, a: T, b: T) -> T {
        share(dy, a > b, a == b)
    }

    fn exact_slope_b<T: Float>(self, dy: T, a: T, b: T) -> T {
        share(dy, b > a, a == b)
    }
}

/// The smaller of a and b, NaN if either is. The gradient goes to the smaller, in halves to both where they are equal.
#[derive(Clone, Copy)]
pub struct Minimum;

impl Binary for Minimum {
    #[inline(always)]
    fn value(self, a: f32, b: f32) -> f32 {
        let smaller = if a < b { a } else { b };
        if a.is_nan() { a } else { smaller }
    }

    #[inline(always)]
    fn slope_a(self, dy: f32, a: f32, b: f32) -> f32 {
        share(dy, a < b, a == b)
    }

    #[inline(always)]
    fn slope_b(self, dy: f32, a: f32, b: f32) -> f32 {
        share(dy, b < a, a == b)
    }

    fn exact_value<T: Float>(self, a: T, b: T) -> T {
        if a.is_nan() || a < b { a } else { b }
    }

    fn exact_slope_a<T: Float>(self, dy: T, a: T, b: T) -> T {
        share(dy, a < b, a == b)
    }

    fn exact_slope_b<T: Float>(self, dy: T, a: T, b: T) -> T {
        share(dy, b < a, a == b)
    }
}

/// All, half or nothing of dy.
#[inline(always)]
fn share<T: Float>(dy: T, chosen: bool, tie: bool) -> T {
    let two = T::one() + T::one();
    let all = if chosen { dy } else { T::zero() };
    if tie { dy / two } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exec;
    use crate::broadcast::Broadcast;
    use crate::elementwise::{Side, backward, forward, reference};

    /// Pairs of shapes: equal, scalar, trailing, leading, in the middle, both ways, empty.
    const SHAPES: [(&[usize], &[usize]); 13] = [
        (&[], &[]),
        (&[7, 33], &[7, 33]),
        (&[300, 300], &[1, 1]),
        (&[1], &[129]),
        (&[2000, 3], &[1, 3]),
        (&[1, 1, 64], &[200, 10, 64]),
        (&[517, 100], &[1, 100]),
        (&[37, 1], &[37, 19]),
        (&[3, 4, 5], &[3, 1, 5]),
        (&[3, 1, 5, 1], &[1, 4, 1, 6]),
        (&[1, 70_001], &[2, 1]),
        (&[0, 3], &[1, 3]),
        (&[2, 3, 1], &[1, 1, 0]),
    ];

    fn check<O: Binary>(name: &str, op: O, tolerance: f64) {
        for (a_shape, b_shape) in SHAPES {
            let geometry = Broadcast::new(a_shape, b_shape).unwrap();
            let values = |len: usize, step: f32| -> Vec<f32> {
                let odd = [0.0, -0.0, 1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
                let spread = (0..).map(|i| (i as f32 * step).fract() * 8.0 - 3.0);
                odd.into_iter()
                    .cycle()
                    .take(if len > 50 { 17 } else { 0 })
                    .chain(spread)
                    .take(len)
                    .collect()
            };
            let (a, b) = (values(geometry.a_len, 0.618_034), values(geometry.b_len, 0.25));
            let dy: Vec<f32> = (0..geometry.len).map(|i| (i % 13) as f32 * 0.5 - 2.0).collect();
            let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
            let (wide_a, wide_b, wide_dy) = (wide(&a), wide(&b), wide(&dy));
            let mut exact = vec![vec![0.0; geometry.len]; 3];
            reference::forward(op, &geometry, &wide_a, &wide_b, &mut exact[0]);
            for (side, exact) in [Side::A, Side::B].into_iter().zip(&mut exact[1..]) {
                reference::backward(op, side, &geometry, &wide_dy, [&wide_a, &wide_b], exact);
            }
            for cx in Exec::all_for_tests() {
                let mut got = vec![vec![-9.0; geometry.len]; 3];
                forward(&cx, op, &geometry, &a, &b, &mut got[0]);
                backward(&cx, op, Side::A, &geometry, &dy, [&a, &b], &mut got[1]);
                backward(&cx, op, Side::B, &geometry, &dy, [&a, &b], &mut got[2]);
                for (what, (got, exact)) in ["value", "slope a", "slope b"].iter().zip(got.iter().zip(&exact))
                {
                    for (i, (&got, &exact)) in got.iter().zip(exact).enumerate() {
                        let want = exact as f32;
                        let same = got == want || (got.is_nan() && want.is_nan());
                        let error = (f64::from(got) - exact).abs();
                        let (ai, bi) = geometry.operands(i);
                        assert!(
                            same || error <= tolerance * 6e-8 * exact.abs(),
                            "{name} {what} of {} and {}: {got} instead of {exact} ({a_shape:?} {b_shape:?} {:?})",
                            a[ai],
                            b[bi],
                            cx.isa
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_op_agrees_with_the_exact_form() {
        check("add", Add, 0.0);
        check("sub", Sub, 0.0);
        check("mul", Mul, 0.0);
        check("div", Div, 4.0);
        check("pow", Pow, 6.0);
        check("maximum", Maximum, 0.0);
        check("minimum", Minimum, 0.0);
    }

    #[test]
    fn ties_share_the_gradient_and_powers_of_zero_have_none() {
        let cx = Exec::serial();
        let geometry = Broadcast::from_lengths(1, 1).unwrap();
        let slope = |backward_of: &dyn Fn(&mut [f32])| {
            let mut d = [9.0];
            backward_of(&mut d);
            d[0]
        };
        for side in [Side::A, Side::B] {
            assert_eq!(
                slope(&|d| backward(&cx, Maximum, side, &geometry, &[3.0], [&[2.0], &[2.0]], d)),
                1.5
            );
            assert_eq!(
                slope(&|d| backward(&cx, Minimum, side, &geometry, &[3.0], [&[2.0], &[2.0]], d)),
                1.5
            );
            assert_eq!(
                slope(&|d| backward(&cx, Pow, side, &geometry, &[3.0], [&[0.0], &[0.0]], d)),
                0.0
            );
        }
        assert_eq!(
            slope(&|d| backward(&cx, Pow, Side::A, &geometry, &[1.0], [&[0.0], &[2.0]], d)),
            0.0
        );
        assert_eq!(
            slope(&|d| backward(&cx, Pow, Side::A, &geometry, &[1.0], [&[-3.0], &[2.0]], d)),
            -6.0
        );
    }
}
