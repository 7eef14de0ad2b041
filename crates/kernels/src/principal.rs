//! Principal axes: the directions in which data vary most, and how much they vary along each, in double precision.
//!
//! They are the eigenvectors of the covariance, or, where there are fewer samples than features and that matrix would
//! be larger than the data, the singular vectors of the data. Both decompositions are faer's, on one thread, in
//! memory that the caller lends: nothing is allocated here, and no number of threads changes a bit.

use std::mem::MaybeUninit;

use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::svd::{self, ComputeSvdVectors};
use faer::{MatMut, MatRef, Par};

use crate::Exec;
use crate::moments::Sample;

/// Bytes of working memory that [`of_covariance`] needs for `features` features.
pub fn covariance_bytes(features: usize) -> usize {
    if features == 0 {
        return 0;
    }
    bytes(evd::self_adjoint_evd_scratch::<f64>(
        features,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    ))
}

/// Bytes of working memory that [`of_samples`] needs.
pub fn samples_bytes(samples: usize, features: usize) -> usize {
    bytes(svd::svd_scratch::<f64>(
        features,
        samples,
        ComputeSvdVectors::Thin,
        ComputeSvdVectors::No,
        Par::Seq,
        Default::default(),
    ))
}

fn bytes(request: StackReq) -> usize {
    request.unaligned_bytes_required()
}

/// The axes of data with this covariance: `axes` gets one row for each, the one of the largest variance first. The
/// largest component of an axis (the first of equals) is positive. Variances are NaN if the iteration did not converge.
pub fn of_covariance(covariance: &[f64], variances: &mut [f64], axes: &mut [f64], scratch: &mut [u8]) {
    let features = variances.len();
    let result = evd::self_adjoint_evd(
        MatRef::from_column_major_slice(covariance, features, features),
        DiagMut::from_slice_mut(variances),
        Some(MatMut::from_column_major_slice_mut(axes, features, features)),
        Par::Seq,
        stack(scratch),
        Default::default(),
    );
    // They come in ascending order. Rounding may leave a variance of zero below it.
    variances.reverse();
    for variance in variances.iter_mut() {
        *variance = match result {
            Ok(()) if *variance < 0.0 => 0.0,
            Ok(()) => *variance,
            Err(_) => f64::NAN,
        };
    }
    reverse_rows(axes, features);
    fix_signs(axes, features);
}

/// The axes of these samples, rows of `x`, as [`of_covariance`] gives them; at most as many as there are samples.
/// `centred` has room for the samples.
pub fn of_samples<T: Sample>(
    cx: &Exec,
    x: &[T],
    mean: &[f64],
    variances: &mut [f64],
    [centred, axes]: [&mut [f64]; 2],
    scratch: &mut [u8],
) {
    let (samples, features) = (variances.len(), mean.len());
    cx.chunks_mut(centred, features.max(1), |start, row| {
        for ((to, &value), mean) in row.iter_mut().zip(&x[start..]).zip(mean) {
            *to = value.into() - mean;
        }
    });
    // A row-major matrix is the column-major one of its transpose.
    let result = svd::svd(
        MatRef::from_column_major_slice(centred, features, samples),
        DiagMut::from_slice_mut(variances),
        Some(MatMut::from_column_major_slice_mut(axes, features, samples)),
        None,
        Par::Seq,
        stack(scratch),
        Default::default(),
    );
    for variance in variances.iter_mut() {
        *variance = if result.is_ok() {
            *variance * *variance / samples as f64
        } else {
            f64::NAN
        };
    }
    fix_signs(axes, features);
}

fn stack(scratch: &mut [u8]) -> &mut MemStack {
    let memory = std::ptr::from_mut(scratch) as *mut [MaybeUninit<u8>];
    // SAFETY: the same bytes under a type that promises less. They are working memory: nobody reads them afterwards.
    MemStack::new(unsafe { &mut *memory })
}

fn reverse_rows(rows: &mut [f64], width: usize) {
    let count = rows.len().checked_div(width).unwrap_or(0);
    for i in 0..count / 2 {
        let (low, high) = rows.split_at_mut((count - 1 - i) * width);
        low[i * width..][..width].swap_with_slice(&mut high[..width]);
    }
}

