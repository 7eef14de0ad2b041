//! The weight gradient straight from x, for windows that leave it: each tap takes the positions at which it is inside, so
//! that nothing is copied with zeros around.

use std::ops::Range;

use super::{ENOUGH, SMALLEST, WHOLE, slices};
use crate::conv2d::Conv2d;
use crate::conv2d::bands::{even, in_parts};
use crate::conv2d::windows::View;
use crate::microkernel::{Cells, Finish, Left, Right, Segment, Shape, Tile, multiply};
use crate::{Exec, with_scratch};

/// Positions that are summed up in registers.
const POSITIONS: usize = 512;
/// Lines that are summed up in registers at most.
const SEGMENTS: usize = 64;
/// Channels of a tap that fill register blocks well; fewer are better joined with those of the next tap.
const CHANNELS: usize = 32;
/// Floats between two positions from which on reading them in place is slow.
const CROWDED: usize = 512;
/// Positions that make a copy of the gradient worth it.
const PART_POSITIONS: usize = 1024;

/// Whether it is faster than copies of x.
pub(super) fn serves(cx: &Exec, conv: &Conv2d, view: &View) -> bool {
    let joins = conv.groups == 1 && conv.channels < CHANNELS && view.cols.dilation == 1;
    !view.is_inside()
        && !view.gathers()
        && !joins
        && view.cols.step * conv.channels < CROWDED
        && conv.group_filters().is_multiple_of(Shape::of(cx.isa).lanes)
}

pub(super) fn sum(cx: &Exec, conv: &Conv2d, view: &View, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (positions, lines) = (view.positions(), view.lines());
    let work = 2.0 * positions as f64 * dw.len() as f64;
    let wanted = (work / SMALLEST).clamp(1.0, ENOUGH) as usize;
    let most = if dw.len() <= WHOLE { wanted } else { 1 };
    let parts = (positions / PART_POSITIONS).clamp(1, most).min(lines);
    let slices = slices(parts, wanted, cx.team.threads());
    in_parts(cx, parts, dw, |summands| {
        let cells = Cells::new(summands);
        cx.tiles(parts * slices, |tile| {
            let (part, slice) = (tile / slices, tile % slices);
            let trimmed = Trimmed {
                cx,
                conv,
                view,
                x,
                dy,
                cells: &cells,
                base: part * conv.weight_len(),
            };
            let blocks = trimmed.blocks();
            trimmed.add(
                even(lines, parts, part)..even(lines, parts, part + 1),
                even(blocks, slices, slice)..even(blocks, slices, slice + 1),
            );
        });
    });
    add_zeros(conv, view, dy, dw);
}

/// Adds what the multiplications by zero that were left out would have added: NaN, where dy is not finite.
fn add_zeros(conv: &Conv2d, view: &View, dy: &[f32], dw: &mut [f32]) {
    let add = |pixels: Range<usize>, sums: &mut [f32]| {
        for dy in dy[pixels.start * conv.filters..pixels.end * conv.filters].chunks_exact(conv.filters) {
            sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += 0.0 * dy);
        }
    };
    let (rows, cols) = view.window();
    // Whole lines for each row of taps, then parts of all lines for each column of taps.
    with_scratch((rows + cols) * conv.filters, |sums| {
        sums.fill(0.0);
        for (tap, sums) in sums.chunks_exact_mut(conv.filters).enumerate() {
            let (axis, repeats, len) = match tap < rows {
                true => (view.rows, view.batch, view.cols.count),
                false => (view.cols, view.lines(), 1),
            };
            let inside = axis.inside_of_tap(if tap < rows { tap } else { tap - rows });
            for first in (0..repeats).map(|repeat| repeat * axis.count) {
                for outside in [0..inside.start, inside.end..axis.count] {
                    add((first + outside.start) * len..(first + outside.end) * len, sums);
                }
            }
        }
        if sums.iter().all(|sum| *sum == 0.0) {
            return;
        }
        let len = conv.group_channels() * conv.filters;
        for (tap, dw) in dw.chunks_exact_mut(len).enumerate() {
            for part in [tap / cols, rows + tap % cols] {
                let sums = &sums[part * conv.filters..][..conv.filters];
                for dw in dw.chunks_exact_mut(conv.filters) {
                    dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw += sum);
                }
            }
        }
    });
}

/// One summand of the gradient.
struct Trimmed<'a> {
    cx: &'a Exec,
    conv: &'a Conv2d,
    view: &'a View,
    x: &'a [f32],
    dy: &'a [f32],
    cells: &'a Cells<'a>,
    base: usize,
}

