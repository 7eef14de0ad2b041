//! How a product is cut: its sum by the sizes alone, since that decides how results are rounded; C by the cache and the
//! number of threads too.

use std::ops::Range;

use super::Geometry;
use crate::cache::second_level;
use crate::microkernel::Shape;

/// Depth of the blocks that are packed at once: a block of left rows stays in the first-level cache, ...
const DEPTH: usize = 512;
/// ... and of a sum that is one block altogether: going over C twice would cost more.
const WHOLE: usize = 1024;
/// Multiply-adds below which a tile is not worth handing to another thread: some 10 µs.
const SMALLEST: usize = 1 << 19;
/// Tiles that C should have before its sum is cut.
const ENOUGH: usize = 16;
/// Floats of packed columns in the cache of any machine.
const PACKED: usize = 64 << 10;
/// Tiles for each thread, so that all end at about the same time.
pub(super) const EACH: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// The register tile, or what stands in its place.
    shape: Shape,
    /// Blocks of rows, and of panels of columns, that each matrix of C is cut into.
    pub row_blocks: usize,
    pub col_blocks: usize,
    /// Parts that the sum is cut into; with more than one their results are added up afterwards, in order.
    pub parts: usize,
    /// Blocks of one product along its depth.
    pub depth_blocks: usize,
    /// Matrices of C that one tile computes, one after the other.
    pub matrices: usize,
}

impl Plan {
    /// For blocks of `deepest` or less, and at most so many tiles unless caches or the order of the sum want more.
    pub fn new(shape: Shape, deepest: usize, geometry: &Geometry, tiles: usize) -> Plan {
        let Geometry { m, n, k, .. } = *geometry;
        let depth_blocks = k.div_ceil(deepest);
        let steps = depth_blocks * geometry.products();
        let matrices = geometry.matrices();
        let worth = m * n * k * geometry.products() * matrices / SMALLEST;
        let deep = k.clamp(1, deepest);
        let cut = |wanted: usize, packed| grid(shape, m, n, deep, wanted.div_ceil(matrices.max(1)), packed);
        // Cut the sum only where C is too small to be cut, and each part is worth a tile. Nothing here may depend on the
        // machine: it decides how results are rounded.
        let mut wanted = worth.clamp(1, ENOUGH);
        let (mut row_blocks, mut col_blocks) = cut(wanted, PACKED);
        let parts = (wanted / (row_blocks * col_blocks * matrices).max(1))
            .min(steps)
            .max(1);
        if parts == 1 {
            wanted = worth.clamp(1, tiles);
            // Half of the cache for packed columns; the rest for rows of A and C on their way.
            (row_blocks, col_blocks) = cut(wanted, second_level() / 2 / size_of::<f32>());
        }
        Plan {
            shape,
            row_blocks,
            col_blocks,
            parts,
            depth_blocks,
            matrices: if row_blocks * col_blocks * parts > 1 {
                1
            } else {
                matrices.div_ceil(wanted).max(1)
            },
        }
    }

    /// So many tiles for each thread; one, if there is one.
    pub fn tiles(each: usize, threads: usize) -> usize {
        if threads == 1 { 1 } else { each * threads }
    }

    /// The rows of a block.
    pub fn rows(&self, m: usize, block: usize) -> Range<usize> {
        let slivers = self.slivers(m, block);
        self.sliver(m, slivers.start).start..self.sliver(m, slivers.end).start
    }

    /// Slivers, whole register tiles of rows, of a block.
    pub fn slivers(&self, m: usize, block: usize) -> Range<usize> {
        let slivers = m.div_ceil(self.shape.rows);
        even(slivers, self.row_blocks, block)..even(slivers, self.row_blocks, block + 1)
    }

    /// The rows of a sliver: evenly filled, and the same ones however the slivers are put together.
    pub fn sliver(&self, m: usize, index: usize) -> Range<usize> {
        let slivers = m.div_ceil(self.shape.rows);
        even(m, slivers, index)..even(m, slivers, index + 1)
    }

    /// The columns of a block.
    pub fn cols(&self, n: usize, block: usize) -> Range<usize> {
        let width = self.shape.cols;
        let cut = |block: usize| (even(n.div_ceil(width), self.col_blocks, block) * width).min(n);
        cut(block)..cut(block + 1)
    }

    pub fn depth(&self, k: usize, block: usize) -> Range<usize> {
        even(k, self.depth_blocks, block)..even(k, self.depth_blocks, block + 1)
    }
}

/// The depth of blocks of float32 along a sum of `k` products.
pub(super) fn deepest(k: usize) -> usize {
    if k <= WHOLE { WHOLE } else { DEPTH }
}

/// Where piece number `index` of `pieces` even pieces of `len` starts.
pub(super) fn even(len: usize, pieces: usize, index: usize) -> usize {
    if pieces == 0 {
        return 0;
    }
    // len · index could overflow; this cannot.
    let (quotient, rest) = (len / pieces, len % pieces);
    quotient * index + rest.min(index)
}

/// Rows and columns of tiles, about `wanted` of them, with the least packing: at most `packed` floats at a time.
fn grid(shape: Shape, m: usize, n: usize, depth: usize, wanted: usize, packed: usize) -> (usize, usize) {
    let (slivers, panels) = (m.div_ceil(shape.rows), n.div_ceil(shape.cols));
    if slivers == 0 || panels == 0 {
        return (0, 0);
    }
    let widest = (packed / (shape.cols * depth)).clamp(1, panels);
    let least_cols = panels.div_ceil(widest);
    let mut best = (f64::INFINITY, (1, 1));
    for col_blocks in least_cols..=wanted.clamp(least_cols, panels) {
        let row_blocks = wanted.div_ceil(col_blocks).min(slivers);
        let tiles = row_blocks * col_blocks;
        let rows = (slivers.div_ceil(row_blocks) * shape.rows).min(m) as f64;
        let cols = (panels.div_ceil(col_blocks) * shape.cols).min(n) as f64;
        // Per multiply-add: packing the right operand costs 1 / rows, the left one 1 / cols; the largest tile against
        // the average; too few tiles leave threads idle.
        let uneven = rows * cols * tiles as f64 / (m as f64 * n as f64) - 1.0;
        let missing = 1.0 - (tiles as f64 / wanted as f64).min(1.0);
        let cost = 8.0 / rows + 8.0 / cols + 0.2 * uneven + 0.5 * missing;
        if cost < best.0 {
            best = (cost, (row_blocks, col_blocks));
        }
    }
    best.1
}
