//! Products in pieces of bfloat16 on a matrix unit.
//!
//! The loops are those of the register tile, over blocks of 32 × 32 cells: a tile of work packs its columns of B, a block of the
//! depth at a time, and for each sliver of 32 rows that of A, both as pieces. Where numbers are out of the range of pieces,
//! a block is computed in float32. Rows, columns and depth are cut by the sizes alone, so that no bit depends on the number of threads.

use super::geometry::{Geometry, Offsets};
use super::plan::{EACH, Plan, even};
use super::{Place, Tiled};
use crate::bfloat16::{self, Factor, SIDE, Session, Unit};
use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{Activation, Cells, Finish, Left, Shape, Tile};
use crate::{Exec, Isa, with_scratch};

#[cfg(test)]
mod tests;

/// Depth of a block for so many pieces: a sliver of A stays in the first-level cache, or mostly.
const DEPTH: [usize; 3] = [512, 256, 256];
/// Rows and columns from which on half of a block is of use, depth from which on most of a step is, and multiply-adds of some
/// microseconds.
const FEWEST: usize = SIDE / 2;
const SHALLOWEST: usize = 24;
const SMALLEST: usize = 1 << 18;

pub(super) struct Pieces<'a> {
    isa: Isa,
    unit: Unit,
    pieces: usize,
    geometry: &'a Geometry,
    plan: Plan,
    a: &'a [f32],
    b: &'a [f32],
}

/// What multiplies and in how many pieces; nothing where float32 is wanted, or as fast.
pub(super) fn serve(cx: &Exec, geometry: &Geometry) -> Option<(Unit, usize)> {
    let found = cx.pieces()?;
    let Geometry { m, n, k, .. } = *geometry;
    let work = m * n * k * geometry.products() * geometry.matrices();
    let pays = m.min(n) >= FEWEST && k >= SHALLOWEST && work >= SMALLEST;
    pays.then_some(found)
}

impl<'a> Pieces<'a> {
    /// Nothing where [`serve`] says so.
    pub fn new(cx: &Exec, geometry: &'a Geometry, a: &'a [f32], b: &'a [f32]) -> Option<Pieces<'a>> {
        let (unit, pieces) = serve(cx, geometry)?;
        let shape = Shape {
            rows: SIDE,
            cols: SIDE,
            lanes: SIDE / 2,
        };
        Some(Pieces {
            isa: cx.isa,
            unit,
            pieces,
            geometry,
            plan: Plan::new(
                shape,
                DEPTH[pieces - 1],
                geometry,
                Plan::tiles(EACH, cx.team.threads()),
            ),
            a,
            b,
        })
    }
}

impl Tiled for Pieces<'_> {
    fn cut(&self) -> (&Geometry, Plan) {
        (self.geometry, self.plan)
    }

    fn tile(&self, place: Place, finish: Finish, cells: &Cells, start: usize) {
        let Pieces {
            geometry,
            plan,
            pieces,
            ..
        } = self;
        let slivers = plan.slivers(geometry.m, place.block / plan.col_blocks);
        let cols = plan.cols(geometry.n, place.block % plan.col_blocks);
        let all = plan.depth_blocks * geometry.products();
        let steps = even(all, plan.parts, place.part)..even(all, plan.parts, place.part + 1);
        let deepest = plan.depth(geometry.k, 0).len();
        let (panel_len, words) = (deepest * SIDE, bfloat16::len(deepest, *pieces));
        let panels = cols.len().div_ceil(SIDE);
        let session = Session::new(self.unit, *pieces);
        with_scratch((panels + 1) * (panel_len + words), |scratch| {
            // Words come first: tiles are loaded from whole cache lines.
            let (words, exact) = scratch.split_at_mut((panels + 1) * words);
            for step in steps.clone() {
                let depth = plan.depth(geometry.k, step % plan.depth_blocks);
                let at = geometry.offsets(place.matrix, step / plan.depth_blocks);
                let last = step + 1 == steps.end;
                let finish = Finish {
                    accumulate: step > steps.start,
                    bias: finish.bias.filter(|_| last).map(|bias| &bias[cols.clone()]),
                    activation: if last { finish.activation } else { Activation::None },
                };
                let mut block = Block {
                    product: self,
                    session: &session,
                    at: Offsets {
                        a: at.a + depth.start * geometry.a.1,
                        b: at.b + depth.start * geometry.b.0 + cols.start * geometry.b.1,
                        ..at
                    },
                    depth: depth.len(),
                    cols: cols.len(),
                    words: &mut *words,
                    exact: &mut *exact,
                };
                block.pack_right();
                for sliver in slivers.clone() {
                    let rows = plan.sliver(geometry.m, sliver);
                    let to = start + rows.start * geometry.n + cols.start;
                    block.rows(rows.start, rows.len(), finish, cells, to);
                }
            }
        });
    }
}

