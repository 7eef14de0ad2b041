//! The covariance of the columns of a matrix, whatever its numbers: centred, multiplied and added up in double
//! precision.
//!
//! The result is symmetric, so only the blocks on and above its diagonal are computed. A tile is one block: it walks
//! down the rows of its two groups of columns, a chunk at a time, and passes the centred chunk strip by strip through
//! a register tile. The order of summation is that of the rows: no number of threads changes a bit.

use std::ops::Range;

use crate::moments::Sample;
use crate::partials::with_doubles;
use crate::simd::vectorize;
use crate::{Disjoint, Exec, Isa};

/// The register tile: 6 × 8 doubles leave room for its factors in the 16 registers of AVX2.
const ROWS: usize = 6;
const COLS: usize = 8;
/// Columns in a block, a multiple of both: two chunks and the sums of a block fit in the second-level cache.
const BLOCK: usize = 96;
/// Rows in a chunk.
const DEPTH: usize = 128;

/// covariance[i][j] = Σ (x[i] − mean[i]) (x[j] − mean[j]) / rows over the rows of `x`, for all columns i and j.
pub fn covariance<T: Sample>(cx: &Exec, x: &[T], mean: &[f64], covariance: &mut [f64]) {
    let columns = mean.len();
    assert_eq!(
        covariance.len(),
        columns * columns,
        "a square of {columns} columns"
    );
    let blocks = columns.div_ceil(BLOCK);
    let pairs: Vec<(usize, usize)> = (0..blocks)
        .flat_map(|i| (i..blocks).map(move |j| (i, j)))
        .collect();
    let rows = x.len().checked_div(columns).unwrap_or(0);
    let block = |i: usize| i * BLOCK..columns.min((i + 1) * BLOCK);
    let to = Disjoint::new(covariance);
    cx.tiles(pairs.len(), |tile| {
        let (above, right) = (block(pairs[tile].0), block(pairs[tile].1));
        with_doubles(BLOCK * BLOCK, |sums| {
            sum_block(cx.isa, x, mean, &above, &right, sums);
            for i in above.clone() {
                // SAFETY: this cell belongs to this block alone, as does its mirror image below.
                let row = unsafe { to.slice(i * columns + right.start..i * columns + right.end) };
                for (value, sum) in row.iter_mut().zip(&sums[(i - above.start) * BLOCK..]) {
                    *value = sum / rows as f64;
                }
            }
            if above == right {
                return;
            }
            for j in right.clone() {
                // SAFETY: as above.
                let row = unsafe { to.slice(j * columns + above.start..j * columns + above.end) };
                for (i, value) in row.iter_mut().enumerate() {
                    *value = sums[i * BLOCK + j - right.start] / rows as f64;
                }
            }
        });
    });
}

/// Adds up the products of two groups of columns over all rows.
fn sum_block<T: Sample>(
    isa: Isa,
    x: &[T],
    mean: &[f64],
    above: &Range<usize>,
    right: &Range<usize>,
    sums: &mut [f64],
) {
    sums.fill(0.0);
    with_doubles(2 * DEPTH * BLOCK, |chunk| {
        let (a, b) = chunk.split_at_mut(DEPTH * BLOCK);
        for rows in x.chunks(DEPTH * mean.len()) {
            let depth = rows.len() / mean.len();
            let (a, b) = (&mut a[..depth * BLOCK], &mut b[..depth * BLOCK]);
            pack(isa, rows, mean, above, ROWS, a);
            pack(isa, rows, mean, right, COLS, b);
            if isa == Isa::Scalar {
                // Two roundings: a fused operation would be a call into the maths library here.
                multiply(isa, a, b, depth, sums, |x, y, sum| x * y + sum);
            } else {
                multiply(isa, a, b, depth, sums, f64::mul_add);
            }
        }
    });
}

vectorize! {
    /// The centred columns as strips of `width`, each row after row; zeros where there are no more columns.
    fn pack[T: Sample](x: &[T], mean: &[f64], columns: &Range<usize>, width: usize, to: &mut [f64]) {
        let depth = to.len() / BLOCK;
        for (strip, to) in to.chunks_exact_mut(depth * width).enumerate() {
            let start = (columns.start + strip * width).min(columns.end);
            let end = (start + width).min(columns.end);
            for (to, row) in to.chunks_exact_mut(width).zip(x.chunks_exact(mean.len())) {
                let (inside, outside) = to.split_at_mut(end - start);
                for ((to, &value), mean) in inside.iter_mut().zip(&row[start..end]).zip(&mean[start..end]) {
                    *to = value.into() - mean;
                }
                outside.fill(0.0);
            }
        }
    }
}

