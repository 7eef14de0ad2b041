//! The loop under the forward pass and the input gradient: windows slide over images, and every position is a row of
//! a matrix product with the weights.
//!
//! No matrix of windows is built: rows are read where they stand in the image, some pixels apart, and each tap of the
//! window is one segment of the micro-kernel, or each row of taps, where neighbouring taps are neighbouring pixels.
//! Only where a window leaves the image is a band of it copied with zeros around, or, if few do, are those windows.
//!
//! Bound by the multiply-adds from 16 channels or so on; by writing the result below.

mod cuts;

use std::ops::Range;

use super::bands::{Band, even};
use super::windows::{Laid, View};
use super::{Algorithm, pieces, thin, winograd};
use crate::microkernel::{
    Activation, Ahead, Cells, Finish, Left, Segment, Shape, Tile, multiply_ahead, pack,
};
use crate::{Disjoint, Exec};

/// A sliding product: at each position and for each of `groups`, a sum over taps and channels for each column.
#[derive(Clone, Copy, Debug)]
pub struct Slide {
    pub view: View,
    pub groups: usize,
    /// Columns of the result, of one group.
    pub columns: usize,
    pub to: Place,
    /// Tasks that a middling product is cut into: [`ENOUGH`] so that a few threads end at about the same time, 1 inside of
    /// a task.
    pub tasks: usize,
}

/// Where results go: position `p` of line `l` of image `n` starts at `base + n · image + l · line + p · position`.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub base: usize,
    pub image: usize,
    pub line: usize,
    pub position: usize,
}

/// What the direct product needs besides the windows.
struct Direct<'a> {
    cx: &'a Exec,
    packed: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
    cells: Cells<'a>,
}

/// Tasks of a middling product.
pub const ENOUGH: usize = 16;
/// Bytes of packed weights that one pass over a band uses: with the band they stay in the second-level cache.
const PASS_BYTES: usize = 192 << 10;
/// Segments that one call of the micro-kernel adds up at most.
const SEGMENTS: usize = 64;

impl Slide {
    /// Channels of one group.
    fn channels(&self) -> usize {
        self.view.channels / self.groups
    }

    /// Panels of packed weights of all groups.
    fn panels(&self, cx: &Exec) -> usize {
        self.groups * self.columns.div_ceil(Shape::of(cx.isa).cols)
    }

    fn panel_len(&self, cx: &Exec) -> usize {
        pack::panel_len(cx.isa, self.view.taps() * self.channels())
    }

    /// What computes it: the Winograd algorithm, pieces of bfloat16, the thin product or the direct one.
    pub fn algorithm(&self, cx: &Exec) -> Algorithm {
        if let Some(m) = winograd::tile_of(cx, &self.view, self.groups, self.columns) {
            Algorithm::Winograd(m)
        } else if let Some((unit, pieces)) = pieces::serve(cx, &self.view, self.groups, self.columns) {
            Algorithm::Pieces(unit, pieces)
        } else if thin::serves(cx, self) {
            Algorithm::Thin
        } else {
            Algorithm::Direct
        }
    }

    /// Floats of all packed weights.
    pub fn packed_len(&self, cx: &Exec) -> usize {
        match self.algorithm(cx) {
            Algorithm::Winograd(m) => winograd::packed_len(cx, self, m),
            Algorithm::Pieces(..) => pieces::packed_len(self),
            Algorithm::Thin => self.columns * self.view.taps() * self.view.channels,
            _ => self.panels(cx) * self.panel_len(cx),
        }
    }

    /// Group of a panel, its first column within the group, and how many it has.
    fn panel(&self, cx: &Exec, panel: usize) -> (usize, usize, usize) {
        let width = Shape::of(cx.isa).cols;
        let each = self.columns.div_ceil(width);
        let column = panel % each * width;
        (panel / each, column, width.min(self.columns - column))
    }

