//! The loop under the forward pass and the input gradient: windows slide over an image, and every position is a row
//! of a matrix product with the weights.
//!
//! No matrix of windows is built. The rows of the product are read where they stand in the image, `step` pixels
//! apart; each tap of the window is one segment of the micro-kernel, or each row of taps, where neighbouring taps are
//! neighbouring pixels. Only where a window reaches over the border is a band of the image copied with its padding.
//!
//! Bound by the multiply-adds once there are 16 channels or so; by writing the output below.

use std::ops::Range;

use crate::microkernel::{Activation, Cells, Finish, Left, Segment, Shape, Tile, multiply, pack};
use crate::{Disjoint, Exec, with_scratch};

/// How windows stand along one axis.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Pixels of the source.
    pub source: usize,
    /// Positions.
    pub count: usize,
    /// Where tap 0 of position 0 stands; negative in the padding.
    pub start: isize,
    /// Pixels between two positions.
    pub step: usize,
    pub taps: usize,
    /// Pixels between two taps.
    pub dilation: usize,
}

impl Windows {
    /// Pixels from the first tap of position 0 to the last of position `count - 1`.
    fn span(&self, count: usize) -> usize {
        (count - 1) * self.step + (self.taps - 1) * self.dilation + 1
    }

    fn inside(&self, positions: &Range<usize>) -> bool {
        let first = self.start + (positions.start * self.step) as isize;
        first >= 0 && first as usize + self.span(positions.len()) <= self.source
    }
}

/// A sliding product: for each image, each position and each of `groups`, sums over taps and channels.
#[derive(Clone, Copy)]
pub struct Slide {
    pub batch: usize,
    pub rows: Windows,
    pub cols: Windows,
    pub groups: usize,
    /// Channels of the source and columns of the result, of one group.
    pub channels: usize,
    pub columns: usize,
    /// The result of position (r, c) of image n starts at `base + n · image + r · row + c · pixel`.
    pub base: usize,
    pub image: usize,
    pub row: usize,
    pub pixel: usize,
}

/// Floating-point operations that one tile should have at least: a few hundred microseconds would be lost on
/// imbalance above, hand-off would show below.
const TILE_FLOPS: usize = 8 << 20;
/// Bytes of packed weights that one pass over a band of rows uses: with the band they stay in the second-level cache.
const PASS_BYTES: usize = 192 << 10;
/// Floats of a band that a tile copies at most, save where a single row has more.
const BAND_FLOATS: usize = 96 << 10;

impl Slide {
    /// Floats of all packed weights.
    pub fn packed_len(&self, cx: &Exec) -> usize {
        self.groups * self.panels(cx) * self.panel_len(cx)
    }

    fn panels(&self, cx: &Exec) -> usize {
        self.columns.div_ceil(Shape::of(cx.isa).cols)
    }

    /// Rows of one packed panel times its width.
    fn panel_len(&self, cx: &Exec) -> usize {
        pack::panel_len(cx.isa, self.rows.taps * self.cols.taps * self.channels)
    }