vectorize! {
    /// Adds aᵀ b to `sums`, a row of which is `BLOCK` long.
    fn multiply[F: Fn(f64, f64, f64) -> f64 + Copy](a: &[f64], b: &[f64], depth: usize, sums: &mut [f64], mul_add: F) {
        for (i, a) in a.chunks_exact(depth * ROWS).enumerate() {
            for (j, b) in b.chunks_exact(depth * COLS).enumerate() {
                let mut tile = [[0.0; COLS]; ROWS];
                for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(b.as_chunks::<COLS>().0) {
                    for (row, &a) in tile.iter_mut().zip(a) {
                        for (sum, &b) in row.iter_mut().zip(b) {
                            *sum = mul_add(a, b, *sum);
                        }
                    }
                }
                for (r, row) in tile.iter().enumerate() {
                    let to = &mut sums[(i * ROWS + r) * BLOCK + j * COLS..][..COLS];
                    to.iter_mut().zip(row).for_each(|(to, sum)| *to += sum);
                }
            }
        }
    }
}

pub mod reference {
    use crate::moments::Sample;

    /// The covariance as [`super::covariance`] gives it, straight from its definition.
    pub fn covariance<T: Sample>(x: &[T], mean: &[f64]) -> Vec<f64> {
        let columns = mean.len();
        let rows = (x.len() / columns) as f64;
        let mut sums = vec![0.0; columns * columns];
        for row in x.chunks_exact(columns) {
            for i in 0..columns {
                for j in 0..columns {
                    sums[i * columns + j] += (row[i].into() - mean[i]) * (row[j].into() - mean[j]);
                }
            }
        }
        sums.iter().map(|sum| sum / rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments;
    use crate::sample::{doubles, uniform};

    fn found<T: Sample>(cx: &Exec, x: &[T], mean: &[f64]) -> Vec<f64> {
        let mut result = vec![f64::NAN; mean.len() * mean.len()];
        covariance(cx, x, mean, &mut result);
        result
    }

    #[test]
    fn every_path_agrees_with_the_definition_and_every_number_of_threads_in_each_bit() {
        for (rows, columns) in [
            (1, 1),
            (2, 3),
            (300, 7),
            (129, 96),
            (128, 97),
            (40, 200),
            (257, 100),
        ] {
            let x = uniform(columns as u64, rows * columns, 100.0, 101.0);
            let pixels: Vec<u8> = x.iter().map(|v| ((v - 100.0) * 255.0) as u8).collect();
            let (mean, _) = moments::reference::moments(&x, columns);
            let expected = reference::covariance(&x, &mean);
            let (pixel_mean, _) = moments::reference::moments(&pixels, columns);
            let of_pixels = reference::covariance(&pixels, &pixel_mean);
            let mut bits: Vec<(Isa, Vec<f64>)> = Vec::new();
            for cx in Exec::all_for_tests() {
                let result = found(&cx, &x, &mean);
                for (i, (a, b)) in result.iter().zip(&expected).enumerate() {
                    assert!((a - b).abs() < 1e-13, "{rows} × {columns} [{i}]: {a} {b}");
                    assert_eq!(*a, result[i % columns * columns + i / columns]);
                }
                assert_eq!(found(&cx, &doubles(&x), &mean), result);
                for (a, b) in found(&cx, &pixels, &pixel_mean).iter().zip(&of_pixels) {
                    assert!((a - b).abs() < 1e-9, "{a} {b}");
                }
                match bits.iter().find(|(isa, _)| *isa == cx.isa) {
                    Some((_, first)) => assert_eq!(first, &result),
                    None => bits.push((cx.isa, result)),
                }
            }
        }
    }

    #[test]
    fn no_columns_and_no_rows_are_fine() {
        assert_eq!(found::<f32>(&Exec::serial(), &[], &[]), []);
        assert!(
            found::<f32>(&Exec::serial(), &[], &[0.0])
                .iter()
                .all(|v| v.is_nan())
        );
    }
}
