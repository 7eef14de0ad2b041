//! The weight gradient by transformed tiles: for each place, (channels × tiles) · (tiles × filters), summed over all tiles.
//!
//! Where the transformed gradient is small, ranges of tiles are tasks, each with a sum of its own that stays in the
//! second-level cache; the sums are added in order. Where it is large, all threads transform a chunk of tiles, then share
//! the products by places and panels.

use std::ops::Range;

use super::chains::multiply_in_chains;
use super::filters::filter_gradient;
use super::transform::{Patch, gradient_tile, input_tile};
use super::{Tiles, plane_len, row_len};
use crate::conv2d::Conv2d;
use crate::conv2d::bands::{even, in_parts};
use crate::conv2d::windows::View;
use crate::microkernel::{Cells, Left, Right, Segment, Shape, Tile};
use crate::{Disjoint, Exec, with_scratch};

/// Floats of a transformed gradient up to which every task has its own, ...
const OWN: usize = 192 << 10;
/// ... and tiles that pay for adding one more of them to the others.
const OWN_TILES: usize = 128;
/// Floats of transformed tiles that one task holds, fewer if there would be too many with its sum, and that all threads share.
const TASK_FLOATS: usize = 256 << 10;
const TASK_AND_SUM: usize = 384 << 10;
const SHARED_FLOATS: usize = 4 << 20;
/// Tiles of one product: fewer, and loading and storing sums would cost too much.
const LEAST_TILES: usize = 32;
/// Tiles that are added up in one go: rounding errors grow with the length of a chain of sums, ...
const CHAIN: usize = 72;
/// ... and tiles that one shared sum takes up: they also grow with the number of chains added to it.
const SUM_TILES: usize = 2048;
/// Tasks that the tiles are cut into, if they are enough.
const ENOUGH: usize = 16;

/// dw, for windows that [`super::tile_of`] accepts with tiles of `m` outputs.
pub fn weight_gradient(
    cx: &Exec,
    conv: &Conv2d,
    view: &View,
    m: usize,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) {
    let job = Job {
        cx,
        conv,
        view,
        tiles: Tiles::new(view, m),
        in_row: row_len(conv.channels),
        out_row: row_len(conv.filters),
        x,
        dy,
    };
    let sum_len = job.tiles.form.places() * conv.channels * job.out_row;
    with_scratch(sum_len, |sum| {
        if sum_len <= OWN {
            let parts = (job.tiles.count / OWN_TILES).clamp(1, ENOUGH);
            in_parts(cx, parts, sum, |sums| job.by_parts(parts, sum_len, sums));
        } else {
            job.by_chunks(sum);
        }
        job.finish(sum, dw);
    });
}

struct Job<'a> {
    cx: &'a Exec,
    conv: &'a Conv2d,
    view: &'a View,
    tiles: Tiles,
    in_row: usize,
    out_row: usize,
    x: &'a [f32],
    dy: &'a [f32],
}

