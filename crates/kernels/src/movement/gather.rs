//! Slices picked by index, and their way back.

use num_traits::Float;

use super::grain;
use crate::dimensions::{check_lengths, product, whole};
use crate::simd::vectorize;
use crate::{Disjoint, Exec};

/// Slices of `inner` elements picked from `size` of them, in each of `outer` places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gather {
    pub outer: usize,
    /// How many slices there are to pick from.
    pub size: usize,
    /// How many are picked.
    pub picked: usize,
    pub inner: usize,
}

impl Gather {
    pub fn new(outer: usize, size: usize, picked: usize, inner: usize) -> Result<Gather, String> {
        product(&[outer, size, inner])?;
        product(&[outer, picked, inner])?;
        Ok(Gather {
            outer,
            size,
            picked,
            inner,
        })
    }

    pub fn from_words(words: &[f64]) -> Result<Gather, String> {
        let [outer, size, picked, inner] = words else {
            return Err(format!("{} numbers instead of 4", words.len()));
        };
        Gather::new(whole(*outer)?, whole(*size)?, whole(*picked)?, whole(*inner)?)
    }

    /// Lengths of the tensor that is picked from, of the indices and of the result.
    pub fn check(&self, x: usize, indices: usize, y: usize) -> Result<(), String> {
        check_lengths(&[
            ("x", x, self.outer * self.size * self.inner),
            ("indices", indices, self.picked),
            ("y", y, self.outer * self.picked * self.inner),
        ])
    }
}

/// The first index that is not from 0 to `size` - 1, in words.
pub fn check_indices(indices: &[i32], size: usize) -> Result<(), String> {
    match indices
        .iter()
        .position(|&index| usize::try_from(index).map_or(true, |index| index >= size))
    {
        None => Ok(()),
        Some(at) if size == 0 => Err(format!(
            "index {} at position {at}: there is nothing to pick",
            indices[at]
        )),
        Some(at) => Err(format!(
            "index {} at position {at} is not from 0 to {}",
            indices[at],
            size - 1
        )),
    }
}

