//! The way back of reductions: from one number for each result to one for each element.

use super::Reduce;
use super::fold::GRAIN;
use crate::broadcast::Broadcast;
use crate::simd::vectorize;
use crate::{Exec, with_scratch};

/// dx = dy / divisor, repeated along the reduced axes.
pub(super) fn expand(cx: &Exec, geometry: &Reduce, divisor: f32, dy: &[f32], dx: &mut [f32]) {
    assert_eq!((dy.len(), dx.len()), (geometry.y_len, geometry.x_len));
    let back = &geometry.back;
    match back.trailing() {
        // Few channels: repeated in working memory, so that runs are long.
        Some(channels) if channels < 128 && back.len > 2048 => {
            let repeats = 512usize.div_ceil(channels);
            with_scratch(repeats * channels, |repeated| {
                for copy in repeated.chunks_exact_mut(channels) {
                    copy.copy_from_slice(dy);
                }
                let back = back.with_repeated_b(repeats);
                cx.chunks_mut(dx, GRAIN, |start, dx| {
                    quotients(cx.isa, &back, divisor, repeated, start, dx)
                });
            });
        }
        _ => cx.chunks_mut(dx, GRAIN, |start, dx| {
            quotients(cx.isa, back, divisor, dy, start, dx)
        }),
    }
}

vectorize! {
    fn quotients[](back: &Broadcast, divisor: f32, dy: &[f32], start: usize, dx: &mut [f32]) {
        for run in back.runs(start, dx.len()) {
            let dx = &mut dx[run.out - start..][..run.len];
            if run.b_step == 0 {
                dx.fill(dy[run.b] / divisor);
            } else {
                for (dx, dy) in dx.iter_mut().zip(&dy[run.b..][..run.len]) {
                    *dx = dy / divisor;
                }
            }
        }
    }
}

/// An element's gradient from its value and two numbers of its result.
pub(super) trait Spread: Copy + Sync {
    fn at(self, x: f64, p: f64, q: f64) -> f64;
}

/// q where x equals p, or both are NaN.
#[derive(Clone, Copy)]
pub(super) struct ToTies;

impl Spread for ToTies {
    #[inline(always)]
    fn at(self, x: f64, p: f64, q: f64) -> f64 {
        let equal = (x == p) | (x.is_nan() & p.is_nan());
        if equal { q } else { 0.0 }
    }
}

/// (x - p) q
#[derive(Clone, Copy)]
pub(super) struct FromMean;

impl Spread for FromMean {
    #[inline(always)]
    fn at(self, x: f64, p: f64, q: f64) -> f64 {
        (x - p) * q
    }
}

/// dx from x and two numbers for each result.
pub(super) fn spread<S: Spread>(
    cx: &Exec,
    op: S,
    geometry: &Reduce,
    x: &[f32],
    p: &[f64],
    q: &[f64],
    dx: &mut [f32],
) {
    cx.chunks_mut(dx, GRAIN, |start, dx| {
        gradients(cx.isa, op, &geometry.back, x, p, q, start, dx)
    });
}

vectorize! {
    fn gradients[S: Spread](
        op: S, back: &Broadcast, x: &[f32], p: &[f64], q: &[f64], start: usize, dx: &mut [f32],
    ) {
        for run in back.runs(start, dx.len()) {
            let dx = &mut dx[run.out - start..][..run.len];
            let x = &x[run.out..][..run.len];
            if run.b_step == 0 {
                let (p, q) = (p[run.b], q[run.b]);
                for (dx, &x) in dx.iter_mut().zip(x) {
                    *dx = op.at(f64::from(x), p, q) as f32;
                }
            } else {
                let (p, q) = (&p[run.b..][..run.len], &q[run.b..][..run.len]);
                for (((dx, &x), &p), &q) in dx.iter_mut().zip(x).zip(p).zip(q) {
                    *dx = op.at(f64::from(x), p, q) as f32;
                }
            }
        }
    }
}
