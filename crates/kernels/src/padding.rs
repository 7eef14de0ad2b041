//! Where a window that slides over an image stands: the geometry that convolution and pooling share.

use std::ops::Range;

/// Sizes, strides and paddings above this are refused: with them every product of two still fits in 64 bits.
pub const MOST: i64 = i32::MAX as i64;

/// A window sliding along one axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    pub input: usize,
    /// Taps of the window.
    pub kernel: usize,
    pub stride: usize,
    /// Distance of two taps.
    pub dilation: usize,
    /// Cells of padding before and behind the input.
    pub before: usize,
    pub after: usize,
    /// Positions of the window.
    pub output: usize,
}

impl Axis {
    /// Output = ⌊(input + before + after − ((kernel − 1) · dilation + 1)) / stride⌋ + 1; an error if the window does
    /// not fit even once.
    pub fn new(
        input: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        before: usize,
        after: usize,
    ) -> Result<Axis, String> {
        for (name, value, least) in [
            ("input", input, 0),
            ("kernel", kernel, 1),
            ("stride", stride, 1),
            ("dilation", dilation, 1),
            ("padding before", before, 0),
            ("padding after", after, 0),
        ] {
            if value < least || value as u64 > MOST as u64 {
                return Err(format!("{name} {value} is not from {least} to {MOST}"));
            }
        }
        let span = (kernel as u64 - 1) * dilation as u64 + 1;
        let padded = input as u64 + before as u64 + after as u64;
        if span > padded {
            return Err(format!("a window of {span} cells does not fit in {padded}"));
        }
        let output = ((padded - span) / stride as u64 + 1) as usize;
        Ok(Axis {
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
            output,
        })
    }

    /// The cells from the first tap to the last.
    pub fn span(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Where tap 0 of window position `output` stands in the input; negative inside the padding.
    pub fn start(&self, output: usize) -> isize {
        (output * self.stride) as isize - self.before as isize
    }

    /// The taps of window position `output` that stand on the input, not on padding.
    pub fn taps(&self, output: usize) -> Range<usize> {
        let start = self.start(output);
        let dilation = self.dilation as isize;
        let first = if start >= 0 {
            0
        } else {
            (-start + dilation - 1) / dilation
        };
        let end = (self.input as isize - start + dilation - 1).max(0) / dilation;
        let (first, end) = (first as usize, (end as usize).min(self.kernel));
        first.min(end)..end
    }
}

/// Reads `count` numbers that came from outside; each must be from 0 to [`MOST`].
pub fn words<const COUNT: usize>(words: &[f64]) -> Result<[usize; COUNT], String> {
    if words.len() != COUNT {
        return Err(format!(
            "a geometry of {} numbers where {COUNT} are expected",
            words.len()
        ));
    }
    let mut result = [0; COUNT];
    for (to, &word) in result.iter_mut().zip(words) {
        if !(word >= 0.0 && word <= MOST as f64 && word.fract() == 0.0) {
            return Err(format!(
                "{word} in a geometry is no whole number from 0 to {MOST}"
            ));
        }
        *to = word as usize;
    }
    Ok(result)
}

/// The product of sizes, or an error if no slice can be that long.
pub fn volume(sizes: &[usize]) -> Result<usize, String> {
    sizes
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&product| product <= isize::MAX as usize / 8)
        .ok_or_else(|| format!("{sizes:?} is more than memory can hold"))
}

/// An error unless every buffer has the length that the geometry asks for.
pub fn check_lengths(buffers: &[(&str, usize, usize)]) -> Result<(), String> {
    match buffers.iter().find(|(_, found, wanted)| found != wanted) {
        Some((name, found, wanted)) => Err(format!(
            "{name} has {found} elements, the geometry asks for {wanted}"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_those_of_the_course() {
        let output = |input, kernel, stride, padding| {
            Axis::new(input, kernel, stride, 1, padding, padding).map(|axis| axis.output)
        };
        assert_eq!(output(32, 5, 1, 2), Ok(32));
        assert_eq!(output(7, 3, 2, 0), Ok(3));
        assert_eq!(output(227, 11, 4, 0), Ok(55));
        assert_eq!(output(7, 3, 3, 0), Ok(2), "floor");
        assert_eq!(
            output(2, 3, 1, 0),
            Err("a window of 3 cells does not fit in 2".into())
        );
    }

    #[test]
    fn no_number_overflows() {
        let most = MOST as usize;
        assert!(Axis::new(most, most, most, most, most, most).is_err());
        assert!(Axis::new(most, 1, 1, most, most, most).is_ok());
        assert!(Axis::new(usize::MAX, 1, 1, 1, 0, 0).is_err());
        assert!(Axis::new(1, 1, 0, 1, 0, 0).is_err());
        assert!(Axis::new(1, 1, 1, 0, 0, 0).is_err());
        assert!(volume(&[usize::MAX, 2]).is_err());
        assert_eq!(volume(&[0, usize::MAX]), Ok(0));
    }

    #[test]
    fn words_are_whole_and_in_range() {
        assert_eq!(words::<2>(&[1.0, 0.0]), Ok([1, 0]));
        for bad in [-1.0, 0.5, f64::NAN, f64::INFINITY, 9e15] {
            assert!(words::<1>(&[bad]).is_err(), "{bad}");
        }
        assert!(words::<2>(&[1.0]).is_err());
    }

    #[test]
    fn taps_are_those_on_the_input() {
        for input in 1..6 {
            for kernel in 1..5 {
                for dilation in 1..4 {
                    for stride in 1..4 {
                        for (before, after) in [(0, 0), (1, 0), (2, 3), (7, 7)] {
                            let Ok(axis) = Axis::new(input, kernel, stride, dilation, before, after) else {
                                continue;
                            };
                            for position in 0..axis.output {
                                let inside = |tap: &usize| {
                                    let at = axis.start(position) + (tap * dilation) as isize;
                                    at >= 0 && at < input as isize
                                };
                                let expected: Vec<usize> = (0..kernel).filter(inside).collect();
                                let found: Vec<usize> = axis.taps(position).collect();
                                assert_eq!(found, expected, "{axis:?} at {position}");
                            }
                        }
                    }
                }
            }
        }
    }
}
