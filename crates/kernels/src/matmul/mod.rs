//! Matrix products: C = op(A) · op(B), then an optional bias on each column and an activation.
//!
//! C is cut into tiles that threads take from a queue. A tile packs the columns of B that it needs, a block of the depth
//! at a time, and passes them block by block of rows through the register tile of [`crate::microkernel`]. Nothing is
//! shared between tiles, so no thread ever waits for another. Where C is too small for enough tiles, the sum is cut
//! instead, and its parts are added up in order. Where B is transposed and large beside A and C, the transpose of C is
//! computed and turned.
//!
//! A row of C depends on its row of A and on B only, in the order of the depth; the order of summation depends on the
//! sizes alone.

mod geometry;
mod plan;
pub mod reference;
#[cfg(test)]
mod tests;

pub use geometry::{Geometry, Varies};

use crate::cache::{prefetch, second_level};
use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{self, Activation, Cells, Finish, Left, Right, Segment, Shape, Tile};
use crate::movement::{Transpose, transpose};
use crate::{Exec, Isa, with_scratch};
use geometry::Offsets;
use plan::{Plan, even};
use std::ops::Range;

/// Floats of a panel's row from which on it is as good to read a row-major B in place as to pack it, whole pairs of cache
/// lines, ...
const IN_PLACE_PANEL: usize = 32;
/// ... if rows of B are at most so long: a block of the depth then stays in the second-level cache.
const IN_PLACE_WIDTH: usize = 512;
/// Rows of a tile from which on there is time to ask for the next part of B while this one is computed with.
const AHEAD_ROWS: usize = 64;
/// Panels from which on a block of rows of A is worth a copy, if reading it in place is slow.
const COPY_PANELS: usize = 3;

/// Computes C. `bias` has one number for each column, or is empty. Panics unless the lengths pass
/// [`Geometry::check_lengths`].
pub fn forward(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    [a, b, bias]: [&[f32]; 3],
    c: &mut [f32],
) {
    if let Err(reason) = geometry.check_lengths(a.len(), b.len(), bias.len(), c.len()) {
        panic!("{reason}");
    }
    let plain = bias.is_empty() && activation == Activation::None;
    if let Some(swapped) = geometry
        .swapped()
        .filter(|_| plain && geometry.gains_by_swapping())
    {
        return with_scratch(c.len(), |transposed| {
            forward(cx, &swapped, activation, [b, a, bias], transposed);
            let back = Transpose::new(&[geometry.n, geometry.m], &[1, 0])
                .unwrap_or_else(|reason| panic!("{reason}"));
            transpose(cx, &back, transposed, c);
        });
    }
    product(cx, geometry, activation, a, Source::Matrix(b), bias, c);
}

/// Floats of B in the order that [`forward_packed`] reads it; 0 where there is no packed form: for few rows of A, which do not
/// pay for a copy of B, where the transpose of C may be computed, and for several matrices.
pub fn packed_len(isa: Isa, geometry: &Geometry) -> usize {
    let Shape { rows, cols, .. } = Shape::of(isa);
    let single = geometry.outer.is_empty() && geometry.summed.is_empty();
    if single && geometry.m > rows && !geometry.gains_by_swapping() {
        geometry.n.next_multiple_of(cols) * geometry.k
    } else {
        0
    }
}

/// Brings B into the order that [`forward_packed`] reads. Panics unless `packed` has [`packed_len`] floats.
pub fn pack(cx: &Exec, geometry: &Geometry, b: &[f32], packed: &mut [f32]) {
    assert_eq!(b.len(), geometry.right_len(), "the right factor");
    assert_eq!(
        packed.len(),
        packed_len(cx.isa, geometry),
        "the packed right factor"
    );
    let width = Shape::of(cx.isa).cols;
    cx.chunks_mut(packed, (geometry.k * width).max(1), |start, panel| {
        let column = start / geometry.k;
        let from = Matrix {
            data: b,
            start: column * geometry.b.1,
            row: geometry.b.0,
            col: geometry.b.1,
        };
        pack::right(cx.isa, from, geometry.k, width.min(geometry.n - column), panel);
    });
}

