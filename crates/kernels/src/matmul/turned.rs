//! Products whose B is transposed and much longer than A.
//!
//! Packing such a B means turning all of it. It is better to have it on the left of the transposed product, Cᵀ = Bᵀ · Aᵀ: there it
//! is read in place, and A is what has to be turned and packed. Of small ones each register tile is turned when it is stored; of large
//! ones Cᵀ is computed as a whole and turned afterwards, which is another job for all threads, but writes long runs.

use std::ops::Range;

use super::geometry::Geometry;
use super::pack_panels;
use super::plan::{Plan, deepest};
use super::product::{COPY_PANELS, crowds};
use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{
    self, Activation, Cells, Finish, Left, Segment, Shape, TURNED_ROWS, Tile, store_turned,
};
use crate::movement::{Transpose, transpose};
use crate::{Exec, with_scratch};

/// How many times fewer floats must be moved by turning the result than by packing B, ...
const FEWER: usize = 4;
/// ... and from how many floats of B on that pays.
const LARGE: usize = 1 << 19;
/// Below, how many times longer than A it must be, how few rows A may have, and how deep both are, so that turning tiles is a small part
/// of the work.
const LONGER: usize = 2;
const MOST_ROWS: usize = 64;
const DEEPER: usize = 64;
/// Tiles for each thread: fewer than elsewhere, since each may have to pack.
const EACH: usize = 2;

/// How a product is computed by its transpose.
pub(super) enum Way {
    /// The transposed product, then a transpose.
    Detour(Geometry),
    /// Turned by tiles.
    Tiles(Geometry, Plan),
}

/// The way, where there is a better one: of a single product with neither bias nor activation.
pub(super) fn way(cx: &Exec, geometry: &Geometry) -> Option<Way> {
    let Geometry { m, n, k, b, .. } = *geometry;
    if b.0 != 1 || b.1 == 1 {
        return None;
    }
    let swapped = geometry.swapped()?;
    if k * n >= LARGE {
        return (k * n >= FEWER * m * (k + n)).then_some(Way::Detour(swapped));
    }
    if n < LONGER * m || m > MOST_ROWS || k < DEEPER {
        return None;
    }
    let plan = Plan::new(
        Shape::of(cx.isa),
        deepest(k),
        &swapped,
        Plan::tiles(EACH, cx.team.threads()),
    );
    // Parts of a sum would have to be turned after they have been added up.
    (plan.parts == 1).then_some(Way::Tiles(swapped, plan))
}

/// C as the transpose of the product of `left` and `right`.
pub(super) fn forward(cx: &Exec, way: &Way, operands: [&[f32]; 2], c: &mut [f32]) {
    match way {
        Way::Tiles(swapped, plan) => in_tiles(cx, swapped, *plan, operands, c),
        Way::Detour(swapped) => with_scratch(c.len(), |transposed| {
            let [left, right] = operands;
            super::forward(cx, swapped, Activation::None, [left, right, &[]], transposed);
            let back =
                Transpose::new(&[swapped.m, swapped.n], &[1, 0]).unwrap_or_else(|reason| panic!("{reason}"));
            transpose(cx, &back, transposed, c);
        }),
    }
}

fn in_tiles(cx: &Exec, swapped: &Geometry, plan: Plan, [left, right]: [&[f32]; 2], c: &mut [f32]) {
    let width = Shape::of(cx.isa).cols;
    let cells = &Cells::new(c);
    let run = |packed: &[f32]| {
        let product = Turned {
            cx,
            swapped,
            plan,
            left,
            right,
            packed,
            cells,
        };
        cx.tiles(plan.row_blocks * plan.col_blocks, |block| product.tile(block));
    };
    if swapped.n <= width {
        return run(&[]);
    }
    with_scratch(swapped.n.next_multiple_of(width) * swapped.k, |packed| {
        pack_panels(cx, swapped, right, packed);
        run(packed);
    });
}

struct Turned<'a> {
    cx: &'a Exec,
    swapped: &'a Geometry,
    plan: Plan,
    left: &'a [f32],
    right: &'a [f32],
    /// Panels of all columns, each of the whole depth. Empty if there is but one: each tile packs it for itself, since what
    /// another core has just written comes more slowly.
    packed: &'a [f32],
    cells: &'a Cells<'a>,
}

