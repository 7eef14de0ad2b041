//! A block of aligned memory.

use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Blocks of at least this size are aligned to it and ask for huge pages: one page fault instead of 512.
const HUGE_PAGE: usize = 2 << 20;
/// A cache line, and the widest vector.
const LINE: usize = 64;

/// Memory that did not come, from the system or because of the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfMemory {
    pub requested: usize,
    pub in_use: usize,
    pub limit: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot allocate {} bytes: {} bytes are in use and the limit is {} bytes",
            self.requested, self.in_use, self.limit
        )
    }
}

/// Aligned memory of a fixed size with unspecified contents, freed when the last reference goes.
///
/// A block is only an address: whoever turns it into a slice answers for nobody else using it meanwhile.
pub struct Block {
    pointer: NonNull<u8>,
    layout: Layout,
    /// Bytes of all living blocks of the same pool.
    total: Arc<AtomicUsize>,
}

// SAFETY: a block gives out its address and nothing else; access is the business of whoever dereferences it.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    /// Allocates `bytes` (at least 1) and adds them to `total`, or returns `None` when the system has none.
    pub(crate) fn allocate(bytes: usize, total: &Arc<AtomicUsize>) -> Option<Block> {
        let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { LINE };
        let layout = Layout::from_size_align(bytes.max(1), align).ok()?;
        // SAFETY: the layout's size is not zero.
        let pointer = NonNull::new(unsafe { alloc(layout) })?;
        #[cfg(target_os = "linux")]
        if bytes >= HUGE_PAGE {
            // A hint: without transparent huge pages everything works, only slower.
            // SAFETY: the range was just allocated and nothing is changed in it.
            unsafe { libc::madvise(pointer.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        total.fetch_add(layout.size(), Relaxed);
        Some(Block {
            pointer,
            layout,
            total: total.clone(),
        })
    }

    pub fn pointer(&self) -> *mut u8 {
        self.pointer.as_ptr()
    }

    /// Size in bytes.
    pub fn capacity(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.total.fetch_sub(self.layout.size(), Relaxed);
        // SAFETY: allocated with this layout in `allocate`.
        unsafe { dealloc(self.pointer.as_ptr(), self.layout) };
    }
}
