//! A box inside a tensor: cutting it out, putting it in, and filling what surrounds it.

use super::{copy_run, grain};
use crate::dimensions::{check_lengths, product, strides, wholes};
use crate::{Disjoint, Exec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    /// The size of the tensor along this axis, where the box begins, and the size of the box.
    whole: usize,
    begin: usize,
    size: usize,
}

/// A box inside a tensor. An axis that the box fills is merged with the one outside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    axes: Vec<Axis>,
    /// Distances of neighbours along each axis, in the tensor.
    strides: Vec<usize>,
    /// Elements of the tensor and of the box.
    pub whole_len: usize,
    pub box_len: usize,
}

impl Window {
    pub fn new(whole: &[usize], begin: &[usize], size: &[usize]) -> Result<Window, String> {
        if begin.len() != whole.len() || size.len() != whole.len() {
            return Err(format!(
                "ranks {}, {} and {}",
                whole.len(),
                begin.len(),
                size.len()
            ));
        }
        let (whole_len, box_len) = (product(whole)?, product(size)?);
        let mut axes: Vec<Axis> = Vec::new();
        for ((&whole, &begin), &size) in whole.iter().zip(begin).zip(size) {
            if begin.checked_add(size).is_none_or(|end| end > whole) {
                return Err(format!("{size} elements from {begin} on of {whole}"));
            }
            match axes.last_mut() {
                _ if whole_len == 0 => {}
                Some(outer) if size == whole => {
                    outer.whole *= whole;
                    outer.begin *= whole;
                    outer.size *= whole;
                }
                _ => axes.push(Axis { whole, begin, size }),
            }
        }
        let sizes: Vec<usize> = axes.iter().map(|axis| axis.whole).collect();
        Ok(Window {
            strides: strides(&sizes),
            axes,
            whole_len,
            box_len,
        })
    }

    /// From the tensor's shape, where the box begins and its size, one after the other.
    pub fn from_words(words: &[f64]) -> Result<Window, String> {
        if !words.len().is_multiple_of(3) {
            return Err("three lists of different length".to_string());
        }
        let sizes = wholes(words)?;
        let rank = sizes.len() / 3;
        Window::new(&sizes[..rank], &sizes[rank..2 * rank], &sizes[2 * rank..])
    }

    pub fn check(&self, whole: usize, part: usize) -> Result<(), String> {
        check_lengths(&[
            ("the tensor", whole, self.whole_len),
            ("the part", part, self.box_len),
        ])
    }

    /// The innermost axis; of a tensor without axes, its only element.
    fn inner(&self) -> Axis {
        self.axes.last().copied().unwrap_or(Axis {
            whole: 1,
            begin: 0,
            size: 1,
        })
    }

    /// Where row `row` of the box starts in the tensor.
    fn row_start(&self, row: usize) -> usize {
        let (mut rest, mut at) = (row, self.inner().begin);
        for (axis, stride) in self.axes.iter().zip(&self.strides).rev().skip(1) {
            at += (axis.begin + rest % axis.size) * stride;
            rest /= axis.size;
        }
        at
    }

    /// Calls `body(at_in_tensor, at_in_box, len)` for stretches that cover `len` elements of the box from `start` on.
    fn stretches(&self, start: usize, len: usize, mut body: impl FnMut(usize, usize, usize)) {
        let size = self.inner().size;
        // Rows along the axis outside the innermost are one stride apart: no division while it goes on.
        let outer = self
            .axes
            .len()
            .checked_sub(2)
            .map(|axis| (self.axes[axis].size, self.strides[axis]));
        let (mut at, end) = (start, start + len);
        while at < end {
            let row = at / size;
            let mut column = at % size;
            let mut row_at = self.row_start(row);
            let (rows, stride) = outer.map_or((1, 0), |(rows, stride)| (rows - row % rows, stride));
            for _ in 0..rows {
                let run = (size - column).min(end - at);
                body(row_at + column, at, run);
                at += run;
                column = 0;
                row_at += stride;
                if at == end {
                    return;
                }
            }
        }
    }
}

/// part = the box cut out of `whole`.
pub fn slice<T: Copy + Send + Sync>(cx: &Exec, window: &Window, whole: &[T], part: &mut [T]) {
    assert_eq!((whole.len(), part.len()), (window.whole_len, window.box_len));
    cx.chunks_mut(part, grain::<T>(), |start, part| {
        window.stretches(start, part.len(), |at, out, len| {
            copy_run(&whole[at..at + len], &mut part[out - start..][..len]);
        });
    });
}

/// Puts `part` into the box of `whole` and leaves the rest as it is.
pub fn insert<T: Copy + Send + Sync>(cx: &Exec, window: &Window, part: &[T], whole: &mut [T]) {
    assert_eq!((whole.len(), part.len()), (window.whole_len, window.box_len));
    let whole = Disjoint::new(whole);
    cx.ranges(part.len(), grain::<T>(), |range| {
        window.stretches(range.start, range.len(), |at, from, len| {
            // SAFETY: different elements of the box lie in different places, and each is handed out once.
            copy_run(&part[from..from + len], unsafe { whole.slice(at..at + len) });
        });
    });
}

