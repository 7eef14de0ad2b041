use super::pack::{Matrix, as_right, panel_len};
use super::*;

/// Small integers: every product and sum is exact, so any order gives the same bits.
fn integers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + seed * 3) % 11) as f32 - 5.0).collect()
}

/// The definition at the head of the module, in f64.
#[allow(clippy::too_many_arguments)]
fn expected(
    tile: Tile,
    left: Left,
    right: Right,
    segments: &[Segment],
    finish: Finish,
    old: &[f32],
    at: (usize, usize),
) -> Vec<f32> {
    let mut cells = old.to_vec();
    for r in 0..tile.rows {
        for j in 0..tile.cols {
            let mut sum = 0.0f64;
            for s in segments {
                for p in 0..tile.depth {
                    let a = left.data[s.left + r * left.row + p * left.step];
                    sum += f64::from(a) * f64::from(right.data[s.right + p * right.step + j]);
                }
            }
            let cell = &mut cells[at.0 + r * at.1 + j];
            if finish.accumulate {
                sum += f64::from(*cell);
            }
            sum += finish.bias.map_or(0.0, |bias| f64::from(bias[j]));
            if finish.activation == Activation::Relu && sum < 0.0 {
                sum = 0.0;
            }
            *cell = sum as f32;
        }
    }
    cells
}

/// Runs one tile on poisoned memory and compares every float of C, inside and outside the tile.
fn agree(isa: Isa, tile: Tile, left: Left, right: Right, segments: &[Segment], finish: Finish) {
    let at = (3, tile.cols + 5);
    let old: Vec<f32> = (0..at.0 + tile.rows * at.1 + 9)
        .map(|i| 1000.0 + i as f32)
        .collect();
    let wanted = expected(tile, left, right, segments, finish, &old, at);
    let matrix = Matrix {
        data: left.data,
        start: 0,
        row: 40,
        col: 1,
    };
    let mut ahead = [Ahead::NOTHING, Ahead::new(matrix, 9, 40, tile.depth)];
    for ahead in [&mut [][..], &mut ahead] {
        let mut cells = old.clone();
        // SAFETY: one thread.
        unsafe {
            multiply_ahead(
                isa,
                tile,
                left,
                right,
                segments,
                finish,
                &Cells::new(&mut cells),
                at,
                ahead,
            )
        };
        let Tile { rows, cols, depth } = tile;
        assert_eq!(cells, wanted, "{isa:?} {rows} × {cols} × {depth}");
    }
}

#[test]
fn all_tile_sizes_on_all_instruction_sets_are_exact() {
    for isa in Isa::available() {
        let shape = Shape::of(isa);
        let biases = integers(shape.cols, 5);
        for rows in 0..=2 * shape.rows + 1 {
            for cols in 0..=shape.cols {
                let depth = [0, 1, 2, 5, 9, 37][(rows + cols) % 6];
                let a = integers(rows * (depth + 2) + 1, 1);
                let b = integers(depth * cols, 2);
                let mut panel = vec![f32::NAN; panel_len(isa, depth)];
                let matrix = Matrix {
                    data: &b,
                    start: 0,
                    row: cols,
                    col: 1,
                };
                pack::right(isa, matrix, depth, cols, &mut panel);
                let tile = Tile { rows, cols, depth };
                for (accumulate, bias, activation) in [
                    (false, None, Activation::None),
                    (true, None, Activation::Relu),
                    (false, Some(&biases[..]), Activation::Relu),
                    (true, Some(&biases[..]), Activation::None),
                ] {
                    let finish = Finish {
                        accumulate,
                        bias,
                        activation,
                    };
                    let rows_in_place = Left {
                        data: &a,
                        row: depth + 2,
                        step: 1,
                    };
                    agree(
                        isa,
                        tile,
                        rows_in_place,
                        as_right(isa, &panel),
                        &[Segment::default()],
                        finish,
                    );
                    let transposed = Left {
                        data: &a,
                        row: 1,
                        step: rows,
                    };
                    agree(
                        isa,
                        tile,
                        transposed,
                        as_right(isa, &panel),
                        &[Segment::default()],
                        finish,
                    );
                }
            }
        }
    }
}

#[test]
fn segments_add_up_and_none_is_zero() {
    for isa in Isa::available() {
        let cols = Shape::of(isa).cols;
        let (a, b) = (integers(200, 3), integers(6 * cols * 4, 4));
        let tile = Tile {
            rows: 13,
            cols: cols - 1,
            depth: 6,
        };
        let left = Left {
            data: &a,
            row: 7,
            step: 1,
        };
        let right = as_right(isa, &b);
        let segments: Vec<Segment> = [(0, 0), (1, 6 * cols), (40, 12 * cols), (11, 18 * cols)]
            .map(|(left, right)| Segment { left, right })
            .to_vec();
        for count in 0..=4 {
            agree(isa, tile, left, right, &segments[..count], Finish::default());
            agree(
                isa,
                tile,
                left,
                right,
                &segments[..count],
                Finish {
                    accumulate: true,
                    ..Finish::default()
                },
            );
        }
    }
}

