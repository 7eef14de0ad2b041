//! Two-dimensional convolution on NHWC images: forward, and the gradients of input and weight.
//!
//! All three run on the register tile of [`crate::microkernel`], straight from the images. The forward pass slides
//! windows over x (`slide`); the input gradient is the same loop over dy (`input_gradient`); the weight gradient is a
//! product along the positions (`weight`). Few filters or channels turn the product round (`thin`), and convolutions
//! with one channel a group have loops over channels instead (`depthwise`, `channels`). Windows of 3 × 3 that move by one
//! pixel go through the Winograd algorithm where that is faster (`winograd`). How windows are read and cut is the same
//! everywhere else (`windows`, `bands`); which of them all runs can be asked (`algorithm`).

mod algorithm;
mod bands;
mod channels;
mod depthwise;
mod geometry;
mod input_gradient;
pub mod reference;
mod slide;
#[cfg(test)]
mod tests;
mod thin;
mod weight;
mod windows;
mod winograd;

pub use algorithm::{Algorithm, algorithms};
pub use geometry::Conv2d;
pub use input_gradient::input_gradient;
pub use weight::weight_gradient;

use crate::microkernel::Activation;
use crate::microkernel::pack::Matrix;
use crate::padding::Axis;
use crate::{Exec, with_scratch};
use slide::{Place, Slide};
use windows::{View, Windows};

impl Conv2d {
    /// Whether each filter sees a single channel, and too few filters see the same one for a register tile.
    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.group_channels() == 1 && self.group_filters() <= 8
    }

    /// The windows of the forward pass over x.
    fn view(&self) -> View {
        let windows = |axis: &Axis| Windows {
            source: axis.input,
            count: axis.output,
            start: -(axis.before as isize),
            step: axis.stride,
            taps: axis.kernel,
            dilation: axis.dilation,
        };
        View {
            batch: self.batch,
            rows: windows(&self.height),
            cols: windows(&self.width),
            channels: self.channels,
            runs_on: true,
            surplus: 0,
        }
    }

    /// The place of y.
    fn outputs(&self) -> Place {
        let line = self.width.output * self.filters;
        Place {
            base: 0,
            image: self.height.output * line,
            line,
            position: self.filters,
        }
    }

    /// The forward pass as a sliding product.
    fn slide(&self) -> Slide {
        Slide {
            view: self.view(),
            groups: self.groups,
            columns: self.group_filters(),
            to: self.outputs(),
        }
    }

    fn assert(&self, input: usize, weight: usize, output: usize, bias: usize) {
        if let Err(reason) = self.check(input, weight, output, bias) {
            panic!("{reason}");
        }
    }
}

/// What computes the forward pass.
fn algorithm(cx: &Exec, conv: &Conv2d) -> Algorithm {
    if conv.is_depthwise() {
        Algorithm::Depthwise
    } else {
        conv.slide().algorithm(cx)
    }
}

/// y = x ∗ w + bias, then the activation. An empty `bias` adds nothing. Panics unless the lengths pass
/// [`Conv2d::check`].
pub fn forward(
    cx: &Exec,
    conv: &Conv2d,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    conv.assert(x.len(), w.len(), y.len(), bias.len());
    if conv.is_depthwise() {
        return depthwise::forward(cx, conv, x, w, bias, activation, y);
    }
    let slide = conv.slide();
    with_scratch(slide.packed_len(cx), |packed| {
        let tap = |kh: usize, kw: usize, group: usize| Matrix {
            data: w,
            start: conv.weight_at(kh, kw, 0, group * conv.group_filters()),
            row: conv.filters,
            col: 1,
        };
        slide.pack(cx, tap, packed);
        slide.run(cx, x, packed, bias, activation, y);
    });
}
