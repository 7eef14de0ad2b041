//! Optimizer steps: weights and their state, updated in place in one pass over all of them.
//!
//! A rule is written once, generic over float32 and float64. Memory-bound: what counts is that weight, gradient and
//! state are read and written once, in tiles that threads share whatever the number and sizes of the weights.

mod rules;

pub use rules::{Adadelta, Adagrad, Adam, Adamax, Lion, Nadam, PlainSgd, RmsProp, Sgd};

use num_traits::Float;

use crate::simd::vectorize;
use crate::unary::number;
use crate::{Disjoint, Exec};

/// Elements in one tile.
const GRAIN: usize = 1 << 14;
/// The most buffers of state that a rule keeps for a weight.
pub const STATES: usize = 3;

/// What a rule does to one element.
pub trait Rule: Copy + Send + Sync + 'static {
    /// Buffers of state for each weight, at most [`STATES`].
    const STATES: usize;

    /// The new weight and state from the old ones and the gradient. State beyond [`Rule::STATES`] is zero.
    fn step<T: Float>(self, weight: T, gradient: T, state: [T; STATES]) -> (T, [T; STATES]);
}

/// What is done to gradients first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    None,
    /// Every element is kept within ± this.
    Value(f64),
    /// Every gradient is shortened to this Euclidean norm if it is longer.
    Norm(f64),
    /// All gradients together are.
    GlobalNorm(f64),
}

impl Clip {
    /// From a number that says which (0 none, 1 value, 2 norm, 3 global norm) and the bound.
    pub fn from_words(kind: u32, bound: f64) -> Result<Clip, String> {
        if kind != 0 && !(bound > 0.0 && bound < f64::INFINITY) {
            return Err(format!("{bound} is no bound for gradients"));
        }
        match kind {
            0 => Ok(Clip::None),
            1 => Ok(Clip::Value(bound)),
            2 => Ok(Clip::Norm(bound)),
            3 => Ok(Clip::GlobalNorm(bound)),
            _ => Err(format!("{kind} is no kind of clipping")),
        }
    }
}

/// One weight and what belongs to it; all of the same length, state beyond [`Rule::STATES`] empty.
pub struct Slot<'a, T> {
    pub weight: &'a mut [T],
    pub gradient: &'a [T],
    pub state: [&'a mut [T]; STATES],
}

/// One step of `rule` for all slots.
pub fn update<R: Rule>(cx: &Exec, rule: R, clip: Clip, slots: &mut [Slot<f32>]) {
    let lengths: Vec<usize> = slots.iter().map(|slot| slot.gradient.len()).collect();
    let tiles = Tiles::new(&lengths);
    let gradients: Vec<&[f32]> = slots.iter().map(|slot| slot.gradient).collect();
    let scales = scales(cx, clip, &gradients, &tiles);
    let bound = if let Clip::Value(bound) = clip {
        bound as f32
    } else {
        f32::INFINITY
    };
    let targets: Vec<_> = slots
        .iter_mut()
        .map(|slot| {
            (
                Disjoint::new(slot.weight),
                slot.state.each_mut().map(|state| Disjoint::new(state)),
            )
        })
        .collect();
    cx.tiles(tiles.count(), |tile| {
        let (slot, range) = tiles.part(tile);
        let (weight, state) = &targets[slot];
        // SAFETY: tiles are disjoint parts of disjoint slots.
        let weight = unsafe { weight.slice(range.clone()) };
        let mut index = 0;
        let state = state.each_ref().map(|state| {
            index += 1;
            let range = if index <= R::STATES { range.clone() } else { 0..0 };
            // SAFETY: as above.
            unsafe { state.slice(range) }
        });
        step(
            cx.isa,
            rule,
            scales[slot] as f32,
            bound,
            &gradients[slot][range],
            weight,
            state,
        );
    });
}

