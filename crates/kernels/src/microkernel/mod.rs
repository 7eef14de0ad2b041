//! The register tile under every compute-bound kernel: matrix products, direct convolution and its gradients.
//!
//! [`multiply`] computes, for `rows × cols` cells of C,
//!
//! ```text
//! C[r][j]  =  finish( Σ over segments s, Σ over p in 0..depth of  A_s[r][p] · B_s[p][j] )
//! A_s[r][p] = left.data [s.left  + r · left.row + p · left.step]
//! B_s[p][j] = right.data[s.right + p · right.step + j]
//! ```
//!
//! **Left** is read in place, one float at a time, with any two strides: rows of a row-major matrix or of an NHWC image
//! (`step` 1, `row` = distance of two rows or pixels), a transposed matrix (`row` 1, `step` = its width), or a packed
//! copy. Reading is fastest when all `rows · depth` floats of a segment stay in the first-level cache.
//!
//! **Right** is read in vectors of consecutive columns. Packed panels ([`pack`]) hold `depth` rows of [`Shape::cols`]
//! floats, zeros behind the last column: `step` = `Shape::cols`. A row-major matrix can be used in place (`step` = its
//! width). Each row is read up to `cols` rounded up to [`Shape::lanes`]; those floats must exist, but whatever stands in
//! the surplus columns, even a NaN, never reaches C.
//!
//! **Segments** add up several products in registers, one after the other: the taps of a convolution window, or the
//! output rows of a weight gradient. A plain product has one. No segment, or `depth` 0, sums to zero.
//!
//! **C** is touched in exactly `rows × cols` cells. `rows` is any number: more than [`Shape::rows`] are cut into even
//! blocks, each of which passes over the right operand again. `cols` is at most [`Shape::cols`].
//!
//! **Finish**: the old content of C is added if `accumulate`, then the bias of each column, then the activation; a
//! sum that is cut along `depth` into several calls passes bias and activation with the last one.
//!
//! Each cell is one chain of multiply-adds in the order of segments and `p`, whatever `rows` and `cols` are: how C is
//! cut into tiles never changes a bit of the result. NaN and infinities go their way by IEEE rules: nothing is skipped
//! because a factor is zero. Denormal numbers are kept.

mod lanes;
pub mod pack;

use crate::Isa;
use lanes::Lanes;

/// The size of the register tile of an instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Rows that are computed in one pass.
    pub rows: usize,
    /// Columns of a packed panel, and the most that one call computes.
    pub cols: usize,
    /// Floats in one register. A tile of at most this many columns costs half of a full one (NEON: a quarter).
    pub lanes: usize,
}

impl Shape {
    pub const fn of(isa: Isa) -> Shape {
        let (rows, cols, lanes) = match isa {
            Isa::Avx512 => (12, 32, 16),
            Isa::Avx2 => (6, 16, 8),
            Isa::Neon => (6, 16, 4),
            Isa::Scalar => (4, 8, 4),
        };
        Shape { rows, cols, lanes }
    }
}

/// What a finished sum goes through before it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Activation {
    #[default]
    None,
    /// 0 for what is 0, -0 or below, anything else unchanged: NaN stays NaN.
    Relu,
}

#[derive(Clone, Copy)]
pub struct Tile {
    pub rows: usize,
    pub cols: usize,
    pub depth: usize,
}

#[derive(Clone, Copy)]
pub struct Left<'a> {
    pub data: &'a [f32],
    /// Distance of two rows.
    pub row: usize,
    /// Distance of two floats of a row along the depth.
    pub step: usize,
}

#[derive(Clone, Copy)]
pub struct Right<'a> {
    pub data: &'a [f32],
    /// Distance of two rows along the depth.
    pub step: usize,
}

/// Where one of the products that are added up starts in each operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Segment {
    pub left: usize,
    pub right: usize,
}

#[derive(Clone, Copy, Default)]
pub struct Finish<'a> {
    /// Add to what C holds instead of replacing it.
    pub accumulate: bool,
    /// One number for each column, or more.
    pub bias: Option<&'a [f32]>,
    pub activation: Activation,
}

/// Output that several threads write, each its own cells.
pub struct Cells<'a> {
    pointer: *mut f32,
    len: usize,
    owner: std::marker::PhantomData<&'a mut [f32]>,
}

