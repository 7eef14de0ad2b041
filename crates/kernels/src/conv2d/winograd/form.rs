//! The forms F(M × M, R × R) of the Winograd algorithm that there are.

use crate::conv2d::windows::View;

/// F(M × M, R × R): tiles of M × M outputs of windows of R × R taps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    F43,
    F23,
    F25,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::F43, Form::F23, Form::F25];

    /// The form with tiles of `outputs` × `outputs` for windows that [`super::tile_of`] accepts.
    pub fn of(view: &View, outputs: usize) -> Form {
        Form::ALL
            .into_iter()
            .find(|form| form.outputs() == outputs && form.taps() == view.rows.taps)
            .expect("a form for the windows")
    }

    /// Outputs along a side of a tile.
    pub fn outputs(self) -> usize {
        match self {
            Form::F43 => 4,
            Form::F23 | Form::F25 => 2,
        }
    }

    /// Taps along a side of a window.
    pub fn taps(self) -> usize {
        match self {
            Form::F43 | Form::F23 => 3,
            Form::F25 => 5,
        }
    }

    /// Pixels along a side of a tile, before and after its transform.
    pub fn size(self) -> usize {
        self.outputs() + self.taps() - 1
    }

    /// Places of a transformed tile.
    pub fn places(self) -> usize {
        self.size() * self.size()
    }

    /// Tiles of a batch from which on reading 36/9, 16/9 or 36/25 as many filters pays.
    pub fn least_tiles(self) -> usize {
        match self {
            Form::F43 => 8,
            Form::F23 | Form::F25 => 4,
        }
    }

    /// Rows and columns of tiles that cover an image.
    pub fn grid(self, view: &View) -> [usize; 2] {
        [view.rows.count, view.cols.count].map(|outputs| outputs.div_ceil(self.outputs()))
    }

    /// Tiles that cover an image.
    pub fn tiles(self, view: &View) -> usize {
        let [rows, cols] = self.grid(view);
        rows * cols
    }

    /// Multiplications for an image, one channel and one column.
    pub fn products(self, view: &View) -> usize {
        self.tiles(view) * self.places()
    }
}
