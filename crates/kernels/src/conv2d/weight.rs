//! The gradient of the weight: for every tap, (channels × positions) · (positions × filters).
//!
//! Positions are the long axis, so the product is cut along it: the images of a group are padded once, then tasks
//! for each row of taps and each panel of filters run over them, a line of positions being one segment. Where that
//! gives too few tasks, several of them share the images, each with a partial result of its own, added up in order.
//! The number of groups and of partial results follows from the shapes alone.
//!
//! Bound by the multiply-adds; with one or three channels by reading dy.

use super::Conv2d;
use super::slide::{copy_line, with_segments};
use crate::accumulate::accumulate;
use crate::microkernel::{Cells, Finish, Left, Right, Segment, Shape, Tile, multiply, pack};
use crate::{Exec, with_scratch};

/// Floats of padded images that are worked on together.
const GROUP_FLOATS: usize = 1 << 20;
/// Floats that all partial results may have together.
const PARTIAL_FLOATS: usize = 1 << 20;
/// Tasks that are enough for any number of threads.
const TASKS: usize = 16;
/// Positions whose gradients stay in the second-level cache while all channels pass over them.
const BAND: usize = 1024;
/// Wider rows of dy than this are copied into panels: read in place, each would come from another page.
const WIDEST_IN_PLACE: usize = 64;

/// The images of a group, with padding where windows need it.
#[derive(Clone, Copy)]
struct Images<'a> {
    data: &'a [f32],
    first: usize,
    /// Floats of an image and of a row.
    image: usize,
    row: usize,
}

/// dw = Σ over positions. `x` `[N, H, W, C]`, `dy` `[N, H', W', O]`.
pub fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let Conv2d {
        batch,
        height,
        width,
        channels,
        ..
    } = *conv;
    let weight_len = conv.weight_len();
    if weight_len == 0 || conv.pixels() == 0 {
        return dw.fill(0.0);
    }
    let shape = Shape::of(cx.isa);
    let panels = conv.group_filters().div_ceil(shape.cols);
    let tasks = conv.groups * height.kernel * panels;
    // What the windows reach: padding behind that no window uses is left out, input that none uses is skipped.
    let reach = |axis: &crate::padding::Axis| (axis.output - 1) * axis.stride + axis.span();
    let (padded_height, padded_width) = (reach(&height), reach(&width));
    let fits = height.before == 0
        && width.before == 0
        && padded_height <= height.input
        && padded_width <= width.input;
    let image = padded_height * padded_width * channels;
    let group = if fits {
        batch
    } else {
        (GROUP_FLOATS / image).clamp(1, batch)
    };
    let partials = TASKS
        .div_ceil(tasks)
        .min(PARTIAL_FLOATS / weight_len)
        .min(group)
        .max(1);

    let fill = |sums: &mut [f32]| {
        for first in (0..batch).step_by(group) {
            let count = group.min(batch - first);
            let mut run = |images: Images| {
                let cells = Cells::new(sums);
                cx.tiles(partials * tasks, |index| {
                    let (partial, task) = (index / tasks, index % tasks);
                    let share = first + count * partial / partials..first + count * (partial + 1) / partials;
                    let start = partial * weight_len;
                    one_task(
                        cx,
                        conv,
                        images,
                        dy,
                        share,
                        task,
                        panels,
                        &cells,
                        start,
                        first == 0,
                    );
                });
            };
            if fits {
                let row = width.input * channels;
                run(Images {
                    data: x,
                    first: 0,
                    image: height.input * row,
                    row,
                });
            } else {
                with_scratch(count * image, |padded| {
                    let row = padded_width * channels;
                    let lines = (1usize << 13).div_ceil(row);
                    cx.chunks_mut(padded, lines * row, |start, chunk| {
                        for (index, line) in chunk.chunks_exact_mut(row).enumerate() {
                            let at = start / row + index;
                            let (n, r) = (first + at / padded_height, at % padded_height);
                            let ih = r as isize - height.before as isize;
                            let from = if ih >= 0 && (ih as usize) < height.input {
                                let at = (n * height.input + ih as usize) * width.input * channels;
                                &x[at..at + width.input * channels]
                            } else {
                                &[]
                            };
                            copy_line(from, -((width.before * channels) as isize), line);
                        }
                    });
                    run(Images {
                        data: padded,
                        first,
                        image,
                        row,
                    });
                });
            }
        }
    };
    if partials == 1 {
        return fill(dw);
    }
    with_scratch(partials * weight_len, |sums| {
        fill(sums);
        let (first, rest) = sums.split_at(weight_len);
        dw.copy_from_slice(first);
        for partial in rest.chunks_exact(weight_len) {
            accumulate(cx, partial, dw);
        }
    });
}

