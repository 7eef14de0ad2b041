//! Elementary functions on float32 lanes, written without branches so that loops over them vectorize.
//!
//! Only additions, multiplications, divisions and square roots of IEEE 754 are used, never a fused multiply-add
//! and never the platform's libm: the bits are the same on every instruction set. Each function states its
//! largest error in ulp, measured against float64 over the whole range of arguments.
//!
//! Polynomials are Chebyshev fits made for this file; the range reductions follow Cody and Waite, "Software
//! Manual for the Elementary Functions" (1980).

use std::f32::consts::LN_2;

/// Adding and subtracting it rounds a float32 below 2^22 to the nearest integer.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has 9 bits, so multiples of it up to 2^15 are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `2^n` for `n` in -126..=127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// `e^r - 1` for `r` in [-ln 2 / 2, ln 2 / 2].
#[inline(always)]
fn exp_tail(r: f32) -> f32 {
    let p = 0.001_392_632_6 * r + 0.008_363_293;
    let p = p * r + 0.041_666_552;
    let p = p * r + 0.166_665_76;
    let p = p * r + 0.5;
    p * (r * r) + r
}

/// `x + low = n ln 2 + r`; returns `n` and `e^r - 1`.
#[inline(always)]
fn reduce(x: f32, low: f32) -> (i32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = ((x - n * LN2_HIGH) - n * LN2_LOW) + low;
    let n = (shifted.to_bits() as i32) - (ROUND.to_bits() as i32);
    (n, exp_tail(r))
}

/// `e^(x + low)` where `low` is small beside `x`: keeps what `x` alone cannot hold. 1.1 ulp.
#[inline(always)]
pub fn exp_sum(x: f32, low: f32) -> f32 {
    // Beyond these the result is infinite or rounds to 0. A NaN fails both comparisons and stays.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.5 { -104.5 } else { x };
    let (n, q) = reduce(x, low);
    // Two factors, because 2^n alone may overflow or be subnormal while the product is not.
    let half = n >> 1;
    ((1.0 + q) * power_of_two(half)) * power_of_two(n - half)
}

/// `e^x`. 1.1 ulp, subnormal results included.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp_sum(x, 0.0)
}

/// `e^x` for `x` at most 0, in half the instructions: 0 where the result would be subnormal. 1.1 ulp elsewhere.
#[inline(always)]
pub fn exp_below_zero(x: f32) -> f32 {
    /// ln 2^-126.
    const LEAST: f32 = -87.336_54;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let y = 1.0 + exp_tail((x - n * LN2_HIGH) - n * LN2_LOW);
    // The low bits of `shifted` are n: added to the exponent they multiply by 2^n.
    let y = f32::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 23));
    let y = if x < LEAST { 0.0 } else { y };
    if x.is_nan() { x } else { y }
}

/// `e^x - 1` for `x` at most 88, accurate near 0. 2 ulp.
#[inline(always)]
pub fn exp_minus_one(x: f32) -> f32 {
    let x = if x > 88.0 { 88.0 } else { x };
    let clamped = if x < -40.0 { -40.0 } else { x };
    let (n, q) = reduce(clamped, 0.0);
    let scale = power_of_two(n);
    let y = q * scale + (scale - 1.0);
    // The reduction loses the sign of -0.
    if x == 0.0 { x } else { y }
}

/// `ln(1 + f)` for `f` in [1/sqrt 2 - 1, sqrt 2 - 1], as a part that still misses `f`.
#[inline(always)]
fn log_tail(f: f32) -> f32 {
    let p = 0.069_713_466 * f - 0.114_830_814;
    let p = p * f + 0.116_870_25;
    let p = p * f - 0.124_253_6;
    let p = p * f + 0.142_488_76;
    let p = p * f - 0.166_678_1;
    let p = p * f + 0.200_007_2;
    let p = p * f - 0.249_999_97;
    let p = p * f + 0.333_333_3;
    let square = f * f;
    p * f * square
}

