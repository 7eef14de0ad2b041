//! Folding elements into float64 totals: rows where a result's elements lie side by side, columns where neighbours
//! go to different results.

use std::ops::Range;

use super::{Reduce, offset, with_doubles};
use crate::simd::vectorize;
use crate::{Disjoint, Exec};

/// Elements in one tile.
pub(super) const GRAIN: usize = 1 << 15;
const LANES: usize = 16;
/// Columns that one tile folds side by side.
const WIDTH: usize = 256;
/// Rows that are folded while the totals of a few columns stay in registers.
const ROWS: usize = 16;

/// One kind of total. Lanes and tiles start each on their own and are merged.
pub(super) trait Fold: Copy + Sync {
    const START: f64;
    /// Whether `step` looks at the centre, a number that belongs to the result.
    const CENTRED: bool = false;

    fn step(self, total: f64, x: f64, centre: f64) -> f64;
    fn merge(self, a: f64, b: f64) -> f64;
}

#[derive(Clone, Copy)]
pub(super) struct Sum;

impl Fold for Sum {
    const START: f64 = 0.0;

    #[inline(always)]
    fn step(self, total: f64, x: f64, _centre: f64) -> f64 {
        total + x
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        a + b
    }
}

/// The sum of squared distances from the centre.
#[derive(Clone, Copy)]
pub(super) struct Deviation;

impl Fold for Deviation {
    const START: f64 = 0.0;
    const CENTRED: bool = true;

    #[inline(always)]
    fn step(self, total: f64, x: f64, centre: f64) -> f64 {
        let deviation = x - centre;
        total + deviation * deviation
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        a + b
    }
}

/// How many elements equal the centre; a NaN equals a NaN.
#[derive(Clone, Copy)]
pub(super) struct Ties;

impl Fold for Ties {
    const START: f64 = 0.0;
    const CENTRED: bool = true;

    #[inline(always)]
    fn step(self, total: f64, x: f64, centre: f64) -> f64 {
        let equal = (x == centre) | (x.is_nan() & centre.is_nan());
        total + if equal { 1.0 } else { 0.0 }
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        a + b
    }
}

#[derive(Clone, Copy)]
pub(super) struct Max;

impl Fold for Max {
    const START: f64 = f64::NEG_INFINITY;

