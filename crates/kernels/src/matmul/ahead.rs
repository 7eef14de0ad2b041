//! Reading ahead.

use super::plan::even;
use crate::cache::prefetch;

/// The part of B that comes next: asked for piece by piece while another is computed with, since a core alone cannot read
/// memory as fast as it packs.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    start: *const f32,
    /// How many runs of consecutive floats, how long, and how far apart.
    runs: usize,
    len: usize,
    stride: usize,
}

impl Ahead {
    pub fn new(data: &[f32], start: usize, runs: usize, len: usize, stride: usize) -> Ahead {
        Ahead {
            start: data.as_ptr().wrapping_add(start),
            runs,
            len,
            stride,
        }
    }

    /// Asks for one of `pieces` even pieces.
    pub fn piece(&self, pieces: usize, index: usize) {
        const LINE: usize = 16;
        for run in even(self.runs, pieces, index)..even(self.runs, pieces, index + 1) {
            for float in (0..self.len).step_by(LINE) {
                prefetch(self.start.wrapping_add(run * self.stride + float));
            }
        }
    }
}
