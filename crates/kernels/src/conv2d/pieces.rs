//! Windows that slide over images in pieces of bfloat16, on a matrix unit: see [`crate::bfloat16`].
//!
//! The weights become pieces once, before all tasks. A task takes a band of positions; of each sliver of 32 of them it copies
//! a block of the depth, taps and channels, and makes pieces of it, which all panels of 32 columns are multiplied with. The
//! copies cost as much as the products of some 32 columns; the Winograd algorithm is as fast as one piece and nearly
//! as exact as float32, so where it serves it is taken.

use std::ops::Range;

use super::bands::{Band, even};
use super::slide::Slide;
use super::windows::{Laid, View};
use crate::bfloat16::{self, Factor, SIDE, Session, Unit};
use crate::microkernel::pack::Matrix;
use crate::microkernel::{Activation, Cells, Finish, Left, Tile};
use crate::{Convolution, Exec, with_scratch};

#[cfg(test)]
mod tests;

/// Depth of a block for so many pieces: a sliver stays in the first-level cache, or mostly.
pub(super) const DEPTH: [usize; 3] = [512, 256, 256];
/// Channels that are worth copying at a time, and columns that fill half of a panel.
const CHANNELS: usize = 16;
const FEWEST: usize = SIDE / 2;

/// What multiplies and in how many pieces, if numbers need not be as exact as float32 and there is a unit for it. The batch does
/// not matter, so that packed weights serve for all.
pub(super) fn serve(cx: &Exec, view: &View, groups: usize, columns: usize) -> Option<(Unit, usize)> {
    let found = cx.pieces()?;
    let pays = view.channels / groups >= CHANNELS && columns >= FEWEST;
    (pays && cx.convolution != Convolution::Direct).then_some(found)
}

impl Slide {
    /// Taps and channels of one group.
    fn depth(&self) -> usize {
        self.view.taps() * self.view.channels / self.groups
    }

    fn panels_of_group(&self) -> usize {
        self.columns.div_ceil(SIDE)
    }
}

pub(super) fn packed_len(slide: &Slide) -> usize {
    slide.groups * slide.panels_of_group() * slide.depth() * SIDE
}

/// Packs the weights as panels of 32 columns in float32.
pub(super) fn pack<'w>(
    cx: &Exec,
    slide: &Slide,
    matrix: impl Fn(usize, usize, usize) -> Matrix<'w> + Sync,
    packed: &mut [f32],
) {
    let each = slide.panels_of_group();
    let channels = slide.view.channels / slide.groups;
    cx.chunks_mut(packed, slide.depth() * SIDE, |start, panel| {
        let panel_index = start / panel.len();
        let (group, column) = (panel_index / each, panel_index % each * SIDE);
        for (tap, to) in panel.chunks_exact_mut(channels * SIDE).enumerate() {
            let mut from = matrix(tap / slide.view.cols.taps, tap % slide.view.cols.taps, group);
            from.start += column * from.col;
            bfloat16::panel(cx.isa, from, channels, SIDE.min(slide.columns - column), to);
        }
    });
}

/// A block of the depth.
#[derive(Clone, Copy)]
struct Cut {
    depth: usize,
    blocks: usize,
    pieces: usize,
}

impl Cut {
    fn block(self, index: usize) -> Range<usize> {
        even(self.depth, self.blocks, index)..even(self.depth, self.blocks, index + 1)
    }

    /// Words of the longest block, the first.
    fn words(self) -> usize {
        bfloat16::len(self.block(0).len(), self.pieces)
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn run(
    cx: &Exec,
    slide: &Slide,
    (unit, pieces): (Unit, usize),
    source: &[f32],
    packed: &[f32],
    bias: &[f32],
    activation: Activation,
    cells: &Cells,
) {
    let depth = slide.depth();
    let blocks = depth.div_ceil(DEPTH[pieces - 1]);
    let cut = Cut {
        depth,
        blocks,
        pieces,
    };
    let all = slide.groups * slide.panels_of_group();
    with_scratch(all * blocks * cut.words(), |words| {
        cx.chunks_mut(words, cut.words(), |start, words| {
            let (panel, block) = (start / cut.words() / blocks, start / cut.words() % blocks);
            let block = cut.block(block);
            let from = &packed[(panel * depth + block.start) * SIDE..][..block.len() * SIDE];
            let len = bfloat16::len(block.len(), pieces);
            bfloat16::split_right(cx.isa, from, block.len(), pieces, &mut words[..len]);
        });
        let (bands, parts) = slide.plan(all);
        cx.tiles(bands.count() * parts, |tile| {
            let (band, part) = (bands.get(tile / parts), tile % parts);
            let task = Task {
                cx,
                slide,
                cut,
                unit,
                packed,
                words,
                panels: even(all, parts, part)..even(all, parts, part + 1),
                bias,
                activation,
                cells,
            };
            slide.view.lay(cx, source, band, |laid| task.run(&laid, band));
        });
    });
}

/// A band for some panels.
struct Task<'a> {
    cx: &'a Exec,
    slide: &'a Slide,
    cut: Cut,
    unit: Unit,
    packed: &'a [f32],
    words: &'a [f32],
    panels: Range<usize>,
    bias: &'a [f32],
    activation: Activation,
    cells: &'a Cells<'a>,
}

impl Task<'_> {
    fn run(&self, laid: &Laid, band: Band) {
        let to = self.slide.to;
        let start = to.base + band.image * to.image + band.line * to.line;
        // Where lines of results follow each other without a gap they are one.
        let whole =
            to.line == laid.positions * to.position && (laid.images == 1 || to.image == laid.lines * to.line);
        let (lines, positions) = match whole {
            true => (1, laid.images * laid.lines * laid.positions),
            false => (laid.images * laid.lines, laid.positions),
        };
        let each = self.slide.panels_of_group();
        let session = Session::new(self.unit, self.cut.pieces);
        with_scratch(self.cut.words() + SIDE * self.cut.block(0).len(), |scratch| {
            let (words, exact) = scratch.split_at_mut(self.cut.words());
            for line in 0..lines {
                let place = start + line / laid.lines * to.image + line % laid.lines * to.line;
                for first in (0..positions).step_by(SIDE) {
                    let rows = line * positions + first..line * positions + positions.min(first + SIDE);
                    let place = place + first * to.position;
                    for group in self.panels.start / each..self.panels.end.div_ceil(each) {
                        let panels =
                            self.panels.start.max(group * each)..self.panels.end.min((group + 1) * each);
                        for block in 0..self.cut.blocks {
                            let (words, exact) = (&mut *words, &mut *exact);
                            self.sliver(
                                &session,
                                laid,
                                rows.clone(),
                                panels.clone(),
                                block,
                                words,
                                exact,
                                place,
                            );
                        }
                    }
                }
            }
        });
    }

