//! The product under the weight gradient: rows of taps and channels, over the positions of some lines, times panels of
//! filters.

use std::ops::Range;

use crate::conv2d::Conv2d;
use crate::conv2d::bands::{Band, even};
use crate::conv2d::windows::{Laid, View};
use crate::microkernel::{Ahead, Cells, Finish, Left, Right, Segment, Shape, Tile, multiply_ahead, pack};
use crate::{Exec, with_scratch};

/// Positions that are summed up in registers.
const POSITIONS: usize = 512;
/// Panels of filters from which on a block of rows is worth a copy, ...
const COPY_PANELS: usize = 3;
/// ... if positions lie so many floats apart: what is asked for before it is needed would drive out itself.
const CROWDED: usize = 512;
/// Lines that are summed up in registers at most.
const SEGMENTS: usize = 64;

/// One summand of the gradient.
pub(super) struct Product<'a> {
    cx: &'a Exec,
    conv: &'a Conv2d,
    view: &'a View,
    dy: &'a [f32],
    cells: &'a Cells<'a>,
    base: usize,
}

/// Runs of positions without a gap: lines, or parts of long ones.
pub(super) fn runs(laid: &Laid) -> usize {
    laid.images * laid.lines * cuts(laid)
}

fn cuts(laid: &Laid) -> usize {
    laid.positions.div_ceil(POSITIONS)
}

