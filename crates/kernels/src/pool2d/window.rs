//! Where the taps of a window stand, and which windows cover a cell.

use std::ops::Range;

use super::Pool2d;
use crate::padding::Axis;

/// Where the taps of one window stand: those on the image, and the first element of tap (0, 0), which may lie before it.
pub(super) struct Window {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    origin: isize,
    /// Elements from a tap to the next one below and to the right.
    down: usize,
    right: usize,
}

impl Window {
    #[inline(always)]
    pub fn of(pool: &Pool2d, image: usize, row: usize, column: usize) -> Window {
        let (top, left) = (pool.height.start(row), pool.width.start(column));
        let line = (pool.width.input * pool.channels) as isize;
        Window {
            rows: taps(&pool.height, row),
            columns: taps(&pool.width, column),
            origin: ((image * pool.height.input) as isize + top) * line + left * pool.channels as isize,
            down: pool.height.dilation * line as usize,
            right: pool.width.dilation * pool.channels,
        }
    }

    /// The first element of a tap on the image.
    #[inline(always)]
    pub fn at(&self, row: usize, column: usize) -> usize {
        (self.origin + (row * self.down + column * self.right) as isize) as usize
    }
}

/// As [`Axis::taps`], without a division where no padding is near.
#[inline(always)]
pub(super) fn taps(axis: &Axis, position: usize) -> Range<usize> {
    let start = position * axis.stride;
    if start >= axis.before && start - axis.before + axis.span() <= axis.input {
        0..axis.kernel
    } else {
        axis.taps(position)
    }
}

/// The window positions that may cover each input cell, cell by cell along an axis: they move with the cell, so
/// nothing is divided. A position does cover the cell if its distance is a multiple of the dilation.
pub(super) struct Covering {
    first: Counter,
    last: Counter,
    output: usize,
}

/// ⌊n / stride⌋ while n grows by one; 0 for negative n.
struct Counter {
    stride: usize,
    quotient: usize,
    remainder: usize,
    /// How far n is below 0.
    below: usize,
}

impl Counter {
    fn new(n: isize, stride: usize) -> Counter {
        let above = n.max(0) as usize;
        Counter {
            stride,
            quotient: above / stride,
            remainder: above % stride,
            below: n.min(0).unsigned_abs(),
        }
    }

    #[inline(always)]
    fn advance(&mut self) {
        if self.below > 0 {
            self.below -= 1;
            return;
        }
        self.remainder += 1;
        if self.remainder == self.stride {
            self.remainder = 0;
            self.quotient += 1;
        }
    }
}

impl Covering {
    /// Begins at input cell `cell`.
    pub fn from(axis: &Axis, cell: usize) -> Covering {
        let n = (cell + axis.before) as isize;
        Covering {
            first: Counter::new(n + axis.stride as isize - axis.span() as isize, axis.stride),
            last: Counter::new(n, axis.stride),
            output: axis.output,
        }
    }
}

impl Iterator for Covering {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        let range = self.first.quotient..(self.last.quotient + 1).min(self.output);
        self.first.advance();
        self.last.advance();
        Some(range)
    }
}

/// The tap with which window `position`, one of [`covering`], covers `cell`.
#[inline(always)]
pub(super) fn tap_on(axis: &Axis, position: usize, cell: usize) -> Option<usize> {
    let distance = cell + axis.before - position * axis.stride;
    if axis.dilation == 1 {
        Some(distance)
    } else {
        distance
            .is_multiple_of(axis.dilation)
            .then(|| distance / axis.dilation)
    }
}