    #[inline(always)]
    fn step(self, total: f64, x: f64, _centre: f64) -> f64 {
        self.merge(total, x)
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        if (b > a) | b.is_nan() { b } else { a }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Min;

impl Fold for Min {
    const START: f64 = f64::INFINITY;

    #[inline(always)]
    fn step(self, total: f64, x: f64, _centre: f64) -> f64 {
        self.merge(total, x)
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        if (b < a) | b.is_nan() { b } else { a }
    }
}

/// The total of each result. `centres` holds one number for each where the fold is centred, and is empty elsewhere.
pub(super) fn fold<F: Fold>(
    cx: &Exec,
    op: F,
    geometry: &Reduce,
    x: &[f32],
    centres: &[f64],
    totals: &mut [f64],
) {
    assert_eq!(x.len(), geometry.x_len);
    assert_eq!(totals.len(), geometry.y_len);
    assert!(!F::CENTRED || centres.len() == totals.len());
    if x.is_empty() || totals.is_empty() {
        return totals.fill(F::START);
    }
    // A result, or a group of columns, is one unit. Long units are cut into parts along what they fold.
    let segments = geometry.count / if geometry.inner_kept { 1 } else { geometry.inner };
    let (units, length, folded) = if geometry.inner_kept {
        let groups = geometry.inner.div_ceil(WIDTH);
        (
            totals.len() / geometry.inner * groups,
            segments,
            geometry.inner.min(WIDTH),
        )
    } else {
        (totals.len(), geometry.count, 1)
    };
    let part = (GRAIN / folded).max(1);
    let parts = length.div_ceil(part);
    let units_per_tile = (GRAIN / (folded * length)).max(1);
    let run = |out: &mut [f64]| {
        let out = Disjoint::new(out);
        cx.ranges(units * parts, units_per_tile, |items| {
            if geometry.inner_kept {
                columns(cx.isa, op, geometry, x, centres, part, items, &out);
            } else {
                rows(cx.isa, op, geometry, x, centres, part, items, &out);
            }
        });
    };
    if parts == 1 {
        return run(totals);
    }
    with_doubles(parts * totals.len(), |partial| {
        run(partial);
        let (first, rest) = partial.split_at(totals.len());
        totals.copy_from_slice(first);
        for part in rest.chunks_exact(totals.len()) {
            totals
                .iter_mut()
                .zip(part)
                .for_each(|(total, &part)| *total = op.merge(*total, part));
        }
    });
}

vectorize! {
    fn rows[F: Fold](
        op: F, geometry: &Reduce, x: &[f32], centres: &[f64], part: usize, items: Range<usize>, out: &Disjoint<f64>,
    ) {
        for item in items {
            let output = item % geometry.y_len;
            let start = item / geometry.y_len * part;
            let end = geometry.count.min(start + part);
            let centre = if F::CENTRED { centres[output] } else { 0.0 };
            let base = offset(&geometry.kept, output);
            let mut lanes = [F::START; LANES];
            let mut rest = F::START;
            let mut at = start;
            while at < end {
                let (segment, column) = if geometry.reduced.is_empty() {
                    (0, at)
                } else {
                    (at / geometry.inner, at % geometry.inner)
                };
                let len = (geometry.inner - column).min(end - at);
                let run = &x[base + offset(&geometry.reduced, segment) + column..][..len];
                let (blocks, tail) = run.as_chunks::<LANES>();
                for block in blocks {
                    for lane in 0..LANES {
                        lanes[lane] = op.step(lanes[lane], f64::from(block[lane]), centre);
                    }
                }
                for &x in tail {
                    rest = op.step(rest, f64::from(x), centre);
                }
                at += len;
            }
            let mut width = LANES;
            while width > 1 {
                width /= 2;
                for lane in 0..width {
                    lanes[lane] = op.merge(lanes[lane], lanes[lane + width]);
                }
            }
            // SAFETY: each item is one result of one part and is handed out once.
            let total = unsafe { out.slice(item..item + 1) };
            total[0] = op.merge(lanes[0], rest);
        }
    }
}

vectorize! {
    fn columns[F: Fold](
        op: F, geometry: &Reduce, x: &[f32], centres: &[f64], part: usize, items: Range<usize>, out: &Disjoint<f64>,
    ) {
        let groups = geometry.inner.div_ceil(WIDTH);
        let units = geometry.y_len / geometry.inner * groups;
        for item in items {
            let (unit, start) = (item % units, item / units * part);
            let end = geometry.count.min(start + part);
            let (row, column) = (unit / groups, unit % groups * WIDTH);
            let width = (geometry.inner - column).min(WIDTH);
            let first = row * geometry.inner + column;
            let centres = if F::CENTRED { &centres[first..][..width] } else { centres };
            let base = offset(&geometry.kept, row) + column;
            let mut totals = [F::START; WIDTH];
            if geometry.inner <= LANES && !geometry.reduced.is_empty() {
                narrow(op, geometry, x, centres, base, start..end, &mut totals);
            } else {
                wide(op, geometry, x, centres, base, start..end, &mut totals[..width]);
            }
            let at = item / units * geometry.y_len + first;
            // SAFETY: each item is a group of columns of one part and is handed out once.
            unsafe { out.slice(at..at + width) }.copy_from_slice(&totals[..width]);
        }
    }
}

/// Folds rows `segments` of columns `base..base + totals.len()`.
#[inline(always)]
fn wide<F: Fold>(
    op: F,
    geometry: &Reduce,
    x: &[f32],
    centres: &[f64],
    base: usize,
    segments: Range<usize>,
    totals: &mut [f64],
) {
    let mut at = segments.start;
    while at < segments.end {
        let rows = ROWS.min(segments.end - at);
        let mut starts = [0; ROWS];
        for (row, start) in starts[..rows].iter_mut().enumerate() {
            *start = base + offset(&geometry.reduced, at + row);
        }
        let (blocks, tail) = totals.as_chunks_mut::<LANES>();
        let tail_at = blocks.len() * LANES;
        for (block, totals) in blocks.iter_mut().enumerate() {
            let mut lanes = *totals;
            let centre: [f64; LANES] = if F::CENTRED {
                std::array::from_fn(|lane| centres[block * LANES + lane])
            } else {
                [0.0; LANES]
            };
            for &start in &starts[..rows] {
                let run = &x[start + block * LANES..][..LANES];
                for lane in 0..LANES {
                    lanes[lane] = op.step(lanes[lane], f64::from(run[lane]), centre[lane]);
                }
            }
            *totals = lanes;
        }
        for (column, total) in tail.iter_mut().enumerate() {
            let centre = if F::CENTRED {
                centres[tail_at + column]
            } else {
                0.0
            };
            for &start in &starts[..rows] {
                *total = op.step(*total, f64::from(x[start + tail_at + column]), centre);
            }
        }
        at += rows;
    }
}

/// Folds rows `segments` where a row has few columns: 16 rows, which lie side by side, are folded as one.
#[inline(always)]
fn narrow<F: Fold>(
    op: F,
    geometry: &Reduce,
    x: &[f32],
    centres: &[f64],
    base: usize,
    segments: Range<usize>,
    totals: &mut [f64; WIDTH],
) {
    let columns = geometry.inner;
    let width = columns * ROWS;
    let mut repeated = [0.0; WIDTH];
    if F::CENTRED {
        repeated[..width]
            .chunks_exact_mut(columns)
            .for_each(|copy| copy.copy_from_slice(centres));
    }
    let side_by_side = geometry.reduced[geometry.reduced.len() - 1].size;
    let mut at = segments.start;
    while at < segments.end {
        let rows = (side_by_side - at % side_by_side).min(segments.end - at);
        let run = &x[base + offset(&geometry.reduced, at)..][..rows * columns];
        for block in run.chunks(width) {
            for ((total, &x), &centre) in totals.iter_mut().zip(block).zip(&repeated) {
                *total = op.step(*total, f64::from(x), centre);
            }
        }
        at += rows;
    }
    let (result, copies) = totals[..width].split_at_mut(columns);
    for copy in copies.chunks_exact(columns) {
        result
            .iter_mut()
            .zip(copy)
            .for_each(|(total, &copy)| *total = op.merge(*total, copy));
    }
}
