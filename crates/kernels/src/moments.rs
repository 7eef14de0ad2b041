//! Mean and variance of the columns of a matrix, whatever its numbers: added up in double precision.

use crate::Exec;
use crate::partials::sum_tiles;
use crate::simd::vectorize;

/// A number that data are made of.
pub trait Sample: Copy + Into<f64> + Send + Sync {}
impl Sample for f32 {}
impl Sample for f64 {}
impl Sample for i32 {}
impl Sample for u8 {}

/// Rows are cut into so many parts at most, ...
const MOST_PARTS: usize = 64;
/// ... with so many sums in all of them, ...
const MOST_SUMS: usize = 1 << 20;
/// ... and each part has at least so many numbers.
const LEAST_NUMBERS: usize = 1 << 15;
/// Short rows are read several at a time, about so many numbers together.
const WIDTH: usize = 64;

/// The mean of each column of `x`, and its variance (the population's) unless `variance` is empty. Both passes add
/// up differences, first from the first row and then from the mean: so a column of equal numbers has exactly that
/// mean and the variance 0, and nothing cancels. A NaN or an infinity spoils its column and no other.
pub fn moments<T: Sample>(cx: &Exec, x: &[T], mean: &mut [f64], variance: &mut [f64]) {
    let columns = mean.len();
    let rows = x.len().checked_div(columns).unwrap_or(0);
    let first: Vec<f64> = x.iter().take(columns).map(|&v| v.into()).collect();
    differences(cx, x, &first, false, |sums| {
        for ((mean, sum), first) in mean.iter_mut().zip(sums).zip(&first) {
            *mean = first + sum / rows as f64;
        }
    });
    if variance.is_empty() {
        return;
    }
    differences(cx, x, mean, true, |sums| {
        for (variance, sum) in variance.iter_mut().zip(sums) {
            *variance = sum / rows as f64;
        }
    });
}

/// Hands Σ (x − origin), or Σ (x − origin)² if `squared`, of each column to `finish`.
fn differences<T: Sample>(cx: &Exec, x: &[T], origin: &[f64], squared: bool, finish: impl FnOnce(&[f64])) {
    let columns = origin.len();
    let together = (WIDTH / columns.max(1)).max(1);
    let origin = origin.repeat(together);
    let width = origin.len();
    let strips = x.len().checked_div(width).unwrap_or(0);
    let most = (MOST_SUMS / width.max(1)).clamp(1, MOST_PARTS);
    let parts = (x.len() / LEAST_NUMBERS).clamp(1, most);
    let add = if squared { add_squares } else { add_differences };
    sum_tiles(
        cx,
        parts,
        width,
        |part, sums| {
            let (from, to) = (part * strips / parts, (part + 1) * strips / parts);
            add(cx.isa, &x[from * width..to * width], &origin, sums);
            if part + 1 == parts {
                // The rows that do not fill a strip.
                let rest = &x[strips * width..];
                add(cx.isa, rest, &origin[..rest.len()], &mut sums[..rest.len()]);
            }
        },
        |sums| {
            let mut totals = vec![0.0; columns];
            for row in sums.chunks_exact(columns.max(1)) {
                totals.iter_mut().zip(row).for_each(|(total, sum)| *total += sum);
            }
            finish(&totals);
        },
    );
}

#[inline(always)]
fn add_rows<T: Sample>(x: &[T], origin: &[f64], sums: &mut [f64], of: impl Fn(f64) -> f64) {
    for row in x.chunks_exact(origin.len().max(1)) {
        for ((sum, &value), origin) in sums.iter_mut().zip(row).zip(origin) {
            *sum += of(value.into() - origin);
        }
    }
}

vectorize! {
    fn add_differences[T: Sample](x: &[T], origin: &[f64], sums: &mut [f64]) {
        add_rows(x, origin, sums, |difference| difference);
    }
}

vectorize! {
    fn add_squares[T: Sample](x: &[T], origin: &[f64], sums: &mut [f64]) {
        add_rows(x, origin, sums, |difference| difference * difference);
    }
}

