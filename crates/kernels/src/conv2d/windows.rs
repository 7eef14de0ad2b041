//! The windows of a band of positions, laid out so that every tap can be read without a look at the borders.

use std::ops::Range;

use super::bands::{Band, Bands};
use crate::{Exec, with_scratch};

/// How windows stand along one axis of the source.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Pixels of the source.
    pub source: usize,
    /// Positions.
    pub count: usize,
    /// Where tap 0 of position 0 stands; negative outside of the source.
    pub start: isize,
    /// Pixels between two positions.
    pub step: usize,
    pub taps: usize,
    /// Pixels between two taps.
    pub dilation: usize,
}

impl Windows {
    /// Pixels from the first tap of one position to the last tap of the one that is `count - 1` behind it.
    pub fn span(&self, count: usize) -> usize {
        (count - 1) * self.step + (self.taps - 1) * self.dilation + 1
    }

    /// Where a tap of a position stands, if that is inside of the source.
    pub fn at(&self, position: usize, tap: usize) -> usize {
        (self.start + (position * self.step + tap * self.dilation) as isize) as usize
    }

    /// The positions at which a tap is inside of the source.
    pub fn inside_of_tap(&self, tap: usize) -> Range<usize> {
        let first = self.start + (tap * self.dilation) as isize;
        let before = |end: isize| (end.max(0) as usize).div_ceil(self.step).min(self.count);
        let end = before(self.source as isize - first);
        before(-first).min(end)..end
    }

    /// The positions whose windows are inside of the source.
    pub fn inner(&self) -> Range<usize> {
        let (first, last) = (self.inside_of_tap(0), self.inside_of_tap(self.taps - 1));
        let end = first.end.min(last.end);
        first.start.max(last.start).min(end)..end
    }

    /// The windows at some of the positions.
    pub fn part(&self, positions: Range<usize>) -> Windows {
        Windows {
            count: positions.len(),
            start: self.start + (positions.start * self.step) as isize,
            ..*self
        }
    }

    fn inside(&self, positions: &Range<usize>) -> bool {
        let first = self.start + (positions.start * self.step) as isize;
        first >= 0 && first as usize + self.span(positions.len()) <= self.source
    }
}

/// All windows over a batch of images `[batch, rows, cols, channels]`. What lies outside of an image counts as zero.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub batch: usize,
    pub rows: Windows,
    pub cols: Windows,
    pub channels: usize,
    /// Whether pieces may run on from line to line: what stands at the positions has no gaps either.
    pub runs_on: bool,
    /// Floats that can be read behind the last tap of the last position.
    pub surplus: usize,
}

/// The windows of a band in memory: tap (r, c) of position `p` of line `l` of image `n` starts at
/// `data[n · image + l · line + p · position + r · tap_row + c · tap_col]` and has all channels.
///
/// Where neither windows nor positions have gaps between lines, or images, those are one.
#[derive(Clone, Copy)]
pub struct Laid<'a> {
    pub data: &'a [f32],
    pub images: usize,
    pub image: usize,
    pub lines: usize,
    pub line: usize,
    pub positions: usize,
    pub position: usize,
    pub tap_row: usize,
    pub tap_col: usize,
}

impl Laid<'_> {
    /// Floats that can be read in one go from the first tap of a row on, for `channels` of all channels: neighbouring
    /// taps that touch each other are one.
    pub fn depth(&self, view: &View, channels: usize) -> usize {
        let joined = view.channels == channels && (self.tap_col == channels || view.cols.taps == 1);
        if joined {
            view.cols.taps * channels
        } else {
            channels
        }
    }

    /// Where the last tap of the last position starts.
    pub fn last(&self, view: &View) -> usize {
        self.start(self.images * self.lines - 1)
            + (self.positions - 1) * self.position
            + (view.rows.taps - 1) * self.tap_row
            + (view.cols.taps - 1) * self.tap_col
    }

    /// Where line number `index` of the band starts.
    pub fn start(&self, index: usize) -> usize {
        index / self.lines * self.image + index % self.lines * self.line
    }
}

/// Lines shorter than this are gathered: a register tile would be half empty.
const SHORT: usize = 6;
/// Floats that are worth handing to another thread to copy.
const GRAIN: usize = 1 << 13;

impl View {
    /// Rows of positions of the whole batch.
    pub fn lines(&self) -> usize {
        self.batch * self.rows.count
    }

    pub fn positions(&self) -> usize {
        self.lines() * self.cols.count
    }

    pub fn taps(&self) -> usize {
        self.rows.taps * self.cols.taps
    }

    /// Rows and columns of taps.
    pub fn window(&self) -> (usize, usize) {
        (self.rows.taps, self.cols.taps)
    }

    /// Cuts the batch into bands of at most `most` floats of windows, `wanted` of them or more, but of no fewer than
    /// `least` positions. There must be positions.
    pub fn bands(&self, wanted: usize, least: usize, most: usize) -> Bands {
        let width = match self.gathers() {
            true => self.cols.count * self.taps(),
            false => self.cols.span(self.cols.count) * self.rows.step,
        };
        let most = (most / width.saturating_mul(self.channels).max(1)).max(1);
        let least = least.div_ceil(self.cols.count);
        let lines = self.lines().div_ceil(wanted).max(least).min(most);
        Bands::new(self.batch, self.rows.count, lines)
    }

    /// Whether windows are of 1 × 1 and visit every pixel, so that pieces run on from line to line and from image to image.
    pub fn is_run(&self) -> bool {
        self.runs_on
            && [self.rows, self.cols]
                .iter()
                .all(|axis| axis.taps == 1 && axis.step == 1 && axis.start == 0 && axis.count == axis.source)
    }

