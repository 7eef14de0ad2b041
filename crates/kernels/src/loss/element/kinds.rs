//! What each loss does to one element.

use crate::simd::MulAdd;
use crate::vector_math::{exp_minus_size, log_one_plus_unit, sigmoid};

/// One element's loss, its slopes, and which labels it takes.
pub(super) trait Element: Copy + Sync {
    fn loss<M: MulAdd>(self, x: f32, t: f32) -> f32;
    /// The derivative with respect to the prediction.
    fn slope<M: MulAdd>(self, x: f32, t: f32) -> f32;
    /// The derivative with respect to the label.
    fn label_slope<M: MulAdd>(self, x: f32, t: f32) -> f32;
    #[inline(always)]
    fn takes(self, _t: f32) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
pub(super) struct Squared;

#[derive(Clone, Copy)]
pub(super) struct Absolute;

#[derive(Clone, Copy)]
pub(super) struct Huber(pub f32);

#[derive(Clone, Copy)]
pub(super) struct Logistic(pub f32);

impl Element for Squared {
    #[inline(always)]
    fn loss<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        (x - t) * (x - t)
    }
    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        2.0 * (x - t)
    }
    #[inline(always)]
    fn label_slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        2.0 * (t - x)
    }
}

impl Element for Absolute {
    #[inline(always)]
    fn loss<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        (x - t).abs()
    }
    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        let d = x - t;
        let sign = if d < 0.0 { -1.0 } else { 1.0 };
        // 0 stays 0 and NaN stays NaN.
        if d.abs() > 0.0 { sign } else { d }
    }
    #[inline(always)]
    fn label_slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        -self.slope::<M>(x, t)
    }
}

impl Element for Huber {
    #[inline(always)]
    fn loss<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        let a = (x - t).abs();
        if a <= self.0 {
            0.5 * a * a
        } else {
            self.0 * (a - 0.5 * self.0)
        }
    }
    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        let d = x - t;
        let d = if d > self.0 { self.0 } else { d };
        if d < -self.0 { -self.0 } else { d }
    }
    #[inline(always)]
    fn label_slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        -self.slope::<M>(x, t)
    }
}

impl Logistic {
    #[inline(always)]
    fn target(self, t: f32) -> f32 {
        t * (1.0 - self.0) + 0.5 * self.0
    }
}

impl Element for Logistic {
    #[inline(always)]
    fn loss<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        let t = self.target(t);
        let a = x.abs();
        // What is wrong with a sure prediction, and what it is unsure of: both without cancellation.
        let wrong = if x > 0.0 { 1.0 - t } else { t };
        a * wrong + log_one_plus_unit::<M>(exp_minus_size::<M>(x))
    }
    #[inline(always)]
    fn slope<M: MulAdd>(self, x: f32, t: f32) -> f32 {
        sigmoid::<M>(x) - self.target(t)
    }
    #[inline(always)]
    fn label_slope<M: MulAdd>(self, x: f32, _t: f32) -> f32 {
        -x * (1.0 - self.0)
    }
    #[inline(always)]
    fn takes(self, t: f32) -> bool {
        (0.0..=1.0).contains(&t)
    }
}
