//! The gradient of the input: dy under the flipped weights.
//!
//! With stride s the pixels of dx fall into s · s classes, each with its own part of the taps; within a class the
//! windows over dy move by one pixel. So each class is a sliding product of its own, without a wasted multiplication.

use super::slide::{ENOUGH, Place, Slide, clear};
use super::windows::{View, Windows};
use super::{Algorithm, Conv2d, depthwise};
use crate::microkernel::Activation;
use crate::microkernel::pack::Matrix;
use crate::padding::Axis;
use crate::{Exec, with_scratch};

/// The pixels `first, first + stride, …` of one axis of dx.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub first: usize,
    /// Its windows over dy, tap 0 being the last tap of the weight that reaches this class.
    pub windows: Windows,
    last_tap: usize,
    tap_step: usize,
}

impl Class {
    pub fn all(axis: Axis) -> impl Iterator<Item = Class> + Clone {
        (0..axis.stride.min(axis.input)).map(move |first| Class::new(&axis, first))
    }

    fn new(axis: &Axis, first: usize) -> Class {
        let (stride, dilation) = (axis.stride, axis.dilation);
        let divisor = greatest_common_divisor(stride, dilation);
        let tap_step = stride / divisor;
        let at = first + axis.before;
        let first_tap = (0..axis.kernel.min(tap_step)).find(|tap| tap * dilation % stride == at % stride);
        let taps = first_tap.map_or(0, |tap| (axis.kernel - tap).div_ceil(tap_step));
        let last_tap = first_tap.map_or(0, |tap| tap + (taps - 1) * tap_step);
        let windows = Windows {
            source: axis.output,
            count: (axis.input - first).div_ceil(stride),
            start: (at as isize - (last_tap * dilation) as isize).div_euclid(stride as isize),
            step: 1,
            taps,
            dilation: dilation / divisor,
        };
        Class {
            first,
            windows,
            last_tap,
            tap_step,
        }
    }

    /// The tap of the weight behind a tap of the windows.
    pub fn tap(&self, tap: usize) -> usize {
        self.last_tap - tap * self.tap_step
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Each class of pixels with its windows over dy and its place in dx.
fn places(conv: &Conv2d) -> impl Iterator<Item = (View, Place, [Class; 2])> {
    let line = conv.width.input * conv.channels;
    let pairs = Class::all(conv.height).flat_map(|rows| Class::all(conv.width).map(move |cols| [rows, cols]));
    pairs.map(move |[rows, cols]| {
        let to = Place {
            base: rows.first * line + cols.first * conv.channels,
            image: conv.height.input * line,
            line: conv.height.stride * line,
            position: conv.width.stride * conv.channels,
        };
        let view = View {
            batch: conv.batch,
            rows: rows.windows,
            cols: cols.windows,
            channels: conv.filters,
            runs_on: conv.height.stride == 1 && conv.width.stride == 1,
            surplus: 0,
        };
        (view, to, [rows, cols])
    })
}

/// Calls `body` for each class of pixels with its windows over dy and its place in dx. Classes that no tap reaches are
/// set to zero.
pub(super) fn classes(
    cx: &Exec,
    conv: &Conv2d,
    dx: &mut [f32],
    mut body: impl FnMut(&mut [f32], View, Place, [Class; 2]),
) {
    for (view, to, class) in places(conv) {
        if view.taps() == 0 {
            clear(cx, dx, to, &view, conv.channels);
        } else {
            body(dx, view, to, class);
        }
    }
}

/// The product of one class.
fn slide(conv: &Conv2d, view: View, to: Place) -> Slide {
    Slide {
        view,
        groups: conv.groups,
        columns: conv.group_channels(),
        to,
        tasks: ENOUGH,
    }
}

/// What computes the classes that some tap reaches, each algorithm once; where none does, sums of nothing.
pub(super) fn algorithms(cx: &Exec, conv: &Conv2d) -> Vec<Algorithm> {
    if conv.is_depthwise() {
        return vec![Algorithm::Depthwise];
    }
    let mut found = Vec::new();
    for (view, to, _) in places(conv).filter(|(view, ..)| view.taps() > 0) {
        let algorithm = slide(conv, view, to).algorithm(cx);
        if !found.contains(&algorithm) {
            found.push(algorithm);
        }
    }
    if found.is_empty() {
        found.push(Algorithm::Direct);
    }
    found
}

/// dx = dy ∗ flipped w. Panics unless the lengths pass [`Conv2d::check`].
pub fn input_gradient(cx: &Exec, conv: &Conv2d, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    conv.assert(dx.len(), w.len(), dy.len(), 0);
    if conv.is_depthwise() {
        return depthwise::input_gradient(cx, conv, dy, w, dx);
    }
    classes(cx, conv, dx, |dx, view, to, [rows, cols]| {
        let slide = slide(conv, view, to);
        with_scratch(slide.packed_len(cx), |packed| {
            let flipped = |r: usize, c: usize, group: usize| {
                let (kh, kw) = (rows.tap(r), cols.tap(c));
                Matrix {
                    data: w,
                    start: conv.weight_at(kh, kw, 0, group * conv.group_filters()),
                    row: 1,
                    col: conv.filters,
                }
            };
            slide.pack(cx, flipped, packed);
            slide.run(cx, dy, packed, &[], Activation::None, dx);
        });
    });
}
