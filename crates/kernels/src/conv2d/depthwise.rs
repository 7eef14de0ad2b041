//! Depthwise convolution: every channel has its own filters, so there is nothing to sum over but the taps.
//!
//! Bound by memory. Vectorized over channels; with several filters a channel, pixels are spread out first, so that
//! the loop is the same.

use super::Conv2d;
use crate::microkernel::Activation;
use crate::simd::vectorize;
use crate::{Exec, with_scratch};

/// Floats of output in one tile.
const GRAIN: usize = 1 << 14;
/// Partial results of the weight gradient, at most.
const PARTIALS: usize = 16;

vectorize! {
    fn add_product[](x: &[f32], w: &[f32], y: &mut [f32]) {
        for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
            *y += x * w;
        }
    }
}

vectorize! {
    fn rectify[](y: &mut [f32]) {
        for y in y {
            *y = if *y <= 0.0 { 0.0 } else { *y };
        }
    }
}

/// Whether the kernels of this file serve this convolution.
pub fn serves(conv: &Conv2d) -> bool {
    conv.groups > 1 && conv.group_channels() == 1
}

/// Writes each number of `x` `times` over.
fn spread(x: &[f32], times: usize, to: &mut [f32]) {
    for (to, &x) in to.chunks_exact_mut(times.max(1)).zip(x) {
        to.fill(x);
    }
}

/// Calls `body(pixel of x, tap)` for every tap of the window at (oh, ow) that stands on the image `n`.
fn taps(conv: &Conv2d, n: usize, oh: usize, ow: usize, mut body: impl FnMut(usize, usize)) {
    let Conv2d { height, width, .. } = *conv;
    for kh in height.taps(oh) {
        let ih = (height.start(oh) + (kh * height.dilation) as isize) as usize;
        for kw in width.taps(ow) {
            let iw = (width.start(ow) + (kw * width.dilation) as isize) as usize;
            body((n * height.input + ih) * width.input + iw, kh * width.kernel + kw);
        }
    }
}

pub fn forward(
    cx: &Exec,
    conv: &Conv2d,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    let Conv2d {
        channels,
        filters,
        width,
        height,
        ..
    } = *conv;
    let times = conv.group_filters();
    let line = (width.output * filters).max(1);
    let lines = GRAIN.div_ceil(line);
    cx.chunks_mut(y, lines * line, |start, chunk| {
        with_scratch(if times > 1 { filters } else { 0 }, |wide| {
            for (index, line_of_y) in chunk.chunks_exact_mut(line).enumerate() {
                let at = start / line + index;
                for (ow, y) in line_of_y.chunks_exact_mut(filters).enumerate() {
                    if bias.is_empty() {
                        y.fill(0.0)
                    } else {
                        y.copy_from_slice(bias)
                    }
                    taps(conv, at / height.output, at % height.output, ow, |pixel, tap| {
                        let mut from = &x[pixel * channels..(pixel + 1) * channels];
                        if times > 1 {
                            spread(from, times, wide);
                            from = wide;
                        }
                        add_product(cx.isa, from, &w[tap * filters..(tap + 1) * filters], y);
                    });
                    if activation == Activation::Relu {
                        rectify(cx.isa, y);
                    }
                }
            }
        });
    });
}

pub fn input_gradient(cx: &Exec, conv: &Conv2d, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    let Conv2d {
        channels,
        filters,
        width,
        height,
        ..
    } = *conv;
    let times = conv.group_filters();
    let image = height.input * width.input * channels;
    // An image a tile: windows overlap, so positions cannot be shared out.
    cx.chunks_mut(dx, image.max(1), |start, dx| {
        dx.fill(0.0);
        let n = start / image;
        with_scratch(if times > 1 { filters } else { 0 }, |product| {
            for oh in 0..height.output {
                for ow in 0..width.output {
                    let at = ((n * height.output + oh) * width.output + ow) * filters;
                    let dy = &dy[at..at + filters];
                    taps(conv, 0, oh, ow, |pixel, tap| {
                        let w = &w[tap * filters..(tap + 1) * filters];
                        let dx = &mut dx[pixel * channels..(pixel + 1) * channels];
                        if times > 1 {
                            product.fill(0.0);
                            add_product(cx.isa, dy, w, product);
                            for (dx, products) in dx.iter_mut().zip(product.chunks_exact(times)) {
                                *dx += products.iter().sum::<f32>();
                            }
                        } else {
                            add_product(cx.isa, dy, w, dx);
                        }
                    });
                }
            }
        });
    });
}

pub fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let Conv2d {
        batch,
        channels,
        filters,
        width,
        height,
        ..
    } = *conv;
    let times = conv.group_filters();
    let len = dw.len();
    if len == 0 || batch == 0 {
        return dw.fill(0.0);
    }
    let lines = batch * height.output;
    let partials = PARTIALS.min(lines);
    with_scratch(partials * len, |sums| {
        cx.chunks_mut(sums, len, |start, sum| {
            sum.fill(0.0);
            let partial = start / len;
            with_scratch(if times > 1 { filters } else { 0 }, |wide| {
                for line in lines * partial / partials..lines * (partial + 1) / partials {
                    for ow in 0..width.output {
                        let at = (line * width.output + ow) * filters;
                        let dy = &dy[at..at + filters];
                        taps(
                            conv,
                            line / height.output,
                            line % height.output,
                            ow,
                            |pixel, tap| {
                                let mut from = &x[pixel * channels..(pixel + 1) * channels];
                                if times > 1 {
                                    spread(from, times, wide);
                                    from = wide;
                                }
                                add_product(cx.isa, from, dy, &mut sum[tap * filters..(tap + 1) * filters]);
                            },
                        );
                    }
                }
            });
        });
        dw.copy_from_slice(&sums[..len]);
        for partial in sums[len..].chunks_exact(len) {
            for (dw, partial) in dw.iter_mut().zip(partial) {
                *dw += partial;
            }
        }
    });
}
