//! Working memory of kernels: one stack of buffers per thread, kept between calls so that a steady state
//! allocates nothing and touches no fresh page.

use std::cell::RefCell;

/// 64 bytes: a cache line, and the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

thread_local! {
    static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Lends `body` a 64-byte aligned slice of `len` floats with unspecified contents. Calls may nest.
pub fn with_scratch<R>(len: usize, body: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut lines = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let needed = len.div_ceil(16);
    if lines.len() < needed {
        let more = needed - lines.len();
        if lines.try_reserve_exact(more).is_err() {
            panic!(
                "out of memory: {} bytes of working memory for a kernel",
                needed * size_of::<Line>()
            );
        }
        lines.resize(needed, Line([0.0; 16]));
    }
    // SAFETY: `Line` is 16 floats without padding, so `needed` lines are at least `len` initialised floats.
    let slice = unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<f32>(), len) };
    let result = body(slice);
    FREE.with_borrow_mut(|free| free.push(lines));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_slices_are_aligned_and_apart() {
        with_scratch(100, |a| {
            a.fill(1.0);
            with_scratch(50, |b| {
                b.fill(2.0);
                assert_eq!(b.as_ptr().addr() % 64, 0);
            });
            assert!(a.iter().all(|&v| v == 1.0));
            assert_eq!(a.as_ptr().addr() % 64, 0);
        });
    }
}