/// y[o, p, :] = x[o, indices[p], :]. Panics on an index that [`check_indices`] refuses.
pub fn gather<T: Copy + Send + Sync>(cx: &Exec, geometry: &Gather, x: &[T], indices: &[i32], y: &mut [T]) {
    let Gather {
        size, picked, inner, ..
    } = *geometry;
    assert_eq!(geometry.check(x.len(), indices.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    let slices_per_tile = (grain::<T>() / inner).max(1);
    cx.chunks_mut(y, slices_per_tile * inner, |start, y| {
        for (i, y) in y.chunks_exact_mut(inner).enumerate() {
            let at = start / inner + i;
            let index = indices[at % picked] as usize;
            assert!(index < size);
            y.copy_from_slice(&x[(at / picked * size + index) * inner..][..inner]);
        }
    });
}

/// dx = 0, then dx[o, indices[p], :] += dy[o, p, :] for every p in order: the gradient of [`gather`].
pub fn scatter_add<T: Float + Send + Sync>(
    cx: &Exec,
    geometry: &Gather,
    dy: &[T],
    indices: &[i32],
    dx: &mut [T],
) {
    let Gather {
        outer,
        size,
        picked,
        inner,
    } = *geometry;
    assert_eq!(geometry.check(dx.len(), indices.len(), dy.len()), Ok(()));
    if dx.is_empty() {
        return;
    }
    // Each tile owns a stretch of targets and walks over all indices, so no two tiles add to one place.
    let parts = if inner < 16 {
        1
    } else {
        (picked * inner / grain::<T>()).clamp(1, 16)
    };
    let stretch = size.div_ceil(parts);
    let parts = size.div_ceil(stretch);
    let dx = Disjoint::new(dx);
    cx.tiles(outer * parts, |tile| {
        let (place, first) = (tile / parts, tile % parts * stretch);
        let targets = first..size.min(first + stretch);
        let start = place * size;
        // SAFETY: each stretch of targets of each place is handed out once.
        let dx = unsafe { dx.slice((start + targets.start) * inner..(start + targets.end) * inner) };
        dx.fill(T::zero());
        for (p, &index) in indices.iter().enumerate() {
            if targets.contains(&(index as usize)) {
                let dx = &mut dx[(index as usize - targets.start) * inner..][..inner];
                add(cx.isa, &dy[(place * picked + p) * inner..][..inner], dx);
            }
        }
    });
}

vectorize! {
    fn add[T: Float](x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = *y + x;
        }
    }
}

/// y[i, indices[i]] = 1 and 0 elsewhere. Panics on an index that [`check_indices`] refuses.
pub fn one_hot<T: Float + Send>(cx: &Exec, depth: usize, indices: &[i32], y: &mut [T]) {
    assert_eq!(y.len(), indices.len() * depth);
    if depth == 0 {
        return;
    }
    let rows_per_tile = (grain::<T>() / depth).max(1);
    cx.chunks_mut(y, rows_per_tile * depth, |start, y| {
        for (y, &index) in y.chunks_exact_mut(depth).zip(&indices[start / depth..]) {
            y.fill(T::zero());
            y[index as usize] = T::one();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [[usize; 4]; 9] = [
        [1, 5, 7, 3],
        [1, 100, 3000, 40],
        [4, 3, 2, 1],
        [1, 10, 20_000, 1],
        [3, 17, 100, 16],
        [1, 1, 1, 1],
        [2, 5, 0, 3],
        [0, 5, 2, 3],
        [2, 5, 4, 0],
    ];

    #[test]
    fn slices_are_picked_and_their_gradients_added_up() {
        for [outer, size, picked, inner] in CASES {
            let geometry = Gather::new(outer, size, picked, inner).unwrap();
            let x: Vec<f32> = (0..outer * size * inner).map(|i| i as f32).collect();
            let indices: Vec<i32> = (0..picked).map(|p| (p * p * 7 % size) as i32).collect();
            let dy: Vec<f32> = (0..outer * picked * inner)
                .map(|i| (i % 5) as f32 - 1.0)
                .collect();
            let mut expected = vec![0.0; dy.len()];
            let mut added = vec![0.0; x.len()];
            for at in 0..dy.len() {
                let (o, p, i) = (at / inner / picked, at / inner % picked, at % inner);
                let from = (o * size + indices[p] as usize) * inner + i;
                expected[at] = x[from];
                added[from] += dy[at];
            }
            for cx in Exec::all_for_tests() {
                let mut y = vec![-1.0; dy.len()];
                gather(&cx, &geometry, &x, &indices, &mut y);
                assert_eq!(y, expected);
                let mut dx = vec![-1.0; x.len()];
                scatter_add(&cx, &geometry, &dy, &indices, &mut dx);
                assert_eq!(dx, added, "{geometry:?}");
            }
        }
    }

    #[test]
    fn one_hot_rows_have_one_one() {
        for cx in Exec::all_for_tests() {
            let indices: Vec<i32> = (0..20_001).map(|i| i * 3 % 7).collect();
            let mut y = vec![9.0f32; indices.len() * 7];
            one_hot(&cx, 7, &indices, &mut y);
            for (row, &index) in y.chunks(7).zip(&indices) {
                assert!((0..7).all(|i| row[i as usize] == if i == index { 1.0 } else { 0.0 }));
            }
            one_hot::<f64>(&cx, 0, &[], &mut []);
        }
    }

    #[test]
    fn indices_outside_are_named() {
        assert_eq!(check_indices(&[0, 4], 5), Ok(()));
        assert_eq!(
            check_indices(&[0, 5], 5),
            Err("index 5 at position 1 is not from 0 to 4".to_string())
        );
        assert_eq!(
            check_indices(&[-1], 5),
            Err("index -1 at position 0 is not from 0 to 4".to_string())
        );
        assert_eq!(
            check_indices(&[0], 0),
            Err("index 0 at position 0: there is nothing to pick".to_string())
        );
        assert_eq!(check_indices(&[], 0), Ok(()));
        assert!(Gather::from_words(&[1.0, 2.0, 3.0]).is_err());
        assert!(Gather::from_words(&[1.0, -2.0, 3.0, 1.0]).is_err());
        assert!(Gather::new(1 << 30, 1 << 30, 1, 1).is_err());
    }
}