    /// One block of the depth of some positions for panels of one group.
    #[allow(clippy::too_many_arguments)]
    fn sliver(
        &self,
        session: &Session,
        laid: &Laid,
        rows: Range<usize>,
        panels: Range<usize>,
        block: usize,
        words: &mut [f32],
        exact: &mut [f32],
        place: usize,
    ) {
        let Slide {
            view,
            groups,
            columns,
            to,
            ..
        } = *self.slide;
        let (isa, pieces, each) = (self.cx.isa, self.cut.pieces, self.slide.panels_of_group());
        let last = block + 1 == self.cut.blocks;
        let depth = self.cut.block(block);
        let group = panels.start / each;
        let window = Window::new(laid, &view, groups, group);
        for (position, to) in rows.clone().zip(exact.chunks_exact_mut(depth.len())) {
            window.copy(position, depth.clone(), to);
        }
        let left = Left {
            data: exact,
            row: depth.len(),
            step: 1,
        };
        let words = &mut words[..bfloat16::len(depth.len(), pieces)];
        bfloat16::split_left(isa, left, 0, rows.len(), depth.len(), pieces, words);
        for panel in panels {
            let first = panel % each * SIDE;
            let column = group * columns + first;
            let tile = Tile {
                rows: rows.len(),
                cols: SIDE.min(columns - first),
                depth: depth.len(),
            };
            let at = (panel * self.cut.blocks + block) * self.cut.words();
            let right = Factor {
                words: &self.words[at..][..words.len()],
                exact: &self.packed[(panel * self.cut.depth + depth.start) * SIDE..][..depth.len() * SIDE],
            };
            let finish = Finish {
                accumulate: block > 0,
                bias: (last && !self.bias.is_empty()).then(|| &self.bias[column..column + tile.cols]),
                activation: if last { self.activation } else { Activation::None },
            };
            let left = Factor {
                words,
                exact: (left, 0),
            };
            let place = (place + column, to.position);
            // SAFETY: tasks do not share positions and panels, and positions lie at least a pixel apart.
            unsafe { bfloat16::multiply(isa, session, tile, left, right, finish, self.cells, place) };
        }
    }
}

/// The windows of one group as rows of a matrix: its columns are taps and the channels of the group.
pub(super) struct Window<'a> {
    laid: &'a Laid<'a>,
    /// Floats that stand together, how many such runs a row of taps has, and where the first starts.
    run: usize,
    across: usize,
    start: usize,
}

impl<'a> Window<'a> {
    pub fn new(laid: &'a Laid<'a>, view: &View, groups: usize, group: usize) -> Window<'a> {
        let channels = view.channels / groups;
        let run = laid.depth(view, channels);
        Window {
            laid,
            run,
            across: view.cols.taps * channels / run,
            start: group * channels,
        }
    }

    /// Some columns of the row of a position, which are numbered through all lines and images.
    pub fn copy(&self, position: usize, columns: Range<usize>, to: &mut [f32]) {
        let laid = self.laid;
        let (line, position) = (position / laid.positions, position % laid.positions);
        let start = laid.start(line) + position * laid.position + self.start;
        let mut done = 0;
        while done < columns.len() {
            let column = columns.start + done;
            let (run, at) = (column / self.run, column % self.run);
            let tap = run / self.across * laid.tap_row + run % self.across * laid.tap_col;
            let len = (self.run - at).min(columns.len() - done);
            to[done..done + len].copy_from_slice(&laid.data[start + tap + at..][..len]);
            done += len;
        }
    }
}
