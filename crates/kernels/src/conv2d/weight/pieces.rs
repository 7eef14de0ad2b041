//! The weight gradient in pieces of bfloat16, on a matrix unit: see [`crate::bfloat16`].
//!
//! A task sums some rows, taps and channels of one group, over a part of the positions. For each block of the positions it makes
//! pieces of dy, which all its slivers of 32 rows use; a sliver is copied from the windows and turned.

use std::ops::Range;

use super::SHARED_FLOATS;
use crate::bfloat16::{self, Factor, SIDE, Session, Unit};
use crate::conv2d::Conv2d;
use crate::conv2d::bands::{even, in_parts};
use crate::conv2d::pieces::{DEPTH, Window};
use crate::conv2d::windows::{Laid, View};
use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{Cells, Finish, Left, Tile};
use crate::{Exec, with_scratch};

/// Tasks that a gradient is cut into, slivers that make pieces of dy worth their cost, and positions a copy of the gradient.
const ENOUGH: usize = 16;
const SLIVERS: usize = 4;
const PART_POSITIONS: usize = 1024;

/// dw = windows of x, transposed, times dy. There must be positions.
pub(super) fn sum(
    cx: &Exec,
    conv: &Conv2d,
    view: &View,
    (unit, pieces): (Unit, usize),
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) {
    let slivers = (view.taps() * conv.group_channels()).div_ceil(SIDE);
    let pile = slivers.div_ceil(SLIVERS).min(ENOUGH.div_ceil(conv.groups));
    let tasks = conv.groups * pile;
    let bands = view.bands(1, 1, SHARED_FLOATS);
    let parts = ENOUGH
        .div_ceil(tasks)
        .min(view.positions() / bands.count() / PART_POSITIONS)
        .max(1);
    in_parts(cx, parts, dw, |summands| {
        let cells = Cells::new(summands);
        for index in 0..bands.count() {
            let band = bands.get(index);
            view.lay(cx, x, band, |laid| {
                cx.tiles(parts * tasks, |tile| {
                    let (part, task) = (tile / tasks, tile % tasks);
                    let piles = task % pile;
                    let task = Task {
                        cx,
                        conv,
                        pieces,
                        session: Session::new(unit, pieces),
                        window: Window::new(&laid, view, conv.groups, task / pile),
                        group: task / pile,
                        dy,
                        first_position: (band.image * view.rows.count + band.line) * view.cols.count,
                        base: part * conv.weight_len(),
                        cells: &cells,
                    };
                    let positions = positions(&laid);
                    let positions = even(positions, parts, part)..even(positions, parts, part + 1);
                    task.run(
                        even(slivers, pile, piles)..even(slivers, pile, piles + 1),
                        positions,
                        index > 0,
                    );
                });
            });
        }
    });
}

fn positions(laid: &Laid) -> usize {
    laid.images * laid.lines * laid.positions
}

struct Task<'a> {
    cx: &'a Exec,
    conv: &'a Conv2d,
    pieces: usize,
    session: Session,
    window: Window<'a>,
    group: usize,
    dy: &'a [f32],
    /// Where the band starts.
    first_position: usize,
    /// Where the copy of the gradient starts.
    base: usize,
    cells: &'a Cells<'a>,
}

impl Task<'_> {
    fn run(&self, slivers: Range<usize>, positions: Range<usize>, mut accumulate: bool) {
        let blocks = positions.len().div_ceil(DEPTH[self.pieces - 1]);
        let deepest = positions.len().div_ceil(blocks.max(1));
        let panels = self.conv.group_filters().div_ceil(SIDE);
        let len = bfloat16::len(deepest, self.pieces);
        with_scratch(
            (panels + 1) * (len + deepest * SIDE) + deepest * SIDE,
            |scratch| {
                let (words, exact) = scratch.split_at_mut((panels + 1) * len);
                for block in 0..blocks {
                    let cut = |block| positions.start + even(positions.len(), blocks, block);
                    let block = cut(block)..cut(block + 1);
                    self.pack_right(&block, words, exact);
                    for sliver in slivers.clone() {
                        self.sliver(sliver, &block, words, exact, accumulate);
                    }
                    accumulate = true;
                }
            },
        );
    }

    /// Pieces of dy for a block of positions, of all filters of the group.
    fn pack_right(&self, block: &Range<usize>, words: &mut [f32], exact: &mut [f32]) {
        let filters = self.conv.group_filters();
        let len = bfloat16::len(block.len(), self.pieces);
        let panels = words
            .chunks_exact_mut(len)
            .zip(exact.chunks_exact_mut(block.len() * SIDE));
        for (first, (words, exact)) in (0..filters).step_by(SIDE).zip(panels) {
            let from = Matrix {
                data: self.dy,
                start: (self.first_position + block.start) * self.conv.filters + self.group * filters + first,
                row: self.conv.filters,
                col: 1,
            };
            bfloat16::panel(self.cx.isa, from, block.len(), SIDE.min(filters - first), exact);
            bfloat16::split_right(self.cx.isa, exact, block.len(), self.pieces, words);
        }
    }

    /// Some taps and channels for all filters of the group.
    fn sliver(
        &self,
        sliver: usize,
        block: &Range<usize>,
        words: &mut [f32],
        exact: &mut [f32],
        accumulate: bool,
    ) {
        let (isa, conv, depth) = (self.cx.isa, self.conv, block.len());
        let all = conv.height.kernel * conv.width.kernel * conv.group_channels();
        let rows = sliver * SIDE..all.min((sliver + 1) * SIDE);
        let filters = conv.group_filters();
        let panels = filters.div_ceil(SIDE);
        let len = bfloat16::len(depth, self.pieces);
        let (right_words, words) = words.split_at_mut(panels * len);
        let (right, copies) = exact.split_at_mut(panels * depth * SIDE);
        let (as_read, turned) = copies.split_at_mut(depth * SIDE);
        for (position, to) in block.clone().zip(as_read.chunks_exact_mut(rows.len())) {
            self.window.copy(position, rows.clone(), to);
        }
        let from = Matrix {
            data: as_read,
            start: 0,
            row: 1,
            col: rows.len(),
        };
        let turned = &mut turned[..rows.len() * depth];
        pack::transposed(isa, from, depth, depth, turned);
        let left = Left {
            data: turned,
            row: depth,
            step: 1,
        };
        let words = &mut words[..len];
        bfloat16::split_left(isa, left, 0, rows.len(), depth, self.pieces, words);
        let left = Factor {
            words,
            exact: (left, 0),
        };
        let finish = Finish {
            accumulate,
            ..Finish::default()
        };
        for panel in 0..panels {
            let first = panel * SIDE;
            let tile = Tile {
                rows: rows.len(),
                cols: SIDE.min(filters - first),
                depth,
            };
            let right = Factor {
                words: &right_words[panel * len..][..len],
                exact: &right[panel * depth * SIDE..][..depth * SIDE],
            };
            let to = self.base + rows.start * conv.filters + self.group * filters + first;
            // SAFETY: tasks do not share parts, groups and slivers, and rows of dw do not overlap.
            unsafe {
                bfloat16::multiply(
                    isa,
                    &self.session,
                    tile,
                    left,
                    right,
                    finish,
                    self.cells,
                    (to, conv.filters),
                );
            }
        }
    }
}