/// `ln x`; -Infinity at 0, NaN below. 1 ulp.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 8_388_608.0 } else { x };
    let offset = if subnormal { -23 } else { 0 };
    let bits = (scaled.to_bits() as i32).wrapping_sub(SQRT_HALF);
    let e = ((bits >> 23) + offset) as f32;
    let f = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF) as u32) - 1.0;
    let tail = (log_tail(f) + e * LN2_LOW) - 0.5 * (f * f);
    let y = (f + tail) + e * LN2_HIGH;
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// `ln(1 + x)` for `x` in [0, 1]. 1.5 ulp.
#[inline(always)]
pub fn log_one_plus_unit(x: f32) -> f32 {
    let upper = x > 0.414_213_56;
    let f = if upper { 0.5 * x - 0.5 } else { x };
    let base = if upper { LN_2 } else { 0.0 };
    base + (f + (log_tail(f) - 0.5 * (f * f)))
}

/// `tanh x`. 2.6 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let double = 2.0 * x.abs();
    // From 18.1 on the result rounds to 1; a NaN stays.
    let double = if double > 20.0 { 20.0 } else { double };
    let e = exp_minus_one(double);
    (e / (e + 2.0)).copysign(x)
}

/// `1 / (1 + e^-x)`. 2.5 ulp, in the far negative tail too.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// `ln(1 + e^x)`. 2 ulp.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + log_one_plus_unit(exp(-x.abs()))
}

/// The standard normal distribution's cumulative probability and `e^(-x²/2)`. 5 and 1.8 ulp, in the far
/// tails too.
///
/// For `a = |x|`, `P(X < -a) = e^(-a²/2) t p(1 - t)` with `t = 1 / (1 + 0.4 a)`.
#[inline(always)]
pub fn normal_cdf(x: f32) -> (f32, f32) {
    let a = x.abs();
    // e^(-15²/2) rounds to 0.
    let a = if a > 15.0 { 15.0 } else { a };
    // a² in two parts: rounding it would cost a²/2 ulp of the exponential.
    let high = f32::from_bits(a.to_bits() & 0xffff_f000);
    let bell = exp_sum(-0.5 * (high * high), -0.5 * ((a - high) * (a + high)));
    let scaled = 0.4 * a;
    let t = 1.0 / (1.0 + scaled);
    let u = scaled * t;
    let p = 0.114_320_73 - 0.032_563_258 * u;
    let p = p * u - 0.129_189_91;
    let p = p * u + 0.058_521_017;
    let p = p * u - 0.061_601_665;
    let p = p * u + 0.022_943_432;
    let p = p * u + 0.116_649_3;
    let p = p * u + 0.067_852_8;
    let p = p * u - 0.497_357_34;
    let p = p * u + 0.5;
    let tail = bell * (t * p);
    (if x > 0.0 { 1.0 - tail } else { tail }, bell)
}

/// `x^y` with the special cases of IEEE 754 (`x^0 = 1`, `1^y = 1`, a negative base only with an integer exponent).
/// Computed in float64: half an ulp.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    let base = x.abs();
    let exponent = f64::from(y) * log2_wide(f64::from(base));
    // 0 times infinity: the base is 1, or the exponent 0.
    let exponent = if base == 1.0 || y == 0.0 { 0.0 } else { exponent };
    let size = exp2_wide(exponent) as f32;
    let magnitude = y.abs();
    // Float32 values from 2^23 on are integers, from 2^24 on even ones.
    let whole = magnitude >= 8_388_608.0 || round_small(magnitude) == magnitude;
    let half = 0.5 * magnitude;
    let odd = whole && magnitude < 16_777_216.0 && round_small(half) != half;
    let negative = x.is_sign_negative() && !x.is_nan();
    let signed = if negative && odd { -size } else { size };
    let undefined = x < 0.0 && base < f32::INFINITY && !whole;
    let result = if undefined { f32::NAN } else { signed };
    // A NaN on either side gives NaN, but for x^0 and 1^y.
    let unordered = x.is_nan() || y.is_nan();
    let one = y == 0.0 || x == 1.0;
    if one {
        1.0
    } else if unordered {
        f32::NAN
    } else {
        result
    }
}