// SAFETY: whoever writes through `multiply` promises that no other thread touches the same cells.
unsafe impl Sync for Cells<'_> {}

impl<'a> Cells<'a> {
    pub fn new(slice: &'a mut [f32]) -> Cells<'a> {
        Cells {
            pointer: slice.as_mut_ptr(),
            len: slice.len(),
            owner: std::marker::PhantomData,
        }
    }
}

/// Computes one tile of C as told at the head of this file; row `r` of it starts at `cells[start + r · row]`.
///
/// Panics if an operand or C is too short.
///
/// # Safety
/// While this runs, no other thread reads or writes the tile's cells, and rows do not overlap (`row >= cols`, or one row).
#[allow(clippy::too_many_arguments)]
pub unsafe fn multiply(
    isa: Isa,
    tile: Tile,
    left: Left,
    right: Right,
    segments: &[Segment],
    finish: Finish,
    cells: &Cells,
    (start, row): (usize, usize),
) {
    let Tile { rows, cols, depth } = tile;
    if rows == 0 || cols == 0 {
        return;
    }
    let shape = Shape::of(isa);
    assert!(cols <= shape.cols, "{cols} columns, a tile has {}", shape.cols);
    check("C", cells.len, start, [(rows, row), (cols, 1)]);
    if depth > 0 {
        let read = cols.next_multiple_of(shape.lanes);
        for segment in segments {
            check(
                "left",
                left.data.len(),
                segment.left,
                [(rows, left.row), (depth, left.step)],
            );
            check(
                "right",
                right.data.len(),
                segment.right,
                [(depth, right.step), (read, 1)],
            );
        }
    }
    if let Some(bias) = finish.bias {
        assert!(bias.len() >= cols, "{} biases for {cols} columns", bias.len());
    }
    let blocks = rows.div_ceil(shape.rows);
    for block in 0..blocks {
        let from = rows * block / blocks;
        let job = Job {
            depth,
            // Wrapping: without anything to read the operands may be empty.
            left: left.data.as_ptr().wrapping_add(from * left.row),
            left_row: left.row,
            left_step: left.step,
            right: right.data.as_ptr(),
            right_step: right.step,
            segments: if depth == 0 { &[] } else { segments },
            cells: cells.pointer.wrapping_add(start + from * row),
            row,
            cols,
            accumulate: finish.accumulate,
            bias: finish.bias.map_or(std::ptr::null(), <[f32]>::as_ptr),
            relu: finish.activation == Activation::Relu,
        };
        let rows = rows * (block + 1) / blocks - from;
        // SAFETY: every address that the tile reads or writes was checked above, the caller owns its cells, and
        // `rows` is 1 to `shape.rows` because the blocks are even.
        unsafe { run(isa, rows, cols.div_ceil(shape.lanes), &job) };
    }
}

/// Panics unless the last index that the strides reach lies inside.
#[inline]
fn check(name: &str, len: usize, start: usize, axes: [(usize, usize); 2]) {
    let last = axes.iter().try_fold(start, |at, &(count, stride)| {
        (count - 1)
            .checked_mul(stride)
            .and_then(|far| far.checked_add(at))
    });
    assert!(
        last.is_some_and(|last| last < len),
        "{name} has {len} floats: too few for start {start} and axes {axes:?}"
    );
}

/// One block of at most `Shape::rows` rows, addresses checked.
struct Job<'a> {
    depth: usize,
    left: *const f32,
    left_row: usize,
    left_step: usize,
    right: *const f32,
    right_step: usize,
    segments: &'a [Segment],
    cells: *mut f32,
    row: usize,
    cols: usize,
    accumulate: bool,
    bias: *const f32,
    relu: bool,
}

