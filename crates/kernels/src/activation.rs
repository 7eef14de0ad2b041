//! Activations: element-wise functions that stand between layers, each with its gradient in one pass.

use num_traits::Float;

use crate::simd::MulAdd;
use crate::unary::{Unary, number};
use crate::vector_math;
use crate::vector_math::reference::{normal_cdf, normal_density};

/// max(x, 0); a NaN stays. The gradient is dy where y > 0. Nair and Hinton, 2010.
#[derive(Clone, Copy)]
pub struct Relu;

impl Unary for Relu {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { x }
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, y: f32, dy: f32) -> f32 {
        if y <= 0.0 { 0.0 } else { dy }
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x <= T::zero() { T::zero() } else { x }
    }

    fn exact_slope<T: Float>(self, y: T, dy: T) -> T {
        if y <= T::zero() { T::zero() } else { dy }
    }
}

/// x where x > 0, elsewhere alpha x; slope alpha at 0. Maas, Hannun and Ng, 2013.
#[derive(Clone, Copy)]
pub struct LeakyRelu {
    pub alpha: f64,
}

impl Unary for LeakyRelu {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        if x > 0.0 { x } else { self.alpha as f32 * x }
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        if x > 0.0 { dy } else { self.alpha as f32 * dy }
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x > T::zero() {
            x
        } else {
            number::<T>(self.alpha) * x
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        if x > T::zero() {
            dy
        } else {
            number::<T>(self.alpha) * dy
        }
    }
}

/// x where x > 0, elsewhere alpha (e^x - 1). Clevert, Unterthiner and Hochreiter, 2016.
#[derive(Clone, Copy)]
pub struct Elu {
    pub alpha: f64,
}

impl Unary for Elu {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        let below = self.alpha as f32 * vector_math::exp_minus_one::<M>(x);
        if x > 0.0 { x } else { below }
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let below = self.alpha as f32 * vector_math::exp::<M>(x);
        if x > 0.0 { dy } else { dy * below }
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x > T::zero() {
            x
        } else {
            number::<T>(self.alpha) * x.exp_m1()
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        if x > T::zero() {
            dy
        } else {
            dy * (number::<T>(self.alpha) * x.exp())
        }
    }
}

/// x Φ(x) with Φ the standard normal distribution function. Hendrycks and Gimpel, 2016. 6 ulp from -1 on, 29 below.
#[derive(Clone, Copy)]
pub struct Gelu;

/// 1 / sqrt(2π)
const DENSITY_AT_ZERO: f32 = 0.398_942_3;

impl Unary for Gelu {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        // max(x, 0) - |x| Φ(-|x|), with |x| limited to where the tail vanishes: ∞ · 0 is 0 here.
        let (a, tail, _) = vector_math::normal_tail::<M>(x);
        let positive = if 0.0 > x { 0.0 } else { x };
        M::mul_add(-a, tail, positive)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let (a, tail, bell) = vector_math::normal_tail::<M>(x);
        let cdf = if x > 0.0 { 1.0 - tail } else { tail };
        dy * M::mul_add(a.copysign(x), bell * DENSITY_AT_ZERO, cdf)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x == T::neg_infinity() {
            T::zero()
        } else {
            x * normal_cdf(x)
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        let density = normal_density(x);
        let bend = if density == T::zero() {
            density
        } else {
            x * density
        };
        dy * (normal_cdf(x) + bend)
    }
}

/// 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))), the approximation of the same paper.
#[derive(Clone, Copy)]
pub struct GeluTanh;

/// Beyond it the function is 0 on the left and x on the right.
const GELU_TANH_END: f32 = 20.0;
/// sqrt(2/π)
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

impl Unary for GeluTanh {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        // (1 + tanh u) / 2 is sigmoid 2u, without the cancellation in the negative tail.
        let x = if -GELU_TANH_END > x { -GELU_TANH_END } else { x };
        x * vector_math::sigmoid::<M>(GeluTanh::twice_inner::<M>(x))
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let x = if -GELU_TANH_END > x { -GELU_TANH_END } else { x };
        let x = if GELU_TANH_END < x { GELU_TANH_END } else { x };
        let (share, rest) = vector_math::sigmoid_pair::<M>(GeluTanh::twice_inner::<M>(x));
        let slope = (2.0 * GELU_SCALE) as f32 * M::mul_add((3.0 * GELU_CUBE) as f32, x * x, 1.0);
        dy * M::mul_add(x * slope, share * rest, share)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x == T::neg_infinity() {
            T::zero()
        } else {
            x * self.share(x)
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        let share = self.share(x);
        let curve = share * self.share(-x);
        let inner = number::<T>(2.0 * GELU_SCALE) * (T::one() + number::<T>(3.0 * GELU_CUBE) * x * x);
        dy * (share
            + if curve == T::zero() {
                T::zero()
            } else {
                x * inner * curve
            })
    }
}

impl GeluTanh {
    /// 2 u
    #[inline(always)]
    fn twice_inner<M: MulAdd>(x: f32) -> f32 {
        (2.0 * GELU_SCALE) as f32 * (x * M::mul_add(GELU_CUBE as f32, x * x, 1.0))
    }

