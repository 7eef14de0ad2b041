//! Random tensors from a counter: element `i` of seed `s` is a pure function of `(s, i)`.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011) turns a
//! 128-bit counter and a 64-bit key into 128 random bits. The key is the seed, the counter says which element, so
//! threads and instruction sets cannot change a bit.
//!
//! Elements come in blocks of 64: lane `l` of word `w` of block `b` is element `64 b + 16 w + l`, from the counter
//! `(16 b + l, attempt, 0)`. A loop over 16 lanes then vectorizes without shuffles.

use std::f32::consts::FRAC_PI_2;

use crate::Exec;
use crate::simd::{Separate, vectorize};
use crate::vector_math::log;

/// Elements that one call of [`bits_block`] makes.
pub const BLOCK: usize = 64;
const LANES: usize = 16;
/// Elements a tile: a multiple of [`BLOCK`], about 20 µs of work.
const GRAIN: usize = 256 * BLOCK;

/// The 64 words of one block. `attempt` numbers independent words for the same elements.
#[inline(always)]
pub fn bits_block(seed: u64, block: u64, attempt: u32) -> [u32; BLOCK] {
    let first = block.wrapping_mul(LANES as u64);
    let mut c0: [u32; LANES] = std::array::from_fn(|lane| first as u32 | lane as u32);
    let mut c1 = [(first >> 32) as u32; LANES];
    let mut c2 = [attempt; LANES];
    let mut c3 = [0u32; LANES];
    let (mut k0, mut k1) = (seed as u32, (seed >> 32) as u32);
    for _ in 0..10 {
        for lane in 0..LANES {
            let product = u64::from(c0[lane]) * 0xd251_1f53;
            let other = u64::from(c2[lane]) * 0xcd9e_8d57;
            c0[lane] = (other >> 32) as u32 ^ c1[lane] ^ k0;
            c1[lane] = other as u32;
            c2[lane] = (product >> 32) as u32 ^ c3[lane] ^ k1;
            c3[lane] = product as u32;
        }
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
    }
    let mut words = [0; BLOCK];
    for lane in 0..LANES {
        words[lane] = c0[lane];
        words[LANES + lane] = c1[lane];
        words[2 * LANES + lane] = c2[lane];
        words[3 * LANES + lane] = c3[lane];
    }
    words
}

/// 32 random bits for element `index`.
pub fn bits_at(seed: u64, index: u64) -> u32 {
    bits_block(seed, index / BLOCK as u64, 0)[(index % BLOCK as u64) as usize]
}

