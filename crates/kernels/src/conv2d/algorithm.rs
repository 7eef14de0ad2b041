//! Which algorithm computes a convolution, as those that run it choose.

use std::fmt;

use super::{Conv2d, input_gradient, weight};
use crate::Exec;
use crate::bfloat16::Unit;

/// What computes one direction of a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// The Winograd algorithm, with so many outputs along a side of a tile: 2 or 4.
    Winograd(usize),
    /// In so many pieces of bfloat16: on that unit, where numbers need not be as exact as float32.
    Pieces(Unit, usize),
    /// Sums over the taps, register tiles of positions and filters.
    Direct,
    /// Sums over the taps for each channel alone, where a group has but one.
    Depthwise,
    /// Direct sums with the product turned round, for fewer filters or channels than fill a register.
    Thin,
    /// One product of matrices, for the weight gradient of windows of one pixel.
    Product,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Algorithm::Winograd(tile) => write!(f, "winograd{tile}"),
            Algorithm::Pieces(_, 1) => f.write_str("bf16"),
            Algorithm::Pieces(_, pieces) => write!(f, "bf16x{}", pieces * (pieces + 1) / 2),
            Algorithm::Direct => f.write_str("direct"),
            Algorithm::Depthwise => f.write_str("depthwise"),
            Algorithm::Thin => f.write_str("thin"),
            Algorithm::Product => f.write_str("product"),
        }
    }
}

/// What computes the forward pass, the input gradient and the weight gradient. With a stride the pixels of an input
/// gradient fall into classes; it is all of theirs, each once.
pub fn algorithms(cx: &Exec, conv: &Conv2d) -> [Vec<Algorithm>; 3] {
    [
        vec![super::algorithm(cx, conv)],
        input_gradient::algorithms(cx, conv),
        vec![weight::algorithm(cx, conv)],
    ]
}
