use super::*;
use crate::exec::EMULATED;
use crate::simd::{Fused, Separate};

/// Float32 values over the whole range: every exponent, subnormals and both signs.
fn sweep() -> impl Iterator<Item = f32> {
    (0..=u32::MAX)
        .step_by(STRIDE)
        .map(f32::from_bits)
        .filter(|x| x.is_finite())
}

/// A prime, so that low bits vary. 1 gives the exhaustive test.
const STRIDE: usize = if EMULATED { 15_101 } else { 1511 };

/// The distance of `got` from `want` in units of the last place of `want` as a float32.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if rounded.is_nan() || rounded.is_infinite() || got.is_nan() || got.is_infinite() {
        let same = got == rounded || (got.is_nan() && rounded.is_nan());
        // The last float before infinity is one ulp from it.
        return if same {
            0.0
        } else if got.abs() == f32::MAX || rounded.abs() == f32::MAX {
            1.0
        } else {
            f64::INFINITY
        };
    }
    let exponent = (want.abs().log2().floor() as i32).max(-126);
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}

fn assert_within(
    bound: f64,
    name: &str,
    xs: impl Iterator<Item = f32>,
    f: fn(f32) -> f32,
    reference: fn(f64) -> f64,
) {
    let (worst, at) = xs
        .map(|x| (ulps(f(x), reference(f64::from(x))), x))
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
    println!("{name}: {worst:.2} ulp at {at:e}");
    assert!(
        worst <= bound,
        "{name}({at:e}): {worst} ulp, {} for {}",
        f(at),
        reference(f64::from(at))
    );
}

#[test]
fn errors_stay_within_what_is_stated() {
    errors::<Fused>(0.9);
    errors::<Separate>(1.2);
}

fn errors<M: MulAdd>(exponential: f64) {
    assert_within(exponential, "exp", sweep(), exp::<M>, f64::exp);
    assert_within(
        exponential,
        "exp_below_zero",
        sweep().filter(|&x| x <= 0.0 && x > -87.336),
        exp_below_zero::<M>,
        f64::exp,
    );
    assert_within(exponential, "exp_minus_size", sweep(), exp_minus_size::<M>, |x| {
        (-x.abs()).exp()
    });
    assert_within(
        1.5,
        "exp_minus_one",
        sweep().filter(|x| *x <= 88.0),
        exp_minus_one::<M>,
        f64::exp_m1,
    );
    assert_within(0.8, "log", sweep(), log::<M>, f64::ln);
    let unit = sweep().filter(|x| (0.0..=1.0).contains(x));
    assert_within(1.4, "log_one_plus_unit", unit, log_one_plus_unit::<M>, f64::ln_1p);
    assert_within(2.5, "tanh", sweep(), tanh::<M>, f64::tanh);
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    assert_within(2.1, "sigmoid", sweep(), sigmoid::<M>, logistic);
    assert_within(2.5, "sigmoid_pair", sweep(), |x| sigmoid_pair::<M>(x).0, logistic);
    let rest = sweep().filter(|&x| x >= -66.0);
    assert_within(
        2.5,
        "the other of the pair",
        rest,
        |x| sigmoid_pair::<M>(-x).1,
        logistic,
    );
    let tail = |x: f64| reference::normal_cdf(-x.abs());
    let near = sweep().filter(|x| x.abs() <= 1.0);
    assert_within(6.0, "normal_tail", near, |x| normal_tail::<M>(x).1, tail);
    assert_within(
        28.0,
        "normal_tail far out",
        sweep(),
        |x| normal_tail::<M>(x).1,
        tail,
    );
    assert_within(
        exponential + 0.1,
        "bell",
        sweep(),
        |x| normal_tail::<M>(x).2,
        |x| (-0.5 * x * x).exp(),
    );
    assert_within(1.8, "softplus", sweep(), softplus::<M>, |x| {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    });
}

#[test]
fn pow_is_correct_to_half_an_ulp_and_follows_ieee_in_special_cases() {
    let values: Vec<f32> = (0..=u32::MAX).step_by(4_000_037).map(f32::from_bits).collect();
    let near_one = (0..2000).map(|i| 0.9 + 0.0001 * i as f32);
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        3.0,
        -3.0,
        8_388_609.0,
        16_777_217.0,
        -8_388_609.0,
        2.5,
    ];
    let special = special
        .into_iter()
        .chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-45]);
    let all: Vec<f32> = values
        .into_iter()
        .chain(near_one)
        .chain(special.clone())
        .collect();
    let exponents = special
        .chain((-60..60).map(|i| 0.37 * i as f32))
        .chain(all.iter().copied().step_by(31));
    let mut worst = (0.0, 0.0, 0.0);
    for y in exponents {
        for &x in &all {
            // The same value in f32 and f64 of the standard library, where float64 has the room.
            let error = ulps(pow(x, y), f64::from(x).powf(f64::from(y)));
            if error > worst.0 {
                worst = (error, x, y);
            }
        }
    }
    let (error, x, y) = worst;
    println!("pow: {error} ulp");
    assert!(error <= 0.5001, "pow({x:e}, {y:e}): {error} ulp, {:e}", pow(x, y));
}

#[test]
fn infinities_zeros_and_nan_come_out_as_in_ieee() {
    special_values::<Fused>();
    special_values::<Separate>();
}

fn special_values<M: MulAdd>() {
    let inf = f32::INFINITY;
    let exp = exp::<M>;
    assert_eq!(
        [exp(-inf), exp(inf), exp(0.0), exp(89.0), exp(-150.0)],
        [0.0, inf, 1.0, inf, 0.0]
    );
    let below = exp_below_zero::<M>;
    assert_eq!(
        [below(-inf), below(-87.7), below(0.0), below(-0.0)],
        [0.0, 0.0, 1.0, 1.0]
    );
    let log = log::<M>;
    assert_eq!([log(0.0), log(-0.0), log(inf), log(1.0)], [-inf, -inf, inf, 0.0]);
    assert!(log(-1.0).is_nan() && log(-inf).is_nan() && log(-1e-45).is_nan());
    let (tanh, exp_minus_one) = (tanh::<M>, exp_minus_one::<M>);
    assert_eq!([tanh(-inf), tanh(inf), exp_minus_one(-inf)], [-1.0, 1.0, -1.0]);
    let sigmoid = sigmoid::<M>;
    assert_eq!([sigmoid(-inf), sigmoid(inf), sigmoid(0.0)], [0.0, 1.0, 0.5]);
    assert_eq!(
        [sigmoid_pair::<M>(-inf), sigmoid_pair::<M>(0.0)],
        [(0.0, 1.0), (0.5, 0.5)]
    );
    assert_eq!([softplus::<M>(-inf), softplus::<M>(inf)], [0.0, inf]);
    let tail = |x| normal_tail::<M>(x).1;
    assert_eq!([tail(-inf), tail(inf), tail(0.0)], [0.0, 0.0, 0.5]);
    let all = [
        exp,
        below,
        log,
        tanh,
        sigmoid,
        softplus::<M>,
        exp_minus_one,
        exp_minus_size::<M>,
        |x| normal_tail::<M>(x).0,
        |x| normal_tail::<M>(x).1,
        |x| normal_tail::<M>(x).2,
        |x| sigmoid_pair::<M>(x).0,
        |x| sigmoid_pair::<M>(x).1,
    ];
    for (i, f) in all.into_iter().enumerate() {
        assert!(f(f32::NAN).is_nan(), "function {i}");
    }
    for f in [tanh, exp_minus_one] {
        assert!(f(-0.0).is_sign_negative() && f(-0.0) == 0.0);
    }
}
