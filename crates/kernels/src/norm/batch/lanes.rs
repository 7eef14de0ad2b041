//! The loops of batch normalisation over lanes of wide rows.

use crate::norm::wide::{BLOCK, GROUP, block, block_mut};
use crate::simd::vectorize;

vectorize! {
    /// Adds d = x − pivot and d² of every lane to `sums` and `squares`.
    pub(super) fn add_moments[](x: &[f32], pivot: &[f32], sums: &mut [f64], squares: &mut [f64]) {
        let lanes = pivot.len();
        let blocks = lanes / BLOCK * BLOCK;
        for group in x.chunks(GROUP * lanes) {
            let rows = group.chunks_exact(lanes);
            let rest = rows.remainder();
            for at in (0..blocks).step_by(BLOCK) {
                let pivot = block(pivot, at);
                let mut sum = *block(sums, at);
                let mut square = *block(squares, at);
                for row in rows.clone() {
                    let x = block(row, at);
                    for lane in 0..BLOCK {
                        let d = f64::from(x[lane]) - f64::from(pivot[lane]);
                        sum[lane] += d;
                        square[lane] += d * d;
                    }
                }
                *block_mut(sums, at) = sum;
                *block_mut(squares, at) = square;
            }
            let mut add = |x: &[f32], at: usize| {
                let lanes = pivot[at..].iter().zip(&mut sums[at..]).zip(&mut squares[at..]);
                for (x, ((pivot, sum), square)) in x.iter().zip(lanes) {
                    let d = f64::from(*x) - f64::from(*pivot);
                    *sum += d;
                    *square += d * d;
                }
            };
            if blocks < lanes {
                rows.for_each(|row| add(&row[blocks..], blocks));
            }
            add(rest, 0);
        }
    }
}

vectorize! {
    /// Adds dy and dy · (x − mean) of every lane to `sums` and `products`.
    pub(super) fn add_products[](x: &[f32], dy: &[f32], mean: &[f32], low: &[f32], sums: &mut [f64], products: &mut [f64]) {
        let lanes = mean.len();
        let blocks = lanes / BLOCK * BLOCK;
        for (x, dy) in x.chunks(GROUP * lanes).zip(dy.chunks(GROUP * lanes)) {
            let rows = x.chunks_exact(lanes).zip(dy.chunks_exact(lanes));
            let whole = x.len() / lanes * lanes;
            for at in (0..blocks).step_by(BLOCK) {
                let (mean, low) = (block(mean, at), block(low, at));
                let mut sum = [0f32; BLOCK];
                let mut product = [0f32; BLOCK];
                for (x, dy) in rows.clone() {
                    let (x, dy) = (block(x, at), block(dy, at));
                    for lane in 0..BLOCK {
                        sum[lane] += dy[lane];
                        product[lane] += dy[lane] * (x[lane] - mean[lane] - low[lane]);
                    }
                }
                let (sums, products) = (block_mut(sums, at), block_mut(products, at));
                for lane in 0..BLOCK {
                    sums[lane] += f64::from(sum[lane]);
                    products[lane] += f64::from(product[lane]);
                }
            }
            let mut add = |x: &[f32], dy: &[f32], at: usize| {
                let means = mean[at..].iter().zip(&low[at..]);
                let totals = sums[at..].iter_mut().zip(&mut products[at..]);
                for (((x, dy), (mean, low)), (sum, product)) in x.iter().zip(dy).zip(means).zip(totals) {
                    *sum += f64::from(*dy);
                    *product += f64::from(*dy * (x - mean - low));
                }
            };
            if blocks < lanes {
                rows.for_each(|(x, dy)| add(&x[blocks..], &dy[blocks..], blocks));
            }
            add(&x[whole..], &dy[whole..], 0);
        }
    }
}

vectorize! {
    /// y = (x − mean − low) · scale + shift, lane by lane.
    pub(super) fn scale_shift[](x: &[f32], mean: &[f32], low: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks(mean.len()).zip(y.chunks_mut(mean.len())) {
            let coefficients = mean.iter().zip(low).zip(scale.iter().zip(shift));
            for ((x, y), ((mean, low), (scale, shift))) in x.iter().zip(y).zip(coefficients) {
                *y = (x - mean - low) * scale + shift;
            }
        }
    }
}

vectorize! {
    /// dx = dy · scale + (x − mean − low) · slope + shift, lane by lane.
    pub(super) fn input_gradient[](x: &[f32], dy: &[f32], coefficients: [&[f32]; 5], dx: &mut [f32]) {
        let [mean, low, scale, slope, shift] = coefficients;
        let lanes = mean.len();
        for ((x, dy), dx) in x.chunks(lanes).zip(dy.chunks(lanes)).zip(dx.chunks_mut(lanes)) {
            let coefficients = mean.iter().zip(low).zip(scale).zip(slope.iter().zip(shift));
            for (((x, dy), dx), (((mean, low), scale), (slope, shift))) in x.iter().zip(dy).zip(dx).zip(coefficients) {
                *dx = dy * scale + ((x - mean - low) * slope + shift);
            }
        }
    }
}

vectorize! {
    /// dx = dy · scale, lane by lane.
    pub(super) fn scale_only[](dy: &[f32], scale: &[f32], dx: &mut [f32]) {
        for (dy, dx) in dy.chunks(scale.len()).zip(dx.chunks_mut(scale.len())) {
            for ((dy, dx), scale) in dy.iter().zip(dx).zip(scale) {
                *dx = dy * scale;
            }
        }
    }
}
