//! Elementary functions on float32 lanes, written without branches so that loops over them vectorize.
//!
//! Only additions, multiplications, fused multiply-adds, divisions and square roots of IEEE 754 are used, never the
//! platform's libm. The bits are the same on every instruction set that fuses; one that does not
//! ([`Separate`](crate::simd::Separate)) rounds once more here and there. Each function states its largest error in
//! ulp, measured against float64 over the whole range of arguments, for both.
//!
//! Polynomials are fits made for this file: of exponential and normal distribution minimax ones by `vector_math/fit.py`,
//! of logarithms and powers Chebyshev's. The range reductions follow Cody and Waite, "Software Manual for the Elementary
//! Functions" (1980).
//!
//! Limits are written `if limit < x { limit } else { x }`: one instruction, and a NaN stays.

use std::f32::consts::{LN_2, LOG2_E};

use crate::simd::MulAdd;

/// Adding and subtracting it rounds a float32 below 2^22 to the nearest integer, whose low bits are those of the sum.
const ROUND: f32 = 12_582_912.0;
/// As [`ROUND`]; the low bits are n + 127, so that shifted into the exponent they make 2^n.
const ROUND_BIASED: f32 = ROUND + 127.0;
/// ln 2 in two parts; the first has 9 bits, so multiples of it up to 2^15 are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// The parts of `e^(unit x) = 2^n e^(unit r)`: `round + n`, whose low bits are those of `n`, and `r`. `unit` is a power
/// of two or minus one: a factor of constants alone.
#[inline(always)]
fn reduce<M: MulAdd>(x: f32, unit: f32, round: f32) -> (f32, f32) {
    let shifted = M::mul_add(x, unit * LOG2_E, round);
    let n = shifted - round;
    let r = M::mul_add(n, -LN2_LOW / unit, M::mul_add(n, -LN2_HIGH / unit, x));
    (shifted, r)
}

/// `(e^(unit r) - 1 - unit r) / r²` for `unit r` in [-ln 2 / 2, ln 2 / 2].
#[inline(always)]
fn exp_curve<M: MulAdd>(r: f32, unit: f32) -> f32 {
    let square = unit * unit;
    let p = M::mul_add(
        0.001_382_013_8 * square * square * square,
        r,
        0.008_368_686 * square * square * unit,
    );
    let p = M::mul_add(p, r, 0.041_668_274 * square * square);
    let p = M::mul_add(p, r, 0.166_665_21 * square * unit);
    M::mul_add(p, r, 0.499_999_94 * square)
}

/// `e^(unit r)` for `unit r` in [-ln 2 / 2, ln 2 / 2].
#[inline(always)]
fn exp_core<M: MulAdd>(r: f32, unit: f32) -> f32 {
    M::mul_add(M::mul_add(exp_curve::<M>(r, unit), r, unit), r, 1.0)
}

/// `2^n` from the sum of [`ROUND_BIASED`] and `n` in -127..=127; 0 for -127.
#[inline(always)]
fn power_of_two(shifted: f32) -> f32 {
    f32::from_bits(shifted.to_bits() << 23)
}

/// `e^x`. 0.9 ulp (1.2 without fused multiply-adds), subnormal results included.
#[inline(always)]
pub fn exp<M: MulAdd>(x: f32) -> f32 {
    // Beyond these the result is infinite or rounds to 0.
    let x = if 89.0 < x { 89.0 } else { x };
    let x = if -104.5 > x { -104.5 } else { x };
    let (shifted, r) = reduce::<M>(x, 1.0, ROUND + 254.0);
    // Two factors, because 2^n alone may overflow or be subnormal while the product is not.
    let bits = shifted.to_bits();
    let half = bits >> 1;
    let rest = bits.wrapping_sub(half);
    exp_core::<M>(r, 1.0) * f32::from_bits(half << 23) * f32::from_bits(rest << 23)
}

