//! The matrix unit in plain code.

use super::SIDE;
use super::block::{Sums, products};
use super::split::TILE;

/// Rows of a tile, words of a row, and cells.
const ROWS: usize = SIDE / 2;

/// Adds the products of two operands to `sums`.
pub(super) fn multiply(pieces: usize, left: &[f32], right: &[f32], sums: &mut Sums) {
    let step = pieces * 2 * TILE;
    for (left, right) in left.chunks_exact(step).zip(right.chunks_exact(step)) {
        for &(a, b) in products(pieces) {
            for (i, a) in left[a * 2 * TILE..][..2 * TILE].chunks_exact(TILE).enumerate() {
                for (j, b) in right[b * 2 * TILE..][..2 * TILE].chunks_exact(TILE).enumerate() {
                    dot(a, b, SIDE, &mut sums.0[i * ROWS * SIDE + j * ROWS..]);
                }
            }
        }
    }
}

/// What the instruction TDPBF16PS does to a tile of sums, whose rows lie `width` apart.
pub(super) fn dot(a: &[f32], b: &[f32], width: usize, sums: &mut [f32]) {
    for (a, sums) in a.chunks_exact(ROWS).zip(sums.chunks_mut(width)) {
        let mut even = [0.0f32; ROWS];
        let mut odd = [0.0f32; ROWS];
        for (a, b) in a.iter().zip(b.chunks_exact(ROWS)) {
            let (first, second) = halves(*a);
            for ((even, odd), b) in even.iter_mut().zip(&mut odd).zip(b) {
                let (third, fourth) = halves(*b);
                *even = rounded(f64::from(first) * f64::from(third) + f64::from(*even));
                *odd = rounded(f64::from(second) * f64::from(fourth) + f64::from(*odd));
            }
        }
        for ((sum, even), odd) in sums.iter_mut().zip(even).zip(odd) {
            let both = rounded(f64::from(even) + f64::from(odd));
            *sum = rounded(f64::from(normal(*sum)) + f64::from(both));
        }
    }
}

/// The two bfloat16 of a word, denormal ones as zero.
fn halves(word: f32) -> (f32, f32) {
    let bits = word.to_bits();
    (
        normal(f32::from_bits(bits << 16)),
        normal(f32::from_bits(bits & 0xffff_0000)),
    )
}

/// Below this, numbers that are rounded to 24 digits are below the least normal one: 2⁻¹²⁶ − 2⁻¹⁵¹.
const LEAST: f64 = f32::MIN_POSITIVE as f64 * (1.0 - 1.0 / (1u64 << 25) as f64);

/// Rounded once: a double holds a product of two bfloat16 exactly, and has more than twice the digits of a sum.
fn rounded(x: f64) -> f32 {
    if x.abs() < LEAST {
        0.0f32.copysign(x as f32)
    } else {
        x as f32
    }
}

fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE {
        0.0f32.copysign(x)
    } else {
        x
    }
}