    /// Packs the weights: `matrix(row tap, column tap, group)` gives one tap as channels × columns.
    pub fn pack<'w>(
        &self,
        cx: &Exec,
        matrix: impl Fn(usize, usize, usize) -> pack::Matrix<'w> + Sync,
        packed: &mut [f32],
    ) {
        match self.algorithm(cx) {
            Algorithm::Winograd(m) => return winograd::pack(cx, self, m, matrix, packed),
            Algorithm::Pieces(..) => return pieces::pack(cx, self, matrix, packed),
            Algorithm::Thin => return thin::pack(self, matrix, packed),
            _ => {}
        }
        let panel_len = self.panel_len(cx);
        if panel_len == 0 {
            return;
        }
        // Packing less than this is done before another thread has looked.
        let grain = panel_len * (1usize << 14).div_ceil(panel_len);
        cx.chunks_mut(packed, grain, |start, chunk| {
            for (index, panel) in chunk.chunks_exact_mut(panel_len).enumerate() {
                let (group, column, cols) = self.panel(cx, start / panel_len + index);
                let taps = panel.chunks_exact_mut(pack::panel_len(cx.isa, self.channels()));
                for (tap, to) in taps.enumerate() {
                    let mut from = matrix(tap / self.view.cols.taps, tap % self.view.cols.taps, group);
                    from.start += column * from.col;
                    pack::right(cx.isa, from, self.channels(), cols, to);
                }
            }
        });
    }

    /// Runs the product on `source` into `target`. `bias` is empty or has a number for each column of all groups.
    pub fn run(
        &self,
        cx: &Exec,
        source: &[f32],
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        target: &mut [f32],
    ) {
        self.run_by(self.algorithm(cx), cx, source, packed, bias, activation, target);
    }

    /// As [`Slide::run`], by the algorithm that the weights were packed for: that of the whole which this is a part of.
    #[allow(clippy::too_many_arguments)]
    pub fn run_by(
        &self,
        algorithm: Algorithm,
        cx: &Exec,
        source: &[f32],
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        target: &mut [f32],
    ) {
        let panels = self.panels(cx);
        if self.view.positions() == 0 || panels == 0 {
            return;
        }
        if let Algorithm::Winograd(m) = algorithm {
            return winograd::run(cx, self, m, source, packed, bias, activation, target);
        }
        if let Algorithm::Pieces(unit, number) = algorithm {
            let cells = Cells::new(target);
            return pieces::run(cx, self, (unit, number), source, packed, bias, activation, &cells);
        }
        let (bands, blocks) = self.plan(panels);
        if algorithm == Algorithm::Thin {
            let target = Disjoint::new(target);
            return cx.tiles(bands.count(), |tile| {
                let band = bands.get(tile);
                self.view.lay(cx, source, band, |laid| {
                    thin::band(cx, self, band, &laid, packed, bias, activation, &target);
                });
            });
        }
        let direct = Direct {
            cx,
            packed,
            bias,
            activation,
            cells: Cells::new(target),
        };
        cx.tiles(bands.count() * blocks, |tile| {
            let (band, block) = (bands.get(tile / blocks), tile % blocks);
            let panels = even(panels, blocks, block)..even(panels, blocks, block + 1);
            for slide in self.columns() {
                slide.view.lay(cx, source, band, |laid| {
                    for part in slide.parts(cx, &laid, panels.len()) {
                        let mut ahead = slide.ahead(cx, &laid, &part, panels.len());
                        for panel in panels.clone() {
                            let part = part.clone();
                            slide.product(&direct, &laid, band, part, panel, ahead.as_mut_slice());
                        }
                    }
                });
            }
        });
    }

    /// One panel of columns for a part of each line of a band.
    fn product(
        &self,
        direct: &Direct,
        laid: &Laid,
        band: Band,
        positions: Range<usize>,
        panel: usize,
        ahead: &mut [Ahead],
    ) {
        let &Direct {
            cx,
            packed,
            bias,
            activation,
            ref cells,
        } = direct;
        let width = Shape::of(cx.isa).cols;
        let (group, column, cols) = self.panel(cx, panel);
        let column = group * self.columns + column;
        let right = pack::as_right(
            cx.isa,
            &packed[panel * self.panel_len(cx)..][..self.panel_len(cx)],
        );
        let start = self.to.base + band.image * self.to.image + band.line * self.to.line + column;
        let (start, skip) = (
            start + positions.start * self.to.position,
            positions.start * laid.position,
        );
        let depth = laid.depth(&self.view, self.channels());
        let across = self.view.cols.taps * self.channels() / depth.max(1);
        let count = self.view.rows.taps * across;
        let per_pass = (PASS_BYTES / (4 * width * depth).max(1)).clamp(1, SEGMENTS);
        let mut segments = [Segment::default(); SEGMENTS];
        let mut done = 0;
        loop {
            let part = per_pass.min(count - done);
            for (index, segment) in (done..).zip(&mut segments[..part]) {
                let (r, c) = (index / across, index % across);
                *segment = Segment {
                    left: r * laid.tap_row + c * laid.tap_col + group * self.channels(),
                    right: index * depth * width,
                };
            }
            let last = done + part == count;
            let finish = Finish {
                accumulate: done > 0,
                bias: (last && !bias.is_empty()).then(|| &bias[column..column + cols]),
                activation: if last { activation } else { Activation::None },
            };
            for line in 0..laid.images * laid.lines {
                let left = Left {
                    data: &laid.data[(laid.start(line) + skip).min(laid.data.len())..],
                    row: laid.position,
                    step: 1,
                };
                let tile = Tile {
                    rows: positions.len(),
                    cols,
                    depth,
                };
                let to = line / laid.lines * self.to.image + line % laid.lines * self.to.line;
                let to = (start + to, self.to.position);
                // SAFETY: tiles do not share positions and panels, and positions lie at least a pixel apart.
                unsafe {
                    multiply_ahead(
                        cx.isa,
                        tile,
                        left,
                        right,
                        &segments[..part],
                        finish,
                        cells,
                        to,
                        ahead,
                    )
                };
            }
            done += part;
            if last {
                return;
            }
        }
    }
}

/// Sets the pixels of `len` floats that `to` names to zero: positions that no tap reaches.
pub fn clear(cx: &Exec, target: &mut [f32], to: Place, view: &View, len: usize) {
    let cells = Disjoint::new(target);
    cx.ranges(view.lines(), 64, |lines| {
        for line in lines {
            let (image, line) = (line / view.rows.count, line % view.rows.count);
            for position in 0..view.cols.count {
                let at = to.base + image * to.image + line * to.line + position * to.position;
                // SAFETY: positions do not overlap, and each line is visited once.
                unsafe { cells.slice(at..at + len) }.fill(0.0);
            }
        }
    });
}