/// `e^x` for `x` at most 0, in fewer instructions: 0 below about 2^-126.5. As near as [`exp`] elsewhere.
#[inline(always)]
pub fn exp_below_zero<M: MulAdd>(x: f32) -> f32 {
    // Here the power of two is 0.
    let x = if -88.0 > x { -88.0 } else { x };
    let (shifted, r) = reduce::<M>(x, 1.0, ROUND_BIASED);
    exp_core::<M>(r, 1.0) * power_of_two(shifted)
}

/// `e^-|x|`, as near as [`exp`], subnormal results included.
#[inline(always)]
pub fn exp_minus_size<M: MulAdd>(x: f32) -> f32 {
    let a = x.abs();
    let a = if 104.5 < a { 104.5 } else { a };
    let (shifted, r) = reduce::<M>(a, -1.0, ROUND_BIASED + RAISED);
    exp_core::<M>(r, -1.0) * power_of_two(shifted) * LOWER
}

/// By how much an exponent is raised to keep a power of two above 2^-126 until all else is multiplied, and the factor
/// that lowers it again.
const RAISED: f32 = 24.0;
const LOWER: f32 = 1.0 / (1 << 24) as f32;

/// `e^x - 1` for `x` at most 88, accurate near 0. 1.5 ulp.
#[inline(always)]
pub fn exp_minus_one<M: MulAdd>(x: f32) -> f32 {
    let limited = if 88.0 < x { 88.0 } else { x };
    let limited = if -40.0 > limited { -40.0 } else { limited };
    let y = exp_minus_one_limited::<M>(limited, 1.0);
    // The reduction loses the sign of -0.
    if x == 0.0 { x } else { y }
}

/// `e^(unit x) - 1` for `unit x` from -87 to 88.
#[inline(always)]
fn exp_minus_one_limited<M: MulAdd>(x: f32, unit: f32) -> f32 {
    let (shifted, r) = reduce::<M>(x, unit, ROUND_BIASED);
    let q = M::mul_add(exp_curve::<M>(r, unit), r * r, unit * r);
    let scale = power_of_two(shifted);
    M::mul_add(q, scale, scale - 1.0)
}

/// `ln(1 + f)` for `f` in [1/sqrt 2 - 1, sqrt 2 - 1], as a part that still misses `f`.
#[inline(always)]
fn log_tail<M: MulAdd>(f: f32) -> f32 {
    let p = M::mul_add(0.069_713_466, f, -0.114_830_814);
    let p = M::mul_add(p, f, 0.116_870_25);
    let p = M::mul_add(p, f, -0.124_253_6);
    let p = M::mul_add(p, f, 0.142_488_76);
    let p = M::mul_add(p, f, -0.166_678_1);
    let p = M::mul_add(p, f, 0.200_007_2);
    let p = M::mul_add(p, f, -0.249_999_97);
    let p = M::mul_add(p, f, 0.333_333_3);
    let square = f * f;
    p * f * square
}

/// `ln x`; -Infinity at 0, NaN below. 0.8 ulp.
#[inline(always)]
pub fn log<M: MulAdd>(x: f32) -> f32 {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * 8_388_608.0 } else { x };
    let offset = if subnormal { -23 } else { 0 };
    let bits = (scaled.to_bits() as i32).wrapping_sub(SQRT_HALF);
    let e = ((bits >> 23) + offset) as f32;
    let f = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF) as u32) - 1.0;
    let tail = M::mul_add(-0.5 * f, f, M::mul_add(e, LN2_LOW, log_tail::<M>(f)));
    let y = M::mul_add(e, LN2_HIGH, f + tail);
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// `ln(1 + x)` for `x` in [0, 1]. 1.4 ulp.
#[inline(always)]
pub fn log_one_plus_unit<M: MulAdd>(x: f32) -> f32 {
    let upper = x > 0.414_213_56;
    let f = if upper { M::mul_add(0.5, x, -0.5) } else { x };
    let base = if upper { LN_2 } else { 0.0 };
    base + (f + M::mul_add(-0.5 * f, f, log_tail::<M>(f)))
}

