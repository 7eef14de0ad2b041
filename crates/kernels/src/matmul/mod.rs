//! Matrix products: C = op(A) · op(B), then an optional bias on each column and an activation.
//!
//! C is cut into tiles that threads take from a queue. A tile packs the columns of B that it needs, a block of the depth
//! at a time, and passes them block by block of rows through the register tile of [`crate::microkernel`]. Nothing is
//! shared between tiles, so no thread ever waits for another. Where C is too small for enough tiles, the sum is cut
//! instead, and its parts are added up in order. Where B is transposed and much longer than A,
//! the transpose of C is computed and turned (`turned`). Where the result need not be exact, or a matrix unit is as exact, numbers
//! may be cut into pieces (`pieces`).
//!
//! A row of C depends on its row of A and on B only, in the order of the depth; the order of summation depends on the
//! sizes alone.

mod geometry;
mod pieces;
mod plan;
mod product;
pub mod reference;
#[cfg(test)]
mod tests;
mod turned;

pub use geometry::{Geometry, Varies};

use crate::microkernel::pack::{self, Matrix};
use crate::microkernel::{Activation, Cells, Finish, Shape};
use crate::{Exec, with_scratch};
use pieces::Pieces;
use plan::Plan;
use product::{Product, Source};

/// Computes C. `bias` has one number for each column, or is empty. Panics unless the lengths pass
/// [`Geometry::check_lengths`].
pub fn forward(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    [a, b, bias]: [&[f32]; 3],
    c: &mut [f32],
) {
    if let Err(reason) = geometry.check_lengths(a.len(), b.len(), bias.len(), c.len()) {
        panic!("{reason}");
    }
    if let Some(pieces) = Pieces::new(cx, geometry, a, b) {
        return in_tiles(cx, &pieces, (bias, activation), c);
    }
    let plain = bias.is_empty() && activation == Activation::None;
    if plain && let Some(way) = turned::way(cx, geometry) {
        return turned::forward(cx, &way, [b, a], c);
    }
    in_tiles(
        cx,
        &Product::new(cx, geometry, a, Source::Matrix(b)),
        (bias, activation),
        c,
    );
}

/// Floats of B in the order that [`forward_packed`] reads it; 0 where there is no packed form: for few rows of A, which do not
/// pay for a copy of B, where the transpose of C may be computed, for several matrices, and for pieces of bfloat16.
pub fn packed_len(cx: &Exec, geometry: &Geometry) -> usize {
    let Shape { rows, cols, .. } = Shape::of(cx.isa);
    if pieces::serve(cx, geometry).is_some() {
        return 0;
    }
    let single = geometry.outer.is_empty() && geometry.summed.is_empty();
    if single && geometry.m > rows && turned::way(cx, geometry).is_none() {
        geometry.n.next_multiple_of(cols) * geometry.k
    } else {
        0
    }
}

/// Brings B into the order that [`forward_packed`] reads. Panics unless `packed` has [`packed_len`] floats.
pub fn pack(cx: &Exec, geometry: &Geometry, b: &[f32], packed: &mut [f32]) {
    assert_eq!(b.len(), geometry.right_len(), "the right factor");
    assert_eq!(packed.len(), packed_len(cx, geometry), "the packed right factor");
    pack_panels(cx, geometry, b, packed);
}

/// Panels of all columns of B.
fn pack_panels(cx: &Exec, geometry: &Geometry, b: &[f32], packed: &mut [f32]) {
    let width = Shape::of(cx.isa).cols;
    cx.chunks_mut(packed, (geometry.k * width).max(1), |start, panel| {
        let column = start / geometry.k;
        let from = Matrix {
            data: b,
            start: column * geometry.b.1,
            row: geometry.b.0,
            col: geometry.b.1,
        };
        pack::right(cx.isa, from, geometry.k, width.min(geometry.n - column), panel);
    });
}

