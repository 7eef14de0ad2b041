//! What a product is given and checked by: sizes, transposes and the axes that stand before the matrices.

use crate::dimensions::wholes;

/// Which tensors have an axis before their matrices; the others are the same along it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Varies {
    pub a: bool,
    pub b: bool,
    /// Along an axis that C lacks the products are summed.
    pub c: bool,
}

/// An axis before the matrices, and how far it steps in each tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Axis {
    pub size: usize,
    pub a: usize,
    pub b: usize,
    pub c: usize,
}

/// Where a product starts in each tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Offsets {
    pub a: usize,
    pub b: usize,
    pub c: usize,
}

/// C = op(A) · op(B), with every size checked. C is `[…, m, n]`; op(A) `[…, m, k]`, stored as `[…, k, m]` if transposed;
/// op(B) `[…, k, n]`, stored as `[…, n, k]` if transposed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Geometry {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    /// Distance of two rows and of two columns of op(A).
    pub(super) a: (usize, usize),
    pub(super) b: (usize, usize),
    /// Axes of C, outermost first.
    pub(super) outer: Vec<Axis>,
    /// Axes that are summed over, outermost first.
    pub(super) summed: Vec<Axis>,
    lens: [usize; 3],
}

/// More axes than any tensor has.
const MOST_AXES: usize = 64;

/// No slice of floats can be longer.
const MOST_FLOATS: usize = isize::MAX as usize / 8;

impl Geometry {
    /// From numbers that cross from JavaScript: m, n, k, whether A and whether B is transposed, then for each axis
    /// before the matrices its size and in which tensors it stands (1 for A, plus 2 for B, plus 4 for C).
    pub fn from_words(words: &[f64]) -> Result<Geometry, String> {
        let words = wholes(words)?;
        let ([m, n, k, transpose_a, transpose_b], batch) = words
            .split_first_chunk()
            .filter(|(_, batch)| batch.len().is_multiple_of(2))
            .ok_or_else(|| format!("{} words", words.len()))?;
        let batch: Vec<(usize, Varies)> = batch
            .chunks_exact(2)
            .map(|axis| {
                let stands = |bit: usize| axis[1] & bit != 0;
                (
                    axis[0],
                    Varies {
                        a: stands(1),
                        b: stands(2),
                        c: stands(4),
                    },
                )
            })
            .collect();
        Geometry::new((*m, *n, *k), *transpose_a != 0, *transpose_b != 0, &batch)
    }

    /// The sums of the columns of B, `[rows, columns]`, as a product: A is a single 1 that stands for a row of ones.
    pub fn column_sums(rows: usize, columns: usize) -> Result<Geometry, String> {
        Ok(Geometry {
            a: (0, 0),
            lens: [1, product(rows, columns)?, columns],
            ..Geometry::new((1, columns, rows), false, false, &[])?
        })
    }

    /// `batch`: the axes before the matrices, outermost first.
    pub fn new(
        (m, n, k): (usize, usize, usize),
        transpose_a: bool,
        transpose_b: bool,
        batch: &[(usize, Varies)],
    ) -> Result<Geometry, String> {
        if batch.len() > MOST_AXES {
            return Err(format!("{} axes before the matrices", batch.len()));
        }
        let mut lens = [product(m, k)?, product(k, n)?, product(m, n)?];
        let mut geometry = Geometry {
            m,
            n,
            k,
            a: if transpose_a { (1, m) } else { (k, 1) },
            b: if transpose_b { (1, k) } else { (n, 1) },
            outer: Vec::new(),
            summed: Vec::new(),
            lens,
        };
        for &(size, varies) in batch.iter().rev() {
            let [a, b, c] = [(varies.a, lens[0]), (varies.b, lens[1]), (varies.c, lens[2])]
                .map(|(varies, len)| if varies { len } else { 0 });
            for (len, varies) in lens.iter_mut().zip([varies.a, varies.b, varies.c]) {
                *len = if varies { product(*len, size)? } else { *len };
            }
            let into = if varies.c {
                &mut geometry.outer
            } else {
                &mut geometry.summed
            };
            into.push(Axis { size, a, b, c });
        }
        geometry.lens = lens;
        // A product of all sizes that fits keeps every index and count below it from overflowing.
        batch
            .iter()
            .try_fold(product(product(m, n)?, k.max(1))?, |all, axis| {
                product(all, axis.0.max(1))
            })?;
        geometry.fold();
        geometry.outer.reverse();
        geometry.summed.reverse();
        Ok(geometry)
    }

    /// Fails unless the buffers have just the sizes of this product; the bias may be empty.
    pub fn check_lengths(&self, a: usize, b: usize, bias: usize, c: usize) -> Result<(), String> {
        if [a, b, c] != self.lens || (bias != 0 && bias != self.n) {
            let [expected_a, expected_b, expected_c] = self.lens;
            return Err(format!(
                "buffers of {a}, {b}, {c} elements and {bias} biases, where {expected_a}, {expected_b}, {expected_c} and {} are expected",
                self.n
            ));
        }
        Ok(())
    }

    /// Floats of B.
    pub fn right_len(&self) -> usize {
        self.lens[1]
    }

    /// Turns axes into more rows or more depth where the memory allows, so that one large product replaces many small
    /// ones: `[N, T, C] · [C, O]` is one product of N · T rows, and the gradient of its right side one of depth N · T.
    /// Here axes stand innermost first.
    fn fold(&mut self) {
        self.outer.retain(|axis| axis.size != 1);
        self.summed.retain(|axis| axis.size != 1);
        let Geometry { m, n, k, .. } = *self;
        let mut rows = m;
        self.outer.retain(|axis| {
            let next = axis.b == 0 && axis.a == rows * self.a.0 && axis.c == rows * n;
            rows *= if next { axis.size } else { 1 };
            !next
        });
        self.m = rows;
        let mut depth = k;
        self.summed.retain(|axis| {
            let next = axis.a == depth * self.a.1 && axis.b == depth * self.b.0;
            depth *= if next { axis.size } else { 1 };
            !next
        });
        self.k = depth;
    }

    /// The product whose result is the transpose of this one, if there is but one product.
    pub(super) fn swapped(&self) -> Option<Geometry> {
        let single = self.outer.is_empty() && self.summed.is_empty();
        single.then(|| Geometry {
            m: self.n,
            n: self.m,
            a: (self.b.1, self.b.0),
            b: (self.a.1, self.a.0),
            lens: [self.lens[1], self.lens[0], self.lens[2]],
            ..self.clone()
        })
    }

    /// How many matrices C has.
    pub(super) fn matrices(&self) -> usize {
        self.outer.iter().map(|axis| axis.size).product()
    }

    /// How many products are summed into each matrix of C.
    pub(super) fn products(&self) -> usize {
        self.summed.iter().map(|axis| axis.size).product()
    }

    /// Where product number `product` of matrix number `matrix` starts. `c` is there even if there is no product.
    pub(super) fn offsets(&self, matrix: usize, product: usize) -> Offsets {
        let mut at = Offsets::default();
        for (axes, mut index) in [(&self.outer, matrix), (&self.summed, product)] {
            for axis in axes.iter().rev() {
                let size = axis.size.max(1);
                let i = index % size;
                index /= size;
                at.a += i * axis.a;
                at.b += i * axis.b;
                at.c += i * axis.c;
            }
        }
        at
    }
}

fn product(a: usize, b: usize) -> Result<usize, String> {
    a.checked_mul(b)
        .filter(|&product| product <= MOST_FLOATS)
        .ok_or_else(|| format!("{a} · {b} elements are too many"))
}
