//! Two-dimensional convolution on NHWC images: forward, and the gradients of input and weight.
//!
//! All three run on the register tile of [`crate::microkernel`], straight from the images. The forward pass slides
//! windows over x (`slide`); the input gradient is the same loop over dy (`input_gradient`); the weight gradient is a
//! product along the positions (`weight`). Few filters or channels turn the product round (`thin`), and convolutions
//! with one channel a group have loops over channels instead (`depthwise`, `channels`). Windows of 3 × 3 and 5 × 5
//! that move by one pixel go through the Winograd algorithm where that is faster (`winograd`); others may be cut into pieces
//! of bfloat16 (`pieces`). How windows are read and
//! cut is the same everywhere else (`windows`, `bands`); which of them all runs can be asked (`algorithm`). A max-pool
//! behind the forward pass can be joined to it (`pooled`).

mod algorithm;
mod bands;
mod channels;
mod depthwise;
mod geometry;
mod input_gradient;
mod pieces;
pub mod pooled;
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
use slide::{ENOUGH, Place, Slide};
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
            tasks: ENOUGH,
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

/// Floats of the weight in the order that the forward pass reads it; 0 if that is the order it has. The batch does not
/// matter, unless it changes the algorithm.
pub fn packed_len(cx: &Exec, conv: &Conv2d) -> usize {
    if conv.is_depthwise() {
        0
    } else {
        conv.slide().packed_len(cx)
    }
}

/// Brings a weight into the order that [`forward_packed`] reads. Panics unless the lengths are those of the weight and of
/// [`packed_len`].
pub fn pack(cx: &Exec, conv: &Conv2d, w: &[f32], packed: &mut [f32]) {
    assert_eq!(w.len(), conv.weight_len(), "the weight");
    assert_eq!(packed.len(), packed_len(cx, conv), "the packed weight");
    if packed.is_empty() {
        return;
    }
    let tap = |kh: usize, kw: usize, group: usize| Matrix {
        data: w,
        start: conv.weight_at(kh, kw, 0, group * conv.group_filters()),
        row: conv.filters,
        col: 1,
    };
    conv.slide().pack(cx, tap, packed);
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
    with_scratch(packed_len(cx, conv), |packed| {
        pack(cx, conv, w, packed);
        forward_packed(cx, conv, x, packed, bias, activation, y);
    });
}

/// [`forward`] with a weight that [`pack`] has made of this geometry, and that is not empty.
pub fn forward_packed(
    cx: &Exec,
    conv: &Conv2d,
    x: &[f32],
    packed: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    conv.assert(x.len(), conv.weight_len(), y.len(), bias.len());
    assert_eq!(packed.len(), packed_len(cx, conv), "the packed weight");
    conv.slide().run(cx, x, packed, bias, activation, y);
}
