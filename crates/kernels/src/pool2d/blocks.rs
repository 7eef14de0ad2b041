//! Channels in blocks of fixed size, so that every loop over them is whole vectors held in registers.

/// Runs `$body` with `$at` the first channel of each block and `$LANES` its size: 32 while they fit, then each
/// smaller power of two at most once.
macro_rules! by_blocks {
    ($channels:expr, |$at:ident, $LANES:ident| $body:expr) => {{
        let mut $at = 0;
        while $at + 32 <= $channels {
            const $LANES: usize = 32;
            $body;
            $at += 32;
        }
        by_blocks!(@once [16, 8, 4, 2, 1], $channels, $at, $LANES, $body);
    }};
    // Not a loop: the compiler would vectorize across its passes, with gathers.
    (@once [$($size:literal),*], $channels:expr, $at:ident, $LANES:ident, $body:expr) => {
        $(if $channels & $size != 0 {
            const $LANES: usize = $size;
            $body;
            #[allow(unused_assignments, reason = "the last one")]
            {
                $at += $size;
            }
        })*
    };
}
pub(super) use by_blocks;

/// A block of values that starts at `at`.
#[inline(always)]
pub(super) fn block<T, const LANES: usize>(values: &[T], at: usize) -> &[T; LANES] {
    values[at..].first_chunk().expect("blocks end inside the buffer")
}

/// As [`block`], to write to.
#[inline(always)]
pub(super) fn block_mut<T, const LANES: usize>(values: &mut [T], at: usize) -> &mut [T; LANES] {
    values[at..]
        .first_chunk_mut()
        .expect("blocks end inside the buffer")
}
