//! Sliding products by transformed tiles: the forward pass over x, and the input gradient over dy.

use super::chains::multiply_in_chains;
use super::filters::filter;
use super::form::Form;
use super::transform::{Target, input_tile, output_tile};
use super::{Tiles, plane_len, row_len};
use crate::conv2d::bands::even;
use crate::conv2d::slide::Slide;
use crate::microkernel::{Activation, Cells, Left, Segment, Shape, Tile, pack};
use crate::{Disjoint, Exec, with_scratch};

/// Floats of transformed tiles that one pass holds: half a second-level cache of 2 MB, the filters take of the rest, ...
const PASS_FLOATS: usize = 256 << 10;
/// ... but no fewer than so many tiles, or reading the transformed filters would cost more than it saves: near ones, ...
const LEAST_TILES: usize = 32;
/// ... and those of more floats than `NEAR`, which come from afar for every pass.
const LEAST_TILES_AFAR: usize = 48;
const NEAR: usize = 1 << 20;
const MOST_TILES: usize = 192;
/// Channels that are added up in one go: rounding errors grow with the length of a chain of sums.
const CHAIN: usize = 256;
/// Tasks that a small product is cut into.
const FEW: usize = 4;
/// Channels whose filters are transformed in one go.
const PACK_DEPTH: usize = 64;

fn panels(cx: &Exec, slide: &Slide) -> usize {
    slide.columns.div_ceil(Shape::of(cx.isa).cols)
}

/// Tiles that one pass has at least.
pub fn least_tiles(slide: &Slide, m: usize) -> usize {
    let filters = Form::of(&slide.view, m).places() * slide.view.channels * slide.columns;
    if filters > NEAR {
        LEAST_TILES_AFAR
    } else {
        LEAST_TILES
    }
}

/// Tiles that one pass has at most, with `beside` more floats for each in the cache.
pub fn most_tiles(slide: &Slide, m: usize, beside: usize) -> usize {
    let each = Form::of(&slide.view, m).places() * (row_len(slide.view.channels) + row_len(slide.columns));
    (PASS_FLOATS / (each + beside)).clamp(least_tiles(slide, m), MOST_TILES)
}

/// Floats of the transformed filters.
pub fn packed_len(cx: &Exec, slide: &Slide, m: usize) -> usize {
    Form::of(&slide.view, m).places() * panels(cx, slide) * pack::panel_len(cx.isa, slide.view.channels)
}

/// Transforms the filters: for each place of a tile, panels of channels × columns. `matrix` is that of [`Slide::pack`].
pub fn pack<'w>(
    cx: &Exec,
    slide: &Slide,
    m: usize,
    matrix: impl Fn(usize, usize, usize) -> pack::Matrix<'w> + Sync,
    packed: &mut [f32],
) {
    assert!(packed.len() >= packed_len(cx, slide, m), "transformed filters");
    let width = Shape::of(cx.isa).cols;
    let channels = slide.view.channels;
    let (count, len) = (panels(cx, slide), pack::panel_len(cx.isa, channels));
    let packed = Disjoint::new(packed);
    let chunks = channels.div_ceil(PACK_DEPTH);
    let form = Form::of(&slide.view, m);
    let side = form.taps();
    cx.tiles(count * chunks, |task| {
        let (panel, chunk) = (task / chunks, task % chunks);
        let first = chunk * PACK_DEPTH;
        let depth = PACK_DEPTH.min(channels - first);
        let cols = width.min(slide.columns - panel * width);
        let taps_len = pack::panel_len(cx.isa, depth);
        with_scratch(side * side * taps_len, |taps| {
            for (tap, to) in taps.chunks_exact_mut(taps_len).enumerate() {
                let mut from = matrix(tap / side, tap % side, 0);
                from.start += first * from.row + panel * width * from.col;
                pack::right(cx.isa, from, depth, cols, to);
            }
            let start = panel * len + first * width;
            // SAFETY: a plane of `taps_len` floats for each tap is there; of each place the `taps_len` floats from `start` on
            // belong to this task, and the last place ends inside `packed` (asserted above).
            unsafe {
                filter(
                    cx.isa,
                    form,
                    taps.as_ptr(),
                    taps_len,
                    packed.pointer().add(start),
                    count * len,
                    taps_len,
                );
            }
        });
    });
}

/// How tiles and columns are cut into tasks, by the sizes alone.
struct Plan {
    tiles: Tiles,
    blocks: usize,
    columns: usize,
}

impl Plan {
    fn new(cx: &Exec, slide: &Slide, m: usize) -> Plan {
        let tiles = Tiles::new(&slide.view, m);
        let most = most_tiles(slide, m, 0);
        let panels = panels(cx, slide);
        let mut blocks = tiles
            .count
            .div_ceil(most)
            .max(slide.tasks.min(tiles.count.div_ceil(least_tiles(slide, m))));
        // A block of columns transforms the input again, so it should not be narrow.
        let mut columns = slide.tasks.div_ceil(blocks).min(panels.div_ceil(4));
        if blocks * columns < FEW.min(slide.tasks) {
            // Rather transform and read twice than leave threads without work.
            columns = FEW.div_ceil(blocks).min(panels);
            let height = Shape::of(cx.isa).rows;
            blocks = blocks.max(FEW.div_ceil(columns).min(tiles.count.div_ceil(height)));
        }
        Plan {
            tiles,
            blocks,
            columns,
        }
    }
}

