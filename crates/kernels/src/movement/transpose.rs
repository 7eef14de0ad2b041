//! Axes in another order.

use std::ops::Range;

use super::{copy_run, grain};
use crate::dimensions::{check_lengths, product, strides, wholes};
use crate::simd::vectorize;
use crate::{Disjoint, Exec, Isa};

/// One axis of the result: its size and how far apart its neighbours lie in the input and in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    size: usize,
    from: usize,
    to: usize,
}

/// A permutation of axes, with neighbours that stay neighbours merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transpose {
    /// Axes of the result, those aside that `run` or `square` stand for.
    outer: Vec<Axis>,
    inner: Inner,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    /// The innermost axis stays the innermost: runs of this length are copied.
    Run(usize),
    /// The result's innermost axis and the input's innermost axis change places.
    Square { columns: Axis, rows: Axis },
}

impl Transpose {
    /// Axis `i` of the result is axis `axes[i]` of `shape`.
    pub fn new(shape: &[usize], axes: &[usize]) -> Result<Transpose, String> {
        let mut seen = vec![false; shape.len()];
        for &axis in axes {
            match seen.get_mut(axis) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(format!("{axes:?} is no order of {} axes", shape.len())),
            }
        }
        if axes.len() != shape.len() {
            return Err(format!("{axes:?} is no order of {} axes", shape.len()));
        }
        let len = product(shape)?;
        let from = strides(shape);
        let mut merged: Vec<Axis> = Vec::new();
        for &axis in axes.iter().filter(|&&axis| shape[axis] != 1 && len > 0) {
            match merged.last_mut() {
                Some(outer) if outer.from == from[axis] * shape[axis] => {
                    outer.size *= shape[axis];
                    outer.from = from[axis];
                }
                _ => merged.push(Axis {
                    size: shape[axis],
                    from: from[axis],
                    to: 0,
                }),
            }
        }
        let mut to = 1;
        for axis in merged.iter_mut().rev() {
            axis.to = to;
            to *= axis.size;
        }
        let inner = match merged.pop() {
            None => Inner::Run(len),
            Some(axis) if axis.from == 1 => Inner::Run(axis.size),
            Some(columns) => {
                let at = merged.iter().position(|axis| axis.from == 1);
                let rows = merged.remove(at.expect("some axis was the innermost"));
                Inner::Square { columns, rows }
            }
        };
        Ok(Transpose {
            outer: merged,
            inner,
            len,
        })
    }

    /// From the shape and, after it, the order of axes.
    pub fn from_words(words: &[f64]) -> Result<Transpose, String> {
        if !words.len().is_multiple_of(2) {
            return Err("not one place for each axis".to_string());
        }
        let sizes = wholes(words)?;
        let (shape, axes) = sizes.split_at(sizes.len() / 2);
        Transpose::new(shape, axes)
    }

    pub fn check(&self, x: usize, y: usize) -> Result<(), String> {
        check_lengths(&[("x", x, self.len), ("y", y, self.len)])
    }

    /// Where the `index`-th of the outer positions starts in the input and in the result.
    fn starts(&self, index: usize) -> (usize, usize) {
        let (mut rest, mut from, mut to) = (index, 0, 0);
        for axis in self.outer.iter().rev() {
            from += rest % axis.size * axis.from;
            to += rest % axis.size * axis.to;
            rest /= axis.size;
        }
        (from, to)
    }
}

/// y = x with its axes in another order.
pub fn transpose<T: Copy + Send + Sync>(cx: &Exec, geometry: &Transpose, x: &[T], y: &mut [T]) {
    assert_eq!((x.len(), y.len()), (geometry.len, geometry.len));
    if y.is_empty() {
        return;
    }
    let outer: usize = geometry.outer.iter().map(|axis| axis.size).product();
    match geometry.inner {
        Inner::Run(run) if outer == 1 => {
            debug_assert_eq!(run, y.len());
            cx.chunks_mut(y, grain::<T>(), |start, y| {
                y.copy_from_slice(&x[start..start + y.len()])
            });
        }
        Inner::Run(run) => {
            let rows_per_tile = (grain::<T>() / run).max(1);
            cx.chunks_mut(y, rows_per_tile * run, |start, y| {
                for (row, y) in y.chunks_exact_mut(run).enumerate() {
                    let (from, _) = geometry.starts(start / run + row);
                    copy_run(&x[from..from + run], y);
                }
            });
        }
        Inner::Square { columns, rows } if size_of::<T>() == 8 => {
            bands(cx, [(); 8], geometry, outer, x, columns, rows, y);
        }
        Inner::Square { columns, rows } => bands(cx, [(); 16], geometry, outer, x, columns, rows, y),
    }
}

/// Moves `outer` matrices in bands of `N` of the result's columns.
#[allow(clippy::too_many_arguments, reason = "one caller")]
fn bands<T: Copy + Send + Sync, const N: usize>(
    cx: &Exec,
    side: [(); N],
    geometry: &Transpose,
    outer: usize,
    x: &[T],
    columns: Axis,
    rows: Axis,
    y: &mut [T],
) {
    // Matrices with few rows are not moved in squares: wide bands then.
    let width = if rows.size < N { 32 * N } else { N };
    let bands = columns.size.div_ceil(width);
    let y = Disjoint::new(y);
    // 32 bytes forward well from one interleaving to the next; 64 do not.
    let isa = if cx.isa == Isa::Avx512 { Isa::Avx2 } else { cx.isa };
    cx.ranges(outer * bands, grain::<T>() / (width * rows.size), |items| {
        for item in items {
            let first = item % bands * width;
            let band = first..columns.size.min(first + width);
            move_band(
                isa,
                side,
                x,
                geometry.starts(item / bands),
                band,
                columns,
                rows,
                &y,
            );
        }
    });
}