impl Job<'_> {
    /// Floats of one transformed tile of x and of dy.
    fn tile_len(&self) -> usize {
        self.tiles.form.places() * (self.in_row + self.out_row)
    }

    /// Floats of so many transformed tiles, and of a pixel of zeros behind them.
    fn scratch_len(&self, tiles: usize) -> usize {
        let planes = plane_len(tiles, self.in_row) + plane_len(tiles, self.out_row);
        self.tiles.form.places() * planes + self.conv.channels.max(self.conv.filters)
    }

    fn by_parts(&self, parts: usize, sum_len: usize, sums: &mut [f32]) {
        let cells = Cells::new(sums);
        let count = self.tiles.count;
        let floats = TASK_FLOATS.min(TASK_AND_SUM - sum_len);
        let chunk = (floats / self.tile_len()).max(LEAST_TILES);
        self.cx.tiles(parts, |part| {
            let all = even(count, parts, part)..even(count, parts, part + 1);
            let chunks = all.len().div_ceil(chunk).max(1);
            with_scratch(self.scratch_len(all.len().div_ceil(chunks)), |scratch| {
                for index in 0..chunks {
                    let tiles = all.start + even(all.len(), chunks, index)
                        ..all.start + even(all.len(), chunks, index + 1);
                    let (transformed, zeros) = self.with_zeros(scratch);
                    for tile in tiles.clone() {
                        self.transform(tile, &tiles, &transformed, zeros);
                    }
                    for place in 0..self.tiles.form.places() {
                        let panels = 0..self.conv.filters.div_ceil(Shape::of(self.cx.isa).cols);
                        self.multiply(scratch, &tiles, place, panels, index > 0, &cells, part * sum_len);
                    }
                }
            });
        });
    }

    fn by_chunks(&self, sum: &mut [f32]) {
        let count = self.tiles.count;
        let sums = count.div_ceil(SUM_TILES);
        self.sum_chunks(0..even(count, sums, 1), sum);
        if sums == 1 {
            return;
        }
        with_scratch(sum.len(), |next| {
            for index in 1..sums {
                self.sum_chunks(even(count, sums, index)..even(count, sums, index + 1), next);
                self.cx.chunks_mut(sum, 1 << 15, |start, sum| {
                    for (sum, next) in sum.iter_mut().zip(&next[start..]) {
                        *sum += next;
                    }
                });
            }
        });
    }

    /// The sum over some tiles.
    fn sum_chunks(&self, all: Range<usize>, sum: &mut [f32]) {
        let count = all.len();
        let most = (SHARED_FLOATS / self.tile_len()).max(LEAST_TILES);
        let chunks = count.div_ceil(most);
        let panels = self.conv.filters.div_ceil(Shape::of(self.cx.isa).cols);
        let cells = Cells::new(sum);
        with_scratch(self.scratch_len(count.div_ceil(chunks)), |scratch| {
            for index in 0..chunks {
                let tiles =
                    all.start + even(count, chunks, index)..all.start + even(count, chunks, index + 1);
                let (transformed, zeros) = self.with_zeros(scratch);
                self.cx.ranges(tiles.len(), 8, |some| {
                    for tile in some {
                        self.transform(tiles.start + tile, &tiles, &transformed, zeros);
                    }
                });
                self.cx.tiles(self.tiles.form.places() * panels, |task| {
                    let (place, panel) = (task / panels, task % panels);
                    self.multiply(scratch, &tiles, place, panel..panel + 1, index > 0, &cells, 0);
                });
            }
        });
    }

    /// The scratch without its last floats, and those, set to zero.
    fn with_zeros<'s>(&self, scratch: &'s mut [f32]) -> (Disjoint<'s, f32>, &'s [f32]) {
        let zeros = scratch.len() - self.conv.channels.max(self.conv.filters);
        let (transformed, zeros) = scratch.split_at_mut(zeros);
        zeros.fill(0.0);
        (Disjoint::new(transformed), zeros)
    }

    /// Transforms one of `tiles`: places of x, then places of dy, each a matrix of tiles × channels or filters.
    fn transform(&self, tile: usize, tiles: &Range<usize>, to: &Disjoint<f32>, zeros: &[f32]) {
        let Conv2d {
            channels,
            filters,
            height,
            width,
            ..
        } = *self.conv;
        let (form, index) = (self.tiles.form, tile - tiles.start);
        let (in_plane, out_plane) = (
            plane_len(tiles.len(), self.in_row),
            plane_len(tiles.len(), self.out_row),
        );
        let at = self.tiles.get(tile);
        let line = width.output * filters;
        let outputs = Patch {
            data: self.dy[(at.image * height.output + at.row) * line + at.col * filters..].as_ptr(),
            row: line,
            pixel: filters,
            rows: 0..form.outputs().min(height.output - at.row),
            cols: 0..form.outputs().min(width.output - at.col),
            zeros: zeros.as_ptr(),
        };
        let inputs = self.tiles.patch(self.view, self.x, tile, zeros);
        let start = self.tiles.form.places() * in_plane;
        // SAFETY: patches are cut to the images, whose lengths were checked; each tile has its own rows of whole registers,
        // and the scratch has room for `tiles.len()` of them.
        unsafe {
            input_tile(
                self.cx.isa,
                form,
                &inputs,
                channels,
                to.pointer().add(index * self.in_row),
                in_plane,
            );
            gradient_tile(
                self.cx.isa,
                form,
                &outputs,
                filters,
                to.pointer().add(start + index * self.out_row),
                out_plane,
            );
        }
    }

    /// Adds the products of `tiles` at one place to the sum that starts at `start`, for some panels of filters.
    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        transformed: &[f32],
        tiles: &Range<usize>,
        place: usize,
        panels: Range<usize>,
        accumulate: bool,
        cells: &Cells,
        start: usize,
    ) {
        let shape = Shape::of(self.cx.isa);
        let (in_plane, out_plane) = (
            plane_len(tiles.len(), self.in_row),
            plane_len(tiles.len(), self.out_row),
        );
        let left = Left {
            data: &transformed[place * in_plane..(place + 1) * in_plane],
            row: 1,
            step: self.in_row,
        };
        let outputs = self.tiles.form.places() * in_plane + place * out_plane;
        let right = Right {
            data: &transformed[outputs..outputs + out_plane],
            step: self.out_row,
        };
        for panel in panels {
            let first = panel * shape.cols;
            let tile = Tile {
                rows: self.conv.channels,
                cols: shape.cols.min(self.conv.filters - first),
                depth: tiles.len(),
            };
            let segment = Segment {
                left: 0,
                right: first,
            };
            let to = (
                start + place * self.conv.channels * self.out_row + first,
                self.out_row,
            );
            let isa = self.cx.isa;
            // SAFETY: each place, panel and sum belongs to one task at a time.
            unsafe { multiply_in_chains(isa, CHAIN, tile, left, right, segment, accumulate, cells, to) };
        }
    }

    /// dw out of the transformed sum.
    fn finish(&self, sum: &[f32], dw: &mut [f32]) {
        let Conv2d {
            channels, filters, ..
        } = *self.conv;
        let (plane, form) = (channels * self.out_row, self.tiles.form);
        let taps = form.taps() * form.taps();
        assert!(sum.len() >= form.places() * plane && dw.len() >= taps * channels * filters);
        let dw = Disjoint::new(dw);
        self.cx.ranges(channels, (1 << 12) / filters.max(1), |some| {
            for channel in some {
                // SAFETY: a row of each of the taps belongs to this channel; rows of the sum are whole registers.
                unsafe {
                    filter_gradient(
                        self.cx.isa,
                        form,
                        sum.as_ptr().add(channel * self.out_row),
                        plane,
                        dw.pointer().add(channel * filters),
                        channels * filters,
                        filters,
                    );
                }
            }
        });
    }
}
