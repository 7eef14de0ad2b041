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
        let mut items = items;
        if geometry.count < LANES && geometry.reduced.is_empty() && geometry.kept.len() <= 1 {
            let wide = items.len() / LANES * LANES;
            // SAFETY: each item is one result, there is one part, and each is handed out once.
            let totals = unsafe { out.slice(items.start..items.start + wide) };
            short_rows(op, &x[items.start * geometry.count..], centres, items.start, geometry.count, totals);
            items.start += wide;
        }
        let (mut output, mut start) = (items.start % geometry.y_len, items.start / geometry.y_len * part);
        for item in items {
            let end = geometry.count.min(start + part);
            let centre = if F::CENTRED { centres[output] } else { 0.0 };
            let base = offset(&geometry.kept, output);
            // SAFETY: each item is one result of one part and is handed out once.
            let total = unsafe { out.slice(item..item + 1) };
            total[0] = if geometry.reduced.is_empty() {
                fold_run(op, &x[base + start..base + end], centre)
            } else {
                let mut total = F::START;
                let mut at = start;
                while at < end {
                    let (segment, column) = (at / geometry.inner, at % geometry.inner);
                    let len = (geometry.inner - column).min(end - at);
                    let run = &x[base + offset(&geometry.reduced, segment) + column..][..len];
                    total = op.merge(total, fold_run(op, run, centre));
                    at += len;
                }
                total
            };
            output += 1;
            if output == geometry.y_len {
                (output, start) = (0, start + part);
            }
        }
    }
}

/// Folds rows that lie one after the other and are shorter than a vector: 16 of them side by side.
#[inline(always)]
fn short_rows<F: Fold>(op: F, x: &[f32], centres: &[f64], first: usize, count: usize, totals: &mut [f64]) {
    let (groups, _) = totals.as_chunks_mut::<LANES>();
    for (group, totals) in groups.iter_mut().enumerate() {
        let x = &x[group * LANES * count..][..LANES * count];
        let centre: [f64; LANES] = if F::CENTRED {
            std::array::from_fn(|row| centres[first + group * LANES + row])
        } else {
            [0.0; LANES]
        };
        let mut lanes = [F::START; LANES];
        for n in 0..count {
            for row in 0..LANES {
                lanes[row] = op.step(lanes[row], f64::from(x[row * count + n]), centre[row]);
            }
        }
        *totals = lanes;
    }
}

/// Folds neighbours.
#[inline(always)]
fn fold_run<F: Fold>(op: F, run: &[f32], centre: f64) -> f64 {
    if run.len() < LANES {
        run.iter()
            .fold(F::START, |total, &x| op.step(total, f64::from(x), centre))
    } else if run.len() < 8 * LANES {
        across(op, &fold_lanes(op, run, centre, [F::START; LANES]))
    } else {
        // Two vectors at once, because each waits for its own last result.
        let (pairs, rest) = run.as_chunks::<{ 2 * LANES }>();
        let mut wide = [F::START; 2 * LANES];
        for pair in pairs {
            for lane in 0..2 * LANES {
                wide[lane] = op.step(wide[lane], f64::from(pair[lane]), centre);
            }
        }
        // Not inlined: seen together, the compiler gives the loop the narrow shape of the merging.
        let total = across_wide(op, &wide);
        rest.iter()
            .fold(total, |total, &x| op.step(total, f64::from(x), centre))
    }
}

/// Folds a run of at least one vector into lanes.
#[inline(always)]
fn fold_lanes<F: Fold>(op: F, run: &[f32], centre: f64, mut lanes: [f64; LANES]) -> [f64; LANES] {
    let (blocks, tail) = run.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = op.step(lanes[lane], f64::from(block[lane]), centre);
        }
    }
    if !tail.is_empty() {
        // The last vector of the run once more, and only those of its lanes that were not folded yet.
        let last = &run[run.len() - LANES..];
        for lane in 0..LANES {
            let stepped = op.step(lanes[lane], f64::from(last[lane]), centre);
            lanes[lane] = if lane + tail.len() >= LANES {
                stepped
            } else {
                lanes[lane]
            };
        }
    }
    lanes
}

/// Merges lanes in halves.
#[inline(always)]
fn across<F: Fold>(op: F, lanes: &[f64; LANES]) -> f64 {
    let half: [f64; 8] = std::array::from_fn(|lane| op.merge(lanes[lane], lanes[lane + 8]));
    let half: [f64; 4] = std::array::from_fn(|lane| op.merge(half[lane], half[lane + 4]));
    op.merge(op.merge(half[0], half[2]), op.merge(half[1], half[3]))
}

#[inline(never)]
fn across_wide<F: Fold>(op: F, wide: &[f64; 2 * LANES]) -> f64 {
    across(
        op,
        &std::array::from_fn(|lane| op.merge(wide[lane], wide[lane + LANES])),
    )
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
                let start_of = |row| base + offset(&geometry.reduced, row);
                fold_rows(op, x, start..end, start_of, centres, &mut totals[..width]);
            }
            let at = item / units * geometry.y_len + first;
            // SAFETY: each item is a group of columns of one part and is handed out once.
            unsafe { out.slice(at..at + width) }.copy_from_slice(&totals[..width]);
        }
    }
}

/// Folds `rows` rows that start where `start_of` says, each `totals.len()` columns wide.
#[inline(always)]
fn fold_rows<F: Fold>(
    op: F,
    x: &[f32],
    rows: Range<usize>,
    start_of: impl Fn(usize) -> usize,
    centres: &[f64],
    totals: &mut [f64],
) {
    let mut at = rows.start;
    while at < rows.end {
        let count = ROWS.min(rows.end - at);
        let mut starts = [0; ROWS];
        for (row, start) in starts[..count].iter_mut().enumerate() {
            *start = start_of(at + row);
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
            for &start in &starts[..count] {
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
            for &start in &starts[..count] {
                *total = op.step(*total, f64::from(x[start + tail_at + column]), centre);
            }
        }
        at += count;
    }
}

/// Folds `rows` where a row has few columns: 16 rows, which lie side by side, are folded as one.
#[inline(always)]
fn narrow<F: Fold>(
    op: F,
    geometry: &Reduce,
    x: &[f32],
    centres: &[f64],
    base: usize,
    rows: Range<usize>,
    totals: &mut [f64; WIDTH],
) {
    let columns = geometry.inner;
    let width = columns * LANES;
    let mut repeated = [0.0; WIDTH];
    if F::CENTRED {
        repeated[..width]
            .chunks_exact_mut(columns)
            .for_each(|copy| copy.copy_from_slice(centres));
    }
    let side_by_side = geometry.reduced[geometry.reduced.len() - 1].size;
    let mut at = rows.start;
    while at < rows.end {
        let count = (side_by_side - at % side_by_side).min(rows.end - at);
        let run = &x[base + offset(&geometry.reduced, at)..][..count * columns];
        let whole = run.len() / width;
        fold_rows(
            op,
            run,
            0..whole,
            |row| row * width,
            &repeated[..width],
            &mut totals[..width],
        );
        for ((total, &x), &centre) in totals.iter_mut().zip(&run[whole * width..]).zip(&repeated) {
            *total = op.step(*total, f64::from(x), centre);
        }
        at += count;
    }
    let (result, copies) = totals[..width].split_at_mut(columns);
    for copy in copies.chunks_exact(columns) {
        result
            .iter_mut()
            .zip(copy)
            .for_each(|(total, &copy)| *total = op.merge(*total, copy));
    }
}
