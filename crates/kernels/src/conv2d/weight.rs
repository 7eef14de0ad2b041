//! The gradient of the weight: for every tap, (channels × positions) · (positions × filters).
//!
//! Rows are taps and channels, read from x where it stands, with the step of the windows; columns are filters, read from
//! dy in place or from a packed copy. Positions are the long axis: they are cut into a few parts by the sizes alone;
//! each part sums into its own copy of the gradient, and the copies are added in order. Where that would be too much
//! memory or too few tiles, rows of taps and panels of filters are tiles as well.
//!
//! Bound by the multiply-adds; with one or three channels by reading dy.

use std::ops::Range;

use super::bands::{Band, even, in_parts};
use super::windows::{Laid, View};
use super::{Algorithm, Conv2d, depthwise, winograd};
use crate::matmul::Geometry;
use crate::microkernel::{Activation, Cells, Finish, Left, Right, Segment, Shape, Tile, multiply, pack};
use crate::{Exec, matmul, with_scratch};

/// Floating-point operations below which a tile is not worth handing to another thread.
const SMALLEST: f64 = 2e6;
/// Tiles that a gradient is cut into.
const ENOUGH: f64 = 16.0;
/// Floats up to which a part may have a copy of the whole gradient: a second-level cache holds it.
const WHOLE: usize = 96 << 10;
/// Floats up to which all copies together cost next to nothing.
const CHEAP: usize = 256 << 10;
/// Positions that make a copy of the gradient worth it, and a cheap one.
const PART_POSITIONS: usize = 1024;
const CHEAP_POSITIONS: usize = 128;
/// Floats of windows that one tile lays out for itself, and that all tiles share.
const BAND_FLOATS: usize = 64 << 10;
const SHARED_FLOATS: usize = 1 << 20;
/// Positions that are summed up in registers.
const POSITIONS: usize = 512;
/// Panels of filters from which on a block of rows is worth a copy.
const COPY_PANELS: usize = 3;
/// Panels that share one where each tile has only some.
const PANELS: usize = 4;
/// Lines that are summed up in registers at most.
const SEGMENTS: usize = 64;
/// Wider rows of dy than this are copied into panels: read in place, each would come from another page.
const WIDEST_IN_PLACE: usize = 64;

/// dw = windows of x, transposed, times dy. Panics unless the lengths pass [`Conv2d::check`].
pub fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    conv.assert(x.len(), dw.len(), dy.len(), 0);
    if dw.is_empty() {
        return;
    }
    if conv.pixels() == 0 {
        return dw.fill(0.0);
    }
    let mut view = conv.view();
    match algorithm(cx, conv) {
        Algorithm::Depthwise => depthwise::weight_gradient(cx, conv, x, dy, dw),
        Algorithm::Product => {
            let product = product(conv).expect("the sizes of a plain product");
            matmul::forward(cx, &product, Activation::None, [x, dy, &[]], dw);
        }
        Algorithm::Winograd(m) => winograd::weight_gradient(cx, conv, &view, m, x, dy, dw),
        Algorithm::Thin => {
            view.surplus = Shape::of(cx.isa).lanes;
            with_scratch(dw.len(), |transposed| {
                sum(cx, conv, &view, x, dy, transposed);
                let row = transposed.len() / conv.filters;
                for (at, dw) in dw.iter_mut().enumerate() {
                    *dw = transposed[at % conv.filters * row + at / conv.filters];
                }
            });
        }
        Algorithm::Direct => sum(cx, conv, &view, x, dy, dw),
    }
}

/// What computes the weight gradient.
pub(super) fn algorithm(cx: &Exec, conv: &Conv2d) -> Algorithm {
    if conv.is_depthwise() {
        Algorithm::Depthwise
    } else if product(conv).is_some() {
        Algorithm::Product
    } else if let Some(m) = winograd::tile_of(cx, &conv.view(), conv.groups, conv.filters) {
        Algorithm::Winograd(m)
    } else if is_thin(cx, conv) {
        Algorithm::Thin
    } else {
        Algorithm::Direct
    }
}

/// Few filters would fill a register to a part only: then channels are the columns, and the result is transposed.
fn is_thin(cx: &Exec, conv: &Conv2d) -> bool {
    let few = conv.groups == 1 && conv.filters * 2 <= Shape::of(cx.isa).lanes;
    few && conv.width.kernel * conv.channels > conv.filters
}

/// A window of one pixel that visits every pixel makes the gradient a plain product, xᵀ · dy. Its many ways to cut pay
/// where the gradient is too large for a copy a part.
fn product(conv: &Conv2d) -> Option<Geometry> {
    let visits_all = [conv.height, conv.width]
        .iter()
        .all(|axis| axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.output == axis.input);
    if !visits_all || conv.groups != 1 || conv.weight_len() <= WHOLE {
        return None;
    }
    Geometry::new((conv.channels, conv.filters, conv.pixels()), true, false, &[]).ok()
}

