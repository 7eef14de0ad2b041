//! Windows cut out of images, mirrored where wanted; beyond the image stands a fixed color.

use super::{GRAIN, Images, parameters};
use crate::Exec;

/// Where the window of each sample stands.
#[derive(Clone, Debug)]
pub struct Crop {
    pub images: Images,
    windows: Vec<Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// Outside of the image where negative or too large.
    top: isize,
    left: isize,
    /// Whether what was cut out is turned upside down, and left to right.
    flip_rows: bool,
    flip_columns: bool,
}

impl Crop {
    /// `windows` are the first row, the first column and two flags (rows reversed, columns reversed) of each sample.
    pub fn new(images: Images, windows: &[f64]) -> Result<Crop, String> {
        let windows = parameters::<4>(images.samples, windows)?
            .into_iter()
            .map(|[top, left, flip_rows, flip_columns]| Window {
                top: top as isize,
                left: left as isize,
                flip_rows: flip_rows != 0.0,
                flip_columns: flip_columns != 0.0,
            })
            .collect();
        Ok(Crop { images, windows })
    }
}

/// y[n, r, c] = x[n, top + r, left + c], with r and c counted from the other end where flipped, and `fill` beyond the
/// image. The gradient is a crop as well.
pub fn crop<T: Copy + Send + Sync>(cx: &Exec, geometry: &Crop, x: &[T], fill: &[T], y: &mut [T]) {
    let Images {
        height, out_height, ..
    } = geometry.images;
    let (size, row) = (geometry.images.size(), geometry.images.out_row());
    assert_eq!(geometry.images.check(x.len(), fill.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    cx.chunks_mut(y, (GRAIN / row).max(1) * row, |start, y| {
        for (i, y) in y.chunks_exact_mut(row).enumerate() {
            let (sample, r) = ((start / row + i) / out_height, (start / row + i) % out_height);
            let window = &geometry.windows[sample];
            let r = if window.flip_rows { out_height - 1 - r } else { r };
            match usize::try_from(window.top + r as isize) {
                Ok(from) if from < height => {
                    let x = &x[sample * size..][..size];
                    cut_row(&geometry.images, window, &x[from * size / height..], fill, y);
                }
                _ => fill_pixels(fill, y),
            }
        }
    });
}

/// `x` begins with the row to cut from.
fn cut_row<T: Copy>(images: &Images, window: &Window, x: &[T], fill: &[T], y: &mut [T]) {
    let (channels, width, out) = (images.channels, images.width as isize, images.out_width as isize);
    // Columns of the window, before it is flipped, that lie on the image.
    let first = (-window.left).clamp(0, out);
    let end = (width - window.left).clamp(first, out);
    let from = (window.left + first).max(0) as usize * channels;
    let (first, end) = (first as usize, end as usize);
    if window.flip_columns {
        let (from_end, to_end) = (y.len() - end * channels, y.len() - first * channels);
        fill_pixels(fill, &mut y[..from_end]);
        fill_pixels(fill, &mut y[to_end..]);
        let x = &x[from..][..(end - first) * channels];
        for (y, x) in y[from_end..to_end]
            .chunks_exact_mut(channels)
            .rev()
            .zip(x.chunks_exact(channels))
        {
            // Cheaper than a call for a few channels.
            for (y, &x) in y.iter_mut().zip(x) {
                *y = x;
            }
        }
    } else {
        fill_pixels(fill, &mut y[..first * channels]);
        fill_pixels(fill, &mut y[end * channels..]);
        y[first * channels..end * channels].copy_from_slice(&x[from..][..(end - first) * channels]);
    }
}

fn fill_pixels<T: Copy>(fill: &[T], y: &mut [T]) {
    for pixel in y.chunks_exact_mut(fill.len()) {
        pixel.copy_from_slice(fill);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::uniform;

    /// The definition, pixel by pixel.
    fn plain<T: Copy>(geometry: &Crop, x: &[T], fill: &[T]) -> Vec<T> {
        let Images {
            samples,
            channels,
            height,
            width,
            out_height,
            out_width,
        } = geometry.images;
        let mut y = Vec::new();
        for n in 0..samples {
            let window = geometry.windows[n];
            for r in 0..out_height as isize {
                for c in 0..out_width as isize {
                    let r = if window.flip_rows {
                        out_height as isize - 1 - r
                    } else {
                        r
                    };
                    let c = if window.flip_columns {
                        out_width as isize - 1 - c
                    } else {
                        c
                    };
                    let (r, c) = (window.top + r, window.left + c);
                    for ch in 0..channels {
                        let inside = r >= 0 && r < height as isize && c >= 0 && c < width as isize;
                        let at = ((n * height) as isize + r) * width as isize + c;
                        y.push(if inside {
                            x[at as usize * channels + ch]
                        } else {
                            fill[ch]
                        });
                    }
                }
            }
        }
        y
    }

    #[test]
    fn windows_are_those_of_the_definition() {
        let flags = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let places = [[0.0, 0.0], [-2.0, 1.0], [2.0, -3.0], [9.0, 0.0], [0.0, -40.0]];
        for sizes in [
            [1.0, 1.0, 1.0, 1.0, 1.0],
            [5.0, 4.0, 3.0, 5.0, 4.0],
            [3.0, 7.0, 2.0, 9.0, 2.0],
            [33.0, 31.0, 3.0, 29.0, 40.0],
        ] {
            let [h, w, ch, oh, ow] = sizes;
            let windows: Vec<f64> = places
                .iter()
                .flat_map(|place| {
                    flags
                        .iter()
                        .flat_map(|flag| [place[0], place[1], flag[0], flag[1]])
                })
                .collect();
            let images = Images::from_words(&[20.0, h, w, ch, oh, ow]).unwrap();
            let geometry = Crop::new(images, &windows).unwrap();
            let x = uniform(1, 20 * images.size(), -1.0, 1.0);
            let bytes: Vec<u8> = x.iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
            let (fill, dark) = (vec![0.5; ch as usize], vec![7u8; ch as usize]);
            let expected = plain(&geometry, &x, &fill);
            let expected_bytes = plain(&geometry, &bytes, &dark);
            for cx in Exec::all_for_tests() {
                let mut y = vec![f32::NAN; expected.len()];
                crop(&cx, &geometry, &x, &fill, &mut y);
                assert_eq!(y, expected, "{sizes:?}");
                let mut y = vec![99; expected.len()];
                crop(&cx, &geometry, &bytes, &dark, &mut y);
                assert_eq!(y, expected_bytes, "{sizes:?}");
            }
        }
    }

    #[test]
    fn nothing_in_is_nothing_out_or_all_fill() {
        let cx = Exec::serial();
        let none = Crop::new(Images::from_words(&[0.0, 3.0, 3.0, 1.0, 3.0, 3.0]).unwrap(), &[]).unwrap();
        crop(&cx, &none, &[] as &[f32], &[0.0], &mut []);
        let images = Images::from_words(&[1.0, 0.0, 0.0, 1.0, 1.0, 2.0]).unwrap();
        let mut y = [9u8; 2];
        crop(&cx, &Crop::new(images, &[0.0; 4]).unwrap(), &[], &[5], &mut y);
        assert_eq!(y, [5, 5]);
    }
}
