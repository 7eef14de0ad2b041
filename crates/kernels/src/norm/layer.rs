//! Layer normalisation: each row over its features (Ba, Kiros and Hinton, 2016).
//!
//! `statistics` is one buffer of three columns of rows: the mean, the mean's low part and
//! 1 / √(variance + epsilon), each `[rows]`.

use super::{Rows, check_epsilon, inverse_deviation, split};
use crate::partials::{sum_tiles, tree_sum};
use crate::simd::vectorize;
use crate::{Disjoint, Exec};

pub mod reference;
#[cfg(test)]
mod tests;

/// Columns of the `statistics` buffer.
pub const STATISTICS: usize = 3;
/// Elements of one tile: some 20 µs of work.
const TILE: usize = 1 << 16;
const LANES: usize = 32;

/// Checks the buffers of a forward pass.
pub fn check_forward(
    x: usize,
    gamma: usize,
    beta: usize,
    statistics: usize,
    y: usize,
    epsilon: f64,
) -> Result<(), String> {
    check_epsilon(epsilon)?;
    let dims = Rows::new(x, gamma)?;
    dims.check(&[
        ("beta", beta, gamma),
        ("statistics", statistics, STATISTICS * dims.rows),
        ("y", y, x),
    ])
}

/// Checks the buffers of a backward pass; a length of 0 means that the gradient is not wanted.
pub fn check_backward(
    x: usize,
    dy: usize,
    gamma: usize,
    statistics: usize,
    gradients: [usize; 3],
) -> Result<(), String> {
    let dims = Rows::new(x, gamma)?;
    let [dx, dgamma, dbeta] = gradients;
    let wanted = |found: usize, expected: usize| if found == 0 { 0 } else { expected };
    dims.check(&[
        ("dy", dy, x),
        ("statistics", statistics, STATISTICS * dims.rows),
        ("dx", dx, wanted(dx, x)),
        ("dGamma", dgamma, wanted(dgamma, gamma)),
        ("dBeta", dbeta, wanted(dbeta, gamma)),
    ])
}

/// Σd/n and Σd²/n − (Σd/n)² of one row, with d = x − x₀.
#[inline(always)]
fn moments(row: &[f32]) -> (f64, f64) {
    let pivot = f64::from(row[0]);
    let mut sums = [0f64; LANES];
    let mut squares = [0f64; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            let d = f64::from(block[lane]) - pivot;
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    // The rest in scalars: single lanes written to the arrays would keep them out of registers.
    let mut sum = 0.0;
    let mut square = 0.0;
    for x in rest {
        let d = f64::from(*x) - pivot;
        sum += d;
        square += d * d;
    }
    let count = row.len() as f64;
    let offset = (tree_sum(sums) + sum) / count;
    (offset, (tree_sum(squares) + square) / count - offset * offset)
}

vectorize! {
    /// Some rows: y and the three statistics of each.
    fn forward_rows[](
        x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f64, y: &mut [f32],
        mean: &mut [f32], low: &mut [f32], inverse: &mut [f32],
    ) {
        let features = gamma.len();
        let statistics = mean.iter_mut().zip(low).zip(inverse);
        for ((x, y), ((mean, low), inverse)) in x.chunks(features).zip(y.chunks_mut(features)).zip(statistics) {
            let (offset, variance) = moments(x);
            (*mean, *low) = split(f64::from(x[0]) + offset);
            *inverse = inverse_deviation(variance, epsilon) as f32;
            let (mean, low, inverse) = (*mean, *low, *inverse);
            for ((x, y), (gamma, beta)) in x.iter().zip(y).zip(gamma.iter().zip(beta)) {
                *y = (x - mean - low) * inverse * gamma + beta;
            }
        }
    }
}

/// A block of values from `at` on.
#[inline(always)]
fn lanes(values: &[f32], at: usize) -> &[f32; LANES] {
    values[at..].first_chunk().expect("blocks end inside the row")
}

/// The mean, its low part and the inverse deviation of some rows.
#[derive(Clone, Copy)]
struct Statistics<'a> {
    mean: &'a [f32],
    low: &'a [f32],
    inverse: &'a [f32],
}

vectorize! {
    /// dx of some rows: inverse · (g − Σg/n − x̂ · Σ(g·x̂)/n) with g = dy · gamma.
    fn input_gradient[](x: &[f32], dy: &[f32], gamma: &[f32], statistics: Statistics<'_>, dx: &mut [f32]) {
        let features = gamma.len();
        let rows = x.chunks(features).zip(dy.chunks(features)).zip(dx.chunks_mut(features));
        for (row, ((x, dy), dx)) in rows.enumerate() {
            let mean = statistics.mean[row];
            let low = statistics.low[row];
            let inverse = statistics.inverse[row];
            let (sum, product) = sums_of(x, dy, gamma, mean, low);
            let mean_g = sum / features as f32;
            let slope = product * inverse / features as f32 * inverse;
            for (((x, dy), gamma), dx) in x.iter().zip(dy).zip(gamma).zip(dx) {
                *dx = inverse * (dy * gamma - mean_g - (x - mean - low) * slope);
            }
        }
    }
}

