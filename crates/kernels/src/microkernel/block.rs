//! The loops of one register block, compiled for every instruction set and size.

use super::Segment;
use super::ahead::{Ahead, STEPS};
use super::lanes::{self, Lanes};
use crate::Isa;
use crate::cache::prefetch;

/// One block of at most `Shape::rows` rows, addresses checked.
pub(super) struct Job<'a> {
    pub depth: usize,
    pub left: *const f32,
    pub left_row: usize,
    pub left_step: usize,
    pub right: *const f32,
    pub right_step: usize,
    pub segments: &'a [Segment],
    pub cells: *mut f32,
    pub row: usize,
    pub cols: usize,
    pub accumulate: bool,
    pub bias: *const f32,
    pub relu: bool,
}

/// Picks the loop that is compiled for this instruction set, number of rows and number of registers a row.
///
/// # Safety
/// As for [`block`], and the machine has `isa`.
pub(super) unsafe fn run<const ASKS: bool>(
    isa: Isa,
    rows: usize,
    vectors: usize,
    job: &Job,
    ahead: &mut [Ahead],
) {
    macro_rules! pick {
        ($target:ident, $($vectors:literal)*; $($rows:literal)*) => {
            pick!(@ $target, [$($vectors)*], $($rows)*)
        };
        (@ $target:ident, $all:tt, $($rows:literal)*) => {
            match rows { $($rows => pick!(@@ $target, $rows, $all),)* _ => unreachable!("{rows} rows in a block") }
        };
        (@@ $target:ident, $rows:literal, [$($vectors:literal)*]) => {
            // SAFETY: the caller's promise.
            match vectors { $(..=$vectors => unsafe { $target::<$rows, $vectors, ASKS>(job, ahead) },)* _ => unreachable!("{vectors} registers a row") }
        };
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => pick!(avx512, 1 2; 1 2 3 4 5 6 7 8 9 10 11 12),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => pick!(avx2, 1 2; 1 2 3 4 5 6),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => pick!(neon, 1 2 3 4; 1 2 3 4 5 6),
        _ => pick!(plain, 1 2; 1 2 3 4),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn avx512<const ROWS: usize, const VECTORS: usize, const ASKS: bool>(job: &Job, ahead: &mut [Ahead]) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::x86::Avx512, ROWS, VECTORS, ASKS>(job, ahead) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ROWS: usize, const VECTORS: usize, const ASKS: bool>(job: &Job, ahead: &mut [Ahead]) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::x86::Avx2, ROWS, VECTORS, ASKS>(job, ahead) }
}

#[cfg(target_arch = "aarch64")]
unsafe fn neon<const ROWS: usize, const VECTORS: usize, const ASKS: bool>(job: &Job, ahead: &mut [Ahead]) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::arm::Neon, ROWS, VECTORS, ASKS>(job, ahead) }
}

unsafe fn plain<const ROWS: usize, const VECTORS: usize, const ASKS: bool>(job: &Job, ahead: &mut [Ahead]) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::Plain, ROWS, VECTORS, ASKS>(job, ahead) }
}

/// Three rows share a pointer (addresses p, p + row, p + 2 · row), or there would not be enough registers for them.
const ROWS_PER_POINTER: usize = 3;
const POINTERS: usize = 4;

/// # Safety
/// The instruction set of `V` is there; `job` describes addresses that may be read, and cells that may be written,
/// for `ROWS` rows and `VECTORS` registers a row.
#[inline(always)]
unsafe fn block<V: Lanes, const ROWS: usize, const VECTORS: usize, const ASKS: bool>(
    job: &Job,
    ahead: &mut [Ahead],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let sums = sum::<V, ROWS, VECTORS, ASKS>(job, ahead);
        store(job, sums);
    }
}

/// Rows of the right operand that are asked for before they are needed.
const AHEAD: usize = 8;
/// Floats of a cache line.
const LINE: usize = 16;

