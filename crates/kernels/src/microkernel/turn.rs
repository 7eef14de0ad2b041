//! Sums of a register tile whose transpose is stored.

use super::{Cells, Tile, check};
use crate::Isa;

/// Rows that are read behind the last one; what they hold does not matter.
pub const ROWS: usize = 3;

/// Stores the transpose of `rows × cols` sums, whose rows lie `width` apart: their column `c` becomes the row that starts at
/// `cells[start + c · row]`. Of `tile` the depth does not matter.
///
/// Panics if C or the sums are too short; these must have [`ROWS`] rows more, and whole panels of columns.
///
/// # Safety
/// As for [`super::multiply`], for these cells; rows do not overlap (`row >= tile.rows`).
pub unsafe fn store_turned(
    isa: Isa,
    tile: Tile,
    (sums, width): (&[f32], usize),
    cells: &Cells,
    (start, row): (usize, usize),
) {
    let Tile { rows, cols, .. } = tile;
    if rows == 0 || cols == 0 {
        return;
    }
    // Registers are read whole: four rows at a time, sixteen columns.
    let (sum_rows, sum_cols) = match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => (rows + ROWS, cols.next_multiple_of(16)),
        _ => (rows, cols),
    };
    check("the sums", sums.len(), 0, [(sum_rows, width), (sum_cols, 1)]);
    check("C", cells.len, start, [(cols, row), (rows, 1)]);
    // SAFETY: the last cell and the last sum are inside, as was checked, and the caller owns all of the cells.
    unsafe {
        let to = cells.pointer.add(start);
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => turn_avx512((sums.as_ptr(), width), (rows, cols), to, row),
            _ => turn((sums, width), (rows, cols), to, row),
        }
    }
}

/// # Safety
/// Rows of `rows` floats may be written at `to`, `row` floats apart, `cols` of them.
unsafe fn turn((sums, width): (&[f32], usize), (rows, cols): (usize, usize), to: *mut f32, row: usize) {
    for c in 0..cols {
        // SAFETY: the caller's promise.
        let to = unsafe { std::slice::from_raw_parts_mut(to.add(c * row), rows) };
        for (to, sum) in to.iter_mut().zip(sums[c..].iter().step_by(width)) {
            *to = *sum;
        }
    }
}

/// Four rows of sixteen sums become sixteen quarters of registers, each four cells of a row.
///
/// # Safety
/// As for [`turn`], and AVX-512 is there. The sums can be read up to whole groups of four rows and sixteen columns.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn turn_avx512(
    (sums, width): (*const f32, usize),
    (rows, cols): (usize, usize),
    to: *mut f32,
    row: usize,
) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's promise for what is loaded; masks leave out cells behind the last row, and quarters behind the last
    // column are not stored. Prefetches of any address do no harm.
    unsafe {
        // All lines at once: one after the other, as the stores come, each would be waited for.
        for column in 0..cols {
            let line = to.add(column * row);
            _mm_prefetch::<_MM_HINT_ET0>(line.cast());
            _mm_prefetch::<_MM_HINT_ET0>(line.add(rows - 1).cast());
        }
        for first in (0..rows).step_by(4) {
            let mask = (1u8 << (rows - first).min(4)) - 1;
            for column in (0..cols).step_by(16) {
                let sums = |r: usize| _mm512_loadu_ps(sums.add((first + r) * width + column));
                let (a, b, c, d) = (sums(0), sums(1), sums(2), sums(3));
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                let quarters = [
                    _mm512_shuffle_ps::<0x44>(ab_low, cd_low),
                    _mm512_shuffle_ps::<0xEE>(ab_low, cd_low),
                    _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                    _mm512_shuffle_ps::<0xEE>(ab_high, cd_high),
                ];
                let store = |column: usize, quarter: __m128| {
                    if column < cols {
                        _mm_mask_storeu_ps(to.add(column * row + first), mask, quarter);
                    }
                };
                for (c, quarter) in quarters.into_iter().enumerate() {
                    store(column + c, _mm512_castps512_ps128(quarter));
                    store(column + c + 4, _mm512_extractf32x4_ps::<1>(quarter));
                    store(column + c + 8, _mm512_extractf32x4_ps::<2>(quarter));
                    store(column + c + 12, _mm512_extractf32x4_ps::<3>(quarter));
                }
            }
        }
    }
}
