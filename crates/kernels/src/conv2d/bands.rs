//! How positions are cut into bands that a tile works on, and how sums over several bands come together. All of it
//! follows from the sizes alone.

use crate::simd::vectorize;
use crate::{Exec, with_scratch};

/// Some lines of positions: of one image, or all lines of several.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    /// The first image and how many there are.
    pub image: usize,
    pub images: usize,
    /// The first line of each image and how many there are.
    pub line: usize,
    pub lines: usize,
}

/// How a batch is cut into bands: each image into even parts, or even parts of the batch with whole images.
#[derive(Clone, Copy, Debug)]
pub struct Bands {
    batch: usize,
    lines: usize,
    groups: usize,
    parts: usize,
}

impl Bands {
    /// Bands of about `wanted` lines, from `batch` images of `lines` each. All are above 0.
    pub fn new(batch: usize, lines: usize, wanted: usize) -> Bands {
        let (groups, parts) = match wanted / lines {
            0 => (batch, lines.div_ceil(wanted)),
            images => (batch.div_ceil(images), 1),
        };
        Bands {
            batch,
            lines,
            groups,
            parts,
        }
    }

    pub fn count(&self) -> usize {
        self.groups * self.parts
    }

    pub fn get(&self, index: usize) -> Band {
        let (group, part) = (index / self.parts, index % self.parts);
        let image = even(self.batch, self.groups, group);
        let line = even(self.lines, self.parts, part);
        Band {
            image,
            images: even(self.batch, self.groups, group + 1) - image,
            line,
            lines: even(self.lines, self.parts, part + 1) - line,
        }
    }
}

/// Lets `body` compute `parts` summands of `sum`, which stand one behind the other, and adds them up in order.
pub fn in_parts(cx: &Exec, parts: usize, sum: &mut [f32], body: impl FnOnce(&mut [f32])) {
    if parts == 1 {
        return body(sum);
    }
    with_scratch(parts * sum.len(), |summands| {
        body(summands);
        let len = sum.len();
        cx.chunks_mut(sum, (1 << 15) / parts, |start, sum| {
            sum.copy_from_slice(&summands[start..start + sum.len()]);
            for part in 1..parts {
                add(cx.isa, &summands[part * len + start..][..sum.len()], sum);
            }
        });
    });
}

vectorize! {
    fn add[](x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}

/// Where piece number `index` of `pieces` even pieces of `len` starts.
pub fn even(len: usize, pieces: usize, index: usize) -> usize {
    let (quotient, rest) = (len / pieces, len % pieces);
    quotient * index + rest.min(index)
}
