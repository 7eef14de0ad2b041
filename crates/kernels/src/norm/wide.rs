//! Rows of few channels seen as wide rows: k rows side by side are one row of k · channels lanes, so that loops
//! over lanes fill whole vectors and per-channel values are laid out once per job.

/// Lanes that one block of accumulators covers.
pub(super) const BLOCK: usize = 32;
/// Wide rows that go through the registers before accumulators are stored.
pub(super) const GROUP: usize = 8;
/// From this many channels on a row is wide enough as it is.
const WIDE_ENOUGH: usize = 256;
/// Elements of one tile: some 10 µs of work.
const TILE: usize = 1 << 16;

#[derive(Clone, Copy)]
pub(super) struct Wide {
    pub channels: usize,
    /// Width of a wide row: a multiple of `channels`, and of `BLOCK` where `channels` is small.
    pub lanes: usize,
    /// Elements of one tile: whole wide rows.
    pub tile: usize,
}

impl Wide {
    pub fn new(rows: usize, channels: usize) -> Wide {
        let copies = if channels >= WIDE_ENOUGH {
            1
        } else {
            BLOCK / greatest_common_divisor(channels, BLOCK)
        };
        let lanes = channels * copies;
        // At least 64 rows, so that a tile's own sums stay small beside what it reads; at most some 256 tiles.
        let tile_rows = (TILE / channels).max(64).max(rows.div_ceil(256));
        Wide {
            channels,
            lanes,
            tile: tile_rows.next_multiple_of(copies) * channels,
        }
    }

    /// Repeats per-channel `values` over all lanes.
    pub fn spread(&self, values: &[f32], lanes: &mut [f32]) {
        for copy in lanes.chunks_exact_mut(self.channels) {
            copy.copy_from_slice(values);
        }
    }

    /// Adds the lanes of each channel up, in order, into `channels`.
    pub fn fold(&self, lanes: &[f64], channels: &mut [f64]) {
        for copy in lanes.chunks_exact(self.channels) {
            for (sum, part) in channels.iter_mut().zip(copy) {
                *sum += part;
            }
        }
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// A block of `BLOCK` values that starts at `at`.
#[inline(always)]
pub(super) fn block<T>(values: &[T], at: usize) -> &[T; BLOCK] {
    values[at..]
        .first_chunk()
        .expect("blocks end before the last lane")
}

/// As [`block`], to write to.
#[inline(always)]
pub(super) fn block_mut<T>(values: &mut [T], at: usize) -> &mut [T; BLOCK] {
    values[at..]
        .first_chunk_mut()
        .expect("blocks end before the last lane")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_rows_become_whole_blocks() {
        for (channels, lanes) in [
            (1, 32),
            (2, 32),
            (3, 96),
            (10, 160),
            (16, 32),
            (32, 32),
            (48, 96),
            (64, 64),
        ] {
            assert_eq!(Wide::new(1000, channels).lanes, lanes, "{channels} channels");
        }
        assert_eq!(Wide::new(10, 1001).lanes, 1001);
        assert_eq!(Wide::new(1 << 20, 3).tile % 96, 0);
    }

    #[test]
    fn fold_undoes_spread() {
        let wide = Wide::new(10, 3);
        let mut lanes = vec![0.0; wide.lanes];
        wide.spread(&[1.0, 2.0, 3.0], &mut lanes);
        let lanes: Vec<f64> = lanes.iter().map(|&v| f64::from(v)).collect();
        let mut sums = [0.0; 3];
        wide.fold(&lanes, &mut sums);
        assert_eq!(sums, [32.0, 64.0, 96.0]);
    }
}
