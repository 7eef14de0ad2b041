//! Numbers as sums of bfloat16 pieces, in the order in which the matrix unit loads them.
//!
//! An operand is cut into steps of [`STEP`] numbers along the depth. A step holds its pieces, largest first; a piece two
//! tiles of 16 rows of 64 bytes, each 16 words of two bfloat16:
//!
//! - on the left, row r of tile t has A[16 t + r][p], A[16 t + r][p + 1] in its word p / 2,
//! - on the right, row p / 2 of tile t has B[p][16 t + j], B[p + 1][16 t + j] in its word j.
//!
//! Words are kept as floats of the same bits, with which nothing is computed.

use super::{SIDE, STEP};
use crate::Isa;
use crate::microkernel::Left;
use crate::microkernel::pack::{self, Matrix};
use crate::simd::vectorize;

/// Words of a row of a tile, and rows of a tile.
const WORDS: usize = 16;
/// Words of a tile.
pub(super) const TILE: usize = WORDS * WORDS;

/// Words behind the tiles of an operand: the spread of its numbers, filled up to a cache line.
const END: usize = WORDS;

/// Words of an operand of one block.
pub(crate) fn len(depth: usize, pieces: usize) -> usize {
    depth.div_ceil(STEP) * pieces * 2 * TILE + END
}

/// The tiles of an operand, and the spread of its numbers.
pub(super) fn parts(words: &[f32]) -> (&[f32], Spread) {
    let (tiles, end) = words.split_at(words.len() - END);
    let spread = Spread {
        least: end[0].to_bits(),
        largest: end[1].to_bits(),
    };
    (tiles, spread)
}

/// The least and the largest exponent among numbers that are not zero, as a float32 stores it: 0 of denormal numbers, 255
/// of what is not finite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spread {
    least: u32,
    largest: u32,
}

/// Stored exponents are so much larger than what they stand for.
const BIAS: u32 = 127;
/// Numbers from 2⁻¹⁰³ on have no denormal pieces: the last bit of their third one is 2⁻¹²⁶ or more.
const LEAST: u32 = BIAS - 103;
/// Below 2¹²⁷ no number rounds to an infinity.
const LARGEST: u32 = BIAS + 126;
/// Where the terms of a product are 2⁻⁹⁹ or more, what the unit takes for zero is less than float32 rounds away, ...
const LEAST_PRODUCT: u32 = 2 * BIAS - 99;
/// ... and below 2⁹⁸ no sum of as many as fit into memory overflows.
const LARGEST_PRODUCT: u32 = 2 * BIAS + 96;

impl Spread {
    const NONE: Spread = Spread {
        least: u32::MAX,
        largest: 0,
    };

    /// From what `magnitudes` finds; into the last words of an operand.
    fn note((least, largest): (u32, u32), words: &mut [f32]) {
        let spread = match largest {
            0 => Spread::NONE,
            _ => Spread {
                least: (least + 1) >> 23,
                largest: largest >> 23,
            },
        };
        let end = words.len() - END;
        words[end] = f32::from_bits(spread.least);
        words[end + 1] = f32::from_bits(spread.largest);
    }

    /// Whether products of these numbers by those come out right in pieces.
    pub fn suits(self, other: Spread) -> bool {
        let in_range = self.largest.max(other.largest) <= LARGEST;
        if self == Spread::NONE || other == Spread::NONE {
            return in_range;
        }
        in_range
            && self.least.min(other.least) >= LEAST
            && self.least + other.least >= LEAST_PRODUCT
            && self.largest + other.largest <= LARGEST_PRODUCT
    }
}

/// The bfloat16 that is nearest to a finite x, of two the even one, as the float32 of the same value.
#[inline(always)]
fn nearest(x: f32) -> f32 {
    let bits = x.to_bits();
    let odd = (bits >> 16) & 1;
    f32::from_bits(bits.wrapping_add(0x7fff + odd) & 0xffff_0000)
}

/// Two bfloat16 as one word, the first in the lower half.
#[inline(always)]
fn word(first: f32, second: f32) -> f32 {
    f32::from_bits(first.to_bits() >> 16 | second.to_bits())
}

/// Cuts up to [`SIDE`] rows of a left operand, contiguous along the depth, into `pieces`.
pub(crate) fn split_left(
    isa: Isa,
    left: Left,
    start: usize,
    rows: usize,
    depth: usize,
    pieces: usize,
    to: &mut [f32],
) {
    assert_eq!(left.step, 1, "rows must be contiguous");
    assert!(
        rows <= SIDE && to.len() == len(depth, pieces),
        "{rows} rows, {} words",
        to.len()
    );
    let (mut least, mut largest) = (u32::MAX, 0);
    for row in 0..SIDE {
        let at = row / WORDS * TILE + row % WORDS * WORDS;
        let from = match row < rows {
            true => &left.data[start + row * left.row..][..depth],
            false => &[],
        };
        let (low, high) = row_of_left(isa, from, depth, pieces, &mut to[at..]);
        (least, largest) = (least.min(low), largest.max(high));
    }
    Spread::note((least, largest), to);
}

