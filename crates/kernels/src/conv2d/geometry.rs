//! The sizes of a convolution, checked once for all three directions.

use crate::padding::{Axis, check_lengths, volume, words};

/// Everything about a convolution but its numbers. Images are `[N, H, W, C]`, weights `[kH, kW, C / groups, O]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conv2d {
    pub batch: usize,
    pub height: Axis,
    pub width: Axis,
    pub channels: usize,
    pub filters: usize,
    /// Group g convolves channels `g · C/groups ..` into filters `g · O/groups ..`.
    pub groups: usize,
}

impl Conv2d {
    pub fn new(
        batch: usize,
        height: Axis,
        width: Axis,
        channels: usize,
        filters: usize,
        groups: usize,
    ) -> Result<Conv2d, String> {
        if groups == 0 || !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
            return Err(format!(
                "{groups} groups of {channels} channels and {filters} filters"
            ));
        }
        let conv = Conv2d {
            batch,
            height,
            width,
            channels,
            filters,
            groups,
        };
        volume(&[batch, height.input, width.input, channels])?;
        volume(&[batch, height.output, width.output, filters])?;
        volume(&[height.kernel, width.kernel, channels / groups, filters])?;
        Ok(conv)
    }

    /// From what the binding is given: batch, height, width, channels, kernel height and width, filters, groups,
    /// strides, dilations (height, width), padding top, bottom, left, right.
    pub fn from_words(numbers: &[f64]) -> Result<Conv2d, String> {
        let [
            n,
            h,
            w,
            c,
            kh,
            kw,
            o,
            groups,
            sh,
            sw,
            dh,
            dw,
            top,
            bottom,
            left,
            right,
        ] = words(numbers)?;
        let height = Axis::new(h, kh, sh, dh, top, bottom).map_err(|error| format!("height: {error}"))?;
        let width = Axis::new(w, kw, sw, dw, left, right).map_err(|error| format!("width: {error}"))?;
        Conv2d::new(n, height, width, c, o, groups)
    }

    pub fn input_len(&self) -> usize {
        self.batch * self.height.input * self.width.input * self.channels
    }

    pub fn output_len(&self) -> usize {
        self.pixels() * self.filters
    }

    pub fn weight_len(&self) -> usize {
        self.height.kernel * self.width.kernel * self.group_channels() * self.filters
    }

    /// Row and column of every tap of the window, in the order of the weight.
    pub fn taps(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (rows, cols) = (self.height.kernel, self.width.kernel);
        (0..rows).flat_map(move |kh| (0..cols).map(move |kw| (kh, kw)))
    }

    /// Where the weight of a tap stands, from channel `c` of its group to filter `o` of all.
    pub fn weight_at(&self, kh: usize, kw: usize, c: usize, o: usize) -> usize {
        ((kh * self.width.kernel + kw) * self.group_channels() + c) * self.filters + o
    }

    /// Output positions of the whole batch.
    pub fn pixels(&self) -> usize {
        self.batch * self.height.output * self.width.output
    }

    pub fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    pub fn group_filters(&self) -> usize {
        self.filters / self.groups
    }

    /// An error unless the buffers that a direction uses have the sizes of this geometry. `bias` is 0 or `filters`.
    pub fn check(&self, input: usize, weight: usize, output: usize, bias: usize) -> Result<(), String> {
        check_lengths(&[
            ("the input", input, self.input_len()),
            ("the weight", weight, self.weight_len()),
            ("the output", output, self.output_len()),
            ("the bias", bias, if bias == 0 { 0 } else { self.filters }),
        ])
    }
}
