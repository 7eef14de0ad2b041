//! How near convolutions come to the arithmetic limit of this machine, in all three directions.
//!
//! `cargo run --release -p ferrograd-kernels --example conv_peak [isa] [threads] [layer] [direction]`; a layer is a name
//! from the list below or numbers in its order, `1,4,512,512,1,3,1`, a direction one that is printed, such as "weight gradient".
//! `FERROGRAD_CONV` forces an algorithm; on a
//! processor with AMX, `FERROGRAD_AMX=always` and `FERROGRAD_PRECISION=high` or `medium` turn to pieces of bfloat16.
//!
//! Rounds of multiply-adds in registers (the peak) and of the kernel take turns; printed is the best of each.

mod peak;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrograd_kernels::conv2d::{
    Conv2d, forward, forward_packed, input_gradient, pack, packed_len, weight_gradient,
};
use ferrograd_kernels::memory::Floats;
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::Axis;
use ferrograd_kernels::{Convolution, Exec, Isa, Team};
use peak::{as_environment_says, fma_rate, numbers};

/// Name, batch, height and width, channels, filters, groups, kernel, stride; padding keeps the size at stride 1.
const LAYERS: [(&str, [usize; 7]); 22] = [
    ("vgg 1", [8, 224, 3, 64, 1, 3, 1]),
    ("vgg 2", [8, 112, 64, 128, 1, 3, 1]),
    ("vgg 3", [8, 56, 256, 256, 1, 3, 1]),
    ("vgg 4", [8, 28, 512, 512, 1, 3, 1]),
    ("vgg 5", [8, 14, 512, 512, 1, 3, 1]),
    ("cifar a", [64, 32, 3, 32, 1, 3, 1]),
    ("cifar b", [64, 32, 32, 32, 1, 3, 1]),
    ("cifar c", [64, 16, 64, 64, 1, 3, 1]),
    ("5 x 5 thin", [64, 32, 3, 32, 1, 5, 1]),
    ("5 x 5", [64, 16, 32, 64, 1, 5, 1]),
    ("mnist 1", [64, 28, 1, 32, 1, 3, 1]),
    ("mnist 2", [64, 14, 32, 64, 1, 3, 1]),
    ("1 x 1", [8, 56, 64, 256, 1, 1, 1]),
    ("1 x 1 narrow", [8, 56, 256, 64, 1, 1, 1]),
    ("1 x 1 deep", [8, 14, 1024, 256, 1, 1, 1]),
    ("3 x 3", [8, 56, 64, 64, 1, 3, 1]),
    ("stride 2", [8, 56, 128, 128, 1, 3, 2]),
    ("7 x 7 stride 2", [8, 224, 3, 64, 1, 7, 2]),
    ("small maps", [64, 4, 256, 256, 1, 3, 1]),
    ("8 groups", [8, 28, 128, 128, 8, 3, 1]),
    ("depthwise", [8, 56, 64, 64, 64, 3, 1]),
    ("depthwise 2", [8, 56, 64, 64, 64, 3, 2]),
];

/// Its name and one run of it.
type Direction<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// The layer of that name or of these numbers; all without one.
fn layers(wanted: Option<&String>) -> Vec<(&str, [usize; 7])> {
    let Some(wanted) = wanted else {
        return LAYERS.to_vec();
    };
    if let Some(layer) = LAYERS.iter().find(|(name, _)| name == wanted) {
        return vec![*layer];
    }
    let numbers: Vec<usize> = wanted
        .split(',')
        .map(|number| number.parse().unwrap_or_else(|_| panic!("no layer \"{wanted}\"")))
        .collect();
    vec![(wanted, numbers.try_into().expect("seven numbers"))]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let isa = match arguments.first() {
        Some(name) => Isa::forced(name).unwrap_or_else(|error| panic!("{error}")),
        None => Isa::detect(),
    };
    let threads = arguments
        .get(1)
        .map_or(2, |count| count.parse().expect("a number of threads"));
    let mode = std::env::var("FERROGRAD_CONV").unwrap_or_else(|_| "auto".into());
    let mode = Convolution::forced(&mode).unwrap_or_else(|error| panic!("{error}"));
    let cx = Exec::new(isa, Arc::new(Team::new(threads).expect("threads"))).convolving(mode);
    let cx = as_environment_says(cx);
    let _held = cx.team.hold();
    println!(
        "{} on {threads} threads: GF/s and share of the multiply-add peak",
        isa.name()
    );
    for (name, [batch, size, channels, filters, groups, kernel, stride]) in layers(arguments.get(2)) {
        let pad = kernel / 2;
        let axis = Axis::new(size, kernel, stride, 1, pad, pad).expect("sizes");
        let conv = Conv2d::new(batch, axis, axis, channels, filters, groups).expect("sizes");
        let (x, w, dy) = (
            numbers(conv.input_len()),
            numbers(conv.weight_len()),
            numbers(conv.output_len()),
        );
        let bias = numbers(filters);
        let (mut y, mut dx, mut dw) = (numbers(dy.len()), numbers(x.len()), numbers(w.len()));
        let work = (conv.pixels() * conv.weight_len()) as f64;
        let mut packed = Floats::zeros(packed_len(&cx, &conv));
        pack(&cx, &conv, &w, &mut packed);
        // Its own result: the other closure keeps y.
        let mut y_again = numbers(y.len());
        let mut directions: Vec<Direction> = vec![
            (
                "forward",
                Box::new(|| forward(&cx, &conv, &x, &w, &bias, Activation::Relu, black_box(&mut y))),
            ),
            (
                "packed before",
                Box::new(|| match packed.is_empty() {
                    true => forward(
                        &cx,
                        &conv,
                        &x,
                        &w,
                        &bias,
                        Activation::Relu,
                        black_box(&mut y_again),
                    ),
                    false => forward_packed(
                        &cx,
                        &conv,
                        &x,
                        &packed,
                        &bias,
                        Activation::Relu,
                        black_box(&mut y_again),
                    ),
                }),
            ),
            (
                "input gradient",
                Box::new(|| input_gradient(&cx, &conv, &dy, &w, black_box(&mut dx))),
            ),
            (
                "weight gradient",
                Box::new(|| weight_gradient(&cx, &conv, &x, &dy, black_box(&mut dw))),
            ),
        ];
        print!("{name:14}");
        let wanted = arguments.get(3);
        directions.retain(|(direction, _)| wanted.is_none_or(|wanted| wanted == direction));
        for (direction, run) in &mut directions {
            let (mut best, mut peak) = (0.0f64, 0.0f64);
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(400) {
                peak = peak.max(fma_rate(&cx));
                let start = Instant::now();
                run();
                best = best.max(work / start.elapsed().as_secs_f64());
            }
            print!("  {direction} {:5.0} {:3.0} %", 2e-9 * best, 100.0 * best / peak);
        }
        println!();
    }
}
