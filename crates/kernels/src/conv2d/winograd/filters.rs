//! The transforms of filters of the Winograd algorithms F(M × M, R × R), and back of their gradients, on whole registers.

#![allow(clippy::needless_range_loop, reason = "columns of a square array")]

use super::dispatch::on_every_isa;
use super::matrices::{MOST, taps, taps_gradient};
use super::transform::side;
use crate::microkernel::lanes::Lanes;

on_every_isa! {
    /// `to[i · to_plane + p] = (G · g · Gᵀ)[i]` for the `len` floats p of each plane; g is `from[tap · from_plane + p]`.
    ///
    /// # Safety
    /// `len` is a whole number of registers; R · R planes may be read, and S · S written that nobody else uses.
    filter = spread_filter(from: *const f32, from_plane: usize, to: *mut f32, to_plane: usize, len: usize)
}
on_every_isa! {
    /// `to[tap · to_plane + p] = (Gᵀ · u · G)[tap]` for the `len` floats p of each plane; u is `from[i · from_plane + p]`.
    ///
    /// # Safety
    /// Planes of `from` have `len` floats rounded up to whole registers, the R · R of `to` have `len` that nobody
    /// else uses.
    filter_gradient = gather_filter(from: *const f32, from_plane: usize, to: *mut f32, to_plane: usize, len: usize)
}

// No closure calls a lane's methods in these loops: it would be compiled without the instruction set and call each of them.

/// # Safety
/// As for [`filter()`].
#[inline(always)]
unsafe fn spread_filter<V: Lanes, const M: usize, const R: usize>(
    from: *const f32,
    from_plane: usize,
    to: *mut f32,
    to_plane: usize,
    len: usize,
) {
    let size = M + R - 1;
    for p in (0..len).step_by(V::COUNT) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut columns = [[V::zero(); R]; MOST];
            for j in 0..R {
                let mut column = [V::zero(); R];
                for (i, tap) in column.iter_mut().enumerate() {
                    *tap = V::load(from.add((i * R + j) * from_plane + p));
                }
                let side = taps::<V, M, R>(column);
                for i in 0..size {
                    columns[i][j] = side[i];
                }
            }
            for (i, row) in columns.iter().enumerate().take(size) {
                let side = taps::<V, M, R>(*row);
                for (j, value) in side.into_iter().enumerate().take(size) {
                    value.store(to.add((i * size + j) * to_plane + p));
                }
            }
        }
    }
}

/// # Safety
/// As for [`filter_gradient`].
#[inline(always)]
unsafe fn gather_filter<V: Lanes, const M: usize, const R: usize>(
    from: *const f32,
    from_plane: usize,
    to: *mut f32,
    to_plane: usize,
    len: usize,
) {
    let size = M + R - 1;
    for p in (0..len).step_by(V::COUNT) {
        let left = len - p;
        // SAFETY: the caller's promise.
        unsafe {
            let mut rows = [[V::zero(); MOST]; R];
            for j in 0..size {
                let side = side::<V>(from.add(j * from_plane + p), size, size * from_plane);
                let side = taps_gradient::<V, M, R>(side);
                for i in 0..R {
                    rows[i][j] = side[i];
                }
            }
            for (i, row) in rows.iter().enumerate() {
                let side = taps_gradient::<V, M, R>(*row);
                for (j, value) in side.into_iter().enumerate() {
                    let to = to.add((i * R + j) * to_plane + p);
                    if left >= V::COUNT {
                        value.store(to);
                    } else {
                        value.store_first(to, left);
                    }
                }
            }
        }
    }
}
