//! The gradient of the weight: for every tap, (channels × positions) · (positions × filters).
//!
//! Rows are taps and channels, read from x where it stands, with the step of the windows; columns are filters, read from
//! dy in place too if they fill whole registers. Positions are the long axis: they are cut into a few parts by the sizes
//! alone; each part sums into its own copy of the gradient, and the copies are added in order. Where that would be too
//! much memory or too few tiles, rows of taps and panels of filters are tiles as well. Where windows leave the image, x is
//! copied with zeros around, or each tap keeps to the positions at which it is inside (`trimmed`).
//!
//! Bound by the multiply-adds; with one or three channels by reading dy.

mod pieces;
mod product;
mod trimmed;

use super::bands::{even, in_parts};
use super::pieces::serve;
use super::windows::View;
use super::{Algorithm, Conv2d, depthwise, winograd};
use crate::matmul::Geometry;
use crate::microkernel::{Activation, Cells, Shape};
use crate::{Exec, matmul, with_scratch};
use product::{Product, runs};

/// Floating-point operations below which a tile is not worth handing to another thread.
const SMALLEST: f64 = 2e6;
/// Tiles that a gradient is cut into.
const ENOUGH: f64 = 16.0;
/// Floats up to which a part may have a copy of the whole gradient: a second-level cache holds it.
const WHOLE: usize = 96 << 10;
/// Floats up to which all copies together cost next to nothing.
const CHEAP: usize = 256 << 10;
/// Positions that make a copy of the gradient worth it, and a cheap one.
const PART_POSITIONS: usize = 1024;
const CHEAP_POSITIONS: usize = 128;
/// Floats of windows that one tile lays out for itself, and that all tiles share.
const BAND_FLOATS: usize = 64 << 10;
const SHARED_FLOATS: usize = 1 << 20;
/// Panels that share one where each tile has only some.
const PANELS: usize = 4;

/// dw = windows of x, transposed, times dy. Panics unless the lengths pass [`Conv2d::check`].
pub fn weight_gradient(cx: &Exec, conv: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    conv.assert(x.len(), dw.len(), dy.len(), 0);
    if dw.is_empty() {
        return;
    }
    if conv.pixels() == 0 {
        return dw.fill(0.0);
    }
    let mut view = conv.view();
    match algorithm(cx, conv) {
        Algorithm::Depthwise => depthwise::weight_gradient(cx, conv, x, dy, dw),
        Algorithm::Product => {
            let product = plain_product(conv).expect("the sizes of a plain product");
            matmul::forward(cx, &product, Activation::None, [x, dy, &[]], dw);
        }
        Algorithm::Winograd(m) => winograd::weight_gradient(cx, conv, &view, m, x, dy, dw),
        Algorithm::Pieces(unit, number) => pieces::sum(cx, conv, &view, (unit, number), x, dy, dw),
        Algorithm::Thin => {
            view.surplus = Shape::of(cx.isa).lanes;
            with_scratch(dw.len(), |transposed| {
                sum(cx, conv, &view, x, dy, transposed);
                let row = transposed.len() / conv.filters;
                for (at, dw) in dw.iter_mut().enumerate() {
                    *dw = transposed[at % conv.filters * row + at / conv.filters];
                }
            });
        }
        Algorithm::Direct if trimmed::serves(cx, conv, &view) => {
            trimmed::sum(cx, conv, &view, x, dy, dw);
        }
        Algorithm::Direct => sum(cx, conv, &view, x, dy, dw),
    }
}

/// What computes the weight gradient.
pub(super) fn algorithm(cx: &Exec, conv: &Conv2d) -> Algorithm {
    if conv.is_depthwise() {
        Algorithm::Depthwise
    } else if plain_product(conv).is_some() {
        Algorithm::Product
    } else if let Some(m) = winograd::tile_of(cx, &conv.view(), conv.groups, conv.filters) {
        Algorithm::Winograd(m)
    } else if let Some((unit, pieces)) = serve(cx, &conv.view(), conv.groups, conv.group_filters()) {
        Algorithm::Pieces(unit, pieces)
    } else if is_thin(cx, conv) {
        Algorithm::Thin
    } else {
        Algorithm::Direct
    }
}