/// A block of the depth of a tile, and its working memory: that of each panel of columns, then that of a sliver.
struct Block<'a> {
    product: &'a Pieces<'a>,
    session: &'a Session,
    /// Where the operands start.
    at: Offsets,
    depth: usize,
    cols: usize,
    words: &'a mut [f32],
    exact: &'a mut [f32],
}

impl Block<'_> {
    fn words_len(&self) -> usize {
        bfloat16::len(self.depth, self.product.pieces)
    }

    fn pack_right(&mut self) {
        let (row, col) = self.product.geometry.b;
        let (isa, pieces) = (self.product.isa, self.product.pieces);
        let (words, panel) = (self.words_len(), self.depth * SIDE);
        for first in (0..self.cols).step_by(SIDE) {
            let from = Matrix {
                data: self.product.b,
                start: self.at.b + first * col,
                row,
                col,
            };
            let exact = &mut self.exact[first / SIDE * panel..][..panel];
            bfloat16::panel(isa, from, self.depth, SIDE.min(self.cols - first), exact);
            let words = &mut self.words[first / SIDE * words..][..words];
            bfloat16::split_right(isa, exact, self.depth, pieces, words);
        }
    }

    /// One sliver for all panels.
    fn rows(&mut self, first: usize, rows: usize, finish: Finish, cells: &Cells, start: usize) {
        let Geometry { a: (row, col), n, .. } = *self.product.geometry;
        let (isa, pieces) = (self.product.isa, self.product.pieces);
        let (len, panel) = (self.words_len(), self.depth * SIDE);
        let panels = self.cols.div_ceil(SIDE);
        let (right, words) = self.words.split_at_mut(panels * len);
        let (exact, copy) = self.exact.split_at_mut(panels * panel);
        let from = Matrix {
            data: self.product.a,
            start: self.at.a + first * row,
            row,
            col,
        };
        let words = &mut words[..len];
        let (left, left_start) = rows_of(isa, from, rows, self.depth, copy);
        bfloat16::split_left(isa, left, left_start, rows, self.depth, pieces, words);
        let left = Factor {
            words,
            exact: (left, left_start),
        };
        for first in (0..self.cols).step_by(SIDE) {
            let right = Factor {
                words: &right[first / SIDE * len..][..len],
                exact: &exact[first / SIDE * panel..][..panel],
            };
            let tile = Tile {
                rows,
                cols: SIDE.min(self.cols - first),
                depth: self.depth,
            };
            let finish = Finish {
                bias: finish.bias.map(|bias| &bias[first..]),
                ..finish
            };
            // SAFETY: tiles do not share cells of C or of its parts, and each is computed by one thread.
            unsafe {
                bfloat16::multiply(
                    isa,
                    self.session,
                    tile,
                    left,
                    right,
                    finish,
                    cells,
                    (start + first, n),
                )
            };
        }
    }
}

/// Rows that are contiguous: where they stand, or copies of `depth` floats each.
fn rows_of<'a>(
    isa: Isa,
    from: Matrix<'a>,
    rows: usize,
    depth: usize,
    copy: &'a mut [f32],
) -> (Left<'a>, usize) {
    if from.col == 1 {
        let left = Left {
            data: from.data,
            row: from.row,
            step: 1,
        };
        return (left, from.start);
    }
    let copy = &mut copy[..rows * depth];
    pack::transposed(isa, from, depth, depth, copy);
    let left = Left {
        data: copy,
        row: depth,
        step: 1,
    };
    (left, 0)
}