/// [`forward`] with a B that [`pack`] has made of this geometry, and that is not empty.
pub fn forward_packed(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    [a, packed, bias]: [&[f32]; 3],
    c: &mut [f32],
) {
    if let Err(reason) = geometry.check_lengths(a.len(), geometry.right_len(), bias.len(), c.len()) {
        panic!("{reason}");
    }
    assert_eq!(
        packed.len(),
        packed_len(cx.isa, geometry),
        "the packed right factor"
    );
    product(cx, geometry, activation, a, Source::Packed(packed), bias, c);
}

fn product(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    a: &[f32],
    b: Source,
    bias: &[f32],
    c: &mut [f32],
) {
    let plan = Plan::new(cx.isa, geometry, cx.team.threads());
    let matrices = geometry.matrices();
    let blocks = plan.row_blocks * plan.col_blocks;
    let product = Product {
        isa: cx.isa,
        geometry,
        plan,
        a,
        b,
    };
    let finish = Finish {
        accumulate: false,
        bias: (!bias.is_empty()).then_some(bias),
        activation,
    };
    if plan.parts == 1 {
        let cells = Cells::new(c);
        cx.tiles(matrices.div_ceil(plan.matrices) * blocks, |tile| {
            let first = tile / blocks * plan.matrices;
            for matrix in first..(first + plan.matrices).min(matrices) {
                let start = geometry.offsets(matrix, 0).c;
                product.tile(matrix, 0, tile % blocks, finish, &cells, start);
            }
        });
    } else {
        let size = geometry.m * geometry.n;
        with_scratch(matrices * plan.parts * size, |partial| {
            let cells = Cells::new(partial);
            cx.tiles(matrices * plan.parts * blocks, |tile| {
                let (matrix, part) = (tile / blocks / plan.parts, tile / blocks % plan.parts);
                let start = (matrix * plan.parts + part) * size;
                product.tile(matrix, part, tile % blocks, Finish::default(), &cells, start);
            });
            add_parts(cx, geometry, plan.parts, partial, finish, c);
        });
    }
}

/// The sum of each column of `x`, which has rows of `sums.len()` numbers: the gradient of a bias.
pub fn column_sums(cx: &Exec, x: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let geometry =
        Geometry::column_sums(x.len() / columns.max(1), columns).unwrap_or_else(|reason| panic!("{reason}"));
    forward(cx, &geometry, Activation::None, [&[1.0], x, &[]], sums);
}

/// C = the parts of its sum, added in order, with bias and activation.
fn add_parts(cx: &Exec, geometry: &Geometry, parts: usize, partial: &[f32], finish: Finish, c: &mut [f32]) {
    let &Geometry { m, n, .. } = geometry;
    let c = crate::Disjoint::new(c);
    cx.ranges(geometry.matrices() * m, (1 << 15) / (n * parts), |rows| {
        for row in rows {
            let (matrix, i) = (row / m, row % m);
            let at = geometry.offsets(matrix, 0).c + i * n;
            // SAFETY: every row of C has its own place, and each is in one range.
            let to = unsafe { c.slice(at..at + n) };
            for part in 0..parts {
                let from = &partial[((matrix * parts + part) * m + i) * n..][..n];
                if part == 0 {
                    to.copy_from_slice(from);
                } else {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
            if let Some(bias) = finish.bias {
                to.iter_mut().zip(bias).for_each(|(to, bias)| *to += bias);
            }
            if finish.activation == Activation::Relu {
                to.iter_mut().for_each(|v| *v = if *v <= 0.0 { 0.0 } else { *v });
            }
        }
    });
}

/// What the columns of B are read from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Matrix(&'a [f32]),
    /// Panels of all columns, each of the whole depth.
    Packed(&'a [f32]),
}

/// A product that is being computed.
struct Product<'a> {
    isa: Isa,
    geometry: &'a Geometry,
    plan: Plan,
    a: &'a [f32],
    b: Source<'a>,
}

/// Columns of B for one block of the depth: the first `in_place` panels stand in B itself, the rest are packed.
struct Panels<'a> {
    b: Right<'a>,
    start: usize,
    /// Floats from one panel to the next.
    step: usize,
    in_place: usize,
    packed: Right<'a>,
    packed_len: usize,
}

impl Panels<'_> {
    fn get(&self, panel: usize) -> (Right<'_>, usize) {
        if panel < self.in_place {
            (self.b, self.start + panel * self.step)
        } else {
            (self.packed, (panel - self.in_place) * self.packed_len)
        }
    }
}

