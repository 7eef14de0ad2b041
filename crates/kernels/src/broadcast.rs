//! NumPy's broadcasting as a geometry: which element of two operands meets which element of the result.

use crate::dimensions::{check_lengths, product, wholes};

/// One run of the result that is a plain loop: `len` elements from `out` on, whose operands start at `a` and `b` and
/// move by `a_step` and `b_step`, each 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub out: usize,
    pub a: usize,
    pub b: usize,
    pub len: usize,
    pub a_step: usize,
    pub b_step: usize,
}

/// One axis of the result after merging: how far each operand moves along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    pub size: usize,
    pub a: usize,
    pub b: usize,
}

/// How two operands of given shapes meet: an axis of size 1 is repeated along the other operand's. Neighbouring axes
/// along which both operands move evenly are merged, so that runs are as long as they can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    axes: Vec<Axis>,
    /// Elements of the result and of the operands.
    pub len: usize,
    pub a_len: usize,
    pub b_len: usize,
}

impl Broadcast {
    /// The shapes, both of the same rank (the shorter one filled up with 1 on the left), from outside in.
    pub fn new(a: &[usize], b: &[usize]) -> Result<Broadcast, String> {
        if a.len() != b.len() {
            return Err(format!("ranks {} and {}", a.len(), b.len()));
        }
        let (a_len, b_len) = (product(a)?, product(b)?);
        let mut shape = Vec::with_capacity(a.len());
        for (&a, &b) in a.iter().zip(b) {
            shape.push(match (a, b) {
                (1, size) | (size, 1) => size,
                (a, b) if a == b => a,
                _ => return Err(format!("sizes {a} and {b} do not broadcast")),
            });
        }
        let len = product(&shape)?;
        // From the inside out, merged into the axis before where both operands go on evenly.
        let mut axes: Vec<Axis> = Vec::new();
        let (mut a_stride, mut b_stride) = (1, 1);
        for axis in (0..shape.len()).rev() {
            let size = shape[axis];
            if len == 0 || size == 1 {
                continue;
            }
            let next = Axis {
                size,
                a: if a[axis] == 1 { 0 } else { a_stride },
                b: if b[axis] == 1 { 0 } else { b_stride },
            };
            a_stride *= a[axis];
            b_stride *= b[axis];
            match axes.last_mut() {
                Some(inner) if next.a == inner.a * inner.size && next.b == inner.b * inner.size => {
                    inner.size *= size;
                }
                _ => axes.push(next),
            }
        }
        axes.reverse();
        if axes.is_empty() {
            axes.push(Axis {
                size: len,
                a: 0,
                b: 0,
            });
        }
        Ok(Broadcast {
            axes,
            len,
            a_len,
            b_len,
        })
    }

    /// From the two shapes one after the other.
    pub fn from_words(words: &[f64]) -> Result<Broadcast, String> {
        if !words.len().is_multiple_of(2) {
            return Err("two shapes of different rank".to_string());
        }
        let sizes = wholes(words)?;
        let (a, b) = sizes.split_at(sizes.len() / 2);
        Broadcast::new(a, b)
    }

    /// The geometry of operands that need no shapes: equally long, or one of them a single element.
    pub fn from_lengths(a: usize, b: usize) -> Result<Broadcast, String> {
        Broadcast::new(&[a], &[b])
    }

    /// Every buffer is as long as the geometry says. `outs` are buffers of the result's shape.
    pub fn check(&self, a: usize, b: usize, outs: &[usize]) -> Result<(), String> {
        check_lengths(&[("a", a, self.a_len), ("b", b, self.b_len)])?;
        outs.iter()
            .try_for_each(|&out| check_lengths(&[("the result", out, self.len)]))
    }

    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// `Some(channels)` where `a` runs evenly and `b` repeats every `channels` elements: a bias and its like.
    pub fn trailing(&self) -> Option<usize> {
        match self.axes[..] {
            [outer, inner] if (inner.a, inner.b, outer.a, outer.b) == (1, 1, inner.size, 0) => {
                Some(inner.size)
            }
            _ => None,
        }
    }

    /// The same with `b` replaced by `repeats` copies of itself, where [`Broadcast::trailing`] holds: longer runs.
    /// The last run may go past the end and must be cut.
    pub fn with_repeated_b(&self, repeats: usize) -> Broadcast {
        let channels = self.axes[1].size * repeats;
        let outer = Axis {
            size: self.axes[0].size.div_ceil(repeats),
            a: channels,
            b: 0,
        };
        let inner = Axis {
            size: channels,
            a: 1,
            b: 1,
        };
        Broadcast {
            axes: vec![outer, inner],
            b_len: channels,
            ..*self
        }
    }

