//! How much convolutions err, in all three directions: the root mean square against float64, as a multiple of the direct
//! sum's, for inputs and weights in [-1, 1].
//!
//! `cargo run --release -p ferrograd-kernels --example conv_error [isa]`
//!
//! The float64 sums are taken at some places of each result only. `FERROGRAD_CONV` forces an algorithm.

use std::sync::Arc;

use ferrograd_kernels::conv2d::{Conv2d, algorithms, forward, input_gradient, weight_gradient};
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::Axis;
use ferrograd_kernels::{Convolution, Exec, Isa, Team};

/// Name, batch, height and width, channels, filters, kernel; the padding keeps the size.
const LAYERS: [(&str, [usize; 5]); 11] = [
    ("vgg 1b", [2, 224, 64, 64, 3]),
    ("vgg 2", [8, 112, 64, 128, 3]),
    ("vgg 3", [8, 56, 256, 256, 3]),
    ("vgg 4", [8, 28, 512, 512, 3]),
    ("vgg 5", [8, 14, 512, 512, 3]),
    ("cifar b", [64, 32, 32, 32, 3]),
    ("cifar c", [64, 16, 64, 64, 3]),
    ("mnist 2", [64, 14, 32, 64, 3]),
    ("3 x 3", [8, 56, 64, 64, 3]),
    ("5 x 5", [64, 16, 32, 64, 5]),
    ("alexnet 2", [8, 27, 96, 256, 5]),
];
/// Places of a result that are looked at.
const PLACES: usize = 2000;

/// Numbers in [-1, 1] without a pattern.
fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 40) as f32) / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The pixel that `tap` of the window at `at` sees, if it is in the image.
fn seen(size: usize, pad: usize, at: usize, tap: usize) -> Option<usize> {
    (at + tap).checked_sub(pad).filter(|&pixel| pixel < size)
}

/// x, weight and dy of a layer.
struct Layer {
    conv: Conv2d,
    size: usize,
    kernel: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    dy: Vec<f32>,
}

impl Layer {
    /// Row and column of every tap.
    fn taps(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let kernel = self.kernel;
        (0..kernel * kernel).map(move |tap| (tap / kernel, tap % kernel))
    }

    fn product(
        &self,
        [n, row, col]: [usize; 3],
        (kh, kw): (usize, usize),
        c: usize,
        o: usize,
        what: Direction,
    ) -> f64 {
        let (size, pad) = (self.size, self.kernel / 2);
        let Some((ih, iw)) = seen(size, pad, row, kh).zip(seen(size, pad, col, kw)) else {
            return 0.0;
        };
        let x = || f64::from(self.x[((n * size + ih) * size + iw) * self.conv.channels + c]);
        let w = || f64::from(self.w[self.conv.weight_at(kh, kw, c, o)]);
        let dy = |row: usize, col: usize| {
            f64::from(self.dy[((n * size + row) * size + col) * self.conv.filters + o])
        };
        match what {
            Direction::Forward => x() * w(),
            Direction::Weight => x() * dy(row, col),
            // Here the window is turned round: it stands on a pixel of x and sees dy.
            Direction::Input => {
                dy(ih, iw)
                    * f64::from(
                        self.w[self
                            .conv
                            .weight_at(self.kernel - 1 - kh, self.kernel - 1 - kw, c, o)],
                    )
            }
        }
    }

    /// One number of a result.
    fn exact(&self, what: Direction, index: usize) -> f64 {
        let Conv2d {
            channels, filters, ..
        } = self.conv;
        let pixel = |pixel: usize| {
            [
                pixel / self.size / self.size,
                pixel / self.size % self.size,
                pixel % self.size,
            ]
        };
        match what {
            Direction::Forward => {
                let (at, o) = (pixel(index / filters), index % filters);
                let taps = self.taps().flat_map(|tap| (0..channels).map(move |c| (tap, c)));
                taps.map(|(tap, c)| self.product(at, tap, c, o, what)).sum()
            }
            Direction::Input => {
                let (at, c) = (pixel(index / channels), index % channels);
                let taps = self.taps().flat_map(|tap| (0..filters).map(move |o| (tap, o)));
                taps.map(|(tap, o)| self.product(at, tap, c, o, what)).sum()
            }
            Direction::Weight => {
                let (tap, c, o) = (
                    index / filters / channels,
                    index / filters % channels,
                    index % filters,
                );
                let tap = (tap / self.kernel, tap % self.kernel);
                let all = 0..self.conv.batch * self.size * self.size;
                all.map(|at| self.product(pixel(at), tap, c, o, what)).sum()
            }
        }
    }

    fn run(&self, cx: &Exec, what: Direction) -> Vec<f32> {
        let Layer { conv, x, w, dy, .. } = self;
        match what {
            Direction::Forward => {
                let mut y = vec![0.0; dy.len()];
                forward(cx, conv, x, w, &[], Activation::None, &mut y);
                y
            }
            Direction::Input => {
                let mut dx = vec![0.0; x.len()];
                input_gradient(cx, conv, dy, w, &mut dx);
                dx
            }
            Direction::Weight => {
                let mut dw = vec![0.0; w.len()];
                weight_gradient(cx, conv, x, dy, &mut dw);
                dw
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Input,
    Weight,
}

fn main() {
    let isa = match std::env::args().nth(1) {
        Some(name) => Isa::forced(&name).unwrap_or_else(|error| panic!("{error}")),
        None => Isa::detect(),
    };
    let mode = std::env::var("FERROGRAD_CONV").unwrap_or_else(|_| "auto".into());
    let mode = Convolution::forced(&mode).unwrap_or_else(|error| panic!("{error}"));
    let chosen = Exec::new(isa, Arc::new(Team::new(2).expect("threads"))).convolving(mode);
    let direct = chosen.clone().convolving(Convolution::Direct);
    println!("{}: errors as multiples of the direct sum's", isa.name());
    for (name, [batch, size, channels, filters, kernel]) in LAYERS {
        let pad = kernel / 2;
        let axis = Axis::new(size, kernel, 1, 1, pad, pad).expect("sizes");
        let conv = Conv2d::new(batch, axis, axis, channels, filters, 1).expect("sizes");
        let layer = Layer {
            conv,
            size,
            kernel,
            x: noise(conv.input_len(), 1),
            w: noise(conv.weight_len(), 2),
            dy: noise(conv.output_len(), 3),
        };
        print!("{name:10}");
        let directions = [Direction::Forward, Direction::Input, Direction::Weight];
        for (what, by) in directions.into_iter().zip(algorithms(&chosen, &conv)) {
            let [found, plain] = [&chosen, &direct].map(|cx| layer.run(cx, what));
            // A weight gradient sums over all positions: fewer places take as long.
            let places = if matches!(what, Direction::Weight) {
                PLACES / 8
            } else {
                PLACES
            };
            let mut squares = [0.0f64; 2];
            for place in 0..places {
                let index = (place * 7919 + 13) * (found.len() / places / 2).max(1) % found.len();
                let exact = layer.exact(what, index);
                squares[0] += (f64::from(found[index]) - exact).powi(2);
                squares[1] += (f64::from(plain[index]) - exact).powi(2);
            }
            let label = ["forward", "input gradient", "weight gradient"][what as usize];
            print!("  {label} {:4.2} ({})", (squares[0] / squares[1]).sqrt(), by[0]);
        }
        println!();
    }
}