/// Picks the loop that is compiled for this instruction set, number of rows and number of registers a row.
///
/// # Safety
/// As for [`block`], and the machine has `isa`.
unsafe fn run(isa: Isa, rows: usize, vectors: usize, job: &Job) {
    macro_rules! pick {
        ($target:ident, $($vectors:literal)*; $($rows:literal)*) => {
            pick!(@ $target, [$($vectors)*], $($rows)*)
        };
        (@ $target:ident, $all:tt, $($rows:literal)*) => {
            match rows { $($rows => pick!(@@ $target, $rows, $all),)* _ => unreachable!("{rows} rows in a block") }
        };
        (@@ $target:ident, $rows:literal, [$($vectors:literal)*]) => {
            // SAFETY: the caller's promise.
            match vectors { $(..=$vectors => unsafe { $target::<$rows, $vectors>(job) },)* _ => unreachable!("{vectors} registers a row") }
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
unsafe fn avx512<const ROWS: usize, const VECTORS: usize>(job: &Job) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::x86::Avx512, ROWS, VECTORS>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ROWS: usize, const VECTORS: usize>(job: &Job) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::x86::Avx2, ROWS, VECTORS>(job) }
}

#[cfg(target_arch = "aarch64")]
unsafe fn neon<const ROWS: usize, const VECTORS: usize>(job: &Job) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::arm::Neon, ROWS, VECTORS>(job) }
}

unsafe fn plain<const ROWS: usize, const VECTORS: usize>(job: &Job) {
    // SAFETY: the caller's promise.
    unsafe { block::<lanes::Plain, ROWS, VECTORS>(job) }
}

/// Three rows share a pointer (addresses p, p + row, p + 2 · row), or there would not be enough registers for them.
const ROWS_PER_POINTER: usize = 3;
const POINTERS: usize = 4;

/// # Safety
/// The instruction set of `V` is there; `job` describes addresses that may be read, and cells that may be written,
/// for `ROWS` rows and `VECTORS` registers a row.
#[inline(always)]
unsafe fn block<V: Lanes, const ROWS: usize, const VECTORS: usize>(job: &Job) {
    // By value in between: `store` is a loop over an array, which lives in memory, but `sum` must keep its own in
    // registers.
    // SAFETY: the caller's promise.
    unsafe {
        let sums = sum::<V, ROWS, VECTORS>(job);
        store(job, sums);
    }
}

/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn sum<V: Lanes, const ROWS: usize, const VECTORS: usize>(job: &Job) -> [[V; VECTORS]; ROWS] {
    const { assert!(ROWS <= ROWS_PER_POINTER * POINTERS) };
    // SAFETY: the caller's promise, for every load; pointers that run past the end by a step are made with wrapping
    // arithmetic and not read.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        for segment in job.segments {
            let mut left: [*const f32; POINTERS] = std::array::from_fn(|group| {
                job.left
                    .wrapping_add(segment.left + group * ROWS_PER_POINTER * job.left_row)
            });
            let mut right = job.right.wrapping_add(segment.right);
            for _ in 0..job.depth {
                let b: [V; VECTORS] = std::array::from_fn(|v| V::load(right.add(v * V::COUNT)));
                for r in 0..ROWS {
                    let a = V::splat(left[r / ROWS_PER_POINTER].add(r % ROWS_PER_POINTER * job.left_row));
                    for v in 0..VECTORS {
                        sums[r][v] = a.mul_add(b[v], sums[r][v]);
                    }
                }
                for group in &mut left {
                    *group = group.wrapping_add(job.left_step);
                }
                right = right.wrapping_add(job.right_step);
            }
        }
        sums
    }
}

/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn store<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    job: &Job,
    mut sums: [[V; VECTORS]; ROWS],
) {
    let full = job.cols == VECTORS * V::COUNT;
    for (r, sums) in sums.iter_mut().enumerate() {
        let cells = job.cells.wrapping_add(r * job.row);
        for (v, sum) in sums.iter_mut().enumerate() {
            // In a row that does not fill its registers the last may be empty.
            let skip = (v * V::COUNT).min(job.cols);
            let count = job.cols - skip;
            // SAFETY: the caller's promise; only the first `count` floats are touched where a row is not full.
            unsafe {
                let load = |from: *const f32| {
                    if full {
                        V::load(from)
                    } else {
                        V::load_first(from, count)
                    }
                };
                let to = cells.add(skip);
                if job.accumulate {
                    *sum = sum.add(load(to));
                }
                if !job.bias.is_null() {
                    *sum = sum.add(load(job.bias.add(skip)));
                }
                if job.relu {
                    *sum = sum.relu();
                }
                if full {
                    sum.store(to);
                } else {
                    sum.store_first(to, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
