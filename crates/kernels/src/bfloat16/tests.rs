use super::*;
use crate::Isa;
use crate::microkernel::pack::Matrix;
use crate::microkernel::{Cells, Finish, Left, Tile};
use crate::sample::uniform;

/// Plain code, and the processor's unit: its own or, where it has none, an imitation of its instructions.
pub(crate) fn units() -> Vec<Unit> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        trap::install();
        vec![Unit::Plain, Unit::Amx]
    }
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    vec![Unit::Plain]
}

/// The product of A `[rows, depth]` and B `[depth, cols]` as one block.
fn block(
    unit: Unit,
    pieces: usize,
    (rows, cols, depth): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
) -> Vec<f32> {
    let isa = Isa::detect();
    let mut exact = vec![f32::NAN; depth * SIDE];
    let from = Matrix {
        data: b,
        start: 0,
        row: cols,
        col: 1,
    };
    panel(isa, from, depth, cols, &mut exact);
    let rows_of_a = Left {
        data: a,
        row: depth,
        step: 1,
    };
    let words = || crate::memory::Floats::zeros(len(depth, pieces));
    let (mut left, mut right) = (words(), words());
    left.fill(f32::NAN);
    right.fill(f32::NAN);
    split_left(isa, rows_of_a, 0, rows, depth, pieces, &mut left);
    split_right(isa, &exact, depth, pieces, &mut right);
    let mut c = vec![f32::NAN; rows * cols];
    let (left, right) = (
        Factor {
            words: &left,
            exact: (rows_of_a, 0),
        },
        Factor {
            words: &right,
            exact: &exact[..],
        },
    );
    let tile = Tile { rows, cols, depth };
    let session = Session::new(unit, pieces);
    // SAFETY: one thread, one block.
    unsafe {
        multiply(
            isa,
            &session,
            tile,
            left,
            right,
            Finish::default(),
            &Cells::new(&mut c),
            (0, cols),
        )
    };
    c
}

/// For each cell the sum, and the sum of magnitudes.
fn exactly((rows, cols, depth): (usize, usize, usize), a: &[f32], b: &[f32]) -> Vec<(f64, f64)> {
    let term = |i: usize, j: usize, p: usize| f64::from(a[i * depth + p]) * f64::from(b[p * cols + j]);
    (0..rows * cols)
        .map(|cell| {
            let terms = (0..depth).map(|p| term(cell / cols, cell % cols, p));
            terms.fold((0.0, 0.0), |(sum, all), term| (sum + term, all + term.abs()))
        })
        .collect()
}

const SIZES: [(usize, usize, usize); 6] = [
    (32, 32, 32),
    (32, 32, 256),
    (1, 1, 1),
    (5, 7, 33),
    (17, 31, 95),
    (31, 16, 200),
];

#[test]
fn every_unit_multiplies_integers_exactly() {
    for size @ (rows, cols, depth) in SIZES {
        let integers = |len: usize, seed: usize| -> Vec<f32> {
            (0..len)
                .map(|i| ((i * 7 + i / 13 + seed) % 511) as f32 - 255.0)
                .collect()
        };
        // Sums stay below 2²⁴.
        let a: Vec<f32> = integers(rows * depth, 1).iter().map(|a| a % 16.0).collect();
        let b = integers(depth * cols, 5);
        let expected: Vec<f32> = exactly(size, &a, &b).iter().map(|sum| sum.0 as f32).collect();
        for unit in units() {
            for pieces in 1..=3 {
                assert_eq!(
                    block(unit, pieces, size, &a, &b),
                    expected,
                    "{unit:?} {pieces} {size:?}"
                );
            }
        }
    }
}

