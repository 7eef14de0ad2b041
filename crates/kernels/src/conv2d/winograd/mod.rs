//! The Winograd algorithm for windows of 3 × 3 and 5 × 5 that move by one pixel: F(4 × 4, 3 × 3) needs 36 multiplications
//! for 16 outputs where the direct sum needs 144, F(2 × 2, 3 × 3) 16 for 4 where it needs 36, and F(2 × 2, 5 × 5) 36 for 4
//! where it needs 100.
//!
//! Tiles of the input and the filters are transformed (`transform`, `filters`); for each of the S · S places of a
//! transformed tile the products over channels are a matrix product, tiles × channels × filters, on the register tile of
//! [`crate::microkernel`] (`chains`); a last transform gives the outputs. `slide` does so for the forward pass and the input
//! gradient, `weight` for the weight gradient. Transformed tiles stay in the second-level cache.
//!
//! Bound by the multiply-adds of the matrix products from 64 channels or so on, by the transforms below.
//!
//! Errors: with inputs in [-1, 1] the root mean square of the error is at most that of the direct sum for F(2, 3) and three
//! times it for F(4, 3) and F(2, 5) (a test holds it to this); five times it for gradients of weights that are sums over
//! fewer than 1,024 positions, where the direct sum hardly rounds. A NaN or an infinity reaches all outputs of the tiles that
//! it is in, and infinities may become NaN there; sums overflow a little earlier than direct ones.
//!
//! Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms for Convolutional Neural
//! Networks, 2016.

mod chains;
mod dispatch;
mod filters;
mod form;
mod matrices;
mod slide;
#[cfg(test)]
mod tests;
mod transform;
mod weight;

pub use slide::{least_tiles, most_tiles, pack, packed_len, run};
pub use weight::weight_gradient;

use super::windows::{View, Windows};
use crate::{Convolution, Exec};
use form::Form;

/// Channels and columns from which on the transforms pay.
const LEAST: usize = 16;

/// Outputs along a side of a tile: 2 or 4; `None` where the direct sum is as good or asked for. `columns` are filters in
/// the forward pass, channels in the input gradient.
pub fn tile_of(cx: &Exec, view: &View, groups: usize, columns: usize) -> Option<usize> {
    let moves_by_one = |axis: &Windows| axis.step == 1 && axis.dilation == 1 && axis.count > 0;
    let square = view.rows.taps == view.cols.taps;
    if groups != 1 || !square || !moves_by_one(&view.rows) || !moves_by_one(&view.cols) {
        return None;
    }
    if view.batch * view.channels * columns == 0 {
        return None;
    }
    let few = view.channels < LEAST || columns < LEAST;
    let mut forms = Form::ALL.into_iter().filter(|form| form.taps() == view.rows.taps);
    let form = match cx.convolution {
        Convolution::Direct => None,
        Convolution::Winograd2 => forms.find(|form| form.outputs() == 2),
        Convolution::Winograd4 => forms.find(|form| form.outputs() == 4),
        Convolution::Auto if few => None,
        Convolution::Auto => forms
            .filter(|form| view.batch * form.tiles(view) >= form.least_tiles())
            .min_by_key(|form| form.products(view))
            // Transforms cost some of what is saved.
            .filter(|form| form.products(view) * 3 <= view.rows.count * view.cols.count * view.taps() * 2),
    };
    form.map(Form::outputs)
}

/// The tiles of a batch of images.
#[derive(Clone, Copy)]
struct Tiles {
    form: Form,
    rows: usize,
    cols: usize,
    count: usize,
}

/// One tile: its image, and its first row and column of outputs.
struct At {
    image: usize,
    row: usize,
    col: usize,
}

impl Tiles {
    fn new(view: &View, m: usize) -> Tiles {
        let form = Form::of(view, m);
        let [rows, cols] = form.grid(view);
        Tiles {
            form,
            rows,
            cols,
            count: view.batch * rows * cols,
        }
    }

    fn get(&self, index: usize) -> At {
        let (line, col) = (index / self.cols, index % self.cols);
        At {
            image: line / self.rows,
            row: line % self.rows * self.form.outputs(),
            col: col * self.form.outputs(),
        }
    }

    /// What the windows of a tile see.
    fn patch(&self, view: &View, source: &[f32], index: usize, zeros: &[f32]) -> transform::Patch {
        let at = self.get(index);
        let size = self.form.size();
        let row = view.cols.source * view.channels;
        let (top, left) = (
            view.rows.start + at.row as isize,
            view.cols.start + at.col as isize,
        );
        let inside = |start: isize, source: usize| {
            let first = (-start).clamp(0, size as isize) as usize;
            let end = (source as isize - start).clamp(first as isize, size as isize) as usize;
            first..end
        };
        let image = (at.image * view.rows.source * row) as isize;
        transform::Patch {
            data: source
                .as_ptr()
                .wrapping_offset(image + top * row as isize + left * view.channels as isize),
            row,
            pixel: view.channels,
            rows: inside(top, view.rows.source),
            cols: inside(left, view.cols.source),
            zeros: zeros.as_ptr(),
        }
    }
}

/// Floats from one row of a transformed operand to the next: whole cache lines, and not so many that rows crowd into a few
/// sets of the cache.
fn row_len(floats: usize) -> usize {
    floats.next_multiple_of(16) + 16
}

/// Floats from the matrix of one place to that of the next: `rows` rows and a line, or the places of a tile would crowd too.
fn plane_len(rows: usize, row: usize) -> usize {
    rows * row + 16
}