vectorize! {
    /// Moves the columns `band` of one matrix, all rows of it, in squares of a cache line a side: each line is then
    /// read once and written once, however badly lines so far apart fit into a cache together.
    fn move_band[T: Copy, const N: usize](
        _side: [(); N], x: &[T], starts: (usize, usize), band: Range<usize>, columns: Axis, rows: Axis, y: &Disjoint<T>,
    ) {
        let mut top = 0;
        while top < rows.size {
            let height = N.min(rows.size - top);
            let x = &x[starts.0 + top + band.start * columns.from..];
            let line_of = |row: usize| {
                let at = starts.1 + (top + row) * rows.to + band.start;
                // SAFETY: each band of each matrix is handed out once, and no two of them share an element of y.
                unsafe { y.slice(at..at + band.len()) }
            };
            if height == N && band.len() == N {
                let mut square = [[x[0]; N]; N];
                for (column, line) in square.iter_mut().enumerate() {
                    line.copy_from_slice(&x[column * columns.from..][..N]);
                }
                turn(&mut square);
                for (row, line) in square.iter().enumerate() {
                    line_of(row).copy_from_slice(line);
                }
            } else {
                for row in 0..height {
                    for (column, y) in line_of(row).iter_mut().enumerate() {
                        *y = x[column * columns.from + row];
                    }
                }
            }
            top += height;
        }
    }
}

/// Transposes a square whose side is a power of two: as often as the side can be halved, each row of the upper half is
/// interleaved with its partner in the lower half. An interleaving is one shuffle.
#[inline(always)]
fn turn<T: Copy, const N: usize>(square: &mut [[T; N]; N]) {
    let mut other = *square;
    for _ in 0..N.trailing_zeros() / 2 {
        interleave(square, &mut other);
        interleave(&other, square);
    }
    if N.trailing_zeros() % 2 == 1 {
        interleave(square, &mut other);
        *square = other;
    }
}

#[inline(always)]
fn interleave<T: Copy, const N: usize>(from: &[[T; N]; N], to: &mut [[T; N]; N]) {
    for pair in 0..N / 2 {
        let (a, b) = (&from[pair], &from[pair + N / 2]);
        let mixed = |half: usize| -> [T; N] {
            std::array::from_fn(|i| {
                if i % 2 == 0 {
                    a[half + i / 2]
                } else {
                    b[half + i / 2]
                }
            })
        };
        to[2 * pair] = mixed(0);
        to[2 * pair + 1] = mixed(N / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Copy + Send + Sync + PartialEq + std::fmt::Debug>(
        shape: &[usize],
        axes: &[usize],
        make: impl Fn(usize) -> T,
    ) {
        let geometry = Transpose::new(shape, axes).unwrap();
        let x: Vec<T> = (0..geometry.len).map(&make).collect();
        let from = strides(shape);
        let moved: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        let to = strides(&moved);
        let expected: Vec<T> = (0..geometry.len)
            .map(|out| {
                let at = (0..axes.len())
                    .map(|i| out / to[i] % moved[i] * from[axes[i]])
                    .sum::<usize>();
                x[at]
            })
            .collect();
        for cx in Exec::all_for_tests() {
            let mut y = vec![make(usize::MAX / 2); x.len()];
            transpose(&cx, &geometry, &x, &mut y);
            assert_eq!(y, expected, "{shape:?} {axes:?}");
        }
    }

    #[test]
    fn every_element_finds_its_place() {
        let cases: [(&[usize], &[usize]); 18] = [
            (&[], &[]),
            (&[5], &[0]),
            (&[3, 4], &[0, 1]),
            (&[3, 4], &[1, 0]),
            (&[33, 65], &[1, 0]),
            (&[500, 301], &[1, 0]),
            (&[3, 2001], &[1, 0]),
            (&[2001, 3], &[1, 0]),
            (&[1, 7, 1], &[2, 1, 0]),
            (&[4, 5, 6, 3], &[0, 3, 1, 2]),
            (&[4, 3, 5, 6], &[0, 2, 3, 1]),
            (&[2, 3, 4, 5], &[3, 2, 1, 0]),
            (&[2, 3, 4, 5], &[1, 0, 2, 3]),
            (&[2, 3, 4, 5], &[2, 3, 0, 1]),
            (&[2, 3, 4, 5, 6], &[1, 3, 0, 2, 4]),
            (&[2, 3, 2, 3, 2, 3], &[5, 0, 4, 1, 3, 2]),
            (&[3, 100, 50, 2], &[0, 2, 1, 3]),
            (&[3, 0, 2], &[2, 0, 1]),
        ];
        for (shape, axes) in cases {
            check(shape, axes, |i| i as f32);
            check(shape, axes, |i| i as u8);
            check(shape, axes, |i| i as f64);
        }
    }

    #[test]
    fn what_is_no_permutation_is_refused() {
        for axes in [&[0, 0][..], &[0], &[0, 2], &[0, 1, 2], &[usize::MAX, 0]] {
            assert!(Transpose::new(&[2, 3], axes).is_err(), "{axes:?}");
        }
        assert!(Transpose::from_words(&[2.0, 3.0, 1.0, -1.0]).is_err());
        assert!(Transpose::from_words(&[2.0]).is_err());
        assert!(Transpose::new(&[2, 3], &[1, 0]).unwrap().check(6, 5).is_err());
    }
}
