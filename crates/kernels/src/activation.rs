//! Activations: element-wise functions that stand between layers, each with its gradient in one pass.

use num_traits::Float;

use crate::unary::{Unary, number};
use crate::vector_math;
use crate::vector_math::reference::{normal_cdf, normal_density};

/// max(x, 0); a NaN stays. The gradient is dy where y > 0. Nair and Hinton, 2010.
#[derive(Clone, Copy)]
pub struct Relu;

impl Unary for Relu {
    const SAVES_OUTPUT: bool = true;

    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { x }
    }

    #[inline(always)]
    fn slope(self, y: f32, dy: f32) -> f32 {
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
    fn value(self, x: f32) -> f32 {
        if x > 0.0 { x } else { self.alpha as f32 * x }
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
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
    fn value(self, x: f32) -> f32 {
        let below = self.alpha as f32 * vector_math::exp_minus_one(x);
        if x > 0.0 { x } else { below }
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
        let below = self.alpha as f32 * vector_math::exp(x);
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

/// x Φ(x) with Φ the standard normal distribution function. Hendrycks and Gimpel, 2016.
#[derive(Clone, Copy)]
pub struct Gelu;

/// 1 / sqrt(2π)
const DENSITY_AT_ZERO: f32 = 0.398_942_3;

impl Unary for Gelu {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        let (cdf, _) = vector_math::normal_cdf(x);
        // -∞ · 0 is 0 here: the tail vanishes faster than any power grows.
        if x == f32::NEG_INFINITY { 0.0 } else { x * cdf }
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
        let (cdf, bell) = vector_math::normal_cdf(x);
        let bend = if bell == 0.0 {
            0.0
        } else {
            x * (bell * DENSITY_AT_ZERO)
        };
        dy * (cdf + bend)
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

/// sqrt(2/π)
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

impl Unary for GeluTanh {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        // (1 + tanh u) / 2 is sigmoid 2u, without the cancellation in the negative tail.
        let u = (2.0 * GELU_SCALE) as f32 * (x + GELU_CUBE as f32 * (x * x) * x);
        let share = vector_math::sigmoid(u);
        if share == 0.0 { 0.0 } else { x * share }
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
        let square = x * x;
        let u = (2.0 * GELU_SCALE) as f32 * (x + GELU_CUBE as f32 * square * x);
        let (share, rest) = (vector_math::sigmoid(u), vector_math::sigmoid(-u));
        let bend = x * ((2.0 * GELU_SCALE) as f32 * (1.0 + (3.0 * GELU_CUBE) as f32 * square));
        let curve = share * rest;
        dy * (share + if curve == 0.0 { 0.0 } else { bend * curve })
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
    fn value(self, x: f32) -> f32 {
        vector_math::sigmoid(x)
    }

    #[inline(always)]
    fn slope(self, y: f32, dy: f32) -> f32 {
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
    fn value(self, x: f32) -> f32 {
        vector_math::tanh(x)
    }

    #[inline(always)]
    fn slope(self, y: f32, dy: f32) -> f32 {
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
    fn value(self, x: f32) -> f32 {
        vector_math::softplus(x)
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
        dy * vector_math::sigmoid(x)
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

impl Unary for Swish {
    const SAVES_OUTPUT: bool = false;

    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        let share = vector_math::sigmoid(x);
        if share == 0.0 { 0.0 } else { x * share }
    }

    #[inline(always)]
    fn slope(self, x: f32, dy: f32) -> f32 {
        let (share, rest) = (vector_math::sigmoid(x), vector_math::sigmoid(-x));
        let curve = share * rest;
        dy * (share + if curve == 0.0 { 0.0 } else { x * curve })
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
    use crate::unary::tests::check;

    #[test]
    fn activations_agree_with_the_exact_form() {
        check("relu", Relu, 0.0);
        check("leakyRelu", LeakyRelu { alpha: 0.2 }, 1.0);
        check("elu", Elu { alpha: 1.0 }, 2.0);
        check("elu -0.5", Elu { alpha: -0.5 }, 2.0);
        check("gelu", Gelu, 5.0);
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
            let error = (f64::from(GeluTanh.value(x)) - GeluTanh.exact_value(f64::from(x))).abs();
            assert!(error <= 2.5e-7 * f64::from(x.abs()), "{x}: {error}");
        }
    }
}