vectorize! {
    /// Least, without one, and largest magnitude as bits.
    fn row_of_left[](from: &[f32], depth: usize, pieces: usize, to: &mut [f32]) -> (u32, u32) {
        let (mut least, mut largest) = (u32::MAX, 0);
        for step in 0..depth.div_ceil(STEP) {
            let mut rest = [0.0; STEP];
            let from = &from[(step * STEP).min(from.len())..];
            match from.first_chunk() {
                Some(full) => rest = *full,
                None => rest[..from.len()].copy_from_slice(from),
            }
            let (low, high) = magnitudes(&rest);
            (least, largest) = (least.min(low), largest.max(high));
            for piece in 0..pieces {
                let to = &mut to[(step * pieces + piece) * 2 * TILE..][..WORDS];
                let mut upper = [0.0; STEP];
                for (upper, rest) in upper.iter_mut().zip(&mut rest) {
                    *upper = nearest(*rest);
                    *rest -= *upper;
                }
                for (to, pair) in to.iter_mut().zip(upper.chunks_exact(2)) {
                    *to = word(pair[0], pair[1]);
                }
            }
        }
        (least, largest)
    }
}

/// The least magnitude above zero, less one, and the largest, as bits.
#[inline(always)]
fn magnitudes(numbers: &[f32; STEP]) -> (u32, u32) {
    let (mut least, mut largest) = (u32::MAX, 0);
    for number in numbers {
        let bits = number.to_bits() & 0x7fff_ffff;
        // Zero becomes the largest of all.
        least = least.min(bits.wrapping_sub(1));
        largest = largest.max(bits);
    }
    (least, largest)
}

/// Copies the first `cols` columns of a matrix into a panel of `depth` rows of [`SIDE`], zeros behind them.
pub(crate) fn panel(isa: Isa, from: Matrix, depth: usize, cols: usize, panel: &mut [f32]) {
    assert!(
        cols <= SIDE && panel.len() == depth * SIDE,
        "{cols} columns of {depth}"
    );
    if from.col != 1 {
        return pack::transposed(isa, from, cols, SIDE, panel);
    }
    for (p, to) in panel.chunks_exact_mut(SIDE).enumerate() {
        let from = &from.data[from.start + p * from.row..][..cols];
        match cols {
            SIDE => to.copy_from_slice(&from[..SIDE]),
            _ => {
                to[..cols].copy_from_slice(from);
                to[cols..].fill(0.0);
            }
        }
    }
}

/// Cuts a panel of `depth` rows of [`SIDE`] columns into `pieces`.
pub(crate) fn split_right(isa: Isa, panel: &[f32], depth: usize, pieces: usize, to: &mut [f32]) {
    assert!(
        panel.len() == depth * SIDE && to.len() == len(depth, pieces),
        "a panel of {} for {} words",
        panel.len(),
        to.len()
    );
    let tiles = to.len() - END;
    let found = pairs(isa, panel, pieces, &mut to[..tiles]);
    Spread::note(found, to);
}

vectorize! {
    fn pairs[](panel: &[f32], pieces: usize, to: &mut [f32]) -> (u32, u32) {
        let (mut least, mut largest) = (u32::MAX, 0);
        let zeros = [0.0; SIDE];
        for (step, to) in to.chunks_exact_mut(pieces * 2 * TILE).enumerate() {
            for pair in 0..STEP / 2 {
                let row = |p: usize| panel[(p * SIDE).min(panel.len())..].first_chunk().unwrap_or(&zeros);
                let mut first: [f32; SIDE] = *row(step * STEP + 2 * pair);
                let mut second: [f32; SIDE] = *row(step * STEP + 2 * pair + 1);
                for numbers in [&first, &second] {
                    let (low, high) = magnitudes(numbers);
                    (least, largest) = (least.min(low), largest.max(high));
                }
                for piece in 0..pieces {
                    let mut words = [0.0; SIDE];
                    for ((to, first), second) in words.iter_mut().zip(&mut first).zip(&mut second) {
                        let (a, b) = (nearest(*first), nearest(*second));
                        *to = word(a, b);
                        *first -= a;
                        *second -= b;
                    }
                    for (tile, words) in words.chunks_exact(WORDS).enumerate() {
                        to[(piece * 2 + tile) * TILE + pair * WORDS..][..WORDS].copy_from_slice(words);
                    }
                }
            }
        }
        (least, largest)
    }
}
