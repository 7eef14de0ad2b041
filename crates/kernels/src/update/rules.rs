//! The rules, by Keras' formulas. Numbers that change from step to step (corrected rates) come from outside.

use num_traits::Float;

use super::{Rule, STATES};
use crate::unary::number;

/// v ← momentum · v − rate · g; w ← w + v, or with Nesterov's look ahead w + momentum · v − rate · g. The decay is
/// decoupled: w loses rate · decay · w. Sutskever et al. 2013.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    pub rate: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub decay: f64,
}

impl Rule for Sgd {
    const STATES: usize = 1;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [v, b, c]: [T; STATES]) -> (T, [T; STATES]) {
        let (rate, momentum) = (number::<T>(self.rate), number::<T>(self.momentum));
        let w = w - number::<T>(self.rate * self.decay) * w;
        let v = momentum * v - rate * g;
        let w = w + if self.nesterov { momentum * v - rate * g } else { v };
        (w, [v, b, c])
    }
}

/// [`Sgd`] without momentum, which needs no state.
#[derive(Clone, Copy, Debug)]
pub struct PlainSgd {
    pub rate: f64,
    pub decay: f64,
}

impl Rule for PlainSgd {
    const STATES: usize = 0;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, state: [T; STATES]) -> (T, [T; STATES]) {
        let w = w - number::<T>(self.rate * self.decay) * w;
        (w - number::<T>(self.rate) * g, state)
    }
}

/// s ← s + g²; w ← w − rate · g / √(s + ε). Duchi, Hazan and Singer 2011.
#[derive(Clone, Copy, Debug)]
pub struct Adagrad {
    pub rate: f64,
    pub epsilon: f64,
}

impl Rule for Adagrad {
    const STATES: usize = 1;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [s, b, c]: [T; STATES]) -> (T, [T; STATES]) {
        let s = s + g * g;
        (
            w - number::<T>(self.rate) * g / (s + number(self.epsilon)).sqrt(),
            [s, b, c],
        )
    }
}

/// s ← ρ s + (1 − ρ) g²; d = −g √(m + ε) / √(s + ε); m ← ρ m + (1 − ρ) d²; w ← w + rate · d. Zeiler 2012.
#[derive(Clone, Copy, Debug)]
pub struct Adadelta {
    pub rate: f64,
    pub rho: f64,
    pub epsilon: f64,
}

impl Rule for Adadelta {
    const STATES: usize = 2;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [s, m, c]: [T; STATES]) -> (T, [T; STATES]) {
        let (rho, rest, epsilon) = (
            number::<T>(self.rho),
            number::<T>(1.0 - self.rho),
            number::<T>(self.epsilon),
        );
        let s = rho * s + rest * (g * g);
        let d = -g * ((m + epsilon) / (s + epsilon)).sqrt();
        (w + number::<T>(self.rate) * d, [s, rho * m + rest * (d * d), c])
    }
}

/// s ← ρ s + (1 − ρ) g², less the squared mean of g if centered; v ← momentum · v + rate · g / √(s + ε); w ← w − v.
/// Tieleman and Hinton 2012; centered: Graves 2013.
#[derive(Clone, Copy, Debug)]
pub struct RmsProp {
    pub rate: f64,
    pub rho: f64,
    pub momentum: f64,
    pub epsilon: f64,
    pub centered: bool,
}

impl Rule for RmsProp {
    const STATES: usize = 3;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [s, v, mean]: [T; STATES]) -> (T, [T; STATES]) {
        let (rho, rest) = (number::<T>(self.rho), number::<T>(1.0 - self.rho));
        let s = rho * s + rest * (g * g);
        let mean = if self.centered {
            rho * mean + rest * g
        } else {
            mean
        };
        let spread = if self.centered { s - mean * mean } else { s };
        // Steady gradients leave a difference of nothing, which rounding may put below zero.
        let spread = if spread < T::zero() { T::zero() } else { spread };
        let move_by = number::<T>(self.rate) * g / (spread + number(self.epsilon)).sqrt();
        let v = number::<T>(self.momentum) * v + move_by;
        (w - v, [s, v, mean])
    }
}

/// m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − rate · m / (√v + ε), with the rate corrected for the start:
/// η √(1 − β₂ᵗ) / (1 − β₁ᵗ). `decay` is the share of w that goes first. Kingma and Ba 2015; Loshchilov and Hutter 2019.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    pub rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub decay: f64,
}

impl Rule for Adam {
    const STATES: usize = 2;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [m, v, c]: [T; STATES]) -> (T, [T; STATES]) {
        let w = w - number::<T>(self.decay) * w;
        let m = m + (g - m) * number(1.0 - self.beta1);
        let v = v + (g * g - v) * number(1.0 - self.beta2);
        (
            w - number::<T>(self.rate) * m / (v.sqrt() + number(self.epsilon)),
            [m, v, c],
        )
    }
}

/// As [`Adam`], with the largest gradient seen lately instead of the mean of squares: u ← max(β₂ u, |g|);
/// w ← w − rate · m / (u + ε), the rate corrected: η / (1 − β₁ᵗ). Kingma and Ba 2015, section 7.
#[derive(Clone, Copy, Debug)]
pub struct Adamax {
    pub rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Rule for Adamax {
    const STATES: usize = 2;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [m, u, c]: [T; STATES]) -> (T, [T; STATES]) {
        let m = m + (g - m) * number(1.0 - self.beta1);
        let (old, new) = (number::<T>(self.beta2) * u, g.abs());
        let u = if old >= new { old } else { new };
        (
            w - number::<T>(self.rate) * m / (u + number(self.epsilon)),
            [m, u, c],
        )
    }
}

/// Adam with Nesterov's look ahead: w ← w − rate · (before · m + now · g) / (√(v · correction) + ε), with the weights
/// of Dozat 2016.
#[derive(Clone, Copy, Debug)]
pub struct Nadam {
    pub rate: f64,
    /// The weights of the gradient and of the first moment.
    pub now: f64,
    pub before: f64,
    /// 1 / (1 − β₂ᵗ)
    pub correction: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Rule for Nadam {
    const STATES: usize = 2;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [m, v, c]: [T; STATES]) -> (T, [T; STATES]) {
        let m = m + (g - m) * number(1.0 - self.beta1);
        let v = v + (g * g - v) * number(1.0 - self.beta2);
        let ahead = number::<T>(self.before) * m + number::<T>(self.now) * g;
        let root = (v * number(self.correction)).sqrt() + number(self.epsilon);
        (w - number::<T>(self.rate) * ahead / root, [m, v, c])
    }
}

/// w ← w − rate · sign(β₁ m + (1 − β₁) g); m ← β₂ m + (1 − β₂) g. `decay` is the share of w that goes first.
/// Chen et al. 2023.
#[derive(Clone, Copy, Debug)]
pub struct Lion {
    pub rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub decay: f64,
}

impl Rule for Lion {
    const STATES: usize = 1;

    #[inline(always)]
    fn step<T: Float>(self, w: T, g: T, [m, b, c]: [T; STATES]) -> (T, [T; STATES]) {
        let w = w - number::<T>(self.decay) * w;
        let direction = number::<T>(self.beta1) * m + number::<T>(1.0 - self.beta1) * g;
        let zero = T::zero();
        // A NaN is neither above nor below: it stays one.
        let sign = if direction > zero {
            T::one()
        } else if direction < zero {
            -T::one()
        } else {
            direction
        };
        let m = number::<T>(self.beta2) * m + number::<T>(1.0 - self.beta2) * g;
        (w - number::<T>(self.rate) * sign, [m, b, c])
    }
}