impl Trimmed<'_> {
    /// Register blocks of rows of one tap and group.
    fn blocks_of_tap(&self) -> usize {
        self.conv.group_channels().div_ceil(Shape::of(self.cx.isa).rows)
    }

    /// Those of all groups and taps.
    fn blocks(&self) -> usize {
        self.conv.groups * self.view.taps() * self.blocks_of_tap()
    }

    /// Sums up some lines of positions for some blocks of rows.
    fn add(&self, lines: Range<usize>, blocks: Range<usize>) {
        let (all, each) = (self.view.cols.count, self.blocks_of_tap());
        let cuts = all.div_ceil(POSITIONS);
        let chunks = lines.len().div_ceil((POSITIONS / all).clamp(1, SEGMENTS));
        for index in 0..chunks * cuts {
            let (chunk, cut) = (index / cuts, index % cuts);
            let start = |chunk: usize| lines.start + even(lines.len(), chunks, chunk);
            let chunk = start(chunk)..start(chunk + 1);
            let positions = even(all, cuts, cut)..even(all, cuts, cut + 1);
            for tap in blocks.start / each..blocks.end.div_ceil(each) {
                let first = tap * each;
                let blocks = blocks.start.max(first) - first..blocks.end.min(first + each) - first;
                self.tap(tap, blocks, chunk.clone(), &positions, index > 0);
            }
        }
    }

    /// The lines and positions at which a tap is inside, as segments that start at its first channel, and how long they are.
    fn segments<'s>(
        &self,
        (r, c): (usize, usize),
        lines: Range<usize>,
        positions: &Range<usize>,
        segments: &'s mut [Segment; SEGMENTS],
    ) -> (&'s [Segment], usize) {
        let Trimmed { conv, view, .. } = *self;
        let (rows, cols) = (view.rows.inside_of_tap(r), view.cols.inside_of_tap(c));
        let cols = cols.start.max(positions.start)..cols.end.min(positions.end);
        if cols.is_empty() {
            return (&[], 0);
        }
        let col = view.cols.at(cols.start, c);
        let lines = lines.filter(|line| rows.contains(&(line % view.rows.count)));
        let mut count = 0;
        for (line, segment) in lines.zip(segments.iter_mut()) {
            let image = line / view.rows.count * view.rows.source;
            let row = image + view.rows.at(line % view.rows.count, r);
            *segment = Segment {
                left: (row * view.cols.source + col) * conv.channels,
                right: (line * view.cols.count + cols.start) * conv.filters,
            };
            count += 1;
        }
        (&segments[..count], cols.len())
    }

    /// Some blocks of rows of one tap of a group, for no more lines than are summed up in registers.
    fn tap(
        &self,
        tap: usize,
        blocks: Range<usize>,
        lines: Range<usize>,
        positions: &Range<usize>,
        accumulate: bool,
    ) {
        let Trimmed { cx, conv, view, .. } = *self;
        let (group, tap) = (tap / view.taps(), tap % view.taps());
        let (r, c) = (tap / view.cols.taps, tap % view.cols.taps);
        let mut segments = [Segment::default(); SEGMENTS];
        let (segments, depth) = self.segments((r, c), lines, positions, &mut segments);
        let channels = conv.group_channels();
        let start = |block: usize| even(channels, self.blocks_of_tap(), block);
        let (row, end) = (start(blocks.start), start(blocks.end));
        let left = Left {
            data: &self.x[group * channels + row..],
            row: 1,
            step: view.cols.step * conv.channels,
        };
        let finish = Finish {
            accumulate,
            ..Finish::default()
        };
        let filters = group * conv.group_filters()..(group + 1) * conv.group_filters();
        let width = Shape::of(cx.isa).cols;
        for column in filters.clone().step_by(width) {
            let right = Right {
                data: &self.dy[column..],
                step: conv.filters,
            };
            let tile = Tile {
                rows: end - row,
                cols: width.min(filters.end - column),
                depth,
            };
            let to = self.base + conv.weight_at(r, c, row, column);
            let to = (to, conv.filters);
            // SAFETY: tiles do not share parts and rows, and rows of dw do not overlap.
            unsafe { multiply(cx.isa, tile, left, right, segments, finish, self.cells, to) };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::conv2d::tests::{Dice, check};
    use crate::conv2d::{Axis, Conv2d};
    use crate::exec::EMULATED;
    use crate::{Convolution, Exec};

    /// An axis with windows that leave the source, at strides and dilations of all kinds.
    fn axis(dice: &mut Dice) -> Axis {
        let (kernel, dilation) = (2 + dice.roll(3), 1 + dice.roll(2));
        let far = (kernel - 1) * dilation;
        let (input, stride) = (far + 6 + dice.roll(6), 1 + dice.roll(2));
        Axis::new(input, kernel, stride, dilation, dice.roll(far + 1), far).expect("sizes")
    }

    #[test]
    fn windows_that_leave_the_image_are_exact() {
        let (cases, most) = if EMULATED { (12, 1) } else { (40, 99) };
        let execs: Vec<Exec> = Exec::all_for_tests()
            .into_iter()
            .take(most)
            .map(|cx| cx.convolving(Convolution::Direct))
            .collect();
        let mut dice = Dice(11);
        let mut served = 0;
        for _ in 0..cases {
            let groups = 1 + dice.roll(3) * dice.roll(2);
            let channels = groups * (32 / groups + dice.roll(9));
            let filters = groups * 16 * (1 + dice.roll(4));
            let (height, width) = (axis(&mut dice), axis(&mut dice));
            let conv =
                Conv2d::new(1 + dice.roll(3), height, width, channels, filters, groups).expect("sizes");
            served += usize::from(super::serves(&execs[0], &conv, &conv.view()));
            check(&conv, &execs, &mut dice);
        }
        assert!(served > cases / 2, "{served} of {cases}");
    }

    #[test]
    fn long_lines_are_cut() {
        let height = Axis::new(3, 3, 1, 1, 1, 1).expect("sizes");
        let width = Axis::new(1500, 3, 1, 1, 1, 1).expect("sizes");
        let conv = Conv2d::new(if EMULATED { 1 } else { 2 }, height, width, 32, 16, 1).expect("sizes");
        check(
            &conv,
            &[Exec::serial().convolving(Convolution::Direct)],
            &mut Dice(5),
        );
    }
}
