//! Working memory of kernels: one stack of buffers per thread, kept between calls so that a steady state
//! allocates nothing and touches no fresh page.

use std::cell::RefCell;

use crate::memory::Floats;

thread_local! {
    static FREE: RefCell<Vec<Floats>> = const { RefCell::new(Vec::new()) };
}

/// Lends `body` a 64-byte aligned slice of `len` floats with unspecified contents. Calls may nest.
pub fn with_scratch<R>(len: usize, body: impl FnOnce(&mut [f32]) -> R) -> R {
    let kept = FREE.with_borrow_mut(Vec::pop);
    let mut floats = match kept {
        Some(floats) if floats.len() >= len => floats,
        // Freed first: both at once would be more than anyone needs.
        kept => {
            drop(kept);
            Floats::zeros(len)
        }
    };
    let result = body(&mut floats[..len]);
    FREE.with_borrow_mut(|free| free.push(floats));
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
