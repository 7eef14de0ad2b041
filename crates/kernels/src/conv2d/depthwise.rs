//! Convolutions with one channel a group: the same sums over taps, side by side for neighbouring channels.
//!
//! With several filters a channel, x is repeated for each of them (or dx summed over them), so that the loops below see
//! one filter a channel. Bound by reading x and writing y.

use super::bands::{Bands, even, in_parts};
use super::input_gradient::classes;
use super::slide::Place;
use super::windows::{Laid, View};
use super::{Conv2d, channels as loops};
use crate::microkernel::Activation;
use crate::{Disjoint, Exec, with_scratch};

/// Products below which a tile is not worth handing to another thread.
const SMALLEST: f64 = 3e5;
/// Lines of a band at least: those around them are read for it too.
const LINES: usize = 4;
/// Floats of a band, unless a single line has more.
const BAND_FLOATS: usize = 64 << 10;
/// Summands that the gradient of the weight is cut into.
const PARTS: usize = 32;

/// y = activation(x ∗ w + bias).
pub(super) fn forward(
    cx: &Exec,
    conv: &Conv2d,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    let to = conv.outputs();
    let relu = activation == Activation::Relu;
    slide(
        cx,
        &conv.view(),
        conv.group_filters(),
        x,
        w,
        to,
        y,
        conv.filters,
        |sums, y| {
            loops::finish(cx.isa, sums, bias, relu, y);
        },
    );
}

/// dx = dy ∗ flipped w, summed over the filters of each channel.
pub(super) fn input_gradient(cx: &Exec, conv: &Conv2d, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    let (filters, each) = (conv.filters, conv.group_filters());
    classes(cx, conv, dx, |dx, view, to, [rows, cols]| {
        with_scratch(view.taps() * filters, |flipped| {
            for (index, row) in flipped.chunks_exact_mut(filters.max(1)).enumerate() {
                let (kh, kw) = (rows.tap(index / view.cols.taps), cols.tap(index % view.cols.taps));
                row.copy_from_slice(&w[conv.weight_at(kh, kw, 0, 0)..][..filters]);
            }
            slide(
                cx,
                &view,
                1,
                dy,
                flipped,
                to,
                dx,
                conv.channels,
                |sums, dx| match each {
                    1 => dx.copy_from_slice(sums),
                    _ => dx
                        .iter_mut()
                        .zip(sums.chunks_exact(each))
                        .for_each(|(dx, sums)| *dx = sums.iter().sum()),
                },
            );
        });
    });
}

/// dw = for each tap and filter the sum over all positions of x · dy.
pub(super) fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (view, filters, len) = (conv.view(), conv.filters, dw.len());
    let bands = bands(&view, filters);
    let parts = bands.count().min(PARTS);
    in_parts(cx, parts, dw, |summands| {
        cx.chunks_mut(summands, len, |start, sum| {
            let part = start / len;
            sum.fill(0.0);
            for index in even(bands.count(), parts, part)..even(bands.count(), parts, part + 1) {
                let band = bands.get(index);
                let first = (band.image * view.rows.count + band.line) * view.cols.count * filters;
                view.lay(cx, x, band, |laid| {
                    repeated(&view, laid, conv.group_filters(), |laid| {
                        let line_len = laid.positions * filters;
                        let lines = dy[first..].chunks_exact(line_len.max(1));
                        for (line, dy) in lines.take(laid.images * laid.lines).enumerate() {
                            let x = &laid.data[laid.start(line)..];
                            loops::multiply(cx.isa, &laid, view.window(), x, dy, filters, sum);
                        }
                    });
                });
            }
        });
    });
}

/// Bands for sums over so many channels.
fn bands(view: &View, channels: usize) -> Bands {
    let work = view.positions() as f64 * (view.taps() * channels) as f64;
    let wanted = (work / SMALLEST).max(1.0) as usize;
    view.bands(wanted, LINES * view.cols.count, BAND_FLOATS)
}

/// Lays out `source` with its channels repeated `each` times, sums its windows under weights `[taps, channels]`, and
/// lets `finish` turn the sums of each position into a pixel of `len` floats of the target.
#[allow(clippy::too_many_arguments)]
fn slide(
    cx: &Exec,
    view: &View,
    each: usize,
    source: &[f32],
    weights: &[f32],
    to: Place,
    target: &mut [f32],
    len: usize,
    finish: impl Fn(&[f32], &mut [f32]) + Sync,
) {
    let channels = view.channels * each;
    if channels == 0 || view.positions() == 0 {
        return;
    }
    let bands = bands(view, channels);
    let cells = Disjoint::new(target);
    cx.tiles(bands.count(), |index| {
        let band = bands.get(index);
        let start = to.base + band.image * to.image + band.line * to.line;
        view.lay(cx, source, band, |laid| {
            repeated(view, laid, each, |laid| {
                with_scratch(laid.positions * channels, |sums| {
                    for line in 0..laid.images * laid.lines {
                        let x = &laid.data[laid.start(line)..];
                        loops::sum(cx.isa, &laid, view.window(), x, weights, channels, sums);
                        let start = start + line / laid.lines * to.image + line % laid.lines * to.line;
                        for (position, sums) in sums.chunks_exact(channels).enumerate() {
                            let at = start + position * to.position;
                            // SAFETY: positions do not overlap, and each is in the band of one tile.
                            finish(sums, unsafe { cells.slice(at..at + len) });
                        }
                    }
                });
            });
        });
    });
}

/// The same windows with every channel repeated `each` times.
fn repeated(view: &View, laid: Laid, each: usize, body: impl FnOnce(Laid)) {
    if each == 1 {
        return body(laid);
    }
    let data = &laid.data[..laid.last(view) + view.channels];
    with_scratch(data.len() * each, |copy| {
        for (copy, &x) in copy.chunks_exact_mut(each).zip(data) {
            copy.fill(x);
        }
        body(Laid {
            data: copy,
            image: laid.image * each,
            line: laid.line * each,
            position: laid.position * each,
            tap_row: laid.tap_row * each,
            tap_col: laid.tap_col * each,
            ..laid
        });
    });
}
