//! How much a core's own cache holds: kernels cut their work so that what they read again and again stays in it. Sizes
//! never change a result, only its speed.

use std::sync::OnceLock;

/// Bytes of the second-level cache that one core can count on.
pub fn second_level() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    // Some report what a cluster of cores shares; a small guess costs less than a large one.
    *BYTES.get_or_init(|| detect().unwrap_or(512 << 10).clamp(256 << 10, 2 << 20))
}

/// Asks for the cache line at `at`, to be read soon but not at once: into the second-level cache. Any address will do:
/// nothing is read.
#[inline(always)]
pub fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch of an address that is not there does nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// What the processor says of its level 2, where it says something.
fn detect() -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid_count;
        // SAFETY: every x86-64 processor has CPUID, and its leaves 0 and 0x8000_0000 name the highest others.
        #[allow(unused_unsafe, reason = "safe in newer compilers only")]
        let leaf = |leaf: u32, index: u32| unsafe { __cpuid_count(leaf, index) };
        // Intel and AMD describe caches the same way, in different leaves.
        for description in [4, 0x8000_001D] {
            if leaf(description & 0x8000_0000, 0).eax < description {
                continue;
            }
            for index in 0..8 {
                let cache = leaf(description, index);
                let (kind, level) = (cache.eax & 31, cache.eax >> 5 & 7);
                let holds_data = kind == 1 || kind == 3;
                if holds_data && level == 2 {
                    let ways = (cache.ebx >> 22) + 1;
                    let partitions = (cache.ebx >> 12 & 0x3FF) + 1;
                    let line = (cache.ebx & 0xFFF) + 1;
                    return Some(
                        ways as usize * partitions as usize * line as usize * (cache.ecx as usize + 1),
                    );
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_size_is_plausible() {
        let bytes = super::second_level();
        assert!((256 << 10..=2 << 20).contains(&bytes), "{bytes} bytes");
    }
}