/// Sums over all positions; into rows of filters if the view has surplus floats, into those of dw if not.
fn sum(cx: &Exec, conv: &Conv2d, view: &View, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let positions = view.positions();
    let work = 2.0 * positions as f64 * dw.len() as f64;
    let wanted = (work / SMALLEST).clamp(1.0, ENOUGH) as usize;
    let panels = conv.groups * conv.group_filters().div_ceil(Shape::of(cx.isa).cols);
    let taps = conv.height.kernel;
    let cheap = (positions / CHEAP_POSITIONS).min(CHEAP / dw.len());
    let worth = (positions / PART_POSITIONS).max(cheap).max(1);
    if taps * panels == 1 || (dw.len() <= WHOLE && worth >= wanted) {
        let bands = view.bands(wanted.min(worth), 1, BAND_FLOATS);
        let parts = wanted.min(worth).min(bands.count());
        in_parts(cx, parts, dw, |summands| {
            let cells = Cells::new(summands);
            cx.tiles(parts, |part| {
                let product = Product::new(cx, conv, view, dy, &cells, part);
                let first = even(bands.count(), parts, part);
                for index in first..even(bands.count(), parts, part + 1) {
                    view.lay(cx, x, bands.get(index), |laid| {
                        let all = 0..runs(&laid);
                        product.add(&laid, bands.get(index), all, 0..taps, 0..panels, index > first);
                    });
                }
            });
        });
    } else {
        let pieces = panels.div_ceil(PANELS);
        let tiles = taps * pieces;
        let bands = view.bands(1, 1, SHARED_FLOATS);
        let parts = wanted
            .div_ceil(tiles)
            .min(positions / bands.count() / PART_POSITIONS)
            .max(1);
        in_parts(cx, parts, dw, |summands| {
            let cells = Cells::new(summands);
            for index in 0..bands.count() {
                let band = bands.get(index);
                view.lay(cx, x, band, |laid| {
                    let runs = runs(&laid);
                    cx.tiles(parts * tiles, |tile| {
                        let (part, tap, piece) = (tile / tiles, tile / pieces % taps, tile % pieces);
                        let product = Product::new(cx, conv, view, dy, &cells, part);
                        let runs = even(runs, parts, part)..even(runs, parts, part + 1);
                        let panels = even(panels, pieces, piece)..even(panels, pieces, piece + 1);
                        product.add(&laid, band, runs, tap..tap + 1, panels, index > 0);
                    });
                });
            }
        });
    }
}

/// One summand of the gradient.
struct Product<'a> {
    cx: &'a Exec,
    conv: &'a Conv2d,
    view: &'a View,
    dy: &'a [f32],
    cells: &'a Cells<'a>,
    base: usize,
}

/// Runs of positions without a gap: lines, or parts of long ones.
fn runs(laid: &Laid) -> usize {
    laid.images * laid.lines * cuts(laid)
}

fn cuts(laid: &Laid) -> usize {
    laid.positions.div_ceil(POSITIONS)
}

impl<'a> Product<'a> {
    fn new(
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

    /// Adds some runs of a band, for some rows of taps and panels of filters; without `accumulate`, to nothing.
    fn add(
        &self,
        laid: &Laid,
        band: Band,
        runs: Range<usize>,
        taps: Range<usize>,
        panels: Range<usize>,
        mut accumulate: bool,
    ) {
        let filters = self.conv.filters;
        let shape = Shape::of(self.cx.isa);
        let packed = !self.swapped()
            && (filters > WIDEST_IN_PLACE || !self.conv.group_filters().is_multiple_of(shape.lanes));
        // Short runs are put together.
        let cuts = cuts(laid);
        let together = if cuts == 1 {
            (POSITIONS / laid.positions).clamp(1, SEGMENTS)
        } else {
            1
        };
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
                for tap in taps.clone() {
                    self.row_of_taps(laid, tap, &panels, depth, right_of, segments, left, accumulate);
                }
                accumulate = true;
            }
        });
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
        panels: &Range<usize>,
        depth: usize,
        right_of: impl Fn(usize, &Range<usize>) -> Right<'r>,
        segments: &[Segment],
        scratch: &mut [f32],
        accumulate: bool,
    ) {
        let finish = Finish {
            accumulate,
            ..Finish::default()
        };
        if self.swapped() {
            return self.row_of_taps_swapped(laid, tap, depth, segments, finish);
        }
        let (channels, shape) = (self.conv.group_channels(), Shape::of(self.cx.isa));
        let each = self.conv.group_filters().div_ceil(shape.cols);
        let joined = laid.depth(self.view, channels);
        let blocks = joined.div_ceil(shape.rows);
        for (index, block) in (0..self.view.cols.taps * channels / joined)
            .flat_map(|index| (0..blocks).map(move |block| (index, block)))
        {
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
                    let shared = panels.end.min((group + 1) * each) - panel >= COPY_PANELS;
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
                unsafe { multiply(self.cx.isa, tile, left, right, own, finish, self.cells, to) };
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
                unsafe { multiply(self.cx.isa, tile, left, right, swapped, finish, self.cells, to) };
            }
        }
    }
}