#[test]
fn errors_are_those_of_the_pieces_and_units_agree_in_every_bit() {
    for size @ (rows, cols, depth) in SIZES {
        let (a, b) = (
            uniform(1, rows * depth, -1.0, 1.0),
            uniform(2, depth * cols, -1.0, 1.0),
        );
        let expected = exactly(size, &a, &b);
        for (pieces, bound) in [(1, 2f64.powi(-7)), (2, 2f64.powi(-15)), (3, 2f64.powi(-21))] {
            let found: Vec<Vec<f32>> = units()
                .iter()
                .map(|&unit| block(unit, pieces, size, &a, &b))
                .collect();
            for (found, (sum, all)) in found[0].iter().zip(&expected) {
                let error = (f64::from(*found) - sum).abs() / all;
                assert!(error <= bound, "{pieces} pieces, {size:?}: {error:e}");
            }
            assert!(found.iter().all(|other| other == &found[0]), "{pieces} {size:?}");
        }
    }
}

#[test]
fn three_pieces_round_no_worse_than_a_chain_of_float32() {
    let size @ (rows, cols, depth) = (32, 32, 256);
    let (a, b) = (
        uniform(3, rows * depth, -1.0, 1.0),
        uniform(4, depth * cols, -1.0, 1.0),
    );
    let expected = exactly(size, &a, &b);
    let squares = |found: &[f32]| -> f64 {
        let error = |(found, (sum, _)): (&f32, &(f64, f64))| (f64::from(*found) - sum).powi(2);
        found.iter().zip(&expected).map(error).sum()
    };
    let chain: Vec<f32> = (0..rows * cols)
        .map(|cell| {
            let product =
                |sum: f32, p: usize| a[cell / cols * depth + p].mul_add(b[p * cols + cell % cols], sum);
            (0..depth).fold(0.0, product)
        })
        .collect();
    let pieces = block(Unit::Plain, 3, size, &a, &b);
    assert!(
        squares(&pieces) <= squares(&chain),
        "{} {}",
        squares(&pieces),
        squares(&chain)
    );
}

#[test]
fn three_pieces_add_up_to_the_number() {
    let mut bits = uniform(5, 40_000, -1.0, 1.0);
    for (i, x) in bits.iter_mut().enumerate() {
        // Exponents of all numbers that have no denormal piece.
        *x *= 2f32.powi(i as i32 % 228 - 101);
    }
    bits.extend([1.0, -1.0, f32::from_bits(0x7e7f_ffff), 2f32.powi(-103), 0.0, -0.0]);
    bits.resize(bits.len().next_multiple_of(SIDE), 0.0);
    let rows = bits.len() / SIDE;
    let mut words = vec![0.0; len(SIDE, 3)];
    for row in 0..rows {
        let left = Left {
            data: &bits,
            row: SIDE,
            step: 1,
        };
        split_left(Isa::detect(), left, row * SIDE, 1, SIDE, 3, &mut words);
        for (p, x) in bits[row * SIDE..][..SIDE].iter().enumerate() {
            let piece = |piece: usize| {
                let word = words[piece * 2 * 256 + p / 2].to_bits();
                f32::from_bits(if p % 2 == 0 {
                    word << 16
                } else {
                    word & 0xffff_0000
                })
            };
            assert_eq!(piece(0) + (piece(1) + piece(2)), *x, "{x:e} {:x}", x.to_bits());
        }
    }
}

/// Puts single numbers among ordinary ones, in A or in B.
fn with(numbers: &[f32], what: &str, check: impl Fn(&str, (usize, usize, usize), &[f32], &[f32])) {
    let size @ (rows, cols, depth) = (9, 20, 70);
    let ordinary = || {
        (
            uniform(6, rows * depth, -1.0, 1.0),
            uniform(7, depth * cols, -1.0, 1.0),
        )
    };
    for &number in numbers {
        let (mut a, mut b) = ordinary();
        a[3 * depth + 41] = number;
        check(&format!("{what}: {number:e} in A"), size, &a, &b);
        b[60 * cols + 11] = number;
        check(&format!("{what}: {number:e} in both"), size, &a, &b);
        let (a, _) = ordinary();
        check(&format!("{what}: {number:e} in B"), size, &a, &b);
    }
}