impl Turned<'_> {
    fn tile(&self, block: usize) {
        let (plan, shape) = (self.plan, Shape::of(self.cx.isa));
        let slivers = plan.slivers(self.swapped.m, block / plan.col_blocks);
        let rows = plan.rows(self.swapped.m, block / plan.col_blocks);
        let cols = plan.cols(self.swapped.n, block % plan.col_blocks);
        let width = cols.len().next_multiple_of(shape.cols);
        // Sums of a single block of the depth are stored at once, and the next take their place.
        let kept = plan.depth_blocks > 1;
        let sums_len = (if kept { rows.len() } else { shape.rows } + TURNED_ROWS) * width;
        let deepest = plan.depth(self.swapped.k, 0).len();
        let own_len = if self.packed.is_empty() {
            deepest * shape.cols
        } else {
            0
        };
        let left_len = pack::left_len(shape.rows, deepest);
        with_scratch(own_len + sums_len + left_len, |scratch| {
            let (own, scratch) = scratch.split_at_mut(own_len);
            let (sums, copy) = scratch.split_at_mut(sums_len);
            for step in 0..plan.depth_blocks {
                let panels = self.panels(step, own);
                for sliver in slivers.clone() {
                    let sliver = plan.sliver(self.swapped.m, sliver);
                    let place = if kept { sliver.start - rows.start } else { 0 };
                    let sums = (&mut sums[place * width..], width);
                    self.sliver(step, sliver, &cols, panels, copy, sums);
                }
            }
        });
    }

    /// A block of the depth of all panels: the floats, where those of the first panel start, and the distance of two panels.
    fn panels<'p>(&'p self, step: usize, own: &'p mut [f32]) -> (&'p [f32], usize, usize) {
        let (width, k) = (Shape::of(self.cx.isa).cols, self.swapped.k);
        let depth = self.plan.depth(k, step);
        if !self.packed.is_empty() {
            return (self.packed, depth.start * width, k * width);
        }
        let (row, col) = self.swapped.b;
        let from = Matrix {
            data: self.right,
            start: depth.start * row,
            row,
            col,
        };
        pack::right(self.cx.isa, from, depth.len(), self.swapped.n, own);
        (own, 0, 0)
    }

    /// A block of the depth of some rows: added to their sums, which are stored with the last.
    fn sliver(
        &self,
        step: usize,
        rows: Range<usize>,
        cols: &Range<usize>,
        (panels, panels_start, panel): (&[f32], usize, usize),
        copy: &mut [f32],
        (sums, sums_row): (&mut [f32], usize),
    ) {
        let (isa, shape) = (self.cx.isa, Shape::of(self.cx.isa));
        let Geometry {
            m, k, a: (row, col), ..
        } = *self.swapped;
        let depth = self.plan.depth(k, step);
        let from = Matrix {
            data: self.left,
            start: rows.start * row + depth.start * col,
            row,
            col,
        };
        let crowded = cols.len() > (COPY_PANELS - 1) * shape.cols && crowds(from);
        let (left, start) = match crowded {
            true => (pack::left(from, rows.len(), depth.len(), copy), 0),
            false => (
                Left {
                    data: self.left,
                    row,
                    step: col,
                },
                from.start,
            ),
        };
        let right = pack::as_right(isa, panels);
        for first in (0..cols.len()).step_by(shape.cols) {
            let tile = Tile {
                rows: rows.len(),
                cols: shape.cols.min(cols.len() - first),
                depth: depth.len(),
            };
            let segment = Segment {
                left: start,
                right: panels_start + (cols.start + first) / shape.cols * panel,
            };
            let finish = Finish {
                accumulate: step > 0,
                ..Finish::default()
            };
            let cells = Cells::new(sums);
            // SAFETY: this thread alone has these sums.
            unsafe {
                microkernel::multiply(
                    isa,
                    tile,
                    left,
                    right,
                    &[segment],
                    finish,
                    &cells,
                    (first, sums_row),
                )
            };
            if step + 1 == self.plan.depth_blocks {
                let place = ((cols.start + first) * m + rows.start, m);
                // SAFETY: tiles do not share cells of C, and each is computed by one thread.
                unsafe { store_turned(isa, tile, (&sums[first..], sums_row), self.cells, place) };
            }
        }
    }
}
