//! Adding one buffer to another in place: how gradients that meet at one tensor are summed.

use crate::Exec;
use crate::simd::vectorize;

/// Elements in one tile: 64 KiB of float32, which a core's cache holds.
const GRAIN: usize = 1 << 14;

vectorize! {
    fn add_span[](x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}

/// y += x. Both have the same length.
pub fn accumulate(cx: &Exec, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    cx.chunks_mut(y, GRAIN, |start, y| {
        add_span(cx.isa, &x[start..start + y.len()], y)
    });
}

/// What is right, in plain loops.
pub mod reference {
    use num_traits::Float;

    pub fn accumulate<T: Float>(x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = *y + x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_agrees_with_the_reference() {
        for len in [0, 1, 15, 16, 17, 1000, 3 * GRAIN + 5] {
            let x: Vec<f32> = (0..len).map(|i| (i % 101) as f32).collect();
            let start: Vec<f32> = (0..len).map(|i| (i % 7) as f32).collect();
            let mut expected = start.clone();
            reference::accumulate(&x, &mut expected);
            for cx in Exec::all_for_tests() {
                let mut y = start.clone();
                accumulate(&cx, &x, &mut y);
                assert_eq!(
                    y,
                    expected,
                    "{:?}, {} threads, {len} elements",
                    cx.isa,
                    cx.team.threads()
                );
            }
        }
    }
}