    /// (1 + tanh u) / 2
    fn share<T: Float>(self, x: T) -> T {
        let u = number::<T>(GELU_SCALE) * (x + number::<T>(GELU_CUBE) * x * x * x);
        Sigmoid.exact_value(u + u)
    }
}

/// 1 / (1 + e^-x)
#[derive(Clone, Copy)]
pub struct Sigmoid;

impl Unary for Sigmoid {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        vector_math::sigmoid::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, y: f32, dy: f32) -> f32 {
        dy * (y * (1.0 - y))
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        T::one() / (T::one() + (-x).exp())
    }

    fn exact_slope<T: Float>(self, y: T, dy: T) -> T {
        dy * (y * (T::one() - y))
    }
}

/// tanh x
#[derive(Clone, Copy)]
pub struct Tanh;

impl Unary for Tanh {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        vector_math::tanh::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, y: f32, dy: f32) -> f32 {
        // (1 - y)(1 + y) keeps what 1 - y² loses near the ends.
        dy * ((1.0 - y) * (1.0 + y))
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        x.tanh()
    }

    fn exact_slope<T: Float>(self, y: T, dy: T) -> T {
        dy * ((T::one() - y) * (T::one() + y))
    }
}

/// ln(1 + e^x)
#[derive(Clone, Copy)]
pub struct Softplus;

impl Unary for Softplus {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        vector_math::softplus::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        dy * vector_math::sigmoid::<M>(x)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x.is_nan() {
            x
        } else {
            x.max(T::zero()) + (-x.abs()).exp().ln_1p()
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        dy * Sigmoid.exact_value(x)
    }
}

/// x sigmoid(x), also called SiLU. Elfwing, Uchibe and Doya, 2018; Ramachandran, Zoph and Le, 2017.
#[derive(Clone, Copy)]
pub struct Swish;

/// Beyond it the sigmoid is 0 on the left and 1 on the right: ∞ · 0 is 0 here.
const SWISH_END: f32 = 110.0;

impl Unary for Swish {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value<M: MulAdd>(self, x: f32) -> f32 {
        let x = if -SWISH_END > x { -SWISH_END } else { x };
        x * vector_math::sigmoid::<M>(x)
    }

    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, dy: f32) -> f32 {
        let x = if -SWISH_END > x { -SWISH_END } else { x };
        let x = if SWISH_END < x { SWISH_END } else { x };
        let (share, rest) = vector_math::sigmoid_pair::<M>(x);
        dy * M::mul_add(x * share, rest, share)
    }

    fn exact_value<T: Float>(self, x: T) -> T {
        if x == T::neg_infinity() {
            T::zero()
        } else {
            x * Sigmoid.exact_value(x)
        }
    }

    fn exact_slope<T: Float>(self, x: T, dy: T) -> T {
        let (share, rest) = (Sigmoid.exact_value(x), Sigmoid.exact_value(-x));
        let curve = share * rest;
        dy * (share + if curve == T::zero() { T::zero() } else { x * curve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Fused;
    use crate::unary::tests::check;

    #[test]
    fn activations_agree_with_the_exact_form() {
        check("relu", Relu, 0.0);
        check("leakyRelu", LeakyRelu { alpha: 0.2 }, 1.0);
        check("elu", Elu { alpha: 1.0 }, 2.0);
        check("elu -0.5", Elu { alpha: -0.5 }, 2.0);
        // In the tail; six elsewhere.
        check("gelu", Gelu, 29.0);
        // The exponent of its tail is a cubic whose rounding shows.
        check("gelu tanh", GeluTanh, 250.0);
        check("sigmoid", Sigmoid, 2.5);
        check("tanh", Tanh, 2.5);
        check("softplus", Softplus, 2.5);
        check("swish", Swish, 5.0);
    }

    #[test]
    fn the_tanh_form_of_gelu_is_as_close_where_it_matters() {
        for i in -4000..4000 {
            let x = i as f32 * 1e-3;
            let error = (f64::from(GeluTanh.value::<Fused>(x)) - GeluTanh.exact_value(f64::from(x))).abs();
            assert!(error <= 2.5e-7 * f64::from(x.abs()), "{x}: {error}");
        }
    }

    #[test]
    fn gelu_keeps_its_relative_precision_in_the_tail() {
        for (low, high, bound) in [(-1.0, 20.0, 6.0), (-2.0, -1.0, 8.0), (-14.0, -2.0, 29.0)] {
            for i in 1..100_000 {
                let x = (low + (high - low) * f64::from(i) * 1e-5) as f32;
                let exact = Gelu.exact_value(f64::from(x));
                let ulp = 2f64.powf(exact.abs().log2().floor().max(-126.0) - 23.0);
                let error = (f64::from(Gelu.value::<Fused>(x)) - exact).abs();
                assert!(error <= bound * ulp, "{x}: {} ulp", error / ulp);
            }
        }
    }
}
