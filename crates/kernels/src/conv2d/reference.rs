//! Convolution by its definition. What lies outside of an image counts as zero, and 0 · ∞ is NaN as everywhere.

use num_traits::Float;

use super::Conv2d;
use crate::padding::Axis;

/// Where tap `tap` of window `output` stands, if not in the padding.
fn input_at(axis: &Axis, output: usize, tap: usize) -> Option<usize> {
    let at = axis.start(output) + (tap * axis.dilation) as isize;
    (at >= 0 && at < axis.input as isize).then_some(at as usize)
}

/// Which window has its tap `tap` on cell `input`: `None` if windows step over it, `Some(None)` if it would stand
/// before the first window or behind the last.
fn output_at(axis: &Axis, input: usize, tap: usize) -> Option<Option<usize>> {
    let from = (input + axis.before) as isize - (tap * axis.dilation) as isize;
    let stride = axis.stride as isize;
    let (output, rest) = (from.div_euclid(stride), from.rem_euclid(stride));
    let inside = output >= 0 && output < axis.output as isize;
    (rest == 0).then_some(inside.then_some(output as usize))
}

/// y = x ∗ w + bias, then the rectifier if `relu`. An empty `bias` adds nothing.
pub fn forward<T: Float>(conv: &Conv2d, x: &[T], w: &[T], bias: &[T], relu: bool, y: &mut [T]) {
    let (height, width, channels) = (&conv.height, &conv.width, conv.channels);
    for (index, y) in y.iter_mut().enumerate() {
        let (pixel, o) = (index / conv.filters, index % conv.filters);
        let (line, ow) = (pixel / width.output, pixel % width.output);
        let (n, oh) = (line / height.output, line % height.output);
        let first = o / conv.group_filters() * conv.group_channels();
        let mut sum = T::zero();
        for (kh, kw) in conv.taps() {
            let at = input_at(height, oh, kh).zip(input_at(width, ow, kw));
            let at = at.map(|(ih, iw)| ((n * height.input + ih) * width.input + iw) * channels + first);
            for c in 0..conv.group_channels() {
                let x = at.map_or(T::zero(), |at| x[at + c]);
                sum = sum + x * w[conv.weight_at(kh, kw, c, o)];
            }
        }
        if let Some(&bias) = bias.get(o) {
            sum = sum + bias;
        }
        *y = if relu && sum <= T::zero() { T::zero() } else { sum };
    }
}

/// The gradient of the input.
pub fn input_gradient<T: Float>(conv: &Conv2d, dy: &[T], w: &[T], dx: &mut [T]) {
    let (height, width, filters) = (&conv.height, &conv.width, conv.filters);
    for (index, dx) in dx.iter_mut().enumerate() {
        let (pixel, channel) = (index / conv.channels, index % conv.channels);
        let (line, iw) = (pixel / width.input, pixel % width.input);
        let (n, ih) = (line / height.input, line % height.input);
        let (group, c) = (channel / conv.group_channels(), channel % conv.group_channels());
        let first = group * conv.group_filters();
        *dx = T::zero();
        for (kh, kw) in conv.taps() {
            let Some((row, col)) = output_at(height, ih, kh).zip(output_at(width, iw, kw)) else {
                continue;
            };
            let at = row.zip(col);
            let at = at.map(|(oh, ow)| ((n * height.output + oh) * width.output + ow) * filters);
            for o in first..first + conv.group_filters() {
                let dy = at.map_or(T::zero(), |at| dy[at + o]);
                *dx = *dx + dy * w[conv.weight_at(kh, kw, c, o)];
            }
        }
    }
}

/// The gradient of the weight.
pub fn weight_gradient<T: Float>(conv: &Conv2d, x: &[T], dy: &[T], dw: &mut [T]) {
    let (height, width, channels, filters) = (&conv.height, &conv.width, conv.channels, conv.filters);
    dw.fill(T::zero());
    for pixel in 0..conv.pixels() {
        let (line, ow) = (pixel / width.output, pixel % width.output);
        let (n, oh) = (line / height.output, line % height.output);
        for (kh, kw) in conv.taps() {
            let at = input_at(height, oh, kh).zip(input_at(width, ow, kw));
            let at = at.map(|(ih, iw)| ((n * height.input + ih) * width.input + iw) * channels);
            for c in 0..conv.group_channels() {
                for o in 0..filters {
                    let channel = o / conv.group_filters() * conv.group_channels() + c;
                    let x = at.map_or(T::zero(), |at| x[at + channel]);
                    let dw = &mut dw[conv.weight_at(kh, kw, c, o)];
                    *dw = *dw + x * dy[pixel * filters + o];
                }
            }
        }
    }
}
