//! Kernels that move elements, any kind of number, and compute at most what turns them into another kind.
//!
//! The plain form of each stands in its tests.

mod cast;
mod gather;
mod pixels;
mod transpose;
mod window;

pub use cast::{Cast, cast};
pub use gather::{Gather, check_indices, gather, one_hot, scatter_add};
pub use pixels::{Channels, Float, Level, pixels};
pub use transpose::{Transpose, transpose};
pub use window::{Window, insert, pad, slice};

/// Bytes in one tile, read or written.
const GRAIN_BYTES: usize = 1 << 17;

/// Elements of `T` in one tile.
const fn grain<T>() -> usize {
    GRAIN_BYTES / size_of::<T>()
}

/// Copies a run of any length.
#[inline]
fn copy_run<T: Copy>(from: &[T], to: &mut [T]) {
    if from.len() >= 32 {
        to.copy_from_slice(from);
    } else {
        // Cheaper than a call for a few elements.
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from;
        }
    }
}