/// One row of taps and one panel of filters of one group of channels, over the images `share`.
#[allow(clippy::too_many_arguments)]
fn one_task(
    cx: &Exec,
    conv: &Conv2d,
    images: Images,
    dy: &[f32],
    share: std::ops::Range<usize>,
    task: usize,
    panels: usize,
    cells: &Cells,
    start: usize,
    fresh: bool,
) {
    let Conv2d {
        height,
        width,
        channels,
        filters,
        ..
    } = *conv;
    let shape = Shape::of(cx.isa);
    let (group_channels, group_filters) = (conv.group_channels(), conv.group_filters());
    let (panel, tap, group) = (
        task % panels,
        task / panels % height.kernel,
        task / panels / height.kernel,
    );
    let column = panel * shape.cols;
    let cols = shape.cols.min(group_filters - column);
    let column = group * group_filters + column;
    // Taps of a row that touch each other are one long row of channels.
    let joined = conv.groups == 1 && (width.dilation == 1 || width.kernel == 1);
    let (across, rows) = if joined {
        (1, width.kernel * channels)
    } else {
        (width.kernel, group_channels)
    };
    let packed = filters > WIDEST_IN_PLACE
        || !filters.is_multiple_of(shape.lanes)
        || !column.is_multiple_of(shape.lanes);
    let lines = (BAND / width.output).clamp(1, height.output);
    let panel_len = pack::panel_len(cx.isa, width.output);

    let mut fresh = fresh;
    with_scratch(if packed { lines * panel_len } else { 0 }, |scratch| {
        with_segments(lines, |segments| {
            for n in share {
                for top in (0..height.output).step_by(lines) {
                    let count = lines.min(height.output - top);
                    let line = |r: usize| (n * height.output + top + r) * width.output * filters + column;
                    if packed {
                        for (r, to) in scratch.chunks_exact_mut(panel_len).take(count).enumerate() {
                            let from = pack::Matrix {
                                data: dy,
                                start: line(r),
                                row: filters,
                                col: 1,
                            };
                            pack::right(cx.isa, from, width.output, cols, to);
                        }
                    }
                    let right = if packed {
                        pack::as_right(cx.isa, scratch)
                    } else {
                        Right {
                            data: dy,
                            step: filters,
                        }
                    };
                    let segments = &mut segments[..count];
                    for (r, segment) in segments.iter_mut().enumerate() {
                        let row = (top + r) * height.stride + tap * height.dilation;
                        *segment = Segment {
                            left: (n - images.first) * images.image
                                + row * images.row
                                + group * group_channels,
                            right: if packed { r * panel_len } else { line(r) },
                        };
                    }
                    for side in 0..across {
                        let left = Left {
                            data: &images.data[side * width.dilation * channels..],
                            row: 1,
                            step: width.stride * channels,
                        };
                        let tile = Tile {
                            rows,
                            cols,
                            depth: width.output,
                        };
                        let finish = Finish {
                            accumulate: !fresh,
                            ..Finish::default()
                        };
                        let to = start + (tap * width.kernel + side) * group_channels * filters + column;
                        // SAFETY: tasks own different taps or columns, or different partial results.
                        unsafe {
                            multiply(cx.isa, tile, left, right, segments, finish, cells, (to, filters))
                        };
                    }
                    fresh = false;
                }
            }
            if fresh {
                // No image fell to this share: its partial result is zero.
                for row in 0..across * rows {
                    let to = start + tap * width.kernel * group_channels * filters + row * filters + column;
                    let tile = Tile {
                        rows: 1,
                        cols,
                        depth: 0,
                    };
                    let (left, right) = (
                        Left {
                            data: &[],
                            row: 0,
                            step: 0,
                        },
                        Right { data: &[], step: 0 },
                    );
                    // SAFETY: as above.
                    unsafe {
                        multiply(
                            cx.isa,
                            tile,
                            left,
                            right,
                            &[],
                            Finish::default(),
                            cells,
                            (to, filters),
                        )
                    };
                }
            }
        });
    });
}
