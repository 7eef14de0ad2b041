//! Sizes as they cross from JavaScript: every number is checked again before a kernel sees it.

/// A size or an offset. At most 2^50, so that sums and byte counts of a few of them cannot overflow.
pub fn whole(word: f64) -> Result<usize, String> {
    const MOST: f64 = (1u64 << 50) as f64;
    if (0.0..=MOST).contains(&word) && word.fract() == 0.0 {
        Ok(word as usize)
    } else {
        Err(format!("{word} is no size"))
    }
}

/// All words as sizes.
pub fn wholes(words: &[f64]) -> Result<Vec<usize>, String> {
    words.iter().map(|&word| whole(word)).collect()
}

/// The number of elements of a shape.
pub fn product(shape: &[usize]) -> Result<usize, String> {
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&product| product <= 1 << 50)
        .ok_or_else(|| format!("a tensor of shape {shape:?} is too large"))
}

/// The element strides of a row-major shape.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

/// Every length is what the geometry says.
pub fn check_lengths(pairs: &[(&str, usize, usize)]) -> Result<(), String> {
    match pairs.iter().find(|(_, got, want)| got != want) {
        Some((name, got, want)) => Err(format!("{name} has {got} elements instead of {want}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_numbers_are_refused_and_zero_sizes_are_fine() {
        for word in [-1.0, 0.5, f64::NAN, f64::INFINITY, 2f64.powi(51), -f64::INFINITY] {
            assert!(whole(word).is_err(), "{word}");
        }
        assert_eq!(wholes(&[0.0, 3.0]), Ok(vec![0, 3]));
        assert_eq!(product(&[]), Ok(1));
        assert_eq!(product(&[1 << 50, 1 << 50, 0]), Ok(0));
        assert!(product(&[1 << 50, 2]).is_err());
        assert!(product(&[usize::MAX, usize::MAX]).is_err());
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert!(strides(&[]).is_empty());
    }
}