impl<'a> Product<'a> {
    pub(super) fn new(
        cx: &'a Exec,
        conv: &'a Conv2d,
        view: &'a View,
        dy: &'a [f32],
        cells: &'a Cells,
        part: usize,
    ) -> Product<'a> {
        let base = part * conv.weight_len();
        Product {
            cx,
            conv,
            view,
            dy,
            cells,
            base,
        }
    }

    /// Adds some runs of a band, for some rows of taps, one slice of so many of their channels, and panels of filters; without
    /// `accumulate`, to nothing.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn add(
        &self,
        laid: &Laid,
        band: Band,
        runs: Range<usize>,
        taps: Range<usize>,
        slice: (usize, usize),
        panels: Range<usize>,
        mut accumulate: bool,
    ) {
        let filters = self.conv.filters;
        let shape = Shape::of(self.cx.isa);
        let packed = !self.swapped() && !self.conv.group_filters().is_multiple_of(shape.lanes);
        let cuts = cuts(laid);
        // Short runs are put together, evenly: a few left over would cost as much as many to add to what is there.
        let most = match cuts {
            1 => (POSITIONS / laid.positions).clamp(1, SEGMENTS),
            _ => 1,
        };
        let together = runs.len().div_ceil(runs.len().div_ceil(most).max(1)).max(1);
        let longest = laid.positions.div_ceil(cuts);
        let panel = together * pack::panel_len(self.cx.isa, longest);
        let right_len = if packed { panels.len() * panel } else { 0 };
        let left_len = together * pack::left_len(shape.rows, longest);
        let start = (band.image * self.view.rows.count + band.line) * self.view.cols.count;
        with_scratch(right_len.next_multiple_of(16) + left_len, |scratch| {
            let (right, left) = scratch.split_at_mut(right_len.next_multiple_of(16));
            for first in runs.clone().step_by(together) {
                let mut segments = [Segment::default(); SEGMENTS];
                let segments = &mut segments[..together.min(runs.end - first)];
                let from = even(laid.positions, cuts, first % cuts);
                let depth = even(laid.positions, cuts, first % cuts + 1) - from;
                let panel_len = pack::panel_len(self.cx.isa, depth);
                let pixel = |index: usize| start + (first / cuts + index) * laid.positions + from;
                for (index, segment) in segments.iter_mut().enumerate() {
                    *segment = Segment {
                        left: laid.start(first / cuts + index) + from * laid.position,
                        right: if packed {
                            index * panel_len
                        } else {
                            pixel(index) * filters
                        },
                    };
                }
                if packed {
                    for (columns, panel) in panels
                        .clone()
                        .map(|panel| self.columns(panel))
                        .zip(right.chunks_exact_mut(panel))
                    {
                        for (index, to) in panel.chunks_exact_mut(panel_len).take(segments.len()).enumerate()
                        {
                            let from = pack::Matrix {
                                data: self.dy,
                                start: pixel(index) * filters + columns.start,
                                row: filters,
                                col: 1,
                            };
                            pack::right(self.cx.isa, from, depth, columns.len(), to);
                        }
                    }
                }
                let right_of = |index: usize, columns: &Range<usize>| match packed {
                    true => pack::as_right(self.cx.isa, &right[index * panel..][..panel]),
                    false => Right {
                        data: &self.dy[columns.start..],
                        step: filters,
                    },
                };
                let joined = laid.depth(self.view, self.conv.group_channels());
                let blocks =
                    self.view.cols.taps * self.conv.group_channels() / joined * joined.div_ceil(shape.rows);
                let steps = taps.len() * blocks * panels.len() * segments.len() * depth;
                let pixels = segments.len() * depth;
                let mut ahead = self.ahead(pixel(0) + pixels, pixels, steps);
                for tap in taps.clone() {
                    self.row_of_taps(
                        laid,
                        tap,
                        slice,
                        &panels,
                        depth,
                        right_of,
                        segments,
                        left,
                        accumulate,
                        ahead.as_mut_slice(),
                    );
                }
                accumulate = true;
            }
        });
    }

    /// The pixels of dy from `first` on, which come after those that take `steps` steps.
    fn ahead(&self, first: usize, pixels: usize, steps: usize) -> Option<Ahead> {
        let filters = self.conv.filters;
        let len = (pixels * filters).min(self.dy.len() - first * filters);
        let of = pack::Matrix {
            data: self.dy,
            start: first * filters,
            row: len,
            col: 1,
        };
        (len > 0).then(|| Ahead::new(of, 1, len, steps))
    }

    /// Whether filters are the rows, and taps and channels the columns.
    fn swapped(&self) -> bool {
        self.view.surplus > 0
    }

    /// The filters of a panel.
    fn columns(&self, panel: usize) -> Range<usize> {
        let width = Shape::of(self.cx.isa).cols;
        let each = self.conv.group_filters();
        let (group, first) = (panel / each.div_ceil(width), panel % each.div_ceil(width) * width);
        group * each + first..group * each + each.min(first + width)
    }

    /// One row of taps for some panels, `right_of` the index of a panel among them and its filters.
    #[allow(clippy::too_many_arguments)]
    fn row_of_taps<'r>(
        &self,
        laid: &Laid,
        tap: usize,
        (slice, slices): (usize, usize),
        panels: &Range<usize>,
        depth: usize,
        right_of: impl Fn(usize, &Range<usize>) -> Right<'r>,
        segments: &[Segment],
        scratch: &mut [f32],
        accumulate: bool,
        ahead: &mut [Ahead],
    ) {
        let finish = Finish {
            accumulate,
            ..Finish::default()
        };
        if self.swapped() {
            return self.row_of_taps_swapped(laid, tap, depth, segments, finish, ahead);
        }
        let (channels, shape) = (self.conv.group_channels(), Shape::of(self.cx.isa));
        let each = self.conv.group_filters().div_ceil(shape.cols);
        let joined = laid.depth(self.view, channels);
        let blocks = joined.div_ceil(shape.rows);
        let all = self.view.cols.taps * channels / joined * blocks;
        for index in even(all, slices, slice)..even(all, slices, slice + 1) {
            let (index, block) = (index / blocks, index % blocks);
            let (row, end) = (even(joined, blocks, block), even(joined, blocks, block + 1));
            let mut group = usize::MAX;
            let mut left = Left {
                data: &[],
                row: 1,
                step: 0,
            };
            let mut own = [Segment::default(); SEGMENTS];
            let own = &mut own[..segments.len()];
            for panel in panels.clone() {
                let columns = self.columns(panel);
                // Panels of one group share their rows: several read a copy, which stays in the first-level cache.
                if panel / each != group {
                    group = panel / each;
                    let at = tap * laid.tap_row + index * laid.tap_col + group * channels + row;
                    own.copy_from_slice(segments);
                    let shared =
                        laid.position >= CROWDED && panels.end.min((group + 1) * each) - panel >= COPY_PANELS;
                    left = if shared {
                        self.copy_rows(laid, at, end - row, depth, own, scratch)
                    } else {
                        Left {
                            data: &laid.data[at..],
                            row: 1,
                            step: laid.position,
                        }
                    };
                }
                let to = self.base + self.conv.weight_at(tap, index, row, columns.start);
                let to = (to, self.conv.filters);
                let tile = Tile {
                    rows: end - row,
                    cols: columns.len(),
                    depth,
                };
                let right = right_of(panel - panels.start, &columns);
                // SAFETY: tiles do not share parts, rows of taps and panels, and rows of dw do not overlap.
                unsafe { multiply_ahead(self.cx.isa, tile, left, right, own, finish, self.cells, to, ahead) };
            }
        }
    }

    /// Copies `rows` rows of all segments and points these to the copies.
    fn copy_rows<'s>(
        &self,
        laid: &Laid,
        start: usize,
        rows: usize,
        depth: usize,
        segments: &mut [Segment],
        scratch: &'s mut [f32],
    ) -> Left<'s> {
        let len = pack::left_len(rows, depth);
        let (mut row, mut step) = (0, 0);
        for (index, segment) in segments.iter_mut().enumerate() {
            let from = pack::Matrix {
                data: laid.data,
                start: start + segment.left,
                row: 1,
                col: laid.position,
            };
            let copy = pack::left(from, rows, depth, &mut scratch[index * len..][..len]);
            (row, step) = (copy.row, copy.step);
            segment.left = index * len;
        }
        Left {
            data: scratch,
            row,
            step,
        }
    }

    /// The same with the operands in the other order.
    fn row_of_taps_swapped(
        &self,
        laid: &Laid,
        tap: usize,
        depth: usize,
        segments: &[Segment],
        finish: Finish,
        ahead: &mut [Ahead],
    ) {
        let Conv2d {
            channels, filters, ..
        } = *self.conv;
        let shape = Shape::of(self.cx.isa);
        let mut swapped = [Segment::default(); SEGMENTS];
        let swapped = &mut swapped[..segments.len()];
        for (to, from) in swapped.iter_mut().zip(segments) {
            *to = Segment {
                left: from.right,
                right: from.left,
            };
        }
        let left = Left {
            data: self.dy,
            row: 1,
            step: filters,
        };
        let all = self.view.cols.taps * channels;
        let (columns, row) = (laid.depth(self.view, channels), self.view.rows.taps * all);
        for index in 0..all / columns {
            for first in (0..columns).step_by(shape.cols) {
                let at = tap * laid.tap_row + index * laid.tap_col + first;
                let right = Right {
                    data: &laid.data[at..],
                    step: laid.position,
                };
                let tile = Tile {
                    rows: filters,
                    cols: shape.cols.min(columns - first),
                    depth,
                };
                let to = (self.base + tap * all + index * columns + first, row);
                // SAFETY: tiles do not share parts and rows of taps, and columns end where the next row of taps starts.
                unsafe {
                    multiply_ahead(
                        self.cx.isa,
                        tile,
                        left,
                        right,
                        swapped,
                        finish,
                        self.cells,
                        to,
                        ahead,
                    )
                };
            }
        }
    }
}