/// Σg and Σg · (x − mean) of one row, with g = dy · gamma.
#[inline(always)]
fn sums_of(x: &[f32], dy: &[f32], gamma: &[f32], mean: f32, low: f32) -> (f32, f32) {
    let mut sums = [0f32; LANES];
    let mut products = [0f32; LANES];
    let whole = x.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (x, dy, gamma) = (lanes(x, at), lanes(dy, at), lanes(gamma, at));
        for lane in 0..LANES {
            let g = dy[lane] * gamma[lane];
            sums[lane] += g;
            products[lane] += g * (x[lane] - mean - low);
        }
    }
    let mut sum = 0.0;
    let mut product = 0.0;
    for at in whole..x.len() {
        let g = dy[at] * gamma[at];
        sum += g;
        product += g * (x[at] - mean - low);
    }
    (tree_sum(sums) + sum, tree_sum(products) + product)
}

/// Columns whose sums stay in registers while some rows are added.
const COLUMNS: usize = 16;
/// Rows whose x and dy stay in the cache between the two loops over them.
const GROUP: usize = 8;

vectorize! {
    /// Adds dy · x̂ and dy of some rows to the sums of each feature.
    fn add_parameter_gradients[](x: &[f32], dy: &[f32], statistics: Statistics<'_>, dgamma: &mut [f64], dbeta: &mut [f64]) {
        let features = dgamma.len();
        let rows = || x.chunks(features).zip(dy.chunks(features)).enumerate();
        let normal = |x: f32, row: usize| (x - statistics.mean[row] - statistics.low[row]) * statistics.inverse[row];
        let whole = features / COLUMNS * COLUMNS;
        for at in (0..whole).step_by(COLUMNS) {
            let mut gamma_sums = [0f64; COLUMNS];
            let mut beta_sums = [0f64; COLUMNS];
            for (row, (x, dy)) in rows() {
                let x: &[f32; COLUMNS] = x[at..].first_chunk().expect("blocks end inside the row");
                let dy: &[f32; COLUMNS] = dy[at..].first_chunk().expect("blocks end inside the row");
                for lane in 0..COLUMNS {
                    gamma_sums[lane] += f64::from(dy[lane] * normal(x[lane], row));
                    beta_sums[lane] += f64::from(dy[lane]);
                }
            }
            for lane in 0..COLUMNS {
                dgamma[at + lane] += gamma_sums[lane];
                dbeta[at + lane] += beta_sums[lane];
            }
        }
        for (row, (x, dy)) in rows() {
            for at in whole..features {
                dgamma[at] += f64::from(dy[at] * normal(x[at], row));
                dbeta[at] += f64::from(dy[at]);
            }
        }
    }
}

/// y = (x − mean) · gamma / √(variance + epsilon) + beta for each row; fills `statistics`.
pub fn forward(
    cx: &Exec,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f64,
    y: &mut [f32],
    statistics: &mut [f32],
) {
    let features = gamma.len();
    let rows = x.len() / features;
    let columns = Disjoint::new(statistics);
    let tile_rows = (TILE / features).max(1);
    cx.chunks_mut(y, tile_rows * features, |start, y| {
        let first = start / features;
        let count = y.len() / features;
        // SAFETY: each tile takes the statistics of its own rows, in three columns that lie apart.
        let [mean, low, inverse] = [0, 1, 2]
            .map(|column| unsafe { columns.slice(column * rows + first..column * rows + first + count) });
        forward_rows(
            cx.isa,
            &x[start..start + y.len()],
            gamma,
            beta,
            epsilon,
            y,
            mean,
            low,
            inverse,
        );
    });
}

/// The gradients of [`forward`]; an empty output is not computed.
pub fn backward(
    cx: &Exec,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    statistics: &[f32],
    gradients: [&mut [f32]; 3],
) {
    let [dx, dgamma, dbeta] = gradients;
    let features = gamma.len();
    let rows = x.len() / features;
    let of_rows = |first: usize, count: usize| {
        let column = |column: usize| &statistics[column * rows + first..][..count];
        Statistics {
            mean: column(0),
            low: column(1),
            inverse: column(2),
        }
    };
    let tile_rows = (TILE / features).max(1);
    if dgamma.is_empty() && dbeta.is_empty() {
        return cx.chunks_mut(dx, tile_rows * features, |start, dx| {
            let range = start..start + dx.len();
            let statistics = of_rows(start / features, dx.len() / features);
            input_gradient(cx.isa, &x[range.clone()], &dy[range], gamma, statistics, dx);
        });
    }
    // Taller tiles, so that the sums of a tile stay small beside what it reads.
    let tile_rows = tile_rows.max(64).max(rows.div_ceil(256));
    let with_dx = !dx.is_empty();
    let dx = Disjoint::new(dx);
    sum_tiles(
        cx,
        rows.div_ceil(tile_rows),
        2 * features,
        |index, totals| {
            let (dgamma, dbeta) = totals.split_at_mut(features);
            let end = rows.min((index + 1) * tile_rows);
            for first in (index * tile_rows..end).step_by(GROUP) {
                let count = GROUP.min(end - first);
                let range = first * features..(first + count) * features;
                let (x, dy, statistics) = (&x[range.clone()], &dy[range.clone()], of_rows(first, count));
                if with_dx {
                    // SAFETY: each row is in one group of one tile.
                    let dx = unsafe { dx.slice(range) };
                    input_gradient(cx.isa, x, dy, gamma, statistics, dx);
                }
                add_parameter_gradients(cx.isa, x, dy, statistics, dgamma, dbeta);
            }
        },
        |totals| {
            let (gamma_totals, beta_totals) = totals.split_at(features);
            for (dgamma, total) in dgamma.iter_mut().zip(gamma_totals) {
                *dgamma = *total as f32;
            }
            for (dbeta, total) in dbeta.iter_mut().zip(beta_totals) {
                *dbeta = *total as f32;
            }
        },
    );
}
