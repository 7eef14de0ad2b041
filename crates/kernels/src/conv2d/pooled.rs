//! A convolution and the max-pool over it in one pass.
//!
//! Bands of the map between the two are computed into scratch that stays in the second-level cache, and pooled from there:
//! the map is neither written to memory nor read back, and nobody has to keep it. Every number has the bits that
//! [`super::forward`] and [`max::forward`] give one after the other: a band is a convolution of its own over some of the
//! windows, and begins where a tile of the Winograd algorithm does.

use super::bands::{Band, Bands};
use super::slide::{Place, Slide};
use super::windows::{View, Windows};
use super::{Algorithm, Conv2d, ENOUGH, pack, packed_len, winograd};
use crate::microkernel::Activation;
use crate::padding::Axis;
use crate::pool2d::Pool2d;
use crate::pool2d::max::{self, Winner};
use crate::{Disjoint, Exec, with_scratch};

#[cfg(test)]
mod tests;

/// Floats of the map in a band of direct sums ...
const BAND_FLOATS: usize = 64 << 10;
/// ... but no fewer than so many positions, so that register tiles are full.
const LEAST_POSITIONS: usize = 96;
/// Products in one sum up to which the map is a part of the work that counts: with more, uneven bands take what is saved.
const MOST_PRODUCTS: usize = 9 * 384;
/// Bands for each thread that let all end at about the same time. The two passes apart are cut finer, along filters too.
const BANDS_EACH: usize = 4;

/// How the work is cut, by the sizes alone: bands of some steps, each step so many rows of the pool that it stands on whole
/// tiles of the convolution.
struct Plan {
    algorithm: Algorithm,
    step: usize,
    bands: Bands,
}

impl Plan {
    /// There must be positions.
    fn new(cx: &Exec, conv: &Conv2d, pool: &Pool2d) -> Plan {
        let slide = conv.slide();
        let algorithm = slide.algorithm(cx);
        let (side, least, most) = match algorithm {
            Algorithm::Winograd(m) => {
                let least = winograd::least_tiles(&slide, m);
                let most = winograd::most_tiles(&slide, m, m * m * conv.filters);
                (m, least * m * m, most * m * m)
            }
            _ => (1, LEAST_POSITIONS, BAND_FLOATS / conv.filters),
        };
        let stride = pool.height.stride;
        let step = (1..side)
            .find(|rows| (rows * stride).is_multiple_of(side))
            .unwrap_or(side);
        let steps = pool.height.output.div_ceil(step);
        let positions = (step * stride).saturating_mul(conv.width.output.next_multiple_of(side));
        let wanted = (conv.batch * steps / ENOUGH)
            .min(most / positions)
            .max(least.div_ceil(positions));
        Plan {
            algorithm,
            step,
            bands: Bands::new(conv.batch, steps, wanted),
        }
    }
}

/// Rows of the pool, and of the map under them, that one task computes.
struct Part<'a> {
    conv: &'a Conv2d,
    pool: &'a Pool2d,
    images: usize,
    /// The first row of the pool and how many there are.
    row: usize,
    rows: usize,
    /// The same of the map.
    line: usize,
    lines: usize,
}

impl<'a> Part<'a> {
    fn new(conv: &'a Conv2d, pool: &'a Pool2d, band: Band, step: usize) -> Part<'a> {
        let row = band.line * step;
        let rows = (band.lines * step).min(pool.height.output - row);
        let line = row * pool.height.stride;
        Part {
            conv,
            pool,
            images: band.images,
            row,
            rows,
            line,
            // The last window may hang over the edge.
            lines: (rows * pool.height.stride).min(conv.height.output - line),
        }
    }

    /// The convolution of this part.
    fn slide(&self) -> Slide {
        let whole = self.conv.slide();
        let line = self.conv.width.output * self.conv.filters;
        let rows = Windows {
            count: self.lines,
            start: whole.view.rows.start + (self.line * whole.view.rows.step) as isize,
            ..whole.view.rows
        };
        Slide {
            view: View {
                batch: self.images,
                rows,
                ..whole.view
            },
            to: Place {
                image: self.lines * line,
                ..whole.to
            },
            tasks: 1,
            ..whole
        }
    }

    /// The pool of this part.
    fn pooling(&self) -> Pool2d {
        Pool2d {
            batch: self.images,
            height: Axis {
                input: self.lines,
                output: self.rows,
                ..self.pool.height
            },
            ..*self.pool
        }
    }
}

