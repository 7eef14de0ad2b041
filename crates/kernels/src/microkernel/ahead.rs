//! Memory that is asked for while a tile is computed, since a core that waits for what it needs next reads memory more slowly than
//! it multiplies.

use super::pack::Matrix;
use crate::cache::prefetch;

/// Steps of the depth after which the next few lines are asked for.
pub(super) const STEPS: usize = 16;
/// Lines that are asked for at once at most: more than a core can wait for would stop it.
const MOST: usize = 8;
/// Floats of a cache line.
const LINE: usize = 16;

/// Runs of cache lines that will be needed soon, of which [`super::multiply_ahead`] asks for some every now and then.
#[derive(Clone, Copy)]
pub struct Ahead {
    /// Lines left to ask for, and how many at a time.
    left: usize,
    pace: usize,
    /// The next line, how many this run still has, and where the run starts.
    line: *const f32,
    rest: usize,
    run: *const f32,
    /// Lines of a run, and floats from one run to the next.
    lines: usize,
    stride: usize,
}

impl Ahead {
    pub const NOTHING: Ahead = Ahead {
        left: 0,
        pace: 0,
        line: std::ptr::null(),
        rest: 0,
        run: std::ptr::null(),
        lines: 0,
        stride: 0,
    };

    /// The first `rows` rows and `cols` columns of a matrix, one of whose strides is 1, in the time of `steps` steps of the depth.
    pub fn new(of: Matrix, rows: usize, cols: usize, steps: usize) -> Ahead {
        let (runs, len, stride) = if of.col == 1 {
            (rows, cols, of.row)
        } else {
            (cols, rows, of.col)
        };
        let lines = len.div_ceil(LINE);
        let start = of.data.as_ptr().wrapping_add(of.start);
        Ahead {
            left: runs * lines,
            pace: (runs * lines).div_ceil((steps / STEPS).max(1)).min(MOST),
            line: start,
            rest: lines,
            run: start,
            lines,
            stride,
        }
    }

    /// Asks for the next few lines.
    #[inline(always)]
    pub(super) fn ask(&mut self) {
        let count = self.pace.min(self.left);
        self.left -= count;
        for _ in 0..count {
            prefetch(self.next());
        }
    }

    /// The next line; there must be one.
    #[inline(always)]
    fn next(&mut self) -> *const f32 {
        let line = self.line;
        self.line = line.wrapping_add(LINE);
        self.rest -= 1;
        if self.rest == 0 {
            self.run = self.run.wrapping_add(self.stride);
            self.line = self.run;
            self.rest = self.lines;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_asked_for_once_in_the_time_there_is() {
        let data = vec![0.0; 4000];
        for (row, col) in [(100, 1), (1, 100)] {
            let of = Matrix {
                data: &data,
                start: 7,
                row,
                col,
            };
            // Three runs of 40 floats, whichever way they lie.
            let (rows, cols) = if col == 1 { (3, 40) } else { (40, 3) };
            let mut ahead = Ahead::new(of, rows, cols, 5 * STEPS);
            assert_eq!((ahead.left, ahead.pace), (9, 2));
            let lines: Vec<_> = std::iter::repeat_with(|| ahead.next()).take(9).collect();
            let expected = [0, 16, 32, 100, 116, 132, 200, 216, 232];
            assert_eq!(lines, expected.map(|at| data[7 + at..].as_ptr()));
        }
        let mut all = Ahead::new(matrix(&data), 10, 400, 16);
        assert_eq!((all.left, all.pace), (250, MOST));
        all.ask();
        assert_eq!(all.left, 250 - MOST);
        let mut nothing = Ahead::new(matrix(&data), 0, 400, 16);
        nothing.ask();
        assert_eq!(nothing.left, 0);
    }

    fn matrix(data: &[f32]) -> Matrix<'_> {
        Matrix {
            data,
            start: 0,
            row: 400,
            col: 1,
        }
    }
}
