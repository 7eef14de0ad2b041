//! How a sliding product is cut: into bands and blocks of panels for threads, into columns of positions that are laid out alike, and
//! into parts that stay in a cache. All of it follows from the sizes alone, and none of it changes a bit of the result.

use std::ops::Range;

use super::super::bands::{Bands, even};
use super::super::windows::{Laid, View};
use super::{Place, Slide};
use crate::Exec;
use crate::microkernel::{Ahead, Shape, pack};

/// Floating-point operations below which a tile is not worth handing to another thread: some 20 µs.
const SMALLEST: f64 = 2e6;
/// Operations of a tile of a large product.
const LARGEST: f64 = 16e6;
/// Floats of a band, unless a single line has more, ...
const BAND_FLOATS: usize = 32 << 10;
/// ... and of one that runs on, which is passed over part by part.
const RUN_BAND_FLOATS: usize = 128 << 10;
/// Positions of a band that make reading the weights again worth it.
const BAND_POSITIONS: usize = 48;
/// Floats of the parts that a band is passed over in if it runs on, so that the next part can be asked for meanwhile, ...
const PART_FLOATS: usize = 16 << 10;
/// ... and positions that a part has at least.
const PART_POSITIONS: usize = 48;
/// Parts are smaller if many panels pass over positions of few floats: they stay in the first-level cache then, and results come
/// to memory in long runs.
const SMALL_PANELS: usize = 4;
const SMALL_DEPTH: usize = 64;
const SMALL_PART_FLOATS: usize = 6 << 10;
/// How many times more pixels a copy of lines must have than the windows that leave them, and positions that must be left, for the
/// lines to be read in place.
const COPIED: usize = 4;
const INNER: usize = 24;

impl Slide {
    /// The bands, and the number of blocks that so many panels are cut into.
    pub fn plan(&self, panels: usize) -> (Bands, usize) {
        let view = &self.view;
        let work = 2.0 * view.positions() as f64 * (view.taps() * view.channels) as f64 * self.columns as f64;
        let wanted = (work / SMALLEST)
            .min(self.tasks as f64)
            .max(work / LARGEST)
            .max(1.0) as usize;
        let most = if view.is_run() {
            RUN_BAND_FLOATS
        } else {
            BAND_FLOATS
        };
        let bands = view.bands(wanted, BAND_POSITIONS, most);
        let blocks = wanted.div_ceil(bands.count()).min(panels);
        (bands, blocks)
    }

    /// What is computed one after the other in each band: all positions; or, where that saves most copies, columns of positions whose
    /// windows are inside of the image and are read in place, then each of the other columns, whose windows are gathered.
    pub(super) fn columns(&self) -> impl Iterator<Item = Slide> {
        let Slide { view, to, .. } = *self;
        let (inner, all) = (view.cols.inner(), 0..view.cols.count);
        let gathered = (all.len() - inner.len()) * view.taps();
        let copied = view.cols.span(all.len()) * view.rows.step;
        // Bands of several images are one column only if there is nothing between the images.
        let dense = to.image == view.rows.count * to.line;
        let apart = gathered > 0 && COPIED * gathered <= copied && inner.len() >= INNER && dense;
        let inner = if apart { inner } else { all.clone() };
        let part = move |positions: Range<usize>| Slide {
            view: View {
                cols: view.cols.part(positions.clone()),
                ..view
            },
            to: Place {
                base: to.base + positions.start * to.position,
                ..to
            },
            ..*self
        };
        let column = move |position: usize| {
            let mut column = part(position..position + 1);
            column.view.runs_on = true;
            column.to.position = to.line;
            column
        };
        let outer = (all.start..inner.start).chain(inner.end..all.end);
        std::iter::once(part(inner)).chain(outer.map(column))
    }