/// The part of B that comes next: asked for piece by piece while another is computed with, since a core alone cannot read
/// memory as fast as it packs.
#[derive(Clone, Copy)]
struct Ahead {
    start: *const f32,
    /// How many runs of consecutive floats, how long, and how far apart.
    runs: usize,
    len: usize,
    stride: usize,
}

impl Ahead {
    fn new(data: &[f32], start: usize, runs: usize, len: usize, stride: usize) -> Ahead {
        Ahead {
            start: data.as_ptr().wrapping_add(start),
            runs,
            len,
            stride,
        }
    }

    /// Asks for one of `pieces` even pieces.
    fn piece(&self, pieces: usize, index: usize) {
        const LINE: usize = 16;
        for run in even(self.runs, pieces, index)..even(self.runs, pieces, index + 1) {
            for float in (0..self.len).step_by(LINE) {
                prefetch(self.start.wrapping_add(run * self.stride + float));
            }
        }
    }
}

/// Whether the floats of a block of rows lie at such distances that they crowd into a few sets of the first-level cache
/// (64 sets of 64 bytes, of at least 8 lines) and drive each other out.
fn crowds(a: Matrix) -> bool {
    if a.row == 1 {
        a.col.is_multiple_of(64)
    } else {
        a.row.is_multiple_of(1024)
    }
}

