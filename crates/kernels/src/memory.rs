//! Working memory: floats that start at a cache line, in huge pages where there are many.

use std::alloc::{Layout, alloc, dealloc};
use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// From this size on memory is aligned to it and asks for huge pages: one page fault instead of 512, and an entry of the
/// address cache covers 512 times as much.
const HUGE_PAGE: usize = 2 << 20;
/// A cache line, and the widest vector.
const LINE: usize = 64;

/// A fixed number of floats, zero at first.
pub struct Floats {
    pointer: NonNull<f32>,
    len: usize,
}

// SAFETY: it owns its memory, as a Vec does.
unsafe impl Send for Floats {}
// SAFETY: shared references only read.
unsafe impl Sync for Floats {}

impl Floats {
    /// `len` zeros. Panics when the system has no memory left.
    pub fn zeros(len: usize) -> Floats {
        if len == 0 {
            // Aligned like any other: no floats are lent as no doubles, too.
            let pointer = NonNull::without_provenance(const { NonZero::new(LINE).unwrap() });
            return Floats { pointer, len };
        }
        let bytes = len.saturating_mul(size_of::<f32>());
        let pointer = layout(len).and_then(|layout| {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(layout) })
        });
        let pointer =
            pointer.unwrap_or_else(|| panic!("out of memory: {bytes} bytes of working memory for a kernel"));
        #[cfg(target_os = "linux")]
        if bytes >= HUGE_PAGE {
            // A hint: without transparent huge pages everything works, only slower.
            // SAFETY: the range was just allocated and nothing is changed in it.
            unsafe { libc::madvise(pointer.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        let pointer = pointer.cast::<f32>();
        // SAFETY: `len` floats were allocated; zero bytes are a valid float.
        unsafe { pointer.write_bytes(0, len) };
        Floats { pointer, len }
    }
}

fn layout(len: usize) -> Option<Layout> {
    let bytes = len.checked_mul(size_of::<f32>())?;
    let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { LINE };
    Layout::from_size_align(bytes, align).ok()
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `len` floats, initialised in `zeros`.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl Drop for Floats {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.len).filter(|layout| layout.size() > 0) {
            // SAFETY: allocated in `zeros` with this layout.
            unsafe { dealloc(self.pointer.as_ptr().cast(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_zero_aligned_and_writable_whatever_their_number() {
        for len in [0, 1, 15, 1000, (HUGE_PAGE / 4) + 3] {
            let mut floats = Floats::zeros(len);
            assert_eq!(floats.len(), len);
            assert!(floats.iter().all(|&v| v == 0.0));
            floats.fill(1.0);
            assert!(floats.iter().all(|&v| v == 1.0));
            assert_eq!(floats.as_ptr().addr() % LINE, 0);
        }
    }

    #[test]
    #[should_panic(expected = "out of memory")]
    fn too_many_floats_say_so() {
        Floats::zeros(usize::MAX / 8);
    }
}
