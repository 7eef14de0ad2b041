//! Numbers for kernel tests: the same ones on every machine.

/// `len` floats between `low` and `high`, from a 64-bit mixing function (Steele, Lea and Flood, 2014).
pub(crate) fn uniform(seed: u64, len: usize, low: f32, high: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..len)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
            low + (high - low) * unit
        })
        .collect()
}

pub(crate) fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Fails unless |found − expected| ≤ `absolute` + `relative` · |expected| everywhere; NaN only equals NaN.
#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f64], absolute: f64, relative: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let found = f64::from(found);
        let fine = found == expected
            || (found.is_nan() && expected.is_nan())
            || (found - expected).abs() <= absolute + relative * expected.abs();
        assert!(fine, "{what}: [{i}] is {found}, expected {expected}");
    }
}

/// Fails unless both have the same bits; a NaN equals any NaN.
#[track_caller]
pub(crate) fn assert_same_bits(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(same, "{what}: [{i}] is {found}, expected {expected}");
    }
}
