//! Pooling of NHWC images: the largest value or the mean of each window, channel by channel.
//!
//! The first of tied maxima wins, a NaN beats every number, and the same cell wins forward and backward, because
//! the forward pass notes it: the tap's number in its window, row by row. Padding never counts, neither as a value
//! nor in a mean; a window that stands on padding alone is refused.
//!
//! Backward passes run over input cells and collect from the windows that cover each: nothing is written twice,
//! rows go to any thread, and sums have one order.

use crate::padding::{Axis, check_lengths, volume, words};

pub mod average;
mod blocks;
pub mod max;
pub mod reference;
#[cfg(test)]
mod tests;
mod window;

/// Elements that one tile reads: some 10 µs of work.
const TILE: usize = 1 << 16;

/// Everything about a pooling but its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pool2d {
    pub batch: usize,
    pub height: Axis,
    pub width: Axis,
    pub channels: usize,
}

impl Pool2d {
    pub fn new(batch: usize, height: Axis, width: Axis, channels: usize) -> Result<Pool2d, String> {
        volume(&[batch, height.input, width.input, channels])?;
        volume(&[batch, height.output, width.output, channels])?;
        for (name, axis) in [("height", &height), ("width", &width)] {
            refuse_empty_windows(axis).map_err(|error| format!("{name}: {error}"))?;
        }
        if volume(&[height.kernel, width.kernel])? > i32::MAX as usize {
            return Err(format!(
                "a window of {} x {} cells is too large",
                height.kernel, width.kernel
            ));
        }
        Ok(Pool2d {
            batch,
            height,
            width,
            channels,
        })
    }

    /// From what the binding is given: batch, height, width, channels, window height and width, strides, dilations
    /// (height, width), padding top, bottom, left, right.
    pub fn from_words(numbers: &[f64]) -> Result<Pool2d, String> {
        let [n, h, w, c, kh, kw, sh, sw, dh, dw, top, bottom, left, right] = words(numbers)?;
        let height = Axis::new(h, kh, sh, dh, top, bottom).map_err(|error| format!("height: {error}"))?;
        let width = Axis::new(w, kw, sw, dw, left, right).map_err(|error| format!("width: {error}"))?;
        Pool2d::new(n, height, width, c)
    }

    pub fn input_len(&self) -> usize {
        self.batch * self.height.input * self.width.input * self.channels
    }

    pub fn output_len(&self) -> usize {
        self.batch * self.height.output * self.width.output * self.channels
    }

    /// Whether a byte holds the number of every tap.
    pub fn fits_bytes(&self) -> bool {
        self.height.kernel * self.width.kernel < 256
    }

    /// An error unless the buffers have the sizes of this geometry. `winners` is 0 or as long as the output.
    pub fn check(&self, input: usize, output: usize, winners: usize) -> Result<(), String> {
        check_lengths(&[
            ("the input", input, self.input_len()),
            ("the output", output, self.output_len()),
            (
                "the winners",
                winners,
                if winners == 0 { 0 } else { self.output_len() },
            ),
        ])
    }

    /// Where output cell (image, row, column) begins.
    #[inline(always)]
    fn output_at(&self, image: usize, row: usize, column: usize) -> usize {
        ((image * self.height.output + row) * self.width.output + column) * self.channels
    }

    /// Whether windows stand side by side from the first cell on: each cell has at most one, the usual pooling.
    #[inline(always)]
    pub(crate) fn side_by_side(&self) -> bool {
        [self.height, self.width]
            .iter()
            .all(|axis| axis.stride == axis.kernel && axis.dilation == 1 && axis.before == 0)
    }

    /// Output rows of one tile.
    fn output_rows(&self) -> usize {
        let taps = self.height.kernel * self.width.kernel;
        let work = (self.width.output * self.channels).saturating_mul(taps);
        (TILE / work.max(1)).max(1)
    }

    /// Input rows of one tile.
    fn input_rows(&self) -> usize {
        (TILE / (self.width.input * self.channels).max(1)).max(1)
    }
}

/// Fails if some position of the window has no tap on the input.
fn refuse_empty_windows(axis: &Axis) -> Result<(), String> {
    let mut position = 0;
    while position < axis.output {
        if axis.taps(position).is_empty() {
            return Err(format!(
                "window {position} of {} stands on padding alone",
                axis.output
            ));
        }
        let start = axis.start(position);
        let inside = start >= 0 && start as usize + axis.span() <= axis.input;
        // From one window that stands inside on, straight to the first that reaches behind the input.
        let next = if inside {
            (axis.input - axis.span() + axis.before) / axis.stride
        } else {
            position
        };
        position = next + 1;
    }
    Ok(())
}
