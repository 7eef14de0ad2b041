//! Pooling written down plainly: what the fast kernels must compute.

use num_traits::Float;

use super::Pool2d;
use super::max::Winner;

/// Calls `body(output element, [(tap, input element)])` for every window of every channel.
fn each_window(pool: &Pool2d, mut body: impl FnMut(usize, &[(u32, usize)])) {
    let Pool2d {
        height,
        width,
        channels,
        ..
    } = *pool;
    let mut cells = Vec::new();
    for image in 0..pool.batch {
        for row in 0..height.output {
            for column in 0..width.output {
                for channel in 0..channels {
                    cells.clear();
                    for tap_row in height.taps(row) {
                        for tap_column in width.taps(column) {
                            let y = (height.start(row) + (tap_row * height.dilation) as isize) as usize;
                            let x = (width.start(column) + (tap_column * width.dilation) as isize) as usize;
                            let at = ((image * height.input + y) * width.input + x) * channels + channel;
                            cells.push(((tap_row * width.kernel + tap_column) as u32, at));
                        }
                    }
                    body(pool.output_at(image, row, column) + channel, &cells);
                }
            }
        }
    }
}

pub fn max_forward<T: Float, W: Winner>(
    pool: &Pool2d,
    rectified: bool,
    x: &[T],
    y: &mut [T],
    winners: &mut [W],
) {
    each_window(pool, |out, cells| {
        let mut best = cells[0];
        for &cell in cells {
            let (most, value) = (x[best.1], x[cell.1]);
            if !most.is_nan() && (value > most || value.is_nan()) {
                best = cell;
            }
        }
        y[out] = x[best.1];
        if !winners.is_empty() {
            let none = rectified && y[out] <= T::zero();
            winners[out] = if none { W::NONE } else { W::from_tap(best.0) };
        }
    });
}

pub fn max_backward<T: Float, W: Winner>(pool: &Pool2d, dy: &[T], winners: &[W], dx: &mut [T]) {
    dx.fill(T::zero());
    each_window(pool, |out, cells| {
        for &(tap, at) in cells {
            if winners[out] == W::from_tap(tap) {
                dx[at] = dx[at] + dy[out];
            }
        }
    });
}

pub fn average_forward<T: Float>(pool: &Pool2d, x: &[T], y: &mut [T]) {
    each_window(pool, |out, cells| {
        let sum = cells.iter().fold(T::zero(), |sum, &(_, at)| sum + x[at]);
        y[out] = sum / count(cells.len());
    });
}

pub fn average_backward<T: Float>(pool: &Pool2d, dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    each_window(pool, |out, cells| {
        for &(_, at) in cells {
            dx[at] = dx[at] + dy[out] / count(cells.len());
        }
    });
}

fn count<T: Float>(cells: usize) -> T {
    T::from(cells).expect("every float type holds a count")
}