vectorize! {
    fn step[R: Rule](
        rule: R, scale: f32, bound: f32, gradient: &[f32], weight: &mut [f32], state: [&mut [f32]; STATES],
    ) {
        let [a, b, c] = state;
        let len = weight.len();
        let gradient = &gradient[..len];
        // Slices of the same length, so that the loop has no checks in it.
        match R::STATES {
            0 => {
                for (w, &g) in weight.iter_mut().zip(gradient) {
                    (*w, _) = rule.step(*w, clipped(g, scale, bound), [0.0; STATES]);
                }
            }
            1 => {
                for ((w, &g), a) in weight.iter_mut().zip(gradient).zip(&mut a[..len]) {
                    (*w, [*a, _, _]) = rule.step(*w, clipped(g, scale, bound), [*a, 0.0, 0.0]);
                }
            }
            2 => {
                for (((w, &g), a), b) in weight.iter_mut().zip(gradient).zip(&mut a[..len]).zip(&mut b[..len]) {
                    (*w, [*a, *b, _]) = rule.step(*w, clipped(g, scale, bound), [*a, *b, 0.0]);
                }
            }
            _ => {
                let state = a[..len].iter_mut().zip(&mut b[..len]).zip(&mut c[..len]);
                for ((w, &g), ((a, b), c)) in weight.iter_mut().zip(gradient).zip(state) {
                    (*w, [*a, *b, *c]) = rule.step(*w, clipped(g, scale, bound), [*a, *b, *c]);
                }
            }
        }
    }
}

/// The gradient as the rule sees it; a NaN stays one.
#[inline(always)]
fn clipped<T: Float>(gradient: T, scale: T, bound: T) -> T {
    let scaled = gradient * scale;
    if scaled > bound {
        bound
    } else if scaled < -bound {
        -bound
    } else {
        scaled
    }
}

/// How slots are cut into tiles.
struct Tiles {
    /// For each slot the number of its first tile and its length.
    starts: Vec<(usize, usize)>,
    count: usize,
}

impl Tiles {
    fn new(lengths: &[usize]) -> Tiles {
        let mut count = 0;
        let starts = lengths
            .iter()
            .map(|&len| {
                let start = (count, len);
                count += len.div_ceil(GRAIN);
                start
            })
            .collect();
        Tiles { starts, count }
    }

    fn count(&self) -> usize {
        self.count
    }

    /// The slot and the range of a tile.
    fn part(&self, tile: usize) -> (usize, std::ops::Range<usize>) {
        let slot = self.starts.partition_point(|(first, _)| *first <= tile) - 1;
        // Empty slots share their first tile with the next that is not.
        let (first, len) = self.starts[slot];
        let start = (tile - first) * GRAIN;
        (slot, start..len.min(start + GRAIN))
    }
}

vectorize! {
    fn sum_of_squares[](x: &[f32]) -> f64 {
        let mut sums = [0.0f64; 16];
        let (blocks, rest) = x.as_chunks::<16>();
        for block in blocks {
            for (sum, &x) in sums.iter_mut().zip(block) {
                *sum += f64::from(x) * f64::from(x);
            }
        }
        rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() + sums.iter().sum::<f64>()
    }
}

/// What each slot's gradient is multiplied by.
fn scales(cx: &Exec, clip: Clip, gradients: &[&[f32]], tiles: &Tiles) -> Vec<f64> {
    if matches!(clip, Clip::None | Clip::Value(_)) {
        return vec![1.0; gradients.len()];
    }
    let mut squares = vec![0.0; tiles.count()];
    cx.chunks_mut(&mut squares, 1, |tile, square| {
        let (slot, range) = tiles.part(tile);
        square[0] = sum_of_squares(cx.isa, &gradients[slot][range]);
    });
    let mut totals = vec![0.0; gradients.len()];
    for (tile, square) in squares.iter().enumerate() {
        totals[tiles.part(tile).0] += square;
    }
    scales_of(clip, &totals)
}

/// From the squared norms of all slots.
fn scales_of(clip: Clip, squares: &[f64]) -> Vec<f64> {
    let scale = |square: f64, bound: f64| {
        let norm = square.sqrt();
        if norm <= bound { 1.0 } else { bound / norm }
    };
    match clip {
        Clip::None | Clip::Value(_) => vec![1.0; squares.len()],
        Clip::Norm(bound) => squares.iter().map(|&square| scale(square, bound)).collect(),
        Clip::GlobalNorm(bound) => vec![scale(squares.iter().sum(), bound); squares.len()],
    }
}

/// What is right, in plain loops.
pub mod reference {
    use super::*;

