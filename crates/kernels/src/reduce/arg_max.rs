//! Where the largest element is.

use std::ops::Range;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use super::fold::{GRAIN, Max, fold};
use super::{Reduce, offset, with_doubles};
use crate::simd::vectorize;
use crate::{Disjoint, Exec};

/// The position of the first largest among each result's elements, in row-major order of the reduced axes; the first
/// NaN where there is one. `count` must be at least 1 and fit in an i32.
pub fn arg_max(cx: &Exec, geometry: &Reduce, x: &[f32], y: &mut [i32]) {
    assert_eq!((x.len(), y.len()), (geometry.x_len, geometry.y_len));
    if y.is_empty() {
        return;
    }
    assert!((1..=i32::MAX as usize).contains(&geometry.count));
    if geometry.inner_kept {
        let groups = geometry.inner.div_ceil(WIDTH);
        let per_unit = geometry.count * geometry.inner.min(WIDTH);
        let out = Disjoint::new(y);
        cx.ranges(
            geometry.y_len / geometry.inner * groups,
            GRAIN / per_unit,
            |units| {
                columns(cx.isa, geometry, x, units, &out);
            },
        );
    } else if geometry.reduced.is_empty() && geometry.count <= SHORT {
        cx.chunks_mut(y, GRAIN / geometry.count, |start, y| {
            short_rows(cx.isa, geometry, x, start, y)
        });
    } else {
        with_doubles(y.len(), |largest| {
            fold(cx, Max, geometry, x, &[], largest);
            search(cx, geometry, x, largest, y);
        });
    }
}

/// Rows up to this length are searched element by element.
const SHORT: usize = 256;

vectorize! {
    fn short_rows[](geometry: &Reduce, x: &[f32], first: usize, y: &mut [i32]) {
        for (i, y) in y.iter_mut().enumerate() {
            let row = &x[offset(&geometry.kept, first + i)..][..geometry.count];
            let (mut largest, mut any_nan) = (row[0], false);
            for &x in row {
                largest = if x > largest { x } else { largest };
                any_nan |= x.is_nan();
            }
            let found = |&x: &f32| if any_nan { x.is_nan() } else { x == largest };
            *y = row.iter().position(found).expect("some element is the largest") as i32;
        }
    }
}

/// The first element of each result that equals its largest.
fn search(cx: &Exec, geometry: &Reduce, x: &[f32], largest: &[f64], y: &mut [i32]) {
    let parts = geometry.count.div_ceil(GRAIN);
    let first = |output: usize, range: Range<usize>| -> Option<usize> {
        let largest = largest[output] as f32;
        let base = offset(&geometry.kept, output);
        let mut at = range.start;
        while at < range.end {
            let (segment, column) = (at / geometry.inner, at % geometry.inner);
            let len = (geometry.inner - column).min(range.end - at);
            let run = &x[base + offset(&geometry.reduced, segment) + column..][..len];
            if let Some(found) = position(cx.isa, run, largest) {
                return Some(at + found);
            }
            at += len;
        }
        None
    };
    if parts == 1 {
        cx.chunks_mut(y, GRAIN / geometry.count, |start, y| {
            for (i, y) in y.iter_mut().enumerate() {
                *y = first(start + i, 0..geometry.count).expect("some element is the largest") as i32;
            }
        });
        return;
    }
    for (output, y) in y.iter_mut().enumerate() {
        // The smallest of what the parts find, in whatever order they do.
        let found = AtomicI32::new(i32::MAX);
        cx.ranges(geometry.count, GRAIN, |range| {
            if range.start < found.load(Relaxed) as usize
                && let Some(at) = first(output, range)
            {
                found.fetch_min(at as i32, Relaxed);
            }
        });
        *y = found.into_inner();
    }
}

vectorize! {
    fn position[](x: &[f32], wanted: f32) -> Option<usize> {
        const BLOCK: usize = 64;
        let is = |x: f32| (x == wanted) | (x.is_nan() & wanted.is_nan());
        for (block, x) in x.chunks(BLOCK).enumerate() {
            let mut any = false;
            for &x in x {
                any |= is(x);
            }
            if any {
                return x.iter().position(|&x| is(x)).map(|at| block * BLOCK + at);
            }
        }
        None
    }
}

/// Columns that are searched side by side.
const WIDTH: usize = 256;

vectorize! {
    fn columns[](geometry: &Reduce, x: &[f32], units: Range<usize>, out: &Disjoint<i32>) {
        let groups = geometry.inner.div_ceil(WIDTH);
        for unit in units {
            let (row, column) = (unit / groups, unit % groups * WIDTH);
            let width = (geometry.inner - column).min(WIDTH);
            let base = offset(&geometry.kept, row) + column;
            let mut best = [0.0f32; WIDTH];
            let mut at = [0i32; WIDTH];
            best[..width].copy_from_slice(&x[base..][..width]);
            for n in 1..geometry.count {
                let run = &x[base + offset(&geometry.reduced, n)..][..width];
                for ((best, at), &x) in best.iter_mut().zip(&mut at).zip(run) {
                    let better = (x > *best) | (x.is_nan() & !best.is_nan());
                    *at = if better { n as i32 } else { *at };
                    *best = if better { x } else { *best };
                }
            }
            let first = row * geometry.inner + column;
            // SAFETY: each unit is a group of columns and is handed out once.
            unsafe { out.slice(first..first + width) }.copy_from_slice(&at[..width]);
        }
    }
}