    /// The runs that cover `len` elements of the result from `start` on. They lie one after the other.
    #[inline(always)]
    pub fn runs(&self, start: usize, len: usize) -> Runs<'_> {
        Runs {
            axes: &self.axes,
            at: start,
            end: (start + len).min(self.len),
            a: 0,
            b: 0,
            rows: 0,
        }
    }

    /// Which elements of `a` and `b` make element `out` of the result.
    pub fn operands(&self, out: usize) -> (usize, usize) {
        operands(&self.axes, out)
    }
}

#[inline(always)]
fn operands(axes: &[Axis], out: usize) -> (usize, usize) {
    let (mut rest, mut a, mut b) = (out, 0, 0);
    for axis in axes.iter().rev() {
        let index = rest % axis.size;
        rest /= axis.size;
        a += index * axis.a;
        b += index * axis.b;
    }
    (a, b)
}

/// See [`Broadcast::runs`].
pub struct Runs<'a> {
    axes: &'a [Axis],
    at: usize,
    end: usize,
    /// Where the operands of the current row start, known without a division for `rows` rows to come.
    a: usize,
    b: usize,
    rows: usize,
}

impl Iterator for Runs<'_> {
    type Item = Run;

    #[inline(always)]
    fn next(&mut self) -> Option<Run> {
        if self.at >= self.end {
            return None;
        }
        let inner = self.axes[self.axes.len() - 1];
        let mut column = 0;
        if self.rows == 0 {
            column = self.at % inner.size;
            (self.a, self.b) = operands(self.axes, self.at - column);
            self.rows = match self.axes {
                [.., outer, _] => outer.size - self.at / inner.size % outer.size,
                _ => 1,
            };
        }
        let run = Run {
            out: self.at,
            a: self.a + column * inner.a,
            b: self.b + column * inner.b,
            len: (inner.size - column).min(self.end - self.at),
            a_step: inner.a,
            b_step: inner.b,
        };
        self.at += run.len;
        self.rows -= 1;
        if let [.., outer, _] = self.axes {
            self.a += outer.a;
            self.b += outer.b;
        }
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(a: &[usize], b: &[usize]) -> Vec<(usize, usize, usize)> {
        let geometry = Broadcast::new(a, b).unwrap();
        geometry
            .axes
            .iter()
            .map(|axis| (axis.size, axis.a, axis.b))
            .collect()
    }

    #[test]
    fn neighbouring_axes_merge() {
        assert_eq!(axes(&[2, 3, 4], &[2, 3, 4]), [(24, 1, 1)]);
        assert_eq!(axes(&[2, 3, 4], &[1, 1, 1]), [(24, 1, 0)]);
        assert_eq!(axes(&[2, 3, 4], &[1, 1, 4]), [(6, 4, 0), (4, 1, 1)]);
        assert_eq!(axes(&[2, 3, 4], &[2, 3, 1]), [(6, 4, 1), (4, 1, 0)]);
        assert_eq!(axes(&[2, 1, 4], &[1, 3, 1]), [(2, 4, 0), (3, 0, 1), (4, 1, 0)]);
        assert_eq!(axes(&[1, 1], &[1, 1]), [(1, 0, 0)]);
        assert_eq!(axes(&[], &[]), [(1, 0, 0)]);
        assert_eq!(axes(&[0, 3], &[1, 3]), [(0, 0, 0)]);
        assert_eq!(Broadcast::new(&[0, 3], &[1, 3]).unwrap().len, 0);
    }

    #[test]
    fn shapes_that_do_not_meet_are_refused() {
        assert!(Broadcast::new(&[2, 3], &[4, 3]).is_err());
        assert!(Broadcast::new(&[2], &[0]).is_err());
        assert!(Broadcast::new(&[2, 3], &[3]).is_err());
        assert!(Broadcast::new(&[1 << 40, 1], &[1, 1 << 40]).is_err());
        assert!(Broadcast::from_words(&[2.0, 3.0, f64::NAN, 3.0]).is_err());
        assert!(Broadcast::from_words(&[2.0]).is_err());
        assert!(
            Broadcast::new(&[2, 3], &[1, 3])
                .unwrap()
                .check(6, 2, &[6])
                .is_err()
        );
    }

    #[test]
    fn runs_cover_any_part_of_the_result_in_order() {
        let geometry = Broadcast::new(&[4, 1, 5], &[1, 3, 5]).unwrap();
        for start in [0, 1, 7, 58] {
            for len in [0, 1, 2, 60 - start] {
                let mut at = start;
                for run in geometry.runs(start, len) {
                    assert_eq!(run.out, at);
                    for i in 0..run.len {
                        let out = at + i;
                        let (row, middle, column) = (out / 15, out / 5 % 3, out % 5);
                        assert_eq!(run.a + i * run.a_step, row * 5 + column);
                        assert_eq!(run.b + i * run.b_step, middle * 5 + column);
                    }
                    at += run.len;
                }
                assert_eq!(at, start + len.min(60 - start));
            }
        }
    }
}