/// An axis has no sense of direction: the largest of its components decides.
fn fix_signs(axes: &mut [f64], features: usize) {
    for axis in axes.chunks_exact_mut(features.max(1)) {
        let mut largest = 0.0f64;
        for &component in &*axis {
            if component.abs() > largest.abs() {
                largest = component;
            }
        }
        if largest < 0.0 {
            axis.iter_mut().for_each(|component| *component = -*component);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance;
    use crate::moments::moments;
    use crate::sample::uniform;

    fn decompose(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut values, mut axes) = (vec![0.0; n], vec![0.0; n * n]);
        let mut scratch = vec![0; covariance_bytes(n)];
        of_covariance(matrix, &mut values, &mut axes, &mut scratch);
        (values, axes)
    }

    fn decompose_samples(x: &[f32], mean: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let features = mean.len();
        let samples = x.len() / features;
        let (mut values, mut axes) = (vec![0.0; samples], vec![0.0; x.len()]);
        let mut centred = vec![0.0; x.len()];
        let mut scratch = vec![0; samples_bytes(samples, features)];
        of_samples(
            &Exec::serial(),
            x,
            mean,
            &mut values,
            [&mut centred, &mut axes],
            &mut scratch,
        );
        (values, axes)
    }

    /// A symmetric matrix between -1 and 1.
    fn symmetric(n: usize) -> Vec<f64> {
        let x = uniform(n as u64, n * n, -1.0, 1.0);
        (0..n * n)
            .map(|at| f64::from(x[(at / n).min(at % n) * n + (at / n).max(at % n)]))
            .collect()
    }

    #[track_caller]
    fn assert_orthonormal(axes: &[f64], width: usize) {
        for (i, a) in axes.chunks_exact(width).enumerate() {
            for (j, b) in axes.chunks_exact(width).enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!(
                    (product - f64::from(i == j)).abs() < 1e-12,
                    "[{i}] [{j}]: {product}"
                );
            }
        }
    }

    #[test]
    fn axes_are_orthonormal_and_rebuild_the_matrix() {
        for n in [1, 2, 3, 31, 64, 130] {
            let mut matrix = symmetric(n);
            // On the diagonal alone more than all of the row: every eigenvalue is positive.
            (0..n).for_each(|i| matrix[i * n + i] = 2.0 * n as f64 + i as f64);
            let (values, axes) = decompose(&matrix, n);
            assert!(values.is_sorted_by(|a, b| a >= b) && values[n - 1] > 0.0);
            assert_orthonormal(&axes, n);
            for i in 0..n {
                for j in 0..n {
                    let rebuilt: f64 = (0..n)
                        .map(|k| values[k] * axes[k * n + i] * axes[k * n + j])
                        .sum();
                    assert!(
                        (rebuilt - matrix[i * n + j]).abs() < 1e-11 * n as f64,
                        "{n}: [{i}] [{j}]"
                    );
                }
            }
        }
    }

    #[test]
    fn known_spectra_are_found() {
        // 2 on the diagonal and -1 beside it: 2 − 2 cos(kπ / (n + 1)), with sines for vectors.
        let n = 50;
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            matrix[i * n + i] = 2.0;
            if i + 1 < n {
                (matrix[i * n + i + 1], matrix[(i + 1) * n + i]) = (-1.0, -1.0);
            }
        }
        let (values, _) = decompose(&matrix, n);
        for (i, value) in values.iter().enumerate() {
            let angle = (n - i) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "[{i}] {value}");
        }
        // A multiple of the identity, a matrix of rank 1 and nothing at all.
        assert_eq!(decompose(&[3.0, 0.0, 0.0, 3.0], 2).0, [3.0, 3.0]);
        let (values, axes) = decompose(&[1.0, 2.0, 2.0, 4.0], 2);
        assert!((values[0] - 5.0).abs() < 1e-15 && values[1].abs() < 1e-15 && values[1] >= 0.0);
        assert!((axes[0] - 0.2f64.sqrt()).abs() < 1e-15 && (axes[1] - 0.8f64.sqrt()).abs() < 1e-15);
        assert_eq!(decompose(&[0.0; 9], 3).0, [0.0; 3]);
        assert_eq!(decompose(&[], 0).0, []);
    }

    #[test]
    fn the_largest_component_is_positive() {
        let (_, axes) = decompose(&symmetric(40), 40);
        for axis in axes.chunks_exact(40) {
            let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            assert!(largest.unwrap() > 0.0);
        }
        let mut rows = [1.0, -3.0, 2.0, 0.0, 0.0, 0.0, -2.0, 2.0, 0.0];
        fix_signs(&mut rows, 3);
        assert_eq!(rows, [-1.0, 3.0, -2.0, 0.0, 0.0, 0.0, 2.0, -2.0, 0.0]);
    }

    #[test]
    fn samples_and_their_covariance_have_the_same_axes() {
        for (samples, features) in [(2, 2), (5, 9), (20, 20), (33, 70)] {
            let x = uniform(7, samples * features, 4.0, 6.0);
            let (mut mean, mut variance) = (vec![0.0; features], vec![0.0; features]);
            moments(&Exec::serial(), &x, &mut mean, &mut variance);
            let matrix = covariance::reference::covariance(&x, &mean);
            let (values, axes) = decompose(&matrix, features);
            let (found, directions) = decompose_samples(&x, &mean);
            assert_orthonormal(&directions, features);
            assert!((variance.iter().sum::<f64>() - found.iter().sum::<f64>()).abs() < 1e-12);
            // One less than samples: the last direction is arbitrary.
            for i in 0..samples - 1 {
                assert!((values[i] - found[i]).abs() < 1e-12);
                for j in 0..features {
                    let (a, b) = (axes[i * features + j], directions[i * features + j]);
                    assert!(
                        (a - b).abs() < 1e-9,
                        "{samples} × {features} [{i}] [{j}]: {a} {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_gives_nan_and_no_panic() {
        let (values, _) = decompose(&[f64::NAN, 0.0, 0.0, 1.0], 2);
        assert!(values.iter().any(|value| value.is_nan()), "{values:?}");
    }
}
