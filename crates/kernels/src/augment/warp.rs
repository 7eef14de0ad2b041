//! Images turned, scaled and moved: each pixel that comes out is read somewhere on the image, between its pixels.
//!
//! Where is an affine map of positions, output to input, for each sample. Values between pixels are bilinear, and a
//! pixel is a point at its centre (`align_corners = false`, as PyTorch has it).

use num_traits::Float;

use super::{FAR, GRAIN, Images, Pixel, parameters};
use crate::Exec;
use crate::dimensions::check_lengths;
use crate::simd::vectorize;

/// How the output of each sample lies on its image.
#[derive(Clone, Debug)]
pub struct Warp {
    pub images: Images,
    placements: Vec<Placement>,
    border: Border,
}

/// What stands beyond the part of the image that may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// A fixed color.
    Fill,
    /// The nearest pixel of the part.
    Nearest,
}

#[derive(Clone, Copy, Debug)]
struct Placement {
    /// x = a · column + b · row + c, y = d · column + e · row + f.
    map: [f64; 6],
    /// The rows and the columns that may be read, the ends left out.
    rows: [i64; 2],
    columns: [i64; 2],
}

/// The four pixels around a place: row-major offsets into the image, none beyond its part; and how far the place is
/// from the first, down and to the right.
struct Corners {
    at: [Option<usize>; 4],
    down: f64,
    right: f64,
}

impl Warp {
    /// `placements` are, for each sample, the six numbers of the map (x = a · column + b · row + c, then y), and the
    /// part of the image that may be read: its first row and column, and those after its last.
    pub fn new(images: Images, placements: &[f64], border: Border) -> Result<Warp, String> {
        let placements = parameters::<10>(images.samples, placements)?
            .into_iter()
            .map(|[a, b, c, d, e, f, top, left, bottom, right]| {
                let (rows, columns) = ([top as i64, bottom as i64], [left as i64, right as i64]);
                let part =
                    |[first, end]: [i64; 2], size: usize| first >= 0 && first < end && end <= size as i64;
                if !part(rows, images.height) || !part(columns, images.width) {
                    return Err(format!("rows {rows:?} and columns {columns:?} of {images:?}"));
                }
                let map = [a, b, c, d, e, f];
                Ok(Placement { map, rows, columns })
            })
            .collect::<Result<_, _>>()?;
        Ok(Warp {
            images,
            placements,
            border,
        })
    }

    /// What is read for a pixel that comes out.
    #[inline(always)]
    fn corners(&self, sample: usize, row: usize, column: usize) -> Corners {
        let Placement { map, rows, columns } = &self.placements[sample];
        let (row, column) = (row as f64 + 0.5, column as f64 + 0.5);
        let x = map[0] * column + map[1] * row + map[2] - 0.5;
        let y = map[3] * column + map[4] * row + map[5] - 0.5;
        let (left, top) = (x.floor(), y.floor());
        // So far away that nothing is there, but not so far that adding 1 overflows.
        let index = |place: f64| place.clamp(-FAR, FAR) as i64;
        let (c, r) = (index(left), index(top));
        let (channels, width) = (self.images.channels, self.images.width);
        let (down, right) = (y - top, x - left);
        if r >= rows[0] && r + 1 < rows[1] && c >= columns[0] && c + 1 < columns[1] {
            let (upper, step) = ((r as usize * width + c as usize) * channels, width * channels);
            let at = [upper, upper + channels, upper + step, upper + step + channels].map(Some);
            return Corners { at, down, right };
        }
        let at = |r: i64, c: i64| -> Option<usize> {
            let (r, c) = match self.border {
                Border::Nearest => (r.clamp(rows[0], rows[1] - 1), c.clamp(columns[0], columns[1] - 1)),
                Border::Fill => (r, c),
            };
            let inside = r >= rows[0] && r < rows[1] && c >= columns[0] && c < columns[1];
            inside.then(|| (r as usize * width + c as usize) * channels)
        };
        let at = [at(r, c), at(r, c + 1), at(r + 1, c), at(r + 1, c + 1)];
        Corners { at, down, right }
    }
}

/// y[n, r, c] = x[n] at the place that (r, c) maps to. `fill` is the color beyond.
pub fn warp<T: Pixel>(cx: &Exec, geometry: &Warp, x: &[T], fill: &[T], y: &mut [T]) {
    let row = geometry.images.out_row();
    assert_eq!(geometry.images.check(x.len(), fill.len(), y.len()), Ok(()));
    if y.is_empty() {
        return;
    }
    cx.chunks_mut(y, (GRAIN / row).max(1) * row, |start, y| {
        let first = start / row;
        match geometry.images.channels {
            1 => warp_rows(cx.isa, geometry, [(); 1], first, x, fill, y),
            3 => warp_rows(cx.isa, geometry, [(); 3], first, x, fill, y),
            _ => warp_rows(cx.isa, geometry, [(); 0], first, x, fill, y),
        }
    });
}

