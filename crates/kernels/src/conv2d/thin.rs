//! Sliding products with few columns, such as the gradient of an image or the last layer of a decoder: a register would
//! be filled to a part only, so here positions stand side by side in registers and columns are the rows of the tile.
//!
//! For that, the pixels of a band are transposed: for each row of the image and each channel a line of pixels, in which
//! every tap is the same line a few pixels further on.

use super::bands::Band;
use super::slide::Slide;
use super::windows::Laid;
use crate::microkernel::pack::{Matrix, transposed};
use crate::microkernel::{Activation, Cells, Finish, Left, Right, Segment, Shape, Tile, multiply};
use crate::{Disjoint, Exec, with_scratch};

/// Segments that one call of the micro-kernel adds up at most.
const SEGMENTS: usize = 64;

/// Channels and taps that make it worth to transpose.
const CHANNELS: usize = 8;
const TAPS: usize = 3;

/// Whether the columns fill at most half a register, and transposed lines are used often enough.
pub fn serves(cx: &Exec, slide: &Slide) -> bool {
    let view = &slide.view;
    let moves_by_one = view.rows.step == 1 && view.cols.step == 1;
    let worth = view.channels >= CHANNELS && view.taps() >= TAPS;
    let few = slide.groups == 1 && slide.columns * 2 <= Shape::of(cx.isa).lanes;
    few && worth && moves_by_one && !view.gathers()
}

/// Packs the weights: one row of all taps and channels for each column.
pub fn pack<'w>(slide: &Slide, matrix: impl Fn(usize, usize, usize) -> Matrix<'w>, packed: &mut [f32]) {
    let (channels, taps) = (slide.view.channels, slide.view.taps());
    for (index, to) in packed.chunks_exact_mut(channels.max(1)).enumerate() {
        let (column, tap) = (index / taps, index % taps);
        let from = matrix(tap / slide.view.cols.taps, tap % slide.view.cols.taps, 0);
        for (channel, to) in to.iter_mut().enumerate() {
            *to = from.data[from.start + channel * from.row + column * from.col];
        }
    }
}

/// The product for a band.
#[allow(clippy::too_many_arguments)]
pub fn band(
    cx: &Exec,
    slide: &Slide,
    band: Band,
    laid: &Laid,
    packed: &[f32],
    bias: &[f32],
    activation: Activation,
    target: &Disjoint<f32>,
) {
    let view = &slide.view;
    let shape = Shape::of(cx.isa);
    // Neighbouring lines of positions start in neighbouring rows of pixels.
    let rows = laid.lines + (view.rows.taps - 1) * view.rows.dilation;
    let reach = (view.cols.taps - 1) * view.cols.dilation;
    let width = laid.positions.next_multiple_of(shape.lanes) + reach;
    let row_len = view.channels * width;
    with_scratch(laid.images * rows * row_len, |lines| {
        for (row, to) in lines.chunks_exact_mut(row_len.max(1)).enumerate() {
            let from = Matrix {
                data: laid.data,
                start: row / rows * laid.image + row % rows * laid.line,
                row: 1,
                col: laid.position,
            };
            transposed(cx.isa, from, laid.positions + reach, width, to);
        }
        with_scratch(slide.columns * shape.cols, |sums| {
            for line in 0..laid.images * laid.lines {
                let (image, line) = (line / laid.lines, line % laid.lines);
                let to = slide.to.base
                    + (band.image + image) * slide.to.image
                    + (band.line + line) * slide.to.line;
                for first in (0..laid.positions).step_by(shape.cols) {
                    let count = shape.cols.min(laid.positions - first);
                    let start = (image * rows + line) * row_len + first;
                    block(cx, slide, packed, lines, start, width, count, sums);
                    for position in 0..count {
                        let at = to + (first + position) * slide.to.position;
                        // SAFETY: positions do not overlap, and each is in the band of one tile.
                        let to = unsafe { target.slice(at..at + slide.columns) };
                        finish(&sums[position..], shape.cols, bias, activation, to);
                    }
                }
            }
        });
    });
}

/// `sums[column][position]` for `count` positions whose first tap starts at `start` of `lines`.
#[allow(clippy::too_many_arguments)]
fn block(
    cx: &Exec,
    slide: &Slide,
    packed: &[f32],
    lines: &[f32],
    start: usize,
    width: usize,
    count: usize,
    sums: &mut [f32],
) {
    let view = &slide.view;
    let left = Left {
        data: packed,
        row: view.taps() * view.channels,
        step: 1,
    };
    let right = Right {
        data: lines,
        step: width,
    };
    let tile = Tile {
        rows: slide.columns,
        cols: count,
        depth: view.channels,
    };
    let to = (0, Shape::of(cx.isa).cols);
    let cells = Cells::new(sums);
    let mut segments = [Segment::default(); SEGMENTS];
    for done in (0..view.taps()).step_by(SEGMENTS) {
        let segments = &mut segments[..SEGMENTS.min(view.taps() - done)];
        for (tap, segment) in (done..).zip(segments.iter_mut()) {
            let (r, c) = (tap / view.cols.taps, tap % view.cols.taps);
            *segment = Segment {
                left: tap * view.channels,
                right: start + r * view.rows.dilation * view.channels * width + c * view.cols.dilation,
            };
        }
        let finish = Finish {
            accumulate: done > 0,
            ..Finish::default()
        };
        // SAFETY: the sums belong to this thread alone.
        unsafe { multiply(cx.isa, tile, left, right, segments, finish, &cells, to) };
    }
}

/// One pixel of the result from a column of the sums.
fn finish(sums: &[f32], step: usize, bias: &[f32], activation: Activation, to: &mut [f32]) {
    for (column, to) in to.iter_mut().enumerate() {
        let sum = sums[column * step] + bias.get(column).unwrap_or(&0.0);
        *to = if activation == Activation::Relu && sum <= 0.0 {
            0.0
        } else {
            sum
        };
    }
}