/// Puts `part` into the box of `whole` and `value` everywhere else.
pub fn pad<T: Copy + Send + Sync>(cx: &Exec, window: &Window, part: &[T], value: T, whole: &mut [T]) {
    assert_eq!((whole.len(), part.len()), (window.whole_len, window.box_len));
    let inner = window.inner();
    let rows_per_tile = (grain::<T>() / inner.whole.max(1)).max(1);
    cx.chunks_mut(whole, rows_per_tile * inner.whole, |start, whole| {
        for (row, whole) in whole.chunks_exact_mut(inner.whole).enumerate() {
            match box_row(window, start / inner.whole + row) {
                Some(row) => {
                    let (before, rest) = whole.split_at_mut(inner.begin);
                    let (inside, after) = rest.split_at_mut(inner.size);
                    before.fill(value);
                    copy_run(&part[row * inner.size..][..inner.size], inside);
                    after.fill(value);
                }
                None => whole.fill(value),
            }
        }
    });
}

/// The row of the box that lies in row `row` of the tensor, if one does.
fn box_row(window: &Window, row: usize) -> Option<usize> {
    let (mut rest, mut inside, mut scale) = (row, 0, 1);
    for axis in window.axes.iter().rev().skip(1) {
        let index = (rest % axis.whole)
            .checked_sub(axis.begin)
            .filter(|&index| index < axis.size)?;
        inside += index * scale;
        scale *= axis.size;
        rest /= axis.whole;
    }
    Some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape, begin and size of boxes: inner, outer, middle, single elements, the whole, empty.
    const CASES: [(&[usize], &[usize], &[usize]); 14] = [
        (&[], &[], &[]),
        (&[7], &[2], &[3]),
        (&[100_000], &[11], &[70_000]),
        (&[5, 6], &[0, 0], &[5, 6]),
        (&[5, 6], &[1, 0], &[3, 6]),
        (&[5, 6], &[0, 2], &[5, 1]),
        (&[5, 6], &[1, 2], &[3, 4]),
        (&[4, 9, 9, 3], &[0, 1, 2, 0], &[4, 7, 6, 3]),
        (&[4, 9, 9, 3], &[1, 1, 2, 1], &[2, 7, 6, 2]),
        (&[300, 200, 3], &[0, 0, 1], &[300, 200, 1]),
        (&[2, 3, 4, 5, 6], &[1, 0, 1, 2, 0], &[1, 3, 2, 3, 6]),
        (&[5, 6], &[1, 6], &[3, 0]),
        (&[5, 0], &[1, 0], &[3, 0]),
        (&[1, 1], &[0, 0], &[1, 1]),
    ];

    /// For each element of the tensor, the element of the box that lies there.
    fn places(whole: &[usize], begin: &[usize], size: &[usize]) -> Vec<Option<usize>> {
        let (whole_strides, box_strides) = (strides(whole), strides(size));
        (0..whole.iter().product())
            .map(|at: usize| {
                (0..whole.len()).try_fold(0, |inside, axis| {
                    let index = at / whole_strides[axis] % whole[axis];
                    (begin[axis]..begin[axis] + size[axis])
                        .contains(&index)
                        .then(|| inside + (index - begin[axis]) * box_strides[axis])
                })
            })
            .collect()
    }

    fn check<T: Copy + Send + Sync + PartialEq + std::fmt::Debug>(make: impl Fn(usize) -> T) {
        for (shape, begin, size) in CASES {
            let window = Window::new(shape, begin, size).unwrap();
            let places = places(shape, begin, size);
            let part: Vec<T> = (0..window.box_len).map(|i| make(i + 1)).collect();
            let (value, before) = (make(250), make(251));
            let of = |outside: T| -> Vec<T> {
                places
                    .iter()
                    .map(|at| at.map_or(outside, |at| part[at]))
                    .collect()
            };
            for cx in Exec::all_for_tests() {
                let mut whole = vec![before; places.len()];
                pad(&cx, &window, &part, value, &mut whole);
                assert_eq!(whole, of(value), "{shape:?} {begin:?} {size:?}");
                whole.fill(before);
                insert(&cx, &window, &part, &mut whole);
                assert_eq!(whole, of(before), "{shape:?} {begin:?} {size:?}");
                let mut cut = vec![before; part.len()];
                slice(&cx, &window, &whole, &mut cut);
                assert_eq!(cut, part, "{shape:?} {begin:?} {size:?}");
            }
        }
    }

    #[test]
    fn boxes_are_cut_put_and_surrounded() {
        check(|i| i as f32);
        check(|i| i as u8);
        check(|i| i as f64);
    }

    #[test]
    fn boxes_outside_the_tensor_are_refused() {
        assert!(Window::new(&[5], &[3], &[3]).is_err());
        assert!(Window::new(&[5], &[usize::MAX], &[2]).is_err());
        assert!(Window::new(&[5, 1], &[3], &[3]).is_err());
        assert!(Window::from_words(&[5.0, 0.0, f64::NAN]).is_err());
        assert!(Window::from_words(&[5.0, 0.0]).is_err());
        assert!(Window::new(&[5], &[1], &[3]).unwrap().check(5, 4).is_err());
    }
}
