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
//! **Ahead** ([`multiply_ahead`]): memory that will be needed soon is asked for meanwhile, a few cache lines at a time.
//!
//! Each cell is one chain of multiply-adds in the order of segments and `p`, whatever `rows` and `cols` are: how C is
//! cut into tiles never changes a bit of the result. NaN and infinities go their way by IEEE rules: nothing is skipped
//! because a factor is zero. Denormal numbers are kept.

mod ahead;
mod block;
pub(crate) mod lanes;
pub mod pack;
mod turn;

use crate::Isa;
use crate::simd::vectorize;
pub use ahead::Ahead;
use block::{Job, run};
pub use turn::{ROWS as TURNED_ROWS, store_turned};

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
    place: (usize, usize),
) {
    // SAFETY: the caller's promise.
    unsafe { multiply_ahead(isa, tile, left, right, segments, finish, cells, place, &mut []) }
}

/// As [`multiply`], and asks for the next lines of each of `ahead` meanwhile.
///
/// # Safety
/// As for [`multiply`].
#[allow(clippy::too_many_arguments)]
pub unsafe fn multiply_ahead(
    isa: Isa,
    tile: Tile,
    left: Left,
    right: Right,
    segments: &[Segment],
    finish: Finish,
    cells: &Cells,
    (start, row): (usize, usize),
    ahead: &mut [Ahead],
) {
    let Tile { rows, cols, depth } = tile;
    if rows == 0 || cols == 0 {
        return;
    }
    let shape = Shape::of(isa);
    assert!(cols <= shape.cols, "{cols} columns, a tile has {}", shape.cols);
    check("C", cells.len, start, [(rows, row), (cols, 1)]);
    // Lanes are a power of two; a division would take as long as a quarter of a short tile.
    let vectors = (cols + shape.lanes - 1) >> shape.lanes.trailing_zeros();
    if depth > 0 {
        let read = vectors * shape.lanes;
        for segment in segments {
            let left_axes = [(rows, left.row), (depth, left.step)];
            check("left", left.data.len(), segment.left, left_axes);
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
    let mut job = Job {
        depth,
        left: left.data.as_ptr(),
        left_row: left.row,
        left_step: left.step,
        right: right.data.as_ptr(),
        right_step: right.step,
        segments: if depth == 0 { &[] } else { segments },
        // Wrapping, here and below: without anything to do the operands may be empty.
        cells: cells.pointer.wrapping_add(start),
        row,
        cols,
        accumulate: finish.accumulate,
        bias: finish.bias.map_or(std::ptr::null(), <[f32]>::as_ptr),
        relu: finish.activation == Activation::Relu,
    };
    let blocks = if rows <= shape.rows {
        1
    } else {
        rows.div_ceil(shape.rows)
    };
    let mut rest = rows;
    for block in 0..blocks {
        let left = blocks - block;
        let rows = if left == 1 { rest } else { rest.div_ceil(left) };
        // SAFETY: every address that the tile reads or writes was checked above, the caller owns its cells, and
        // `rows` is 1 to `shape.rows` because the blocks are even.
        unsafe {
            match ahead {
                [] => run::<false>(isa, rows, vectors, &job, ahead),
                _ => run::<true>(isa, rows, vectors, &job, ahead),
            }
        }
        job.left = job.left.wrapping_add(rows * job.left_row);
        job.cells = job.cells.wrapping_add(rows * job.row);
        rest -= rows;
    }
}

/// Stores sums that were computed elsewhere, `rows × cols` of rows of `width`, as [`multiply`] does its own. Of `tile` the depth
/// does not matter.
///
/// Panics if `sums` or C is too short.
///
/// # Safety
/// As for [`multiply`].
pub unsafe fn store(
    isa: Isa,
    tile: Tile,
    (sums, width): (&[f32], usize),
    finish: Finish,
    cells: &Cells,
    (start, row): (usize, usize),
) {
    let Tile { rows, cols, .. } = tile;
    if rows == 0 || cols == 0 {
        return;
    }
    check("the sums", sums.len(), 0, [(rows, width), (cols, 1)]);
    check("C", cells.len, start, [(rows, row), (cols, 1)]);
    for (r, sums) in sums.chunks(width).take(rows).enumerate() {
        // SAFETY: the row ends inside C, as was checked, and is the caller's.
        let to = unsafe { std::slice::from_raw_parts_mut(cells.pointer.add(start + r * row), cols) };
        store_row(isa, &sums[..cols], finish, to);
    }
}

vectorize! {
    fn store_row[](sums: &[f32], finish: Finish, to: &mut [f32]) {
        if finish.accumulate {
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
        } else {
            to.copy_from_slice(sums);
        }
        if let Some(bias) = finish.bias {
            to.iter_mut().zip(bias).for_each(|(to, bias)| *to += bias);
        }
        if finish.activation == Activation::Relu {
            to.iter_mut().for_each(|v| *v = if *v <= 0.0 { 0.0 } else { *v });
        }
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

#[cfg(test)]
mod tests;
