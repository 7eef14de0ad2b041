//! Copies of operands in the order in which the micro-kernel reads them.

use super::lanes::Lanes;
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

/// Packs the first `cols` columns and `depth` rows of `from` into panels of [`Shape::cols`] columns, one after the other,
/// zeros behind the last column. Either stride of `from` may be 1: rows are copied, columns transposed in registers; any
/// others work too.
pub fn right(isa: Isa, from: Matrix, depth: usize, cols: usize, panels: &mut [f32]) {
    let width = Shape::of(isa).cols;
    let len = panel_len(isa, depth);
    let count = cols.div_ceil(width);
    assert!(panels.len() >= count * len, "{count} panels of {depth} × {width}");
    if len == 0 {
        return;
    }
    if from.col != 1 {
        for (panel, to) in panels.chunks_exact_mut(len).take(count).enumerate() {
            let done = panel * width;
            let start = from.start + done * from.col;
            transposed(isa, Matrix { start, ..from }, width.min(cols - done), width, to);
        }
        return;
    }
    let last = (depth - 1)
        .checked_mul(from.row)
        .and_then(|far| far.checked_add(from.start + cols));
    let available = from.data.len();
    assert!(
        last.is_some_and(|last| last <= available),
        "a matrix of {available} floats ends at {last:?}"
    );
    // SAFETY: the last row ends inside the data; the panels have room for `count` times `depth` rows (both asserted),
    // and the instruction set is there.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => rows_avx512(from, depth, cols, panels),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => rows_avx2(from, depth, cols, panels),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => rows::<super::lanes::arm::Neon, 16>(from, depth, cols, panels),
            _ => rows::<super::lanes::Plain, 8>(from, depth, cols, panels),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn rows_avx512(from: Matrix, depth: usize, cols: usize, panels: &mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe { rows::<super::lanes::x86::Avx512, 32>(from, depth, cols, panels) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn rows_avx2(from: Matrix, depth: usize, cols: usize, panels: &mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe { rows::<super::lanes::x86::Avx2, 16>(from, depth, cols, panels) }
}

/// Copies rows of contiguous columns, each over all panels before the next, so that memory is read in order.
///
/// # Safety
/// The instruction set of `V` is there, rows `0..depth` of `from` have `cols` floats inside its data, and `panels` has
/// room for all panels of `depth` rows.
#[inline(always)]
unsafe fn rows<V: Lanes, const WIDTH: usize>(from: Matrix, depth: usize, cols: usize, panels: &mut [f32]) {
    // SAFETY: the caller's promise; nothing but the first `cols` floats of a row is read.
    unsafe {
        for p in 0..depth {
            let row = from.data.as_ptr().add(from.start + p * from.row);
            for done in (0..cols).step_by(WIDTH) {
                let to = panels.as_mut_ptr().add(done * depth + p * WIDTH);
                for v in (0..WIDTH).step_by(V::COUNT) {
                    let at = (done + v).min(cols);
                    let lanes = match cols - at {
                        left if left >= V::COUNT => V::load(row.add(at)),
                        left => V::load_first(row.add(at), left),
                    };
                    lanes.store(to.add(v));
                }
            }
        }
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

/// Fills a panel of rows of `width` floats with the first `cols` columns of a matrix, zeros behind them. Meant for a matrix
/// whose rows are not contiguous: in blocks where columns are and AVX2 is there, one by one elsewhere.
pub fn transposed(isa: Isa, from: Matrix, cols: usize, width: usize, panel: &mut [f32]) {
    assert!(cols <= width, "{cols} columns in rows of {width}");
    let depth = panel.len() / width.max(1);
    // Rows of the panel, and columns, that one block transposes.
    let (high, wide) = match isa {
        _ if from.row != 1 => (0, 0),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => (4, 16),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => (8, 8),
        _ => (0, 0),
    };
    let in_blocks = |len: usize, side: usize| len.checked_div(side).unwrap_or(0) * side;
    let (block_rows, block_cols) = (in_blocks(depth, high), in_blocks(cols, wide));
    #[cfg(target_arch = "x86_64")]
    if block_rows > 0 && block_cols > 0 {
        let last = from.start + (block_cols - 1) * from.col + block_rows;
        let len = from.data.len();
        assert!(last <= len, "a matrix of {len} floats ends at {last}");
        // Whole rows of the panel at a time: it may be larger than the first-level cache.
        for p in (0..block_rows).step_by(high) {
            for j in (0..block_cols).step_by(wide) {
                // SAFETY: the instruction set is there; the last of the rows that are read ends at or before `last`; the
                // block that is written ends in row `p + high - 1 < depth`, column `j + wide - 1 < cols`, in the panel.
                unsafe {
                    let from_block = from.data.as_ptr().add(from.start + j * from.col + p);
                    let to = panel.as_mut_ptr().add(p * width + j);
                    if isa == Isa::Avx512 {
                        transpose_16x4(from_block, from.col, to, width);
                    } else {
                        transpose_8x8(from_block, from.col, to, width);
                    }
                }
            }
        }
    }
    if block_rows == depth && block_cols == width {
        return;
    }
    for (p, to) in panel.chunks_exact_mut(width.max(1)).enumerate() {
        let done = if p < block_rows { block_cols } else { 0 };
        for (j, to) in to.iter_mut().enumerate().skip(done) {
            *to = if j < cols {
                from.data[from.start + p * from.row + j * from.col]
            } else {
                0.0
            };
        }
    }
}

/// `to[j][i] = from[i][j]` for 16 rows of 4 floats: quarters of four registers are loaded from rows 4 apart, so that one
/// round of transposing 4 × 4 floats inside the quarters is all that is left to do.
///
/// # Safety
/// AVX-512 is there, and both blocks are inside their allocations.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn transpose_16x4(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's promise, for the loads of 16 rows and the four stores.
    unsafe {
        macro_rules! rows {
            ($first:literal) => {{
                let quarter = |row: usize| _mm_loadu_ps(from.add(row * from_row));
                let all = _mm512_castps128_ps512(quarter($first));
                let all = _mm512_mask_broadcast_f32x4(all, 0x00F0, quarter($first + 4));
                let all = _mm512_mask_broadcast_f32x4(all, 0x0F00, quarter($first + 8));
                _mm512_mask_broadcast_f32x4(all, 0xF000, quarter($first + 12))
            }};
        }
        let (a, b, c, d) = (rows!(0), rows!(1), rows!(2), rows!(3));
        let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        _mm512_storeu_ps(to, _mm512_shuffle_ps::<0x44>(ab_low, cd_low));
        _mm512_storeu_ps(to.add(to_row), _mm512_shuffle_ps::<0xEE>(ab_low, cd_low));
        _mm512_storeu_ps(to.add(2 * to_row), _mm512_shuffle_ps::<0x44>(ab_high, cd_high));
        _mm512_storeu_ps(to.add(3 * to_row), _mm512_shuffle_ps::<0xEE>(ab_high, cd_high));
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