/// `tanh x`. 2.5 ulp.
#[inline(always)]
pub fn tanh<M: MulAdd>(x: f32) -> f32 {
    let a = x.abs();
    // From 9.01 on the result rounds to 1.
    let a = if 10.0 < a { 10.0 } else { a };
    let e = exp_minus_one_limited::<M>(a, -2.0);
    (e / (-2.0 - e)).copysign(x)
}

/// What both sides of the fraction of [`logistic`] are multiplied by, so that neither overflows.
const LOGISTIC_SCALE: f32 = 1.0 / (1 << 30) as f32;

/// `e^-x` and `1 + e^-x`, times [`LOGISTIC_SCALE`].
#[inline(always)]
fn logistic<M: MulAdd>(x: f32) -> (f32, f32) {
    // Above, 1 + e^-x is 1; below, 1 / e^-x rounds to 0.
    let x = if 66.0 < x { 66.0 } else { x };
    let x = if -104.5 > x { -104.5 } else { x };
    let (shifted, r) = reduce::<M>(x, -1.0, ROUND_BIASED - 30.0);
    let (y, scale) = (exp_core::<M>(r, -1.0), power_of_two(shifted));
    (y * scale, M::mul_add(y, scale, LOGISTIC_SCALE))
}

/// `1 / (1 + e^-x)`. 2.1 ulp, in the far negative tail too.
#[inline(always)]
pub fn sigmoid<M: MulAdd>(x: f32) -> f32 {
    LOGISTIC_SCALE / logistic::<M>(x).1
}

/// [`sigmoid`] of `x` and of `-x`. 2.5 ulp; the second stays at e^-66 where `x` is above 66.
#[inline(always)]
pub fn sigmoid_pair<M: MulAdd>(x: f32) -> (f32, f32) {
    let (e, sum) = logistic::<M>(x);
    let inverse = 1.0 / sum;
    (LOGISTIC_SCALE * inverse, e * inverse)
}

/// `ln(1 + e^x)`. 1.8 ulp.
#[inline(always)]
pub fn softplus<M: MulAdd>(x: f32) -> f32 {
    let positive = if 0.0 > x { 0.0 } else { x };
    positive + log_one_plus_unit::<M>(exp_minus_size::<M>(x))
}

/// `|x|`, at most 14.46; the probability that a standard normal variable is below `-|x|`, to 6 ulp up to 1 and 28 ulp
/// in the far tail; and `e^(-x²/2)`, to 1 ulp (1.3 without fused multiply-adds), 0 from 14.46 on.
///
/// With `a = |x|` the probability is `e^(-a²/2) p(a) / q(a)`: the fraction is Mills' ratio over sqrt(2π).
#[inline(always)]
pub fn normal_tail<M: MulAdd>(x: f32) -> (f32, f32, f32) {
    let a = x.abs();
    // e^(-14.46²/2) rounds to 0, and so does its power of two.
    let a = if 14.46 < a { 14.46 } else { a };
    let square = a * a;
    // Pairs of terms make shorter chains.
    let p = M::mul_add(0.014_990_142 * LOWER, a, 0.111_007_296 * LOWER);
    let p = M::mul_add(p, square, M::mul_add(0.347_419_47 * LOWER, a, 0.5 * LOWER));
    let q = M::mul_add(0.037_582_93, square, M::mul_add(0.277_947_34, a, 0.913_070_8));
    let q = M::mul_add(q, square, M::mul_add(1.492_720_5, a, 1.0));
    let ratio = p / q;
    let round = ROUND_BIASED + RAISED;
    let shifted = M::mul_add(square, -0.5 * LOG2_E, round);
    let n = shifted - round;
    // a² + 2 n ln 2 from the exact square: rounding it would cost a²/2 ulp of the exponential.
    let r = M::mul_add(n, 2.0 * LN2_LOW, M::square_add(a, n * (2.0 * LN2_HIGH)));
    let bell = exp_core::<M>(r, -0.5) * power_of_two(shifted);
    (a, bell * ratio, bell * LOWER)
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