/// Runs the product on `source` into `target`, as [`Slide::run`] does.
#[allow(clippy::too_many_arguments)]
pub fn run(
    cx: &Exec,
    slide: &Slide,
    m: usize,
    source: &[f32],
    packed: &[f32],
    bias: &[f32],
    activation: Activation,
    target: &mut [f32],
) {
    let view = &slide.view;
    let Plan {
        tiles,
        blocks,
        columns,
    } = Plan::new(cx, slide, m);
    let count = panels(cx, slide);
    assert!(source.len() >= view.batch * view.rows.source * view.cols.source * view.channels);
    assert!(packed.len() >= packed_len(cx, slide, m) && (bias.is_empty() || bias.len() >= slide.columns));
    let last = slide.to.base
        + (view.batch - 1) * slide.to.image
        + (view.rows.count - 1) * slide.to.line
        + (view.cols.count - 1) * slide.to.position;
    assert!(
        last + slide.columns <= target.len(),
        "the last position ends in the target"
    );
    let target = Disjoint::new(target);
    cx.tiles(blocks * columns, |task| {
        let (block, part) = (task / columns, task % columns);
        let job = Job {
            cx,
            slide,
            tiles,
            first: even(tiles.count, blocks, block),
            count: even(tiles.count, blocks, block + 1) - even(tiles.count, blocks, block),
            panels: even(count, columns, part)..even(count, columns, part + 1),
        };
        job.run(source, packed, bias, activation, &target);
    });
}

/// Some tiles for some panels of columns.
struct Job<'a> {
    cx: &'a Exec,
    slide: &'a Slide,
    tiles: Tiles,
    first: usize,
    count: usize,
    panels: std::ops::Range<usize>,
}

impl Job<'_> {
    fn run(
        &self,
        source: &[f32],
        packed: &[f32],
        bias: &[f32],
        activation: Activation,
        target: &Disjoint<f32>,
    ) {
        let places = self.tiles.form.places();
        let channels = self.slide.view.channels;
        let width = Shape::of(self.cx.isa).cols;
        let (in_row, out_row) = (row_len(channels), row_len(self.panels.len() * width));
        let (in_plane, out_plane) = (plane_len(self.count, in_row), plane_len(self.count, out_row));
        with_scratch(places * (in_plane + out_plane) + channels, |scratch| {
            let (inputs, rest) = scratch.split_at_mut(places * in_plane);
            let (sums, zeros) = rest.split_at_mut(places * out_plane);
            zeros.fill(0.0);
            for tile in 0..self.count {
                let patch = self
                    .tiles
                    .patch(&self.slide.view, source, self.first + tile, zeros);
                // SAFETY: the patch is cut to the image, which `run` found in `source`; a row has room for whole registers.
                unsafe {
                    input_tile(
                        self.cx.isa,
                        self.tiles.form,
                        &patch,
                        channels,
                        inputs.as_mut_ptr().add(tile * in_row),
                        in_plane,
                    );
                }
            }
            self.products(packed, inputs, sums, in_row, out_row);
            self.outputs(sums, out_row, bias, activation, target);
        });
    }

    /// `sums[place] = inputs[place] · filters[place]`.
    fn products(&self, packed: &[f32], inputs: &[f32], sums: &mut [f32], in_row: usize, out_row: usize) {
        let shape = Shape::of(self.cx.isa);
        let depth = self.slide.view.channels;
        let panel_len = pack::panel_len(self.cx.isa, depth);
        let all = panels(self.cx, self.slide);
        let cells = Cells::new(sums);
        for place in 0..self.tiles.form.places() {
            let left = Left {
                data: &inputs[place * plane_len(self.count, in_row)..],
                row: in_row,
                step: 1,
            };
            for (index, panel) in self.panels.clone().enumerate() {
                let at = (place * all + panel) * panel_len;
                let right = pack::as_right(self.cx.isa, &packed[at..at + panel_len]);
                // Whole registers, but no empty ones.
                let columns = self.slide.columns - panel * shape.cols;
                let tile = Tile {
                    rows: self.count,
                    cols: shape.cols.min(columns.next_multiple_of(shape.lanes)),
                    depth,
                };
                let to = (
                    place * plane_len(self.count, out_row) + index * shape.cols,
                    out_row,
                );
                let (isa, segment) = (self.cx.isa, Segment::default());
                // SAFETY: the sums belong to this thread, and rows lie at least a panel apart.
                unsafe { multiply_in_chains(isa, CHAIN, tile, left, right, segment, false, &cells, to) };
            }
        }
    }

    fn outputs(
        &self,
        sums: &[f32],
        out_row: usize,
        bias: &[f32],
        activation: Activation,
        target: &Disjoint<f32>,
    ) {
        let Slide {
            view, to, columns, ..
        } = self.slide;
        let width = Shape::of(self.cx.isa).cols;
        let first = self.panels.start * width;
        let columns = (self.panels.end * width).min(*columns) - first;
        let form = self.tiles.form;
        for tile in 0..self.count {
            let at = self.tiles.get(self.first + tile);
            let start = to.base + at.image * to.image + at.row * to.line + at.col * to.position + first;
            let place = Target {
                data: target.pointer().wrapping_add(start),
                row: to.line,
                pixel: to.position,
                rows: form.outputs().min(view.rows.count - at.row),
                cols: form.outputs().min(view.cols.count - at.col),
                bias: if bias.is_empty() {
                    &[]
                } else {
                    &bias[first..first + columns]
                },
                relu: activation == Activation::Relu,
            };
            // SAFETY: `run` asserted that the last position ends inside the target; each position and column belongs to one
            // tile of one task. A row of sums has whole registers.
            unsafe {
                output_tile(
                    self.cx.isa,
                    form,
                    sums.as_ptr().add(tile * out_row),
                    plane_len(self.count, out_row),
                    columns,
                    &place,
                );
            }
        }
    }
}