/// Rounds a non-negative float32 below 2^23 to an integer.
#[inline(always)]
fn round_small(x: f32) -> f32 {
    (x + 8_388_608.0) - 8_388_608.0
}

/// `log2 x` for non-negative float32 values held in float64, to a relative 1e-13.
#[inline(always)]
fn log2_wide(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    // 2^52 + n has n in its low bits: reads the exponent as a float without an integer conversion.
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(1023 << 52);
    let e = f64::from_bits((bits >> 52) | SHIFT.to_bits()) - (SHIFT + 1023.0);
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let p = 0.242_938_246_063_263_22 * z + 0.261_442_455_571_365_5;
    let p = p * z + 0.320_616_442_124_484_6;
    let p = p * z + 0.412_198_401_306_843_4;
    let p = p * z + 0.577_078_017_250_872_9;
    let p = p * z + 0.961_796_693_924_324_5;
    let p = p * z + 2.885_390_081_777_927;
    let y = e + p * s;
    let y = if x < f64::INFINITY { y } else { x };
    if x == 0.0 { f64::NEG_INFINITY } else { y }
}

/// `2^x` to a relative 1e-12, saturating far beyond float32's range.
#[inline(always)]
fn exp2_wide(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = if x > 300.0 { 300.0 } else { x };
    let x = if x < -300.0 { -300.0 } else { x };
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    let p = 1.325_522_487_866_881_7e-6 * r + 1.531_007_940_224_929_6e-5;
    let p = p * r + 1.540_345_555_245_385_3e-4;
    let p = p * r + 1.333_345_056_800_064_5e-3;
    let p = p * r + 9.618_129_159_402_558e-3;
    let p = p * r + 0.055_504_109_412_059_33;
    let p = p * r + 0.240_226_506_958_129_9;
    let p = p * r + 0.693_147_180_545_933_5;
    let p = p * r + 1.0;
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    p * f64::from_bits(n.wrapping_add(1023) << 52)
}

pub mod reference {
    //! What the standard library lacks.

    use num_traits::Float;

    /// The probability that a standard normal variable is below `x`.
    ///
    /// Near 0 by the series `1/2 + density(x) (x + x³/3 + x⁵/(3·5) + ...)`, in the tails by the continued fraction
    /// `density(x) / (x + 1/(x + 2/(x + 3/(x + ...))))` (Abramowitz and Stegun, 1964, 26.2.11 and 26.2.14).
    pub fn normal_cdf<T: Float>(x: T) -> T {
        let number = |v: f64| T::from(v).expect("a float holds it");
        let a = x.abs();
        let density = normal_density(a);
        if a < number(4.0) {
            let mut term = x;
            let mut sum = x;
            for n in 1..120 {
                term = term * x * x / number(f64::from(2 * n + 1));
                sum = sum + term;
            }
            return number(0.5) + density * sum;
        }
        if density == T::zero() {
            return if x < T::zero() { T::zero() } else { T::one() };
        }
        let fraction = (1..200).rev().fold(a, |f, n| a + number(f64::from(n)) / f);
        let tail = density / fraction;
        if x < T::zero() { tail } else { T::one() - tail }
    }

    /// `e^(-x²/2) / sqrt(2π)`
    pub fn normal_density<T: Float>(x: T) -> T {
        let number = |v: f64| T::from(v).expect("a float holds it");
        (number(-0.5) * x * x).exp() * number(0.398_942_280_401_432_7)
    }
}

#[cfg(test)]
mod tests;
