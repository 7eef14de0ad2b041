//! The matrices of the Winograd algorithms F(M × M, R × R) along one axis, on registers of channels: F(2, 3), F(4, 3) and
//! F(2, 5).
//!
//! Along one axis a tile of M outputs y of a convolution of S = M + R - 1 pixels d with R taps g is
//!
//! ```text
//! y = Aᵀ · ((G · g) ⊙ (Bᵀ · d))
//! ```
//!
//! and in two dimensions every matrix is applied to columns, then to rows. The points of interpolation are 0, ±1, ∞ for
//! S = 4 (Winograd 1980) and 0, ±1/√2, ±√2, ∞ for S = 6: with them the error is half of what the usual 0, ±1, ±2, ∞ of Lavin
//! and Gray (2016) give (how points matter: Barabasz et al. 2020). Bᵀ depends on the points alone. The gradient of g is the
//! transposed chain: dg = Gᵀ · Σ ((Bᵀ · d) ⊙ (A · dy)).

use crate::microkernel::lanes::Lanes;

/// The most pixels along a side of a transformed tile.
pub const MOST: usize = 6;

/// One register for each place along a side of a tile; what a transform does not use is zero.
pub type Side<V> = [V; MOST];

/// The points for S = 6 and what they are made of: ±a and ±b with a · b = 1.
const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;

/// Bᵀ · d.
///
/// # Safety
/// The instruction set of `V` is there; as for all below.
#[inline(always)]
pub unsafe fn input<V: Lanes, const M: usize, const R: usize>(d: Side<V>) -> Side<V> {
    // SAFETY: the caller's promise.
    unsafe {
        if M + R == 5 {
            let zero = V::zero();
            return [
                d[0].sub(d[2]),
                d[1].add(d[2]),
                d[2].sub(d[1]),
                d[1].sub(d[3]),
                zero,
                zero,
            ];
        }
        let middle = V::all(-2.5);
        let (even, odd) = pair(d, -2.0);
        let (even2, odd2) = pair(d, -0.5);
        [
            d[2].mul_add(middle, d[0].add(d[4])),
            odd.mul_add(V::all(A), even),
            odd.mul_add(V::all(-A), even),
            odd2.mul_add(V::all(B), even2),
            odd2.mul_add(V::all(-B), even2),
            d[3].mul_add(middle, d[1].add(d[5])),
        ]
    }
}

#[inline(always)]
unsafe fn pair<V: Lanes>(d: Side<V>, factor: f32) -> (V, V) {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = V::all(factor);
        (d[2].mul_add(factor, d[4]), d[1].mul_add(factor, d[3]))
    }
}

/// Aᵀ · m: M numbers.
#[inline(always)]
pub unsafe fn output<V: Lanes, const M: usize, const R: usize>(m: Side<V>) -> [V; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let (sum, difference) = (m[1].add(m[2]), m[1].sub(m[2]));
        let mut y = [V::zero(); M];
        y[0] = m[0].add(sum);
        if M + R == 5 {
            y[1] = difference.sub(m[3]);
            return y;
        }
        let (sum2, difference2) = (m[3].add(m[4]), m[3].sub(m[4]));
        y[0] = y[0].add(sum2);
        if M == 2 {
            y[1] = difference2.mul_add(V::all(B), difference.mul_add(V::all(A), m[5]));
        } else {
            y[1] = difference2.mul_add(V::all(B), scaled(difference, A));
            y[2] = sum2.mul_add(V::all(2.0), scaled(sum, 0.5));
            y[3] = difference2.mul_add(V::all(2.0 * B), difference.mul_add(V::all(0.5 * A), m[5]));
        }
        y
    }
}

