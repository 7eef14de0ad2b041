//! Products over channels or tiles, cut so that rounding errors do not grow with their length.

use crate::Isa;
use crate::conv2d::bands::even;
use crate::microkernel::{Cells, Finish, Left, Right, Segment, Shape, Tile, multiply};

/// [`multiply`] of one segment, at most `longest` of its depth in one chain of sums.
///
/// # Safety
/// As for [`multiply`].
#[allow(clippy::too_many_arguments)]
pub unsafe fn multiply_in_chains(
    isa: Isa,
    longest: usize,
    tile: Tile,
    left: Left,
    right: Right,
    segment: Segment,
    accumulate: bool,
    cells: &Cells,
    (start, row): (usize, usize),
) {
    let chains = tile.depth.div_ceil(longest).max(1);
    // Sums that several chains add to stay in the first-level cache.
    let rows = if chains > 1 {
        4 * Shape::of(isa).rows
    } else {
        tile.rows.max(1)
    };
    for first in (0..tile.rows).step_by(rows) {
        for chain in 0..chains {
            let from = even(tile.depth, chains, chain);
            let part = Tile {
                rows: rows.min(tile.rows - first),
                depth: even(tile.depth, chains, chain + 1) - from,
                ..tile
            };
            let segment = Segment {
                left: segment.left + first * left.row + from * left.step,
                right: segment.right + from * right.step,
            };
            let finish = Finish {
                accumulate: accumulate || chain > 0,
                ..Finish::default()
            };
            // SAFETY: the caller's promise, for some rows of the tile.
            unsafe {
                multiply(
                    isa,
                    part,
                    left,
                    right,
                    &[segment],
                    finish,
                    cells,
                    (start + first * row, row),
                )
            };
        }
    }
}
