//! The transforms of tiles of the Winograd algorithms F(M × M, R × R), on whole registers of channels.
//!
//! `matrices` has them along one axis; here they are applied to columns, then to rows.

#![allow(clippy::needless_range_loop, reason = "columns of a square array")]

use super::dispatch::on_every_isa;
use super::matrices::{MOST, Side, gradient, input, output};
use crate::microkernel::lanes::Lanes;
use std::ops::Range;

/// Some pixels of an image, read as a square tile: those outside of `rows` and `cols` are zero.
pub struct Patch {
    /// Where the first pixel of the tile stands, or would stand.
    pub data: *const f32,
    /// Floats between two rows and between two pixels.
    pub row: usize,
    pub pixel: usize,
    /// Rows and columns of the tile that are in the image.
    pub rows: Range<usize>,
    pub cols: Range<usize>,
    /// As many zeros as a pixel has floats: what the other pixels are read from.
    pub zeros: *const f32,
}

/// Where the pixels of a finished tile go: `rows × cols` of them exist.
pub struct Target<'a> {
    pub data: *mut f32,
    pub row: usize,
    pub pixel: usize,
    pub rows: usize,
    pub cols: usize,
    /// One number for each column, or none.
    pub bias: &'a [f32],
    pub relu: bool,
}

on_every_isa! {
    /// `to[i · plane + c] = (Bᵀ · d · B)[i]` for each of `channels` channels c and the S · S places i of the tile.
    ///
    /// # Safety
    /// The pixels of `patch` that exist, and its zeros, have `channels` floats. `to` has S · S planes of `channels` floats, rounded up to
    /// whole registers, that nobody else uses.
    input_tile = spread_input(patch: &Patch, channels: usize, to: *mut f32, plane: usize)
}
on_every_isa! {
    /// `to[i · plane + c] = (A · dy · Aᵀ)[i]` for each of `channels` channels c; `patch` is a tile of M × M pixels.
    ///
    /// # Safety
    /// As for `input_tile`.
    gradient_tile = spread_gradient(patch: &Patch, channels: usize, to: *mut f32, plane: usize)
}
on_every_isa! {
    /// Writes `Aᵀ · m · A`, plus bias, rectified if asked for, to the pixels of `target`; m is `from[i · plane + c]`.
    ///
    /// # Safety
    /// `from` has S · S planes of `columns` floats rounded up to whole registers; the pixels of `target` have `columns`
    /// floats that nobody else uses, the bias none or as many.
    output_tile = gather_output(from: *const f32, plane: usize, columns: usize, target: &Target)
}
// No closure calls a lane's methods in these loops: it would be compiled without the instruction set and call each of them.

/// # Safety
/// As for [`input_tile`].
#[inline(always)]
unsafe fn spread_input<V: Lanes, const M: usize, const R: usize>(
    patch: &Patch,
    channels: usize,
    to: *mut f32,
    plane: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if patch.rows.len() == M + R - 1 && patch.cols.len() == M + R - 1 {
            spread::<V, M, R, false, true>(patch, channels, to, plane);
        } else {
            spread::<V, M, R, false, false>(patch, channels, to, plane);
        }
    }
}

/// # Safety
/// As for [`gradient_tile`].
#[inline(always)]
unsafe fn spread_gradient<V: Lanes, const M: usize, const R: usize>(
    patch: &Patch,
    channels: usize,
    to: *mut f32,
    plane: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if patch.rows.len() == M && patch.cols.len() == M {
            spread::<V, M, R, true, true>(patch, channels, to, plane);
        } else {
            spread::<V, M, R, true, false>(patch, channels, to, plane);
        }
    }
}

/// Transforms a patch by columns, then by rows: with A where it is a `GRADIENT`, else with Bᵀ. `WHOLE` says that all
/// of its pixels exist.
///
/// # Safety
/// As for [`input_tile`] and [`gradient_tile`].
#[inline(always)]
unsafe fn spread<V: Lanes, const M: usize, const R: usize, const GRADIENT: bool, const WHOLE: bool>(
    patch: &Patch,
    channels: usize,
    to: *mut f32,
    plane: usize,
) {
    let size = M + R - 1;
    let pixels = if GRADIENT { M } else { size };
    let mut places = [[patch.zeros; MOST]; MOST];
    if !WHOLE {
        for i in patch.rows.clone() {
            for j in patch.cols.clone() {
                places[i][j] = patch.data.wrapping_add(i * patch.row + j * patch.pixel);
            }
        }
    }
    for c in (0..channels).step_by(V::COUNT) {
        let left = channels - c;
        // SAFETY: the caller's promise: pixels that exist have `channels` floats, of which `left` are from `c` on; planes
        // are a whole number of registers.
        unsafe {
            let mut columns = [[V::zero(); MOST]; MOST];
            for j in 0..pixels {
                let mut side = [V::zero(); MOST];
                for (i, value) in side.iter_mut().enumerate().take(pixels) {
                    let from = match WHOLE {
                        true => patch.data.wrapping_add(i * patch.row + j * patch.pixel),
                        false => places[i][j],
                    };
                    *value = load::<V>(from.wrapping_add(c), left);
                }
                let side = if GRADIENT {
                    gradient::<V, M, R>(side)
                } else {
                    input::<V, M, R>(side)
                };
                for i in 0..size {
                    columns[i][j] = side[i];
                }
            }
            for (i, row) in columns.iter().enumerate().take(size) {
                let side = if GRADIENT {
                    gradient::<V, M, R>(*row)
                } else {
                    input::<V, M, R>(*row)
                };
                for (j, value) in side.into_iter().enumerate().take(size) {
                    value.store(to.add((i * size + j) * plane + c));
                }
            }
        }
    }
}

/// A register, or its first `left` lanes.
#[inline(always)]
unsafe fn load<V: Lanes>(from: *const f32, left: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        if left >= V::COUNT {
            V::load(from)
        } else {
            V::load_first(from, left)
        }
    }
}

/// A register at each of `count` pointers that lie `step` apart; zero behind them.
#[inline(always)]
pub(super) unsafe fn side<V: Lanes>(from: *const f32, count: usize, step: usize) -> Side<V> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut side = [V::zero(); MOST];
        for (i, value) in side.iter_mut().enumerate().take(count) {
            *value = V::load(from.add(i * step));
        }
        side
    }
}

/// # Safety
/// As for [`output_tile`].
#[inline(always)]
unsafe fn gather_output<V: Lanes, const M: usize, const R: usize>(
    from: *const f32,
    plane: usize,
    columns: usize,
    target: &Target,
) {
    let size = M + R - 1;
    for c in (0..columns).step_by(V::COUNT) {
        let left = columns - c;
        // SAFETY: the caller's promise: planes are whole registers, pixels and bias have `left` floats from `c` on.
        unsafe {
            let mut rows = [[V::zero(); MOST]; M];
            for j in 0..size {
                let side = side::<V>(from.add(j * plane + c), size, size * plane);
                let side = output::<V, M, R>(side);
                for i in 0..M {
                    rows[i][j] = side[i];
                }
            }
            let bias = match target.bias {
                [] => V::zero(),
                bias => load(bias.as_ptr().add(c), left),
            };
            for (i, row) in rows.iter().enumerate().take(target.rows) {
                let side = output::<V, M, R>(*row);
                for (j, value) in side.into_iter().enumerate().take(target.cols) {
                    let mut value = value.add(bias);
                    if target.relu {
                        value = value.relu();
                    }
                    let to = target.data.add(i * target.row + j * target.pixel + c);
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
