//! The gradient of the bias: dy summed over all positions.

use crate::simd::vectorize;
use crate::{Exec, with_scratch};

/// Floats of dy in one partial sum, and how many partial sums there are at most.
const GRAIN: usize = 1 << 14;
const PARTIALS: usize = 64;

vectorize! {
    fn add_rows[](rows: &[f32], sum: &mut [f32]) {
        for row in rows.chunks_exact(sum.len()) {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// db `[O]` = Σ over positions of dy `[.., O]`, in partial sums that are added up in order.
pub fn bias_gradient(cx: &Exec, filters: usize, dy: &[f32], db: &mut [f32]) {
    db.fill(0.0);
    if filters == 0 || dy.is_empty() {
        return;
    }
    let positions = dy.len() / filters;
    let partials = (dy.len() / GRAIN).clamp(1, PARTIALS).min(positions);
    with_scratch(partials * filters, |sums| {
        cx.chunks_mut(sums, filters, |start, sum| {
            let partial = start / filters;
            let from = positions * partial / partials * filters;
            let to = positions * (partial + 1) / partials * filters;
            sum.fill(0.0);
            add_rows(cx.isa, &dy[from..to], sum);
        });
        add_rows(cx.isa, sums, db);
    });
}
