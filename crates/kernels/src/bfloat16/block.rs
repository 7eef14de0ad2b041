//! One block of C, [`SIDE`] × [`SIDE`]: four tiles of sums, which stay in the unit along the depth.
//!
//! What one instruction does to a cell, here and in the unit: the sixteen products of even places are added up one after the
//! other, those of odd places too, then the two sums, then what the cell held; each addition is rounded, and a denormal number
//! is zero before and after it. The products of pieces follow each other within a step, so that each loads one operand
//! anew: bound by the instructions from two pieces on, by loading with one.

use std::marker::PhantomData;

use super::split::{TILE, parts};
use super::{SIDE, Unit};
use crate::Isa;
use crate::microkernel::{self, Cells, Finish, Left, Right, Segment, Shape, Tile};

/// An operand of a block: its pieces, and what they are pieces of.
#[derive(Clone, Copy)]
pub(crate) struct Factor<'a, E> {
    pub words: &'a [f32],
    pub exact: E,
}

/// Sums of a block.
#[repr(align(64))]
pub(super) struct Sums(pub [f32; SIDE * SIDE]);

/// The unit, while a thread computes with it.
pub(crate) struct Session {
    unit: Unit,
    pieces: usize,
    /// What a unit is configured for is its thread's.
    thread: PhantomData<*const ()>,
}

impl Session {
    /// For products of numbers in so many pieces, on this thread.
    pub fn new(unit: Unit, pieces: usize) -> Session {
        assert!((1..=3).contains(&pieces), "{pieces} pieces");
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if unit == Unit::Amx {
            super::amx::configure();
        }
        Session {
            unit,
            pieces,
            thread: PhantomData,
        }
    }

    fn sum(&self, left: &[f32], right: &[f32], sums: &mut Sums) {
        let step = self.pieces * 2 * TILE;
        assert!(
            left.len() == right.len() && left.len().is_multiple_of(step),
            "{} and {} words in {} pieces",
            left.len(),
            right.len(),
            self.pieces
        );
        match self.unit {
            Unit::Plain => super::plain::multiply(self.pieces, left, right, sums),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            // SAFETY: the session stays on the thread that made it, where it has configured the unit; both operands have
            // as many whole steps.
            Unit::Amx => unsafe { super::amx::multiply(self.pieces, left.len() / step, left, right, sums) },
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.unit == Unit::Amx {
            super::amx::release();
        }
    }
}

/// Computes a block as [`microkernel::multiply`] computes a tile. `left.exact` are rows and where the first starts, `right.exact` is a
/// panel of rows of [`SIDE`] floats.
///
/// # Safety
/// As for [`microkernel::multiply`].
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn multiply(
    isa: Isa,
    session: &Session,
    tile: Tile,
    left: Factor<(Left, usize)>,
    right: Factor<&[f32]>,
    finish: Finish,
    cells: &Cells,
    place: (usize, usize),
) {
    let ((left_tiles, of_left), (right_tiles, of_right)) = (parts(left.words), parts(right.words));
    if of_left.suits(of_right) {
        let mut sums = Sums([0.0; SIDE * SIDE]);
        session.sum(left_tiles, right_tiles, &mut sums);
        // SAFETY: the caller's promise.
        return unsafe { microkernel::store(isa, tile, (&sums.0, SIDE), finish, cells, place) };
    }
    let width = Shape::of(isa).cols;
    for first in (0..tile.cols).step_by(width) {
        let tile = Tile {
            cols: width.min(tile.cols - first),
            ..tile
        };
        let segment = Segment {
            left: left.exact.1,
            right: first,
        };
        let finish = Finish {
            bias: finish.bias.map(|bias| &bias[first..]),
            ..finish
        };
        let right = Right {
            data: right.exact,
            step: SIDE,
        };
        let place = (place.0 + first, place.1);
        // SAFETY: the caller's promise.
        unsafe { microkernel::multiply(isa, tile, left.exact.0, right, &[segment], finish, cells, place) };
    }
}

/// Pieces of the left and the right operand whose products are summed up, the small ones first, each with one piece of the product
/// before.
pub(super) const fn products(pieces: usize) -> &'static [(usize, usize)] {
    match pieces {
        1 => &[(0, 0)],
        2 => &[(0, 1), (0, 0), (1, 0)],
        _ => &[(0, 2), (0, 1), (1, 1), (1, 0), (0, 0), (2, 0)],
    }
}