/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn sum<V: Lanes, const ROWS: usize, const VECTORS: usize, const ASKS: bool>(
    job: &Job,
    ahead: &mut [Ahead],
) -> [[V; VECTORS]; ROWS] {
    const { assert!(ROWS <= ROWS_PER_POINTER * POINTERS) };
    // SAFETY: the caller's promise, for every load; pointers that run past the end by a step are made with wrapping
    // arithmetic and not read.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        for r in 0..ROWS {
            for line in 0..(VECTORS * V::COUNT).div_ceil(LINE) {
                V::prefetch(job.cells.wrapping_add(r * job.row + line * LINE));
            }
        }
        for segment in job.segments {
            let mut left: [*const f32; POINTERS] = std::array::from_fn(|group| {
                job.left
                    .wrapping_add(segment.left + group * ROWS_PER_POINTER * job.left_row)
            });
            let mut right = job.right.wrapping_add(segment.right);
            if !ASKS {
                add(job, job.depth, &mut left, &mut right, &mut sums);
                continue;
            }
            let mut rest = job.depth;
            while rest > 0 {
                let steps = rest.min(STEPS);
                rest -= steps;
                ahead.iter_mut().for_each(Ahead::ask);
                add(job, steps, &mut left, &mut right, &mut sums);
            }
        }
        sums
    }
}

/// Adds some steps of the depth, and moves the pointers to the next.
///
/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn add<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    job: &Job,
    steps: usize,
    left: &mut [*const f32; POINTERS],
    right: &mut *const f32,
    sums: &mut [[V; VECTORS]; ROWS],
) {
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..steps {
            for line in 0..(VECTORS * V::COUNT).div_ceil(LINE) {
                V::prefetch(right.wrapping_add(AHEAD * job.right_step + line * LINE));
            }
            V::prefetch(left[0].wrapping_add(AHEAD * job.left_step));
            // Where rows are neighbours, the floats of the next block stand beside these and may come from afar.
            prefetch(left[0].wrapping_add(job.left_row.wrapping_mul(2 * ROWS - 1)));
            let b: [V; VECTORS] = std::array::from_fn(|v| V::load(right.add(v * V::COUNT)));
            for r in 0..ROWS {
                let a = V::splat(left[r / ROWS_PER_POINTER].add(r % ROWS_PER_POINTER * job.left_row));
                for v in 0..VECTORS {
                    sums[r][v] = a.mul_add(b[v], sums[r][v]);
                }
            }
            for group in left.iter_mut() {
                *group = group.wrapping_add(job.left_step);
            }
            *right = right.wrapping_add(job.right_step);
        }
    }
}

/// Each step has a loop of its own over all registers. One loop of all steps would be too long to be unrolled, and then the
/// sums would go through memory, which takes a tenth of the time of a tile of little depth.
///
/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn store<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    job: &Job,
    mut sums: [[V; VECTORS]; ROWS],
) {
    let full = job.cols == VECTORS * V::COUNT;
    // In a row that does not fill its registers the last may be empty.
    let count = |v: usize| job.cols.saturating_sub(v * V::COUNT);
    let cell = |r: usize, v: usize| job.cells.wrapping_add(r * job.row + v * V::COUNT);
    // SAFETY: the caller's promise; only the first `count` floats are touched where a row is not full.
    unsafe {
        let load = |from: *const f32, v: usize| match full {
            true => V::load(from),
            false => V::load_first(from, count(v)),
        };
        if job.accumulate {
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(load(cell(r, v), v));
                }
            }
        }
        if !job.bias.is_null() {
            let bias: [V; VECTORS] = std::array::from_fn(|v| load(job.bias.wrapping_add(v * V::COUNT), v));
            for sums in &mut sums {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum = sum.add(bias);
                }
            }
        }
        if job.relu {
            for sums in &mut sums {
                for sum in sums {
                    *sum = sum.relu();
                }
            }
        }
        if full {
            for (r, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(cell(r, v));
                }
            }
        } else {
            for (r, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store_first(cell(r, v), count(v));
                }
            }
        }
    }
}