pub mod reference {
    use super::Sample;

    /// Mean and variance as [`super::moments`] gives them, straight from their definitions.
    pub fn moments<T: Sample>(x: &[T], columns: usize) -> (Vec<f64>, Vec<f64>) {
        let column = |j: usize| x.iter().skip(j).step_by(columns).map(|&v| v.into());
        let rows = (x.len() / columns) as f64;
        (0..columns)
            .map(|j| {
                let mean = column(j).sum::<f64>() / rows;
                let variance = column(j).map(|v| (v - mean) * (v - mean)).sum::<f64>() / rows;
                (mean, variance)
            })
            .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::sample::{doubles, uniform};

    fn both<T: Sample>(cx: &Exec, x: &[T], columns: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut mean, mut variance) = (vec![0.0; columns], vec![0.0; columns]);
        moments(cx, x, &mut mean, &mut variance);
        (mean, variance)
    }

    #[track_caller]
    fn assert_near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn every_path_agrees_with_the_definition_and_every_number_of_threads_in_each_bit() {
        for (rows, columns) in [
            (1, 1),
            (2, 3),
            (7, 64),
            (1000, 3),
            (333, 65),
            (2000, 130),
            (20_001, 5),
        ] {
            let x = uniform(rows as u64, rows * columns, -3.0, 9.0);
            let pixels: Vec<u8> = x.iter().map(|v| (v * 28.0 + 84.0) as u8).collect();
            let (mean, variance) = reference::moments(&x, columns);
            let mut bits: Vec<(Isa, Vec<f64>, Vec<f64>)> = Vec::new();
            for cx in Exec::all_for_tests() {
                let found = both(&cx, &x, columns);
                assert_near(&found.0, &mean);
                assert_near(&found.1, &variance);
                assert_eq!(both(&cx, &doubles(&x), columns), found);
                let of_pixels = reference::moments(&pixels, columns);
                assert_near(&both(&cx, &pixels, columns).0, &of_pixels.0);
                assert_near(&both(&cx, &pixels, columns).1, &of_pixels.1);
                match bits.iter().find(|(isa, ..)| *isa == cx.isa) {
                    Some((_, mean, variance)) => assert_eq!((mean, variance), (&found.0, &found.1)),
                    None => bits.push((cx.isa, found.0, found.1)),
                }
            }
        }
    }

    #[test]
    fn equal_numbers_have_exactly_their_mean_and_no_variance() {
        let cx = Exec::serial();
        let x = [0.1f32, 7.0].repeat(1009);
        assert_eq!(both(&cx, &x, 2), (vec![f64::from(0.1f32), 7.0], vec![0.0, 0.0]));
    }

    #[test]
    fn a_small_spread_far_from_zero_does_not_cancel() {
        let x: Vec<f64> = (0..1000).map(|i| 1e9 + f64::from(i % 2)).collect();
        let (mean, variance) = both(&Exec::serial(), &x, 1);
        assert_eq!((mean[0], variance[0]), (1e9 + 0.5, 0.25));
    }

    #[test]
    fn a_nan_or_an_infinity_spoils_its_column_alone() {
        let mut x = vec![1.0f32; 30];
        (x[4], x[17]) = (f32::NAN, f32::INFINITY);
        let (mean, variance) = both(&Exec::serial(), &x, 3);
        assert!(mean[1].is_nan() && !mean[2].is_finite() && !variance[2].is_finite());
        assert_eq!((mean[0], variance[0]), (1.0, 0.0));
    }

    #[test]
    fn no_rows_and_no_columns_do_nothing_bad() {
        assert!(
            both::<f32>(&Exec::serial(), &[], 2)
                .0
                .iter()
                .all(|v| v.is_nan() || *v == 0.0)
        );
        assert_eq!(both::<f32>(&Exec::serial(), &[], 0), (vec![], vec![]));
    }
}
