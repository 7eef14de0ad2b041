use super::*;

/// Float32 values over the whole range: every exponent, subnormals and both signs.
fn sweep() -> impl Iterator<Item = f32> {
    (0..=u32::MAX)
        .step_by(STRIDE)
        .map(f32::from_bits)
        .filter(|x| x.is_finite())
}

/// A prime, so that low bits vary. 1 gives the exhaustive test.
const STRIDE: usize = 1511;

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
    assert_within(1.1, "exp", sweep(), exp, f64::exp);
    assert_within(
        1.1,
        "exp_below_zero",
        sweep().filter(|&x| x <= 0.0 && x > -87.336),
        exp_below_zero,
        f64::exp,
    );
    assert_within(
        2.0,
        "exp_minus_one",
        sweep().filter(|x| *x <= 88.0),
        exp_minus_one,
        f64::exp_m1,
    );
    assert_within(1.0, "log", sweep(), log, f64::ln);
    let unit = sweep().filter(|x| (0.0..=1.0).contains(x));
    assert_within(1.5, "log_one_plus_unit", unit, log_one_plus_unit, f64::ln_1p);
    assert_within(2.6, "tanh", sweep(), tanh, f64::tanh);
    assert_within(2.5, "sigmoid", sweep(), sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
    assert_within(
        5.0,
        "normal_cdf",
        sweep(),
        |x| normal_cdf(x).0,
        reference::normal_cdf,
    );
    assert_within(
        1.8,
        "bell",
        sweep(),
        |x| normal_cdf(x).1,
        |x| (-0.5 * x * x).exp(),
    );
    assert_within(2.0, "softplus", sweep(), softplus, |x| {
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
    let inf = f32::INFINITY;
    assert_eq!(
        [exp(-inf), exp(inf), exp(0.0), exp(89.0), exp(-150.0)],
        [0.0, inf, 1.0, inf, 0.0]
    );
    assert_eq!([log(0.0), log(-0.0), log(inf), log(1.0)], [-inf, -inf, inf, 0.0]);
    assert!(log(-1.0).is_nan() && log(-inf).is_nan() && log(-1e-45).is_nan());
    assert_eq!([tanh(-inf), tanh(inf), exp_minus_one(-inf)], [-1.0, 1.0, -1.0]);
    assert_eq!([sigmoid(-inf), sigmoid(inf), sigmoid(0.0)], [0.0, 1.0, 0.5]);
    assert_eq!([softplus(-inf), softplus(inf)], [0.0, inf]);
    assert_eq!(
        [normal_cdf(-inf).0, normal_cdf(inf).0, normal_cdf(0.0).0],
        [0.0, 1.0, 0.5]
    );
    for f in [exp, log, tanh, sigmoid, softplus, exp_minus_one, |x| {
        normal_cdf(x).0
    }] {
        assert!(f(f32::NAN).is_nan());
    }
    for f in [tanh, exp_minus_one] {
        assert!(f(-0.0).is_sign_negative() && f(-0.0) == 0.0);
    }
}