    /// Packs the weights: `matrix(row tap, column tap, group)` gives one tap as channels × columns.
    pub fn pack<'w>(
        &self,
        cx: &Exec,
        matrix: impl Fn(usize, usize, usize) -> pack::Matrix<'w> + Sync,
        packed: &mut [f32],
    ) {
        let width = Shape::of(cx.isa).cols;
        let (panels, panel_len) = (self.panels(cx), self.panel_len(cx));
        // Packing less than this is done before another thread has looked.
        let grain = panel_len * (1usize << 14).div_ceil(panel_len.max(1));
        cx.chunks_mut(
            &mut packed[..self.groups * panels * panel_len],
            grain,
            |start, chunk| {
                for (index, panel) in chunk.chunks_exact_mut(panel_len).enumerate() {
                    let index = start / panel_len + index;
                    let (group, column) = (index / panels, index % panels * width);
                    let taps = panel.chunks_exact_mut(pack::panel_len(cx.isa, self.channels));
                    for (tap, to) in taps.enumerate() {
                        let mut from = matrix(tap / self.cols.taps, tap % self.cols.taps, group);
                        from.start += column * from.col;
                        pack::right(cx.isa, from, self.channels, width.min(self.columns - column), to);
                    }
                }
            },
        );
    }

    /// Runs the product on `source`, `[batch, rows, cols, groups · channels]`, into `target`.
    pub fn run(
        &self,
        cx: &Exec,
        source: &[f32],
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        target: &mut [f32],
    ) {
        let lines = self.batch * self.rows.count;
        let (all_channels, all_columns) = (self.groups * self.channels, self.groups * self.columns);
        if lines == 0 || self.cols.count == 0 || all_columns == 0 {
            return;
        }
        let taps = self.rows.taps * self.cols.taps;
        let flops = 2 * taps * self.channels * all_columns * self.cols.count;
        let line_floats = self.cols.span(self.cols.count) * all_channels * self.rows.step;
        let band = (TILE_FLOPS / flops.max(1)).min(BAND_FLOATS / line_floats.max(1));
        // At least some tiles for every thread, at least some lines for every copy of a border.
        let band = band.min(lines.div_ceil(16)).max(self.rows.taps.min(4)).max(1);
        let cells = Cells::new(target);
        cx.ranges(lines, band, |mut lines| {
            while !lines.is_empty() {
                let image = lines.start / self.rows.count;
                let first = lines.start % self.rows.count;
                let end = (first + lines.len()).min(self.rows.count);
                let image_len = self.rows.source * self.cols.source * all_channels;
                let pixels = &source[image * image_len..(image + 1) * image_len];
                self.band(cx, pixels, first..end, packed, bias, activation, image, &cells);
                lines.start += end - first;
            }
        });
    }

    /// Some rows of positions of one image.
    #[allow(clippy::too_many_arguments)]
    fn band(
        &self,
        cx: &Exec,
        pixels: &[f32],
        lines: Range<usize>,
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        image: usize,
        cells: &Cells,
    ) {
        let channels = self.groups * self.channels;
        let top = self.rows.start + (lines.start * self.rows.step) as isize;
        let start = self.base + image * self.image + lines.start * self.row;
        if self.rows.inside(&lines) && self.cols.inside(&(0..self.cols.count)) {
            let row = self.cols.source * channels;
            let from = &pixels[top as usize * row + self.cols.start as usize * channels..];
            return self.product(cx, from, row, lines.len(), packed, bias, activation, start, cells);
        }
        let (height, width) = (self.rows.span(lines.len()), self.cols.span(self.cols.count));
        with_scratch(height * width * channels, |padded| {
            for (r, line) in padded.chunks_exact_mut((width * channels).max(1)).enumerate() {
                let at = top + r as isize;
                let row = self.cols.source * channels;
                let from = if at >= 0 && (at as usize) < self.rows.source {
                    &pixels[at as usize * row..(at as usize + 1) * row]
                } else {
                    &[]
                };
                copy_line(from, self.cols.start * channels as isize, line);
            }
            self.product(
                cx,
                padded,
                width * channels,
                lines.len(),
                packed,
                bias,
                activation,
                start,
                cells,
            );
        });
    }

    /// `lines` rows of positions over `data`, whose first float is tap 0 of the first position.
    #[allow(clippy::too_many_arguments)]
    fn product(
        &self,
        cx: &Exec,
        data: &[f32],
        row: usize,
        lines: usize,
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        start: usize,
        cells: &Cells,
    ) {
        let shape = Shape::of(cx.isa);
        let all_channels = self.groups * self.channels;
        // Taps of a row that touch each other are one long tap.
        let joined = self.groups == 1 && (self.cols.dilation == 1 || self.cols.taps == 1);
        let (across, depth) = if joined {
            (1, self.cols.taps * self.channels)
        } else {
            (self.cols.taps, self.channels)
        };
        let count = self.rows.taps * across;
        let per_pass = (PASS_BYTES / (4 * shape.cols * depth).max(1)).clamp(1, count);
        let (panels, panel_len) = (self.panels(cx), self.panel_len(cx));
        // Positions that follow each other without a gap from line to line are one long line.
        let (lines, positions) = if self.rows.taps == 1
            && self.cols.taps == 1
            && self.rows.step == 1
            && self.cols.step == 1
            && row == self.cols.count * all_channels
            && self.row == self.cols.count * self.pixel
        {
            (1, lines * self.cols.count)
        } else {
            (lines, self.cols.count)
        };
        with_segments(count, |segments| {
            for group in 0..self.groups {
                for (index, segment) in segments.iter_mut().enumerate() {
                    let (r, c) = (index / across, index % across);
                    *segment = Segment {
                        left: r * self.rows.dilation * row
                            + c * self.cols.dilation * all_channels
                            + group * self.channels,
                        right: index * depth * shape.cols,
                    };
                }
                for panel in 0..panels {
                    let column = panel * shape.cols;
                    let cols = shape.cols.min(self.columns - column);
                    let at = (group * panels + panel) * panel_len;
                    let right = pack::as_right(cx.isa, &packed[at..at + panel_len]);
                    for (pass, part) in segments.chunks(per_pass).enumerate() {
                        let last = (pass + 1) * per_pass >= count;
                        let column = group * self.columns + column;
                        let finish = Finish {
                            accumulate: pass > 0,
                            bias: (last && !bias.is_empty()).then(|| &bias[column..column + cols]),
                            activation: if last { activation } else { Activation::None },
                        };
                        for line in 0..lines {
                            let left = Left {
                                data: &data[(line * self.rows.step * row).min(data.len())..],
                                row: self.cols.step * all_channels,
                                step: 1,
                            };
                            let tile = Tile {
                                rows: positions,
                                cols,
                                depth,
                            };
                            let to = (start + line * self.row + column, self.pixel);
                            // SAFETY: bands do not share positions, and positions lie at least a pixel apart.
                            unsafe { multiply(cx.isa, tile, left, right, part, finish, cells, to) };
                        }
                    }
                }
            }
        });
    }
}