    /// The parts of each line that all of so many panels pass over before the next.
    pub(super) fn parts(&self, cx: &Exec, laid: &Laid, panels: usize) -> impl Iterator<Item = Range<usize>> {
        let (all, depth) = (laid.positions, self.view.taps() * self.channels());
        let small = panels >= SMALL_PANELS && depth <= SMALL_DEPTH;
        let floats = if small { SMALL_PART_FLOATS } else { PART_FLOATS };
        let rows = Shape::of(cx.isa).rows;
        let blocks = all.div_ceil(rows);
        let parts = if self.view.is_run() && depth * PART_POSITIONS <= PART_FLOATS {
            all.div_ceil(floats / depth.max(1))
        } else {
            1
        };
        // Whole register blocks.
        let cut = move |part: usize| all.min(even(blocks, parts, part) * rows);
        (0..parts).map(move |part| cut(part)..cut(part + 1))
    }

    /// What follows a part, in the time that so many panels take for it.
    pub(super) fn ahead(&self, cx: &Exec, laid: &Laid, part: &Range<usize>, panels: usize) -> Option<Ahead> {
        let next = part.end..laid.positions.min(part.end + part.len());
        let of = pack::Matrix {
            data: laid.data,
            start: next.start * laid.position,
            row: laid.position,
            col: 1,
        };
        let blocks = part.len().div_ceil(Shape::of(cx.isa).rows);
        let steps = panels * blocks * self.view.taps() * self.channels();
        (!next.is_empty()).then(|| Ahead::new(of, 1, next.len() * laid.position, steps))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{Dice, check};
    use super::*;
    use crate::Convolution;
    use crate::conv2d::{Conv2d, forward};
    use crate::microkernel::Activation;
    use crate::padding::Axis;

    /// Windows of 3 × 3 with a stride of 2 over lines of `width` pixels.
    fn strided(
        batch: usize,
        height: usize,
        width: usize,
        channels: usize,
        filters: usize,
        groups: usize,
    ) -> Conv2d {
        let axis = |size: usize| Axis::new(size, 3, 2, 1, 1, 1).unwrap();
        Conv2d::new(batch, axis(height), axis(width), channels, filters, groups).unwrap()
    }

    #[test]
    fn columns_at_the_borders_are_apart_only_where_that_saves_copies() {
        let columns = |conv: &Conv2d| -> Vec<(isize, usize)> {
            let slide = conv.slide();
            let all = slide.columns();
            all.map(|slide| (slide.view.cols.start, slide.view.cols.count))
                .collect()
        };
        // The last window of lines of an even number of pixels ends with them.
        assert_eq!(columns(&strided(1, 9, 60, 40, 33, 1)), [(1, 29), (-1, 1)]);
        assert_eq!(
            columns(&strided(1, 9, 61, 40, 33, 1)),
            [(1, 29), (-1, 1), (59, 1)]
        );
        assert_eq!(columns(&strided(1, 9, 30, 40, 33, 1)), [(-1, 15)]);
        let axis = Axis::new(60, 3, 1, 1, 1, 1).unwrap();
        let neighbours = Conv2d::new(1, axis, axis, 40, 33, 1).unwrap();
        assert_eq!(columns(&neighbours), [(-1, 60)]);
    }

    #[test]
    fn columns_apart_are_exact() {
        let execs: Vec<Exec> = Exec::all_for_tests()
            .into_iter()
            .map(|cx| cx.convolving(Convolution::Direct))
            .collect();
        let mut dice = Dice(11);
        for conv in [
            strided(2, 9, 60, 20, 33, 1),
            strided(3, 4, 61, 20, 40, 1),
            strided(2, 7, 57, 24, 36, 2),
        ] {
            check(&conv, &execs, &mut dice);
        }
    }

    #[test]
    fn a_weight_that_is_not_finite_meets_the_zeros_around() {
        let conv = strided(1, 5, 61, 3, 40, 1);
        let mut w = vec![1.0; conv.weight_len()];
        // The first filter at the tap in the middle of the left column.
        w[conv.weight_at(1, 0, 0, 0)] = f32::INFINITY;
        for cx in Exec::all_for_tests() {
            let mut y = vec![0.0; conv.output_len()];
            let x = vec![1.0; conv.input_len()];
            forward(&cx, &conv, &x, &w, &[], Activation::None, &mut y);
            for (at, pixel) in y.chunks_exact(conv.filters).enumerate() {
                assert_eq!(pixel[0].is_nan(), at % 31 == 0, "{:?} at {at}", cx.isa);
                assert!(pixel[1..].iter().all(|v| v.is_finite()));
            }
        }
    }
}