/// A word as a number in [0, 1): its upper 24 bits.
#[inline(always)]
pub fn unit(bits: u32) -> f32 {
    (bits >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// Uniform in [0, 1) for element `index`.
pub fn uniform_at(seed: u64, index: u64) -> f32 {
    unit(bits_at(seed, index))
}

/// Uniform in [0, 1) for the elements of one block.
#[inline(always)]
pub fn uniform_block(seed: u64, block: u64) -> [f32; BLOCK] {
    bits_block(seed, block, 0).map(unit)
}

/// Standard normal numbers for the elements of one block, by Box and Muller (1958): words 0 and 1 of a lane
/// give elements 0 and 1, words 2 and 3 give 2 and 3. At most 6.7 standard deviations from 0.
#[inline(always)]
pub fn normal_block(seed: u64, block: u64, attempt: u32) -> [f32; BLOCK] {
    let words = bits_block(seed, block, attempt);
    let mut normals = [0.0; BLOCK];
    for pair in [0, 2 * LANES] {
        for lane in pair..pair + LANES {
            let (a, b) = box_muller(words[lane], words[lane + LANES]);
            normals[lane] = a;
            normals[lane + LANES] = b;
        }
    }
    normals
}

#[inline(always)]
fn box_muller(radius: u32, angle: u32) -> (f32, f32) {
    // In (0, 1]: 31 bits, and half a step up so that the logarithm is finite.
    let u = ((radius >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    let r = (-2.0 * log::<Separate>(u)).sqrt();
    let (sin, cos) = sin_cos_turn(angle);
    (r * cos, r * sin)
}

/// Sine and cosine of `2π bits / 2^32`, exact in the reduction because turns are integers here. 1e-7.
#[inline(always)]
fn sin_cos_turn(bits: u32) -> (f32, f32) {
    let quadrant = bits.wrapping_add(1 << 29) >> 30;
    // In quarter turns, from -1/2 to 1/2.
    let f = bits.wrapping_sub(quadrant << 30) as i32 as f32 * (1.0 / 1_073_741_824.0);
    let z = f * f;
    let sin = ((-0.004_602_149 * z + 0.079_680_22) * z - 0.645_963_5) * z + FRAC_PI_2;
    let cos = (((0.000_903_628_07 * z - 0.020_860_07) * z + 0.253_669_2) * z - 1.233_700_5) * z + 1.0;
    let sin = sin * f;
    let swap = quadrant & 1 == 1;
    let (s, c) = if swap { (cos, sin) } else { (sin, cos) };
    let s = if quadrant & 2 == 2 { -s } else { s };
    let c = if quadrant.wrapping_add(1) & 2 == 2 { -c } else { c };
    (s, c)
}

vectorize! {
    fn fill_uniform[](seed: u64, first: u64, min: f32, max: f32, out: &mut [f32]) {
        let range = max - min;
        let below = if max > min { max.next_down() } else { max };
        for (offset, out) in out.chunks_mut(BLOCK).enumerate() {
            let mut values = uniform_block(seed, first + offset as u64);
            for value in &mut values {
                let v = min + *value * range;
                // Rounding may reach `max`, which is not in the range.
                *value = if v > below { below } else { v };
            }
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}

vectorize! {
    fn fill_normal[](seed: u64, first: u64, mean: f32, std_dev: f32, out: &mut [f32]) {
        for (offset, out) in out.chunks_mut(BLOCK).enumerate() {
            let values = normal_block(seed, first + offset as u64, 0).map(|z| mean + std_dev * z);
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}

vectorize! {
    fn fill_truncated_normal[](seed: u64, first: u64, mean: f32, std_dev: f32, out: &mut [f32]) {
        for (offset, out) in out.chunks_mut(BLOCK).enumerate() {
            let block = first + offset as u64;
            let mut values = normal_block(seed, block, 0);
            let mut attempt = 1;
            // One number in 22 is drawn again; each attempt keeps what is already inside.
            while values.iter().any(|z| z.abs() > 2.0) {
                let again = normal_block(seed, block, attempt);
                for (value, again) in values.iter_mut().zip(again) {
                    *value = if value.abs() > 2.0 { again } else { *value };
                }
                attempt += 1;
            }
            let values = values.map(|z| mean + std_dev * z);
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}

/// Uniform numbers in [min, max); all `min` where they are equal. `max - min` must be finite.
pub fn uniform(cx: &Exec, seed: u64, min: f32, max: f32, out: &mut [f32]) {
    cx.chunks_mut(out, GRAIN, |start, out| {
        fill_uniform(cx.isa, seed, (start / BLOCK) as u64, min, max, out);
    });
}

/// Normal numbers.
pub fn normal(cx: &Exec, seed: u64, mean: f32, std_dev: f32, out: &mut [f32]) {
    cx.chunks_mut(out, GRAIN, |start, out| {
        fill_normal(cx.isa, seed, (start / BLOCK) as u64, mean, std_dev, out);
    });
}

/// Normal numbers, those farther than two `std_dev` from the mean drawn again. The standard deviation of the result
/// is 0.8796 `std_dev`.
pub fn truncated_normal(cx: &Exec, seed: u64, mean: f32, std_dev: f32, out: &mut [f32]) {
    cx.chunks_mut(out, GRAIN, |start, out| {
        fill_truncated_normal(cx.isa, seed, (start / BLOCK) as u64, mean, std_dev, out);
    });
}

pub mod reference {
    //! The same numbers one at a time: the published generator, and textbook formulas in the float type at hand.

    use num_traits::Float;

    /// Philox4x32-10 as published.
    pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
        for _ in 0..10 {
            let a = u64::from(counter[0]) * 0xd251_1f53;
            let b = u64::from(counter[2]) * 0xcd9e_8d57;
            counter = [
                (b >> 32) as u32 ^ counter[1] ^ key[0],
                b as u32,
                (a >> 32) as u32 ^ counter[3] ^ key[1],
                a as u32,
            ];
            key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
        }
        counter
    }

    /// The four words of the lane that holds element `index`, and which of them is the element's.
    fn words(seed: u64, index: u64, attempt: u32) -> ([u32; 4], usize) {
        let counter = index / 64 * 16 + index % 16;
        let counter = [counter as u32, (counter >> 32) as u32, attempt, 0];
        let words = philox(counter, [seed as u32, (seed >> 32) as u32]);
        (words, (index / 16 % 4) as usize)
    }

    pub fn uniform<T: Float>(seed: u64, index: u64) -> T {
        let (words, word) = words(seed, index, 0);
        number::<T>(f64::from(words[word] >> 8) / 16_777_216.0)
    }

    pub fn normal<T: Float>(seed: u64, index: u64, attempt: u32) -> T {
        let (words, word) = words(seed, index, attempt);
        let (radius, angle) = (words[word & 2], words[(word & 2) + 1]);
        // In float32 whatever T is: which number is drawn does not depend on how exactly it is computed.
        let u = number::<T>(f64::from((radius >> 1) as f32 + 0.5) / 2_147_483_648.0);
        let turn = number::<T>(f64::from(angle) / 4_294_967_296.0 * std::f64::consts::TAU);
        let r = (number::<T>(-2.0) * u.ln()).sqrt();
        if word & 1 == 0 {
            r * turn.cos()
        } else {
            r * turn.sin()
        }
    }

    fn number<T: Float>(v: f64) -> T {
        T::from(v).expect("a float holds it")
    }

    /// Uniform in [min, max).
    pub fn fill_uniform<T: Float>(seed: u64, min: T, max: T, y: &mut [T]) {
        for (index, y) in y.iter_mut().enumerate() {
            let v = min + uniform::<T>(seed, index as u64) * (max - min);
            // Rounding may reach `max`.
            *y = if v < max { v } else { min };
        }
    }

    pub fn fill_normal<T: Float>(seed: u64, mean: T, std_dev: T, y: &mut [T]) {
        for (index, y) in y.iter_mut().enumerate() {
            *y = mean + std_dev * normal(seed, index as u64, 0);
        }
    }

    /// The first attempt within two standard deviations.
    pub fn fill_truncated_normal<T: Float>(seed: u64, mean: T, std_dev: T, y: &mut [T]) {
        for (index, y) in y.iter_mut().enumerate() {
            let attempts = (0..).map(|attempt| normal::<T>(seed, index as u64, attempt));
            let inside = attempts.into_iter().find(|z| z.abs() <= number(2.0));
            *y = mean + std_dev * inside.expect("one in 22 is outside");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u64; 3] = [0, 42, 0x9e37_79b9_7f4a_7c15];

    #[test]
    fn philox_gives_the_published_answers() {
        // Known-answer vectors of the authors' Random123 library.
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, words) in cases {
            assert_eq!(reference::philox(counter, key), words);
        }
    }

    #[test]
    fn a_block_holds_the_words_of_its_elements() {
        for seed in SEEDS {
            for index in (0..300).chain([1 << 36, (1 << 52) + 17]) {
                let unit: f32 = reference::uniform(seed, index);
                assert_eq!(uniform_at(seed, index), unit);
                let normal: f64 = reference::normal(seed, index, 3);
                let fast = normal_block(seed, index / 64, 3)[index as usize % 64];
                assert!((f64::from(fast) - normal).abs() < 2e-6, "{fast} {normal}");
            }
        }
    }

    /// Runs a fill on every path and team and checks that all give the same bits.
    fn on_all(len: usize, fill: impl Fn(&Exec, &mut [f32])) -> Vec<f32> {
        let mut first: Option<Vec<f32>> = None;
        for cx in Exec::all_for_tests() {
            let mut out = vec![f32::NAN; len];
            fill(&cx, &mut out);
            let first = first.get_or_insert_with(|| out.clone());
            assert!(
                first.iter().zip(&out).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{:?}",
                cx.isa
            );
        }
        first.expect("at least one path")
    }

    #[test]
    fn a_prefix_does_not_depend_on_the_length_nor_bits_on_path_or_threads() {
        for fill in [normal, uniform, truncated_normal] {
            let long = on_all(3 * GRAIN + 77, |cx, out| fill(cx, 7, 0.5, 2.5, out));
            for len in [0, 1, 2, 15, 16, 17, 63, 64, 65, 1000] {
                let short = on_all(len, |cx, out| fill(cx, 7, 0.5, 2.5, out));
                assert_eq!(short, long[..len]);
            }
            let other = on_all(100, |cx, out| fill(cx, 8, 0.5, 2.5, out));
            assert!(other.iter().zip(&long).filter(|(a, b)| a == b).count() < 5);
        }
    }

    /// Mean, variance, skewness and kurtosis.
    fn moments(values: &[f32]) -> [f64; 4] {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let central = |k| values.iter().map(|&v| (f64::from(v) - mean).powi(k)).sum::<f64>() / n;
        let variance = central(2);
        [
            mean,
            variance,
            central(3) / variance.powf(1.5),
            central(4) / variance.powi(2),
        ]
    }

    fn assert_close(got: [f64; 4], want: [f64; 4], tolerance: f64) {
        let close = got
            .iter()
            .zip(want)
            .all(|(got, want)| (got - want).abs() < tolerance);
        assert!(close, "{got:?} should be {want:?}");
    }

    #[test]
    fn moments_and_tails_are_those_of_the_distributions() {
        let cx = Exec::serial();
        let mut out = vec![0.0; 1_000_000];
        uniform(&cx, 1, 0.0, 1.0, &mut out);
        assert_close(moments(&out), [0.5, 1.0 / 12.0, 0.0, 1.8], 0.006);
        normal(&cx, 1, 0.0, 1.0, &mut out);
        assert_close(moments(&out), [0.0, 1.0, 0.0, 3.0], 0.015);
        // The largest distance between the sampled and the true distribution function (Kolmogorov, 1933).
        let mut sorted = out.clone();
        sorted.sort_by(f32::total_cmp);
        let n = sorted.len() as f64;
        let distance = sorted
            .iter()
            .enumerate()
            .step_by(97)
            .fold(0.0f64, |worst, (i, &z)| {
                let cdf = crate::vector_math::reference::normal_cdf(f64::from(z));
                worst.max((i as f64 / n - cdf).abs())
            });
        assert!(distance < 1.6 / n.sqrt(), "{distance}");
        let neighbours = out.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / n;
        assert!(neighbours.abs() < 0.004, "{neighbours}");
        truncated_normal(&cx, 1, 0.0, 1.0, &mut out);
        let mut exact = vec![0.0; 10_000];
        reference::fill_truncated_normal(1, 0.0, 1.0, &mut exact);
        assert!(
            out.iter()
                .zip(&exact)
                .all(|(&got, exact)| (f64::from(got) - exact).abs() < 2e-6)
        );
        assert!(out.iter().all(|z| z.abs() <= 2.0));
        assert_close(moments(&out), [0.0, 0.773_741, 0.0, 2.364_2], 0.01);
    }

    #[test]
    fn a_uniform_range_excludes_its_upper_end_and_may_be_empty() {
        let wide = on_all(10_000, |cx, out| uniform(cx, 5, 16_777_216.0, 16_777_218.0, out));
        assert!(wide.iter().all(|&v| (16_777_216.0..16_777_218.0).contains(&v)));
        let point = on_all(100, |cx, out| uniform(cx, 5, -3.0, -3.0, out));
        assert!(point.iter().all(|&v| v == -3.0));
        let near = on_all(10_000, |cx, out| uniform(cx, 5, -1.0, 0.0, out));
        assert!(near.iter().all(|&v| (-1.0..0.0).contains(&v)));
    }
}