#[test]
fn what_pieces_cannot_hold_is_computed_in_float32() {
    let numbers = [
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        -1e-40,
        2f32.powi(-104),
        1e-35,
    ];
    with(&numbers, "float32", |what, size, a, b| {
        let (rows, cols, depth) = size;
        let geometry = crate::matmul::Geometry::new(size, false, false, &[]).unwrap();
        let mut expected = vec![0.0; rows * cols];
        let activation = crate::microkernel::Activation::None;
        crate::matmul::forward(
            &crate::Exec::serial(),
            &geometry,
            activation,
            [a, b, &[]],
            &mut expected,
        );
        assert!(depth > 64, "more than one step");
        for pieces in 1..=3 {
            crate::sample::assert_same_bits(&block(Unit::Plain, pieces, size, a, b), &expected, what);
        }
    });
    // An infinity meets a row of zeros.
    let (a, mut b) = (vec![0.0; 32], vec![1.0; 32]);
    b[5] = f32::INFINITY;
    assert!(block(Unit::Plain, 3, (1, 1, 32), &a, &b)[0].is_nan());
}

#[test]
fn numbers_at_the_ends_of_the_range_keep_the_promise() {
    let numbers = [
        2f32.powi(-70),
        -2f32.powi(-75),
        2f32.powi(60),
        -2f32.powi(80),
        0.0,
    ];
    with(&numbers, "pieces", |what, size, a, b| {
        let expected = exactly(size, a, b);
        for unit in units() {
            for (found, (sum, all)) in block(unit, 3, size, a, b).iter().zip(&expected) {
                let error = (f64::from(*found) - sum).abs() / all;
                assert!(error <= 2f64.powi(-21), "{unit:?}, {what}: {error:e}");
            }
        }
    });
    // Alone in their rows and columns.
    let tiny = vec![1.5 * 2f32.powi(-49); 32];
    let found = block(Unit::Plain, 3, (1, 1, 32), &tiny, &tiny)[0];
    assert_eq!(f64::from(found), 32.0 * (1.5 * 2f64.powi(-49)).powi(2));
}

#[test]
fn plain_code_does_what_the_instruction_does() {
    let mut lines = include_str!("tdpbf16ps.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let mut cases = 0;
    while let Some(title) = lines.next() {
        let numbers: Vec<usize> = title.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [.., rows, depth, cols] = numbers[..] else {
            panic!("{title}")
        };
        let mut words = |name: &str, width: usize| -> [f32; 256] {
            let line = lines
                .next()
                .and_then(|line| line.strip_prefix(name))
                .expect(title);
            let mut tile = [0.0; 256];
            for (i, word) in line.split_whitespace().enumerate() {
                let bits = u32::from_str_radix(word, 16).expect(title);
                tile[i / width * 16 + i % width] = f32::from_bits(bits);
            }
            tile
        };
        let [mut c, a, b, expected] = [
            words("C", cols),
            words("A", depth),
            words("B", cols),
            words("D", cols),
        ];
        plain::dot(&a, &b, 16, &mut c);
        for i in 0..rows {
            crate::sample::assert_same_bits(&c[16 * i..][..cols], &expected[16 * i..][..cols], title);
        }
        cases += 1;
    }
    assert_eq!(cases, 103);
}

#[test]
fn names_choose_what_runs_on_pieces() {
    assert_eq!(Tiles::named("off"), Ok(None));
    let emulated = Tiles::named("emulate").unwrap().unwrap();
    assert_eq!(
        (emulated.unit, emulated.pieces(Precision::Highest)),
        (Unit::Plain, Some(3))
    );
    let unasked = Tiles {
        always: false,
        ..emulated
    };
    let pieces = [Precision::Highest, Precision::High, Precision::Medium].map(|p| unasked.pieces(p));
    assert_eq!(pieces, [None, Some(2), Some(1)]);
    assert_eq!(
        Tiles::named("on").unwrap_err(),
        "there is no \"on\"; there are auto, always, off, emulate"
    );
    let native = native().map(|unit| Tiles { unit, always: false });
    assert_eq!(Tiles::named(""), Ok(native));
    assert_eq!(Tiles::named("auto"), Ok(native));
    assert_eq!(Tiles::named("always").is_ok(), native.is_some());
    assert_eq!(Precision::from_code(2.0), Ok(Precision::Medium));
    assert_eq!(
        Precision::from_code(3.0).unwrap_err(),
        "3 is no code of a precision"
    );
}