vectorize! {
    /// `known` says how many channels there are where it pays to compile for it; 0 leaves it open.
    fn warp_rows[T: Pixel, const KNOWN: usize](
        geometry: &Warp,
        known: [(); KNOWN],
        first: usize,
        x: &[T],
        fill: &[T],
        y: &mut [T],
    ) {
        let Images { out_height, .. } = geometry.images;
        let channels = if known.is_empty() { geometry.images.channels } else { KNOWN };
        let size = geometry.images.size();
        for (i, y) in y.chunks_exact_mut(geometry.images.out_row()).enumerate() {
            let (sample, row) = ((first + i) / out_height, (first + i) % out_height);
            let x = &x[sample * size..][..size];
            for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                let Corners { at, down, right } = geometry.corners(sample, row, column);
                let (down, right) = (T::fraction(down), T::fraction(right));
                let blend = |[a, b, c, d]: [&[T]; 4], y: &mut [T]| {
                    for (channel, y) in y.iter_mut().enumerate() {
                        let upper = between(a[channel].work(), b[channel].work(), right);
                        let lower = between(c[channel].work(), d[channel].work(), right);
                        *y = T::from_work(between(upper, lower, down));
                    }
                };
                if let [Some(a), Some(b), Some(c), Some(d)] = at {
                    blend([a, b, c, d].map(|at| &x[at..][..channels]), y);
                } else {
                    blend(at.map(|at| at.map_or(fill, |at| &x[at..][..channels])), y);
                }
            }
        }
    }
}

/// Exactly `a` where both are equal.
#[inline(always)]
fn between<T: Float>(a: T, b: T, share: T) -> T {
    a + (b - a) * share
}

/// dx = the gradient of [`warp`]: each dy goes back to the pixels that it was read from, in proportion.
pub fn gradient<T: Pixel<Work = T> + Float>(cx: &Exec, geometry: &Warp, dy: &[T], dx: &mut [T]) {
    let images = geometry.images;
    let (size, out) = (images.size(), images.out_size());
    check_lengths(&[
        ("dy", dy.len(), images.samples * out),
        ("dx", dx.len(), images.samples * size),
    ])
    .unwrap_or_else(|reason| panic!("{reason}"));
    if dx.is_empty() {
        return;
    }
    // Each sample gathers its own gradient, row by row.
    cx.chunks_mut(dx, (GRAIN / size).max(1) * size, |start, dx| {
        dx.fill(T::zero());
        for (i, dx) in dx.chunks_exact_mut(size).enumerate() {
            let sample = start / size + i;
            let pixels = dy[sample * out..][..out].chunks_exact(images.channels);
            for (pixel, dy) in pixels.enumerate() {
                let (row, column) = (pixel / images.out_width, pixel % images.out_width);
                let Corners { at, down, right } = geometry.corners(sample, row, column);
                let shares = [
                    (1.0 - down) * (1.0 - right),
                    (1.0 - down) * right,
                    down * (1.0 - right),
                    down * right,
                ];
                for (at, share) in at.into_iter().zip(shares) {
                    let Some(at) = at else { continue };
                    let share = T::fraction(share);
                    for (dx, &dy) in dx[at..].iter_mut().zip(dy) {
                        *dx = *dx + share * dy;
                    }
                }
            }
        }
    });
}

pub mod reference {
    //! The definition: a sum over all pixels of the image, each weighted by its tent function.

    use num_traits::Float;

    use super::{Border, Images, Placement, Warp};

    /// y = Σ x · max(0, 1 − |Δx|) · max(0, 1 − |Δy|), and what is missing to a whole is `fill`.
    pub fn warp<T: Float>(geometry: &Warp, x: &[T], fill: &[T], y: &mut [T]) {
        let Images {
            channels,
            width,
            out_height,
            out_width,
            ..
        } = geometry.images;
        let size = geometry.images.size();
        for (pixel, y) in y.chunks_exact_mut(channels.max(1)).enumerate() {
            let (sample, r, c) = (
                pixel / (out_height * out_width),
                pixel / out_width % out_height,
                pixel % out_width,
            );
            let Placement { map, rows, columns } = geometry.placements[sample];
            let (down, right) = (r as f64 + 0.5, c as f64 + 0.5);
            let mut at_x = map[0] * right + map[1] * down + map[2] - 0.5;
            let mut at_y = map[3] * right + map[4] * down + map[5] - 0.5;
            if geometry.border == Border::Nearest {
                at_x = at_x.clamp(columns[0] as f64, (columns[1] - 1) as f64);
                at_y = at_y.clamp(rows[0] as f64, (rows[1] - 1) as f64);
            }
            for (channel, y) in y.iter_mut().enumerate() {
                let (mut sum, mut missing) = (0.0, 1.0);
                for row in near(at_y, rows) {
                    for column in near(at_x, columns) {
                        let share = tent(at_y - row as f64) * tent(at_x - column as f64);
                        let at = (row as usize * width + column as usize) * channels + channel;
                        sum += share * double(x[sample * size + at]);
                        missing -= share;
                    }
                }
                *y = T::from(sum + missing * double(fill[channel])).expect("a float holds it");
            }
        }
    }

    /// The pixels of a part of the image whose tent can reach the place.
    fn near(place: f64, [first, end]: [i64; 2]) -> std::ops::Range<i64> {
        let middle = place as i64;
        middle.saturating_sub(2).max(first)..middle.saturating_add(3).min(end)
    }

    fn tent(distance: f64) -> f64 {
        (1.0 - distance.abs()).max(0.0)
    }

    fn double<T: Float>(value: T) -> f64 {
        value.to_f64().expect("a float is a double")
    }
}

#[cfg(test)]
mod tests;
