//! Boxes painted over.

use super::{GRAIN, Images, parameters};
use crate::Exec;

/// The box of each sample.
#[derive(Clone, Debug)]
pub struct Erase {
    pub images: Images,
    boxes: Vec<[usize; 4]>,
}

impl Erase {
    /// `boxes` are the first row, the first column, and the row and the column after the last, of each sample. What
    /// lies beyond the image is left out.
    pub fn new(images: Images, boxes: &[f64]) -> Result<Erase, String> {
        if (images.height, images.width) != (images.out_height, images.out_width) {
            return Err("an image whose size changes".into());
        }
        let within = |at: f64, size: usize| (at.max(0.0) as usize).min(size);
        let boxes = parameters::<4>(images.samples, boxes)?
            .into_iter()
            .map(|[top, left, bottom, right]| {
                let (bottom, right) = (within(bottom, images.height), within(right, images.width));
                [within(top, bottom), within(left, right), bottom, right]
            })
            .collect();
        Ok(Erase { images, boxes })
    }
}

/// y = x with `fill` in the boxes. The gradient is the same of dy, with a fill of 0.
pub fn erase<T: Copy + Send + Sync>(cx: &Exec, geometry: &Erase, x: &[T], fill: &[T], y: &mut [T]) {
    let (height, row) = (geometry.images.height, geometry.images.out_row());
    assert_eq!(geometry.images.check(x.len(), fill.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    cx.chunks_mut(y, (GRAIN / row).max(1) * row, |start, y| {
        y.copy_from_slice(&x[start..start + y.len()]);
        for (i, y) in y.chunks_exact_mut(row).enumerate() {
            let (sample, r) = ((start / row + i) / height, (start / row + i) % height);
            let [top, left, bottom, right] = geometry.boxes[sample];
            if (top..bottom).contains(&r) {
                for pixel in y[left * fill.len()..right * fill.len()].chunks_exact_mut(fill.len()) {
                    pixel.copy_from_slice(fill);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::uniform;

    #[test]
    fn what_is_in_the_box_is_painted_over_and_nothing_else() {
        let boxes = [
            [0.0, 0.0, 1.0, 1.0],
            [-2.0, 1.0, 2.0, 50.0],
            [1.0, 1.0, 1.0, 3.0],
            [2.0, 2.0, 0.0, 9.0],
            [9.0, -9.0, 99.0, -1.0],
        ];
        for [height, width, channels] in [[1, 1, 1], [3, 4, 3], [65, 70, 2]] {
            let words = [5, height, width, channels, height, width].map(|v| v as f64);
            let images = Images::from_words(&words).unwrap();
            let geometry = Erase::new(images, boxes.as_flattened()).unwrap();
            let x = uniform(1, 5 * images.size(), -1.0, 1.0);
            let fill: Vec<f32> = (0..channels).map(|c| 2.0 + c as f32).collect();
            let mut expected = x.clone();
            for (i, value) in expected.iter_mut().enumerate() {
                let (r, c) = (i / channels / width % height, i / channels % width);
                let [top, left, bottom, right] = boxes[i / images.size()];
                let inside = |at: usize, from: f64, to: f64| at as f64 >= from && (at as f64) < to;
                if inside(r, top, bottom) && inside(c, left, right) {
                    *value = fill[i % channels];
                }
            }
            for cx in Exec::all_for_tests() {
                let mut y = vec![f32::NAN; x.len()];
                erase(&cx, &geometry, &x, &fill, &mut y);
                assert_eq!(y, expected);
            }
        }
    }

    #[test]
    fn sizes_that_change_are_refused() {
        let images = Images::from_words(&[1.0, 2.0, 2.0, 1.0, 3.0, 2.0]).unwrap();
        assert!(Erase::new(images, &[0.0; 4]).is_err());
    }
}