#[test]
fn a_row_major_right_operand_is_read_in_place() {
    for isa in Isa::available() {
        let shape = Shape::of(isa);
        let width = 3 * shape.cols;
        let (a, b) = (integers(9 * 31, 3), integers(31 * width, 4));
        for cols in 1..=shape.cols {
            let tile = Tile {
                rows: 9,
                cols,
                depth: 31,
            };
            let segment = Segment {
                left: 0,
                right: shape.cols + 1,
            };
            agree(
                isa,
                tile,
                Left {
                    data: &a,
                    row: 31,
                    step: 1,
                },
                Right {
                    data: &b,
                    step: width,
                },
                &[segment],
                Finish::default(),
            );
        }
    }
}

#[test]
fn panels_are_the_same_from_rows_from_columns_and_from_any_strides() {
    for isa in Isa::available() {
        let width = Shape::of(isa).cols;
        for depth in [0, 1, 7, 8, 9, 17, 40] {
            for cols in (0..=width + 1).chain([3 * width - 3]) {
                let b = integers((depth * cols).max(1), 6);
                // The same matrix by columns, and with every number three apart.
                let mut columns = vec![f32::NAN; depth * cols];
                let mut apart = vec![f32::NAN; depth * cols * 3];
                for p in 0..depth {
                    for j in 0..cols {
                        columns[j * depth + p] = b[p * cols + j];
                        apart[(p * cols + j) * 3] = b[p * cols + j];
                    }
                }
                let panels = cols.div_ceil(width);
                let mut expected = vec![0.0; panels * depth * width];
                for p in 0..depth {
                    for j in 0..cols {
                        expected[(j / width * depth + p) * width + j % width] = b[p * cols + j];
                    }
                }
                for from in [
                    Matrix {
                        data: &b,
                        start: 0,
                        row: cols,
                        col: 1,
                    },
                    Matrix {
                        data: &columns,
                        start: 0,
                        row: 1,
                        col: depth,
                    },
                    Matrix {
                        data: &apart,
                        start: 0,
                        row: 3 * cols,
                        col: 3,
                    },
                ] {
                    let mut packed = vec![f32::NAN; expected.len() + 3];
                    pack::right(isa, from, depth, cols, &mut packed);
                    assert_eq!(packed[..expected.len()], expected, "{isa:?} {depth} × {cols}");
                    assert!(packed[expected.len()..].iter().all(|v| v.is_nan()));
                }
            }
        }
    }
}

#[test]
fn not_a_number_stays_in_its_row_and_is_never_skipped() {
    for isa in Isa::available() {
        let shape = Shape::of(isa);
        for odd in [f32::NAN, f32::INFINITY] {
            for (rows, cols) in [(shape.rows, shape.cols), (shape.rows + 1, shape.cols - 1), (1, 1)] {
                let mut a = vec![1.0; rows * 5];
                a[(rows - 1) * 5 + 2] = odd;
                let panel = vec![0.0; panel_len(isa, 5)];
                let mut cells = vec![7.0; rows * cols];
                let (tile, left) = (
                    Tile { rows, cols, depth: 5 },
                    Left {
                        data: &a,
                        row: 5,
                        step: 1,
                    },
                );
                let finish = Finish {
                    activation: Activation::Relu,
                    ..Finish::default()
                };
                let segment = [Segment::default()];
                // SAFETY: one thread.
                unsafe {
                    multiply(
                        isa,
                        tile,
                        left,
                        as_right(isa, &panel),
                        &segment,
                        finish,
                        &Cells::new(&mut cells),
                        (0, cols),
                    )
                };
                assert!(cells[..(rows - 1) * cols].iter().all(|&v| v == 0.0));
                assert!(cells[(rows - 1) * cols..].iter().all(|v| v.is_nan()));
            }
        }
    }
}

#[test]
fn operands_that_are_too_short_panic_before_anything_is_read() {
    let isa = Isa::detect();
    let cols = Shape::of(isa).cols;
    let run = |a: usize, b: usize, c: usize, row: usize| {
        std::panic::catch_unwind(|| {
            let (a, b, mut c) = (vec![1.0; a], vec![1.0; b], vec![1.0; c]);
            let tile = Tile {
                rows: 3,
                cols,
                depth: 4,
            };
            let left = Left {
                data: &a,
                row,
                step: 1,
            };
            // SAFETY: one thread.
            unsafe {
                multiply(
                    isa,
                    tile,
                    left,
                    as_right(isa, &b),
                    &[Segment::default()],
                    Finish::default(),
                    &Cells::new(&mut c),
                    (0, cols),
                )
            };
        })
        .is_ok()
    };
    assert!(run(12, 4 * cols, 3 * cols, 4));
    assert!(!run(11, 4 * cols, 3 * cols, 4));
    assert!(!run(12, 4 * cols - 1, 3 * cols, 4));
    assert!(!run(12, 4 * cols, 3 * cols - 1, 4));
    assert!(!run(12, 4 * cols, 3 * cols, usize::MAX));
}