    pub fn update<T: Float, R: Rule>(rule: R, clip: Clip, slots: &mut [Slot<T>]) {
        let squares: Vec<f64> = slots
            .iter()
            .map(|slot| {
                slot.gradient
                    .iter()
                    .map(|g| g.to_f64().unwrap_or(f64::NAN).powi(2))
                    .sum()
            })
            .collect();
        let bound = if let Clip::Value(bound) = clip {
            number(bound)
        } else {
            T::infinity()
        };
        for (slot, scale) in slots.iter_mut().zip(scales_of(clip, &squares)) {
            for i in 0..slot.weight.len() {
                let old = slot
                    .state
                    .each_ref()
                    .map(|state| state.get(i).copied().unwrap_or(T::zero()));
                let gradient = clipped(slot.gradient[i], number(scale), bound);
                let (weight, new) = rule.step(slot.weight[i], gradient, old);
                slot.weight[i] = weight;
                for (state, new) in slot.state.iter_mut().zip(new) {
                    if let Some(state) = state.get_mut(i) {
                        *state = new;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers(lengths: &[usize], salt: usize) -> Vec<Vec<f32>> {
        let value = |i: usize| ((i * 37 + salt) % 101) as f32 / 50.0 - 1.0;
        lengths.iter().map(|&len| (0..len).map(value).collect()).collect()
    }

    fn run(
        cx: Option<&Exec>,
        rule: impl Rule,
        states: usize,
        clip: Clip,
        lengths: &[usize],
    ) -> Vec<Vec<f32>> {
        let (mut weights, gradients) = (buffers(lengths, 1), buffers(lengths, 2));
        let mut state: Vec<[Vec<f32>; STATES]> = lengths
            .iter()
            .map(|&len| std::array::from_fn(|i| if i < states { vec![0.25; len] } else { vec![] }))
            .collect();
        for _ in 0..3 {
            let mut slots: Vec<Slot<f32>> = weights
                .iter_mut()
                .zip(&gradients)
                .zip(&mut state)
                .map(|((weight, gradient), state)| Slot {
                    weight,
                    gradient,
                    state: state.each_mut().map(|state| state.as_mut_slice()),
                })
                .collect();
            match cx {
                Some(cx) => update(cx, rule, clip, &mut slots),
                None => reference::update(rule, clip, &mut slots),
            }
        }
        weights.extend(state.into_iter().flatten());
        weights
    }

    fn check(rule: impl Rule + std::fmt::Debug, states: usize) {
        let lengths = [3, 0, 1, 0, GRAIN + 17, 31, 2 * GRAIN];
        for clip in [
            Clip::None,
            Clip::Value(0.3),
            Clip::Norm(0.7),
            Clip::GlobalNorm(2.0),
        ] {
            let expected = run(None, rule, states, clip, &lengths);
            for cx in Exec::all_for_tests() {
                let found = run(Some(&cx), rule, states, clip, &lengths);
                for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                    let close = (found - expected).abs() <= 2e-5 * expected.abs().max(0.1);
                    assert!(close, "{rule:?} {clip:?} {:?}: {found} {expected}", cx.isa);
                }
            }
        }
    }

    #[test]
    fn every_rule_agrees_with_the_reference() {
        check(
            Sgd {
                rate: 0.1,
                momentum: 0.0,
                nesterov: false,
                decay: 0.01,
            },
            1,
        );
        check(
            Sgd {
                rate: 0.1,
                momentum: 0.9,
                nesterov: true,
                decay: 0.0,
            },
            1,
        );
        check(
            Adagrad {
                rate: 0.1,
                epsilon: 1e-7,
            },
            1,
        );
        check(
            Adadelta {
                rate: 0.1,
                rho: 0.95,
                epsilon: 1e-7,
            },
            2,
        );
        check(
            RmsProp {
                rate: 0.1,
                rho: 0.9,
                momentum: 0.5,
                epsilon: 1e-3,
                centered: true,
            },
            3,
        );
        check(
            Adam {
                rate: 0.1,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-7,
                decay: 0.01,
            },
            2,
        );
        check(
            Adamax {
                rate: 0.1,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-7,
            },
            2,
        );
        check(
            Nadam {
                now: 0.1,
                before: 0.9,
                correction: 0.5,
                rate: 0.1,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-7,
            },
            2,
        );
        check(
            Lion {
                rate: 0.1,
                beta1: 0.9,
                beta2: 0.99,
                decay: 0.01,
            },
            1,
        );
    }

    #[test]
    fn a_nan_stays_one_and_clipping_is_checked() {
        assert!(clipped(f32::NAN, 1.0, 0.5).is_nan());
        assert_eq!(
            [
                clipped(2.0f32, 1.0, 0.5),
                clipped(-2.0, 1.0, 0.5),
                clipped(2.0, 0.5, 9.0)
            ],
            [0.5, -0.5, 1.0]
        );
        for bound in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Clip::from_words(1, bound).is_err());
        }
        assert!(Clip::from_words(4, 1.0).is_err());
        assert_eq!(scales_of(Clip::GlobalNorm(1.0), &[9.0, 16.0]), [0.2, 0.2]);
        assert_eq!(scales_of(Clip::Norm(4.0), &[9.0, 64.0]), [1.0, 0.5]);
    }
}