impl Product<'_> {
    /// Computes one block of one part of the sum for one matrix of C, which starts at `start` of `cells`.
    fn tile(&self, matrix: usize, part: usize, block: usize, finish: Finish, cells: &Cells, start: usize) {
        let Product {
            isa, geometry, plan, ..
        } = *self;
        let rows = plan.rows(isa, geometry.m, block / plan.col_blocks);
        let cols = plan.cols(isa, geometry.n, block % plan.col_blocks);
        let all = plan.depth_blocks * geometry.products();
        let steps = even(all, plan.parts, part)..even(all, plan.parts, part + 1);
        let deepest = plan.depth(geometry.k, 0).len();
        let left_len = pack::left_len(Shape::of(isa).rows, deepest).next_multiple_of(16);
        let panels = cols.len().div_ceil(Shape::of(isa).cols);
        let large = rows.len() >= AHEAD_ROWS && geometry.k * geometry.n * size_of::<f32>() > second_level();
        let right_len = match self.b {
            Source::Matrix(_) => panels * pack::panel_len(isa, deepest),
            Source::Packed(_) => 0,
        };
        with_scratch(left_len + right_len, |scratch| {
            let (left, right) = scratch.split_at_mut(left_len);
            // Without a step there is nothing to add up: one of depth 0 gives zeros, and finishes them.
            for step in steps.start..steps.end.max(steps.start + 1) {
                let place = |step: usize| match steps.contains(&step) {
                    true => (
                        plan.depth(geometry.k, step % plan.depth_blocks),
                        geometry.offsets(matrix, step / plan.depth_blocks),
                    ),
                    false => (0..0, Default::default()),
                };
                let last = step + 1 >= steps.end;
                let ahead = (!last && large).then(|| {
                    let (depth, at) = place(step + 1);
                    self.ahead(at, &depth, &cols)
                });
                let (depth, at) = place(step);
                let a = Matrix {
                    data: self.a,
                    start: at.a + depth.start * geometry.a.1,
                    row: geometry.a.0,
                    col: geometry.a.1,
                };
                let finish = Finish {
                    accumulate: step > steps.start,
                    bias: finish.bias.filter(|_| last).map(|bias| &bias[cols.clone()]),
                    activation: if last { finish.activation } else { Activation::None },
                };
                let panels = self.panels(at, rows.len(), &cols, &depth, right);
                let to = start + cols.start;
                self.rows(
                    a,
                    &panels,
                    rows.clone(),
                    cols.len(),
                    depth.len(),
                    left,
                    ahead,
                    finish,
                    cells,
                    to,
                );
            }
        });
    }

    /// Some columns of a block of the depth, as they stand in B.
    fn right<'a>(&self, b: &'a [f32], at: Offsets, depth: &Range<usize>, cols: &Range<usize>) -> Matrix<'a> {
        let (row, col) = self.geometry.b;
        Matrix {
            data: b,
            start: at.b + depth.start * row + cols.start * col,
            row,
            col,
        }
    }

    /// What to ask for before these columns of B are needed.
    fn ahead(&self, at: Offsets, depth: &Range<usize>, cols: &Range<usize>) -> Ahead {
        match self.b {
            Source::Matrix(b) => {
                let from = self.right(b, at, depth, cols);
                if from.col == 1 {
                    Ahead::new(b, from.start, depth.len(), cols.len(), from.row)
                } else {
                    Ahead::new(b, from.start, cols.len(), depth.len(), from.col)
                }
            }
            Source::Packed(packed) => {
                let width = Shape::of(self.isa).cols;
                let start = cols.start * self.geometry.k + depth.start * width;
                let panels = cols.len().div_ceil(width);
                Ahead::new(
                    packed,
                    start,
                    panels,
                    depth.len() * width,
                    self.geometry.k * width,
                )
            }
        }
    }

    /// Makes the columns of B ready.
    fn panels<'a>(
        &'a self,
        at: Offsets,
        rows: usize,
        cols: &Range<usize>,
        depth: &Range<usize>,
        scratch: &'a mut [f32],
    ) -> Panels<'a> {
        let width = Shape::of(self.isa).cols;
        let b = match self.b {
            Source::Matrix(b) => self.right(b, at, depth, cols),
            Source::Packed(packed) => {
                return Panels {
                    b: pack::as_right(self.isa, packed),
                    start: cols.start * self.geometry.k + depth.start * width,
                    step: self.geometry.k * width,
                    in_place: cols.len().div_ceil(width),
                    packed: pack::as_right(self.isa, scratch),
                    packed_len: 0,
                };
            }
        };
        let wide = width >= IN_PLACE_PANEL && b.row <= IN_PLACE_WIDTH;
        let few = rows <= Shape::of(self.isa).rows;
        let in_place = if b.col == 1 && (wide || few) {
            cols.len() / width
        } else {
            0
        };
        let done = in_place * width;
        let from = Matrix {
            start: b.start + done * b.col,
            ..b
        };
        pack::right(self.isa, from, depth.len(), cols.len() - done, scratch);
        Panels {
            b: Right {
                data: b.data,
                step: b.row,
            },
            start: b.start,
            step: width,
            in_place,
            packed: pack::as_right(self.isa, scratch),
            packed_len: pack::panel_len(self.isa, depth.len()),
        }
    }

    /// Passes all rows of a tile over all of its panels.
    #[allow(clippy::too_many_arguments)]
    fn rows(
        &self,
        a: Matrix,
        panels: &Panels,
        rows: Range<usize>,
        cols: usize,
        depth: usize,
        scratch: &mut [f32],
        ahead: Option<Ahead>,
        finish: Finish,
        cells: &Cells,
        start: usize,
    ) {
        let shape = Shape::of(self.isa);
        let slivers = rows.len().div_ceil(shape.rows);
        let count = cols.div_ceil(shape.cols);
        for sliver in 0..slivers {
            let first = rows.start + even(rows.len(), slivers, sliver);
            let height = rows.start + even(rows.len(), slivers, sliver + 1) - first;
            let from = Matrix {
                start: a.start + first * a.row,
                ..a
            };
            let (left, left_start) = if count >= COPY_PANELS && crowds(a) {
                (pack::left(from, height, depth, scratch), 0)
            } else {
                (
                    Left {
                        data: a.data,
                        row: a.row,
                        step: a.col,
                    },
                    from.start,
                )
            };
            for panel in 0..count {
                if let Some(ahead) = &ahead {
                    ahead.piece(slivers * count, sliver * count + panel);
                }
                let (right, right_start) = panels.get(panel);
                let done = panel * shape.cols;
                let tile = Tile {
                    rows: height,
                    cols: shape.cols.min(cols - done),
                    depth,
                };
                let segment = Segment {
                    left: left_start,
                    right: right_start,
                };
                let finish = Finish {
                    bias: finish.bias.map(|bias| &bias[done..]),
                    ..finish
                };
                let to = (start + first * self.geometry.n + done, self.geometry.n);
                // SAFETY: tiles do not share cells of C or of its parts, and each is computed by one thread.
                unsafe { microkernel::multiply(self.isa, tile, left, right, &[segment], finish, cells, to) };
            }
        }
    }
}
