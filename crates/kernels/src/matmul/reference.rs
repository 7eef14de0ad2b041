//! The definition: plain loops, for float32 and float64.

use num_traits::Float;

use super::Geometry;
use crate::microkernel::Activation;

/// Computes C as [`super::forward`] does.
pub fn forward<T: Float>(geometry: &Geometry, activation: Activation, [a, b, bias]: [&[T]; 3], c: &mut [T]) {
    let &Geometry { m, n, k, .. } = geometry;
    for matrix in 0..geometry.matrices() {
        let start = geometry.offsets(matrix, 0).c;
        for i in 0..m {
            let row = &mut c[start + i * n..][..n];
            row.fill(T::zero());
            for product in 0..geometry.products() {
                let at = geometry.offsets(matrix, product);
                for p in 0..k {
                    let factor = a[at.a + i * geometry.a.0 + p * geometry.a.1];
                    for (j, sum) in row.iter_mut().enumerate() {
                        *sum = *sum + factor * b[at.b + p * geometry.b.0 + j * geometry.b.1];
                    }
                }
            }
            for (j, sum) in row.iter_mut().enumerate() {
                *sum = if bias.is_empty() { *sum } else { *sum + bias[j] };
                if activation == Activation::Relu && *sum <= T::zero() {
                    *sum = T::zero();
                }
            }
        }
    }
}

/// Computes the sums that [`super::column_sums`] computes.
pub fn column_sums<T: Float>(x: &[T], sums: &mut [T]) {
    sums.fill(T::zero());
    for row in x.chunks_exact(sums.len().max(1)) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, &value)| *sum = *sum + value);
    }
}