/// [`forward`] with a B that [`pack`] has made of this geometry, and that is not empty.
pub fn forward_packed(
    cx: &Exec,
    geometry: &Geometry,
    activation: Activation,
    [a, packed, bias]: [&[f32]; 3],
    c: &mut [f32],
) {
    if let Err(reason) = geometry.check_lengths(a.len(), geometry.right_len(), bias.len(), c.len()) {
        panic!("{reason}");
    }
    assert_eq!(packed.len(), packed_len(cx, geometry), "the packed right factor");
    in_tiles(
        cx,
        &Product::new(cx, geometry, a, Source::Packed(packed)),
        (bias, activation),
        c,
    );
}

/// One tile of work.
#[derive(Clone, Copy)]
struct Place {
    /// A matrix of C, ...
    matrix: usize,
    /// ... a part of its sum ...
    part: usize,
    /// ... and a block of its rows and columns.
    block: usize,
}

/// A product that is computed tile by tile.
trait Tiled: Sync {
    fn cut(&self) -> (&Geometry, Plan);
    /// Computes one block of one part of the sum for one matrix of C, which starts at `start` of `cells`.
    fn tile(&self, place: Place, finish: Finish, cells: &Cells, start: usize);
}

/// Computes all tiles, and adds up the parts of the sum.
fn in_tiles(cx: &Exec, product: &impl Tiled, (bias, activation): (&[f32], Activation), c: &mut [f32]) {
    let (geometry, plan) = product.cut();
    let matrices = geometry.matrices();
    let blocks = plan.row_blocks * plan.col_blocks;
    let finish = Finish {
        accumulate: false,
        bias: (!bias.is_empty()).then_some(bias),
        activation,
    };
    if plan.parts == 1 {
        let cells = Cells::new(c);
        return cx.tiles(matrices.div_ceil(plan.matrices) * blocks, |index| {
            let (first, block) = (index / blocks * plan.matrices, index % blocks);
            for matrix in first..(first + plan.matrices).min(matrices) {
                let start = geometry.offsets(matrix, 0).c;
                let place = Place {
                    matrix,
                    part: 0,
                    block,
                };
                product.tile(place, finish, &cells, start);
            }
        });
    }
    let size = geometry.m * geometry.n;
    with_scratch(matrices * plan.parts * size, |partial| {
        let cells = Cells::new(partial);
        cx.tiles(matrices * plan.parts * blocks, |index| {
            let place = Place {
                matrix: index / blocks / plan.parts,
                part: index / blocks % plan.parts,
                block: index % blocks,
            };
            let start = (place.matrix * plan.parts + place.part) * size;
            product.tile(place, Finish::default(), &cells, start);
        });
        add_parts(cx, geometry, plan.parts, partial, finish, c);
    });
}

/// The sum of each column of `x`, which has rows of `sums.len()` numbers: the gradient of a bias.
pub fn column_sums(cx: &Exec, x: &[f32], sums: &mut [f32]) {
    let columns = sums.len();
    let geometry =
        Geometry::column_sums(x.len() / columns.max(1), columns).unwrap_or_else(|reason| panic!("{reason}"));
    forward(cx, &geometry, Activation::None, [&[1.0], x, &[]], sums);
}

/// C = the parts of its sum, added in order, with bias and activation.
fn add_parts(cx: &Exec, geometry: &Geometry, parts: usize, partial: &[f32], finish: Finish, c: &mut [f32]) {
    let &Geometry { m, n, .. } = geometry;
    let c = crate::Disjoint::new(c);
    cx.ranges(geometry.matrices() * m, (1 << 15) / (n * parts), |rows| {
        for row in rows {
            let (matrix, i) = (row / m, row % m);
            let at = geometry.offsets(matrix, 0).c + i * n;
            // SAFETY: every row of C has its own place, and each is in one range.
            let to = unsafe { c.slice(at..at + n) };
            for part in 0..parts {
                let from = &partial[((matrix * parts + part) * m + i) * n..][..n];
                if part == 0 {
                    to.copy_from_slice(from);
                } else {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
            if let Some(bias) = finish.bias {
                to.iter_mut().zip(bias).for_each(|(to, bias)| *to += bias);
            }
            if finish.activation == Activation::Relu {
                to.iter_mut().for_each(|v| *v = if *v <= 0.0 { 0.0 } else { *v });
            }
        }
    });
}