    pub fn is_inside(&self) -> bool {
        self.rows.inside(&(0..self.rows.count)) && self.cols.inside(&(0..self.cols.count))
    }

    /// Whether windows are copied one by one: where lines are short, and where a copy of the image with its
    /// surroundings would hold mostly pixels that no window sees.
    pub fn gathers(&self) -> bool {
        let (count, taps) = (self.cols.count, self.taps());
        let dense = self.rows.span(1).saturating_mul(self.cols.span(count));
        !self.is_run() && (count < SHORT || (!self.is_inside() && dense / 2 > count * taps))
    }

    /// Lays out the windows of a band and lends them to `body`.
    pub fn lay<R>(&self, cx: &Exec, source: &[f32], band: Band, body: impl FnOnce(Laid) -> R) -> R {
        let channels = self.channels;
        let row = self.cols.source * channels;
        if self.gathers() {
            return self.gather(cx, source, band, body);
        }
        let lines = band.line..band.line + band.lines;
        if self.rows.inside(&lines) && self.cols.inside(&(0..self.cols.count)) {
            let top = band.image * self.rows.source
                + (self.rows.start + (band.line * self.rows.step) as isize) as usize;
            let laid = self.in_rows(
                &source[top * row + self.cols.start as usize * channels..],
                band,
                self.rows.source * row,
                row,
            );
            if self.surplus == 0 || laid.last(self) + channels + self.surplus <= laid.data.len() {
                if !self.is_run() {
                    return body(laid);
                }
                return body(Laid {
                    images: 1,
                    lines: 1,
                    positions: band.images * band.lines * self.cols.count,
                    ..laid
                });
            }
        }
        let (height, width) = (
            self.rows.span(band.lines),
            self.cols.span(self.cols.count) * channels,
        );
        let top = self.rows.start + (band.line * self.rows.step) as isize;
        let len = band.images * height * width;
        with_scratch(len + self.surplus, |padded| {
            fill_rows(cx, &mut padded[..len], width, |index, to| {
                let at = top + (index % height) as isize;
                let from = if at >= 0 && (at as usize) < self.rows.source {
                    let image = (band.image + index / height) * self.rows.source;
                    &source[(image + at as usize) * row..][..row]
                } else {
                    &[]
                };
                copy_shifted(from, self.cols.start * channels as isize, to);
            });
            body(self.in_rows(padded, band, height * width, width))
        })
    }

    /// A band over `data`, which starts with tap 0 of its first position. Images lie `image` apart, rows `row`.
    fn in_rows<'a>(&self, data: &'a [f32], band: Band, image: usize, row: usize) -> Laid<'a> {
        Laid {
            data,
            images: band.images,
            image,
            lines: band.lines,
            line: self.rows.step * row,
            positions: self.cols.count,
            position: self.cols.step * self.channels,
            tap_row: self.rows.dilation * row,
            tap_col: self.cols.dilation * self.channels,
        }
    }

    /// Every window by itself, position by position.
    fn gather<R>(&self, cx: &Exec, source: &[f32], band: Band, body: impl FnOnce(Laid) -> R) -> R {
        let channels = self.channels;
        let (row, window) = (self.cols.source * channels, self.taps() * channels);
        let lines = band.images * band.lines;
        let len = lines * self.cols.count * window;
        with_scratch(len + self.surplus, |gathered| {
            fill_rows(cx, &mut gathered[..len], window, |index, to| {
                let (line, col) = (index / self.cols.count, index % self.cols.count);
                let image = (band.image + line / band.lines) * self.rows.source;
                let top = self.rows.start + ((band.line + line % band.lines) * self.rows.step) as isize;
                let left = self.cols.start + (col * self.cols.step) as isize;
                for (r, to) in to.chunks_exact_mut(self.cols.taps * channels).enumerate() {
                    let at = top + (r * self.rows.dilation) as isize;
                    if at < 0 || at as usize >= self.rows.source {
                        to.fill(0.0);
                        continue;
                    }
                    let from = &source[(image + at as usize) * row..][..row];
                    if self.cols.dilation == 1 {
                        copy_shifted(from, left * channels as isize, to);
                        continue;
                    }
                    for (c, to) in to.chunks_exact_mut(channels).enumerate() {
                        let at = left + (c * self.cols.dilation) as isize;
                        let at = at.clamp(-1, self.cols.source as isize);
                        copy_shifted(from, at * channels as isize, to);
                    }
                }
            });
            let (lines, positions) = match self.runs_on {
                true => (1, lines * self.cols.count),
                false => (band.lines, self.cols.count),
            };
            body(Laid {
                data: gathered,
                images: if self.runs_on { 1 } else { band.images },
                image: band.lines * self.cols.count * window,
                lines,
                line: self.cols.count * window,
                positions,
                position: window,
                tap_row: self.cols.taps * channels,
                tap_col: channels,
            })
        })
    }
}

/// Calls `fill(index, row)` for each row of `width` floats.
fn fill_rows(cx: &Exec, to: &mut [f32], width: usize, fill: impl Fn(usize, &mut [f32]) + Sync) {
    let width = width.max(1);
    let rows = GRAIN.div_ceil(width);
    cx.chunks_mut(to, rows * width, |start, chunk| {
        for (index, row) in chunk.chunks_exact_mut(width).enumerate() {
            fill(start / width + index, row);
        }
    });
}

/// Fills `line` with `from` shifted so that `line[0]` is `from[start]`; zeros where `from` has nothing.
fn copy_shifted(from: &[f32], start: isize, line: &mut [f32]) {
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