/// Whether [`forward`] computes this: a pool whose windows stand side by side, and a convolution that slides.
pub fn serves(conv: &Conv2d, pool: &Pool2d) -> bool {
    let fits = conv.batch == pool.batch
        && conv.height.output == pool.height.input
        && conv.width.output == pool.width.input
        && conv.filters == pool.channels;
    fits && pool.side_by_side() && !conv.is_depthwise()
}

/// An error unless [`serves`] is true and the buffers have the sizes of these geometries: x, weight, bias, y and winners.
/// `bias` is 0 or a number for each filter, `winners` 0 or as long as y.
pub fn check(conv: &Conv2d, pool: &Pool2d, lengths: [usize; 5]) -> Result<(), String> {
    if !serves(conv, pool) {
        return Err(format!("{pool:?} cannot be joined to {conv:?}"));
    }
    let [x, weight, bias, y, winners] = lengths;
    conv.check(x, weight, conv.output_len(), bias)?;
    pool.check(pool.input_len(), y, winners)
}

/// Whether [`forward`] is faster than the two passes apart: where sums are not too long and there are bands enough for all
/// threads.
pub fn pays(cx: &Exec, conv: &Conv2d, pool: &Pool2d) -> bool {
    // Pieces of weights are made for all bands together.
    serves(conv, pool)
        && !matches!(conv.slide().algorithm(cx), Algorithm::Pieces(..))
        && conv.height.kernel * conv.width.kernel * conv.group_channels() <= MOST_PRODUCTS
        && pool.output_len() > 0
        && Plan::new(cx, conv, pool).bands.count() >= BANDS_EACH * cx.team.threads()
}

/// y = the largest value in each window of `pool` over the activation of x ∗ w + bias, and the number of the winning tap into
/// `winners` unless it is empty. An empty `bias` adds nothing. Nobody wins where a rectified value is 0.
///
/// Panics unless [`check`] passes.
#[allow(clippy::too_many_arguments)]
pub fn forward<W: Winner>(
    cx: &Exec,
    conv: &Conv2d,
    pool: &Pool2d,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
    winners: &mut [W],
) {
    check(conv, pool, [x.len(), w.len(), bias.len(), y.len(), winners.len()])
        .unwrap_or_else(|reason| panic!("{reason}"));
    if y.is_empty() {
        return;
    }
    with_scratch(packed_len(cx, conv), |packed| {
        pack(cx, conv, w, packed);
        forward_packed(cx, conv, pool, x, packed, bias, activation, y, winners);
    });
}

/// [`forward`] with a weight that [`pack`] has made of this geometry.
#[allow(clippy::too_many_arguments)]
pub fn forward_packed<W: Winner>(
    cx: &Exec,
    conv: &Conv2d,
    pool: &Pool2d,
    x: &[f32],
    packed: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
    winners: &mut [W],
) {
    check(
        conv,
        pool,
        [x.len(), conv.weight_len(), bias.len(), y.len(), winners.len()],
    )
    .unwrap_or_else(|reason| panic!("{reason}"));
    assert_eq!(packed.len(), packed_len(cx, conv), "the packed weight");
    if y.is_empty() {
        return;
    }
    let plan = Plan::new(cx, conv, pool);
    let image = conv.height.input * conv.width.input * conv.channels;
    let line = pool.width.output * pool.channels;
    let keep = !winners.is_empty();
    let (y, winners) = (Disjoint::new(y), Disjoint::new(winners));
    cx.tiles(plan.bands.count(), |tile| {
        let band = plan.bands.get(tile);
        let part = Part::new(conv, pool, band, plan.step);
        let (slide, pooling) = (part.slide(), part.pooling());
        with_scratch(pooling.input_len(), |map| {
            let x = &x[band.image * image..];
            slide.run_by(plan.algorithm, cx, x, packed, bias, activation, map);
            let start = (band.image * pool.height.output + part.row) * line;
            let range = start..start + pooling.output_len();
            // SAFETY: bands do not share rows of the pool, and a band has all rows of several images or some of one.
            let y = unsafe { y.slice(range.clone()) };
            // SAFETY: the same part of the winners.
            let winners = unsafe { winners.slice(if keep { range } else { 0..0 }) };
            max::forward(cx, &pooling, activation == Activation::Relu, map, y, winners);
        });
    });
}