/// Few filters would fill a register to a part only: then channels are the columns, and the result is transposed.
fn is_thin(cx: &Exec, conv: &Conv2d) -> bool {
    let few = conv.groups == 1 && conv.filters * 2 <= Shape::of(cx.isa).lanes;
    few && conv.width.kernel * conv.channels > conv.filters
}

/// A window of one pixel that visits every pixel makes the gradient a plain product, xᵀ · dy. Its many ways to cut pay
/// where the gradient is too large for a copy a part.
fn plain_product(conv: &Conv2d) -> Option<Geometry> {
    let visits_all = [conv.height, conv.width]
        .iter()
        .all(|axis| axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.output == axis.input);
    if !visits_all || conv.groups != 1 || conv.weight_len() <= WHOLE {
        return None;
    }
    Geometry::new((conv.channels, conv.filters, conv.pixels()), true, false, &[]).ok()
}

/// Sums over all positions; into rows of filters if the view has surplus floats, into those of dw if not.
fn sum(cx: &Exec, conv: &Conv2d, view: &View, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let positions = view.positions();
    let work = 2.0 * positions as f64 * dw.len() as f64;
    let wanted = (work / SMALLEST).clamp(1.0, ENOUGH) as usize;
    let panels = conv.groups * conv.group_filters().div_ceil(Shape::of(cx.isa).cols);
    let taps = conv.height.kernel;
    let cheap = (positions / CHEAP_POSITIONS).min(CHEAP / dw.len());
    let worth = (positions / PART_POSITIONS).max(cheap).max(1);
    if taps * panels == 1 || (dw.len() <= WHOLE && worth >= wanted) {
        let bands = view.bands(wanted.min(worth), 1, BAND_FLOATS);
        let parts = wanted.min(worth).min(bands.count());
        in_parts(cx, parts, dw, |summands| {
            let cells = Cells::new(summands);
            cx.tiles(parts, |part| {
                let product = Product::new(cx, conv, view, dy, &cells, part);
                let first = even(bands.count(), parts, part);
                for index in first..even(bands.count(), parts, part + 1) {
                    view.lay(cx, x, bands.get(index), |laid| {
                        let all = 0..runs(&laid);
                        product.add(
                            &laid,
                            bands.get(index),
                            all,
                            0..taps,
                            (0, 1),
                            0..panels,
                            index > first,
                        );
                    });
                }
            });
        });
    } else {
        let pieces = panels.div_ceil(PANELS);
        let tiles = taps * pieces;
        let bands = view.bands(1, 1, SHARED_FLOATS);
        let parts = wanted
            .div_ceil(tiles)
            .min(positions / bands.count() / PART_POSITIONS)
            .max(1);
        let slices = match view.surplus {
            0 => slices(parts * tiles, wanted, cx.team.threads()),
            _ => 1,
        };
        in_parts(cx, parts, dw, |summands| {
            let cells = Cells::new(summands);
            for index in 0..bands.count() {
                let band = bands.get(index);
                view.lay(cx, x, band, |laid| {
                    let runs = runs(&laid);
                    cx.tiles(parts * tiles * slices, |tile| {
                        let (tile, slice) = (tile / slices, (tile % slices, slices));
                        let (part, tap, piece) = (tile / tiles, tile / pieces % taps, tile % pieces);
                        let product = Product::new(cx, conv, view, dy, &cells, part);
                        let runs = even(runs, parts, part)..even(runs, parts, part + 1);
                        let panels = even(panels, pieces, piece)..even(panels, pieces, piece + 1);
                        product.add(&laid, band, runs, tap..tap + 1, slice, panels, index > 0);
                    });
                });
            }
        });
    }
}

/// Slices that the rows of each of `tiles` tiles are cut into, so that threads share them evenly but for a tenth, while
/// there are no more than `most` tiles. How rows are cut changes no bit, so the number of threads may count here.
fn slices(tiles: usize, most: usize, threads: usize) -> usize {
    let tenths = |slices: &usize| {
        let tiles = tiles * slices;
        10 * tiles.next_multiple_of(threads) / tiles
    };
    (1..=(most / tiles).max(1)).min_by_key(tenths).unwrap_or(1)
}