/// A · dy.
#[inline(always)]
pub unsafe fn gradient<V: Lanes, const M: usize, const R: usize>(y: Side<V>) -> Side<V> {
    // SAFETY: the caller's promise.
    unsafe {
        if M + R == 5 {
            let zero = V::zero();
            return [y[0], y[0].add(y[1]), y[0].sub(y[1]), zero.sub(y[1]), zero, zero];
        }
        let (mut even, mut odd) = (y[0], y[1]);
        let (mut even2, mut odd2) = (y[0], y[1]);
        if M == 4 {
            let (half, two) = (V::all(0.5), V::all(2.0));
            (even, odd) = (y[2].mul_add(half, even), y[3].mul_add(half, odd));
            (even2, odd2) = (y[2].mul_add(two, even2), y[3].mul_add(two, odd2));
        }
        [
            y[0],
            odd.mul_add(V::all(A), even),
            odd.mul_add(V::all(-A), even),
            odd2.mul_add(V::all(B), even2),
            odd2.mul_add(V::all(-B), even2),
            y[M - 1],
        ]
    }
}

/// G · g.
#[inline(always)]
pub unsafe fn taps<V: Lanes, const M: usize, const R: usize>(g: [V; R]) -> Side<V> {
    // SAFETY: the caller's promise.
    unsafe {
        if M + R == 5 {
            let (zero, ends) = (V::zero(), g[0].add(g[2]));
            return [
                g[0],
                scaled(ends.add(g[1]), 0.5),
                scaled(ends.sub(g[1]), 0.5),
                g[2],
                zero,
                zero,
            ];
        }
        let (mut even, mut odd) = (g[2].mul_add(V::all(0.5), g[0]), g[1]);
        let (mut even2, mut odd2) = (g[2].mul_add(V::all(2.0), g[0]), g[1]);
        if R == 5 {
            (even, odd) = (g[4].mul_add(V::all(0.25), even), g[3].mul_add(V::all(0.5), odd));
            (even2, odd2) = (g[4].mul_add(V::all(4.0), even2), g[3].mul_add(V::all(2.0), odd2));
        }
        let (even, even2) = (scaled(even, -2.0 / 3.0), scaled(even2, 1.0 / 6.0));
        let (by, by2) = (A * 2.0 / 3.0, B / 6.0);
        [
            g[0],
            odd.mul_add(V::all(-by), even),
            odd.mul_add(V::all(by), even),
            odd2.mul_add(V::all(by2), even2),
            odd2.mul_add(V::all(-by2), even2),
            g[R - 1],
        ]
    }
}

/// Gᵀ · u: R numbers.
#[inline(always)]
pub unsafe fn taps_gradient<V: Lanes, const M: usize, const R: usize>(u: Side<V>) -> [V; R] {
    // SAFETY: the caller's promise.
    unsafe {
        let (sum, difference) = (u[1].add(u[2]), u[1].sub(u[2]));
        let mut g = [V::zero(); R];
        if M + R == 5 {
            let sum = scaled(sum, 0.5);
            (g[0], g[1], g[2]) = (u[0].add(sum), scaled(difference, 0.5), sum.add(u[3]));
            return g;
        }
        let (sum2, difference2) = (u[3].add(u[4]), u[3].sub(u[4]));
        g[0] = sum2.mul_add(V::all(1.0 / 6.0), sum.mul_add(V::all(-2.0 / 3.0), u[0]));
        g[1] = difference2.mul_add(V::all(B / 6.0), scaled(difference, -2.0 / 3.0 * A));
        if R == 3 {
            g[2] = sum2.mul_add(V::all(1.0 / 3.0), sum.mul_add(V::all(-1.0 / 3.0), u[5]));
        } else {
            g[2] = scaled(sum2.sub(sum), 1.0 / 3.0);
            g[3] = difference2.mul_add(V::all(B / 3.0), scaled(difference, -1.0 / 3.0 * A));
            g[4] = sum2.mul_add(V::all(2.0 / 3.0), sum.mul_add(V::all(-1.0 / 6.0), u[5]));
        }
        g
    }
}

#[inline(always)]
unsafe fn scaled<V: Lanes>(x: V, factor: f32) -> V {
    // SAFETY: the caller's promise.
    unsafe { x.mul_add(V::all(factor), V::zero()) }
}