/// Fills `line` with `from` shifted so that `line[0]` is `from[start]`; zeros where `from` has nothing.
pub fn copy_line(from: &[f32], start: isize, line: &mut [f32]) {
    let zeros = if start < 0 {
        start.unsigned_abs().min(line.len())
    } else {
        0
    };
    let skip = start.max(0).unsigned_abs().min(from.len());
    let count = (from.len() - skip).min(line.len() - zeros);
    line[..zeros].fill(0.0);
    line[zeros..zeros + count].copy_from_slice(&from[skip..skip + count]);
    line[zeros + count..].fill(0.0);
}

/// Lends `count` segments; few enough are kept on the stack.
pub fn with_segments<R>(count: usize, body: impl FnOnce(&mut [Segment]) -> R) -> R {
    if count <= 64 {
        body(&mut [Segment::default(); 64][..count])
    } else {
        body(&mut vec![Segment::default(); count])
    }
}

/// Sets every pixel of `target` that the caller's strides name to zero: positions that no tap reaches.
#[allow(clippy::too_many_arguments)]
pub fn clear(
    cx: &Exec,
    target: &mut [f32],
    base: usize,
    (batch, image): (usize, usize),
    (rows, row): (usize, usize),
    (cols, pixel): (usize, usize),
    len: usize,
) {
    let cells = Disjoint::new(target);
    cx.ranges(batch * rows, 64, |lines| {
        for line in lines {
            for col in 0..cols {
                let at = base + line / rows * image + line % rows * row + col * pixel;
                // SAFETY: positions do not overlap, and each line is visited once.
                unsafe { cells.slice(at..at + len) }.fill(0.0);
            }
        }
    });
}
