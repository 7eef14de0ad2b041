//! Functions of two numbers with NumPy's broadcasting: the loops, and the ops of arithmetic.
//!
//! As in [`crate::unary`], an op is a type with a fast and an exact form. Gradients come out in the shape of the
//! result; the axes along which an operand was repeated are summed away afterwards, by [`crate::reduce`].

use num_traits::Float;

use crate::broadcast::Broadcast;
use crate::simd::vectorize;
use crate::{Exec, with_scratch};

pub mod arithmetic;

/// Elements of the result in one tile.
const GRAIN: usize = 1 << 15;
/// Runs shorter than this are made longer where that is easy.
const SHORT_RUN: usize = 128;
/// The length they are made to have at least.
const LONG_RUN: usize = 512;

/// A function of two numbers and its gradient with respect to each.
pub trait Binary: Copy + Send + Sync + 'static {
    fn value(self, a: f32, b: f32) -> f32;
    /// dy · ∂y/∂a
    fn slope_a(self, dy: f32, a: f32, b: f32) -> f32;
    /// dy · ∂y/∂b
    fn slope_b(self, dy: f32, a: f32, b: f32) -> f32;

    fn exact_value<T: Float>(self, a: T, b: T) -> T;
    fn exact_slope_a<T: Float>(self, dy: T, a: T, b: T) -> T;
    fn exact_slope_b<T: Float>(self, dy: T, a: T, b: T) -> T;
}

/// Which operand a gradient belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

/// y = op(a, b)
pub fn forward<O: Binary>(cx: &Exec, op: O, geometry: &Broadcast, a: &[f32], b: &[f32], y: &mut [f32]) {
    with_long_runs(geometry, b, |geometry, b| {
        cx.chunks_mut(y, GRAIN, |start, y| values(cx.isa, op, geometry, a, b, start, y));
    });
}

/// The gradient of one operand, in the shape of the result.
pub fn backward<O: Binary>(
    cx: &Exec,
    op: O,
    side: Side,
    geometry: &Broadcast,
    dy: &[f32],
    [a, b]: [&[f32]; 2],
    d: &mut [f32],
) {
    assert_eq!(dy.len(), d.len());
    with_long_runs(geometry, b, |geometry, b| {
        cx.chunks_mut(d, GRAIN, |start, d| {
            let dy = &dy[start..start + d.len()];
            match side {
                Side::A => slopes(cx.isa, SlopeA(op), geometry, dy, a, b, start, d),
                Side::B => slopes(cx.isa, SlopeB(op), geometry, dy, a, b, start, d),
            }
        });
    });
}

/// Where `b` repeats every few elements, repeats it in working memory so that runs are long.
fn with_long_runs(geometry: &Broadcast, b: &[f32], body: impl FnOnce(&Broadcast, &[f32])) {
    match geometry.trailing() {
        Some(channels) if channels < SHORT_RUN && geometry.len > 4 * LONG_RUN => {
            let repeats = LONG_RUN.div_ceil(channels);
            with_scratch(repeats * channels, |repeated| {
                for copy in repeated.chunks_exact_mut(channels) {
                    copy.copy_from_slice(b);
                }
                body(&geometry.with_repeated_b(repeats), repeated);
            });
        }
        _ => body(geometry, b),
    }
}

vectorize! {
    fn values[O: Binary](op: O, geometry: &Broadcast, a: &[f32], b: &[f32], start: usize, y: &mut [f32]) {
        for run in geometry.runs(start, y.len()) {
            let y = &mut y[run.out - start..][..run.len];
            match (run.a_step, run.b_step) {
                (0, 0) => y.fill(op.value(a[run.a], b[run.b])),
                (0, _) => {
                    let a = a[run.a];
                    for (y, &b) in y.iter_mut().zip(&b[run.b..][..run.len]) {
                        *y = op.value(a, b);
                    }
                }
                (_, 0) => {
                    let b = b[run.b];
                    for (y, &a) in y.iter_mut().zip(&a[run.a..][..run.len]) {
                        *y = op.value(a, b);
                    }
                }
                _ => {
                    let (a, b) = (&a[run.a..][..run.len], &b[run.b..][..run.len]);
                    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                        *y = op.value(a, b);
                    }
                }
            }
        }
    }
}

/// One of an op's two gradients as a type, so that it is inlined.
trait Slope: Copy {
    fn at(self, dy: f32, a: f32, b: f32) -> f32;
}

#[derive(Clone, Copy)]
struct SlopeA<O>(O);

impl<O: Binary> Slope for SlopeA<O> {
    #[inline(always)]
    fn at(self, dy: f32, a: f32, b: f32) -> f32 {
        self.0.slope_a(dy, a, b)
    }
}

#[derive(Clone, Copy)]
struct SlopeB<O>(O);

impl<O: Binary> Slope for SlopeB<O> {
    #[inline(always)]
    fn at(self, dy: f32, a: f32, b: f32) -> f32 {
        self.0.slope_b(dy, a, b)
    }
}

vectorize! {
    fn slopes[S: Slope](
        slope: S, geometry: &Broadcast, dy: &[f32], a: &[f32], b: &[f32], start: usize, d: &mut [f32],
    ) {
        for run in geometry.runs(start, d.len()) {
            let at = run.out - start;
            let (d, dy) = (&mut d[at..][..run.len], &dy[at..][..run.len]);
            match (run.a_step, run.b_step) {
                (0, 0) => {
                    let (a, b) = (a[run.a], b[run.b]);
                    for (d, &dy) in d.iter_mut().zip(dy) {
                        *d = slope.at(dy, a, b);
                    }
                }
                (0, _) => {
                    let a = a[run.a];
                    for ((d, &dy), &b) in d.iter_mut().zip(dy).zip(&b[run.b..][..run.len]) {
                        *d = slope.at(dy, a, b);
                    }
                }
                (_, 0) => {
                    let b = b[run.b];
                    for ((d, &dy), &a) in d.iter_mut().zip(dy).zip(&a[run.a..][..run.len]) {
                        *d = slope.at(dy, a, b);
                    }
                }
                _ => {
                    let (a, b) = (&a[run.a..][..run.len], &b[run.b..][..run.len]);
                    for (((d, &dy), &a), &b) in d.iter_mut().zip(dy).zip(a).zip(b) {
                        *d = slope.at(dy, a, b);
                    }
                }
            }
        }
    }
}

/// What is right, in plain loops.
pub mod reference {
    use super::{Binary, Broadcast, Float, Side};

    pub fn forward<T: Float, O: Binary>(op: O, geometry: &Broadcast, a: &[T], b: &[T], y: &mut [T]) {
        for (out, y) in y.iter_mut().enumerate() {
            let (i, j) = geometry.operands(out);
            *y = op.exact_value(a[i], b[j]);
        }
    }

    pub fn backward<T: Float, O: Binary>(
        op: O,
        side: Side,
        geometry: &Broadcast,
        dy: &[T],
        [a, b]: [&[T]; 2],
        d: &mut [T],
    ) {
        for (out, d) in d.iter_mut().enumerate() {
            let (i, j) = geometry.operands(out);
            *d = match side {
                Side::A => op.exact_slope_a(dy[out], a[i], b[j]),
                Side::B => op.exact_slope_b(dy[out], a[i], b[j]),
            };
        }
    }
}
