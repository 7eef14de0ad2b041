//! One tile of a product on the register tile of the instruction set.

use std::ops::Range;

use super::geometry::{Geometry, Offsets};
use super::plan::{EACH, Plan, deepest, even};
use super::{Place, Tiled};
use crate::cache::second_level;
use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{self, Activation, Ahead, Cells, Finish, Left, Right, Segment, Shape, Tile};
use crate::{Exec, Isa, with_scratch};

/// Floats of a panel's row from which on it is as good to read a row-major B in place as to pack it, whole pairs of cache
/// lines, ...
const IN_PLACE_PANEL: usize = 32;
/// ... if rows of B are at most so long: a block of the depth then stays in the second-level cache.
const IN_PLACE_WIDTH: usize = 512;
/// Rows of a tile from which on there is time to ask for what comes next while this is computed with.
const AHEAD_ROWS: usize = 64;
/// Panels from which on a block of rows of A is worth a copy, if reading it in place is slow.
pub(super) const COPY_PANELS: usize = 3;

/// What the columns of B are read from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Matrix(&'a [f32]),
    /// Panels of all columns, each of the whole depth.
    Packed(&'a [f32]),
}

/// A product that is being computed.
pub(super) struct Product<'a> {
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

/// Whether the floats of a block of rows lie at such distances that they crowd into a few sets of the first-level cache
/// (64 sets of 64 bytes, of at least 8 lines) and drive each other out.
pub(super) fn crowds(a: Matrix) -> bool {
    if a.row == 1 {
        a.col.is_multiple_of(64)
    } else {
        a.row.is_multiple_of(1024)
    }
}

impl<'a> Product<'a> {
    pub(super) fn new(cx: &Exec, geometry: &'a Geometry, a: &'a [f32], b: Source<'a>) -> Product<'a> {
        Product {
            isa: cx.isa,
            geometry,
            plan: Plan::new(
                Shape::of(cx.isa),
                deepest(geometry.k),
                geometry,
                Plan::tiles(EACH, cx.team.threads()),
            ),
            a,
            b,
        }
    }

    /// Some columns of a block of the depth, as they stand in B.
    fn right<'b>(&self, b: &'b [f32], at: Offsets, depth: &Range<usize>, cols: &Range<usize>) -> Matrix<'b> {
        let (row, col) = self.geometry.b;
        Matrix {
            data: b,
            start: at.b + depth.start * row + cols.start * col,
            row,
            col,
        }
    }

    /// These columns of B, in the time of so many steps of the depth.
    fn ahead(&self, at: Offsets, depth: &Range<usize>, cols: &Range<usize>, steps: usize) -> Ahead {
        match self.b {
            Source::Matrix(b) => Ahead::new(self.right(b, at, depth, cols), depth.len(), cols.len(), steps),
            Source::Packed(packed) => {
                let width = Shape::of(self.isa).cols;
                let panels = Matrix {
                    data: packed,
                    start: cols.start * self.geometry.k + depth.start * width,
                    row: self.geometry.k * width,
                    col: 1,
                };
                Ahead::new(panels, cols.len().div_ceil(width), depth.len() * width, steps)
            }
        }
    }

    /// Makes the columns of B ready.
    fn panels<'p>(
        &'p self,
        at: Offsets,
        rows: usize,
        cols: &Range<usize>,
        depth: &Range<usize>,
        scratch: &'p mut [f32],
    ) -> Panels<'p> {
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
        ahead: Option<&mut [Ahead; 2]>,
        finish: Finish,
        cells: &Cells,
        start: usize,
    ) {
        let shape = Shape::of(self.isa);
        let slivers = rows.len().div_ceil(shape.rows);
        let count = cols.div_ceil(shape.cols);
        let ahead = ahead.map_or(&mut [][..], |ahead| &mut ahead[..]);
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
            if let Some(left) = ahead.first_mut() {
                let start = from.start + height * a.row;
                let next = if sliver + 1 == slivers { 0 } else { height };
                *left = Ahead::new(Matrix { start, ..a }, next, depth, count * depth);
            }
            for panel in 0..count {
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
                unsafe {
                    microkernel::multiply_ahead(
                        self.isa,
                        tile,
                        left,
                        right,
                        &[segment],
                        finish,
                        cells,
                        to,
                        ahead,
                    )
                };
            }
        }
    }
}

impl Tiled for Product<'_> {
    fn cut(&self) -> (&Geometry, Plan) {
        (self.geometry, self.plan)
    }

    fn tile(&self, place: Place, finish: Finish, cells: &Cells, start: usize) {
        let Product {
            isa, geometry, plan, ..
        } = *self;
        let Place { matrix, part, block } = place;
        let rows = plan.rows(geometry.m, block / plan.col_blocks);
        let cols = plan.cols(geometry.n, block % plan.col_blocks);
        let all = plan.depth_blocks * geometry.products();
        let steps = even(all, plan.parts, part)..even(all, plan.parts, part + 1);
        let deepest = plan.depth(geometry.k, 0).len();
        let left_len = pack::left_len(Shape::of(isa).rows, deepest).next_multiple_of(16);
        let panels = cols.len().div_ceil(Shape::of(isa).cols);
        let read = geometry.k * (geometry.m + geometry.n) * size_of::<f32>();
        let far = rows.len() >= AHEAD_ROWS && read > second_level();
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
                let (depth, at) = place(step);
                // Some rows of A, and the next block of B.
                let mut ahead = [Ahead::NOTHING; 2];
                if far && !last {
                    let (next, at) = place(step + 1);
                    let times = rows.len().div_ceil(Shape::of(isa).rows) * panels;
                    ahead[1] = self.ahead(at, &next, &cols, times * depth.len());
                }
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
                    far.then_some(&mut ahead),
                    finish,
                    cells,
                    to,
                );
            }
        });
    }
}
