//! Copies of operands in the order in which the micro-kernel reads them.

use super::{Left, Right, Shape};
use crate::Isa;

/// A matrix somewhere in a slice: element (i, j) stands at `start + i · row + j · col`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub data: &'a [f32],
    pub start: usize,
    pub row: usize,
    pub col: usize,
}

/// Floats in one packed panel of `depth` rows.
pub fn panel_len(isa: Isa, depth: usize) -> usize {
    depth * Shape::of(isa).cols
}

/// Packs the first `cols` columns (at most [`Shape::cols`]) and `depth` rows of `from` into a panel, zeros behind the
/// last column. Either stride of `from` may be 1: rows are copied, columns transposed in registers; any others work too.
pub fn right(isa: Isa, from: Matrix, depth: usize, cols: usize, panel: &mut [f32]) {
    let width = Shape::of(isa).cols;
    assert!(
        cols <= width && panel.len() >= depth * width,
        "a panel of {depth} × {cols}"
    );
    if depth == 0 {
        return;
    }
    if cols == 0 {
        panel[..depth * width].fill(0.0);
    } else if from.col == 1 {
        for (p, to) in panel.chunks_exact_mut(width).take(depth).enumerate() {
            let at = from.start + p * from.row;
            // A whole row is the common case, and a copy of known length is a few vector moves.
            match width == cols {
                true => copy(isa, &from.data[at..at + width], to),
                false => {
                    to[..cols].copy_from_slice(&from.data[at..at + cols]);
                    to[cols..].fill(0.0);
                }
            }
        }
    } else {
        transposed(isa, from, depth, cols, panel, width);
    }
}

/// The packed panel as an operand of [`super::multiply`].
pub fn as_right<'a>(isa: Isa, panels: &'a [f32]) -> Right<'a> {
    Right {
        data: panels,
        step: Shape::of(isa).cols,
    }
}

/// Floats that [`left`] needs for a block of `rows` rows.
pub fn left_len(rows: usize, depth: usize) -> usize {
    (rows.next_multiple_of(4) * (depth + 1)).max(rows * spread(depth))
}

/// The distance of two packed rows: no multiple of a page, where all rows would fall into the same cache lines.
fn spread(depth: usize) -> usize {
    depth.next_multiple_of(16) + 16
}

/// Packs `rows` rows of `depth` floats, contiguous along whichever axis they are in `from`.
pub fn left<'a>(from: Matrix, rows: usize, depth: usize, to: &'a mut [f32]) -> Left<'a> {
    if rows == 0 || depth == 0 {
        return Left {
            data: to,
            row: 0,
            step: 0,
        };
    }
    if from.row == 1 && from.col != 1 {
        let step = rows.next_multiple_of(4);
        for (p, to) in to.chunks_exact_mut(step).take(depth).enumerate() {
            let at = from.start + p * from.col;
            let from = &from.data[at..at + rows];
            // Full blocks are the common case, and a copy of known length is a few vector moves.
            match rows {
                12 => to[..12].copy_from_slice(&from[..12]),
                6 => to[..6].copy_from_slice(&from[..6]),
                _ => to[..rows].copy_from_slice(from),
            }
        }
        return Left {
            data: to,
            row: 1,
            step,
        };
    }
    let row = spread(depth);
    for (r, to) in to.chunks_exact_mut(row).take(rows).enumerate() {
        let at = from.start + r * from.row;
        if from.col == 1 {
            to[..depth].copy_from_slice(&from.data[at..at + depth]);
        } else {
            for (p, to) in to[..depth].iter_mut().enumerate() {
                *to = from.data[at + p * from.col];
            }
        }
    }
    Left {
        data: to,
        row,
        step: 1,
    }
}

#[inline(always)]
fn copy(isa: Isa, from: &[f32], to: &mut [f32]) {
    match isa {
        Isa::Avx512 => to[..32].copy_from_slice(&from[..32]),
        Isa::Avx2 | Isa::Neon => to[..16].copy_from_slice(&from[..16]),
        Isa::Scalar => to[..8].copy_from_slice(&from[..8]),
    }
}

/// Rows of `from` that are not contiguous: in squares of 8 × 8 where columns are contiguous and AVX2 is there, one by
/// one elsewhere.
fn transposed(isa: Isa, from: Matrix, depth: usize, cols: usize, panel: &mut [f32], width: usize) {
    let fast = from.row == 1 && matches!(isa, Isa::Avx2 | Isa::Avx512) && cfg!(target_arch = "x86_64");
    let (squares_p, squares_j) = if fast {
        (depth / 8 * 8, cols / 8 * 8)
    } else {
        (0, 0)
    };
    #[cfg(target_arch = "x86_64")]
    for j in (0..squares_j).step_by(8) {
        let last = from.start + (j + 7) * from.col + squares_p;
        assert!(
            last <= from.data.len(),
            "a matrix of {} floats ends at {last}",
            from.data.len()
        );
        for p in (0..squares_p).step_by(8) {
            // SAFETY: `fast` implies AVX2; the last of the 8 rows that are read ends at or before `last`; the
            // square that is written ends in row `p + 7 < depth`, column `j + 7 < cols`, inside the panel.
            unsafe {
                transpose_8x8(
                    from.data.as_ptr().add(from.start + j * from.col + p),
                    from.col,
                    panel.as_mut_ptr().add(p * width + j),
                    width,
                );
            }
        }
    }
    for (p, to) in panel.chunks_exact_mut(width).take(depth).enumerate() {
        let done = if p < squares_p { squares_j } else { 0 };
        for (j, to) in to[..cols].iter_mut().enumerate().skip(done) {
            *to = from.data[from.start + p * from.row + j * from.col];
        }
        to[cols..].fill(0.0);
    }
}

/// `to[j][i] = from[i][j]` for 8 × 8 floats whose rows lie `from_row` and `to_row` apart.
///
/// # Safety
/// AVX2 is there, and both squares are inside their allocations.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn transpose_8x8(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's promise, for the eight loads and the eight stores.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * from_row));
        // Pairs of rows interleaved, then quadruples, then halves swapped.
        let pairs = |i: usize| {
            let (a, b) = (row(i), row(i + 1));
            (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
        };
        let quads = |i: usize| {
            let ((low, high), (low2, high2)) = (pairs(i), pairs(i + 2));
            [
                _mm256_shuffle_ps::<0x44>(low, low2),
                _mm256_shuffle_ps::<0xEE>(low, low2),
                _mm256_shuffle_ps::<0x44>(high, high2),
                _mm256_shuffle_ps::<0xEE>(high, high2),
            ]
        };
        let (top, bottom) = (quads(0), quads(4));
        for j in 0..4 {
            _mm256_storeu_ps(
                to.add(j * to_row),
                _mm256_permute2f128_ps::<0x20>(top[j], bottom[j]),
            );
            _mm256_storeu_ps(
                to.add((j + 4) * to_row),
                _mm256_permute2f128_ps::<0x31>(top[j], bottom[j]),
            );
        }
    }
}
