//! Convolution on NHWC images, forward and both gradients.
//!
//! The forward pass slides windows over the image ([`slide`]). The input gradient is the same loop over dy with the
//! taps in reverse order; a stride s cuts it into s phases along each axis, each a dense convolution of its own. The
//! weight gradient is a product along the positions ([`weight`]). Depthwise convolutions have loops of their own.

mod depthwise;
mod geometry;
pub mod reference;
mod slide;
mod weight;

pub use geometry::Conv2d;

use crate::microkernel::{Activation, pack};
use crate::padding::Axis;
use crate::{Exec, with_scratch};
use slide::{Slide, Windows, clear};

/// y = x ∗ w + bias, then the activation. An empty `bias` adds nothing.
pub fn forward(
    cx: &Exec,
    conv: &Conv2d,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    if depthwise::serves(conv) {
        return depthwise::forward(cx, conv, x, w, bias, activation, y);
    }
    if conv.channels == 0 {
        return reference::forward(conv, x, w, bias, activation == Activation::Relu, y);
    }
    let windows = |axis: &Axis| Windows {
        source: axis.input,
        count: axis.output,
        start: -(axis.before as isize),
        step: axis.stride,
        taps: axis.kernel,
        dilation: axis.dilation,
    };
    let (channels, columns) = (conv.group_channels(), conv.group_filters());
    let slide = Slide {
        batch: conv.batch,
        rows: windows(&conv.height),
        cols: windows(&conv.width),
        groups: conv.groups,
        channels,
        columns,
        base: 0,
        image: conv.height.output * conv.width.output * conv.filters,
        row: conv.width.output * conv.filters,
        pixel: conv.filters,
    };
    with_scratch(slide.packed_len(cx), |packed| {
        let tap = |r: usize, c: usize, group: usize| pack::Matrix {
            data: w,
            start: (r * conv.width.kernel + c) * channels * conv.filters + group * columns,
            row: conv.filters,
            col: 1,
        };
        slide.pack(cx, tap, packed);
        slide.run(cx, x, packed, bias, activation, y);
    });
}

/// One phase of an axis: the inputs `first`, `first + stride`, … and the taps that reach them.
struct Phase {
    first: usize,
    windows: Windows,
    /// The tap that stands at window position t is `last - t · between`.
    last: usize,
    between: usize,
}

/// The phases of an axis; those that no tap reaches have no taps.
fn phases(axis: &Axis) -> impl Iterator<Item = Phase> {
    let Axis {
        input,
        kernel,
        stride,
        dilation,
        before,
        output,
        ..
    } = *axis;
    (0..stride.min(input)).map(move |first| {
        let count = (input - first).div_ceil(stride);
        // Input i meets tap k in output (i + before − k · dilation) / stride.
        let reaches = |tap: usize| (first + before) % stride == tap * dilation % stride;
        let last = (0..kernel).rev().find(|&tap| reaches(tap));
        let between = stride / gcd(stride, dilation);
        let windows = Windows {
            source: output,
            count,
            start: last.map_or(0, |last| {
                ((first + before) as isize - (last * dilation) as isize).div_euclid(stride as isize)
            }),
            step: 1,
            taps: last.map_or(0, |last| last / between + 1),
            dilation: between * dilation / stride,
        };
        Phase {
            first,
            windows,
            last: last.unwrap_or(0),
            between,
        }
    })
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// dx, the gradient of the input.
pub fn input_gradient(cx: &Exec, conv: &Conv2d, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    if depthwise::serves(conv) {
        return depthwise::input_gradient(cx, conv, dy, w, dx);
    }
    if conv.filters == 0 || conv.channels == 0 {
        return dx.fill(0.0);
    }
    let (channels, filters) = (conv.group_channels(), conv.group_filters());
    let row = conv.width.input * conv.channels;
    for vertical in phases(&conv.height) {
        for horizontal in phases(&conv.width) {
            let slide = Slide {
                batch: conv.batch,
                rows: vertical.windows,
                cols: horizontal.windows,
                groups: conv.groups,
                channels: filters,
                columns: channels,
                base: vertical.first * row + horizontal.first * conv.channels,
                image: conv.height.input * row,
                row: conv.height.stride * row,
                pixel: conv.width.stride * conv.channels,
            };
            if slide.rows.taps == 0 || slide.cols.taps == 0 {
                let (rows, cols) = ((slide.rows.count, slide.row), (slide.cols.count, slide.pixel));
                clear(
                    cx,
                    dx,
                    slide.base,
                    (slide.batch, slide.image),
                    rows,
                    cols,
                    conv.channels,
                );
                continue;
            }
            with_scratch(slide.packed_len(cx), |packed| {
                let tap = |r: usize, c: usize, group: usize| {
                    let kh = vertical.last - r * vertical.between;
                    let kw = horizontal.last - c * horizontal.between;
                    pack::Matrix {
                        data: w,
                        start: (kh * conv.width.kernel + kw) * channels * conv.filters + group * filters,
                        row: 1,
                        col: conv.filters,
                    }
                };
                slide.pack(cx, tap, packed);
                slide.run(cx, dy, packed, &[], Activation::None, dx);
            });
        }
    }
}

/// dw, the gradient of the weight.
pub fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    if depthwise::serves(conv) {
        depthwise::weight_gradient(cx, conv, x, dy, dw)
    } else {
        weight::weight_gradient(cx, conv, x, dy, dw)
    }
}

#[cfg(test)]
mod tests;
