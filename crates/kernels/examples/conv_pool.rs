//! Convolution, rectifier and max-pool in one pass against one after the other.
//!
//! `cargo run --release -p ferrograd-kernels --example conv_pool [threads] [layer]`

mod peak;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrograd_kernels::conv2d::{Conv2d, forward, pooled};
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::padding::Axis;
use ferrograd_kernels::pool2d::{Pool2d, max};
use ferrograd_kernels::{Exec, Isa, Team};
use peak::numbers;

/// Name, batch, height and width, channels, filters, kernel, window of the pool.
const LAYERS: [(&str, [usize; 6]); 22] = [
    ("mnist 1", [64, 28, 1, 32, 3, 2]),
    ("mnist 2", [64, 14, 32, 64, 3, 2]),
    ("cifar a", [64, 32, 32, 32, 3, 2]),
    ("cifar b", [64, 16, 64, 64, 3, 2]),
    ("cifar first", [64, 32, 3, 32, 3, 2]),
    ("vgg-small 1", [64, 32, 64, 64, 3, 2]),
    ("vgg-small 2", [64, 16, 128, 128, 3, 2]),
    ("vgg-small 3", [64, 8, 256, 256, 3, 2]),
    ("vgg 1", [8, 224, 64, 64, 3, 2]),
    ("vgg 2", [8, 112, 128, 128, 3, 2]),
    ("vgg 3", [8, 56, 256, 256, 3, 2]),
    ("vgg 4", [8, 28, 512, 512, 3, 2]),
    ("vgg 5", [8, 14, 512, 512, 3, 2]),
    ("lenet 1", [64, 28, 1, 6, 5, 2]),
    ("lenet 2", [64, 14, 6, 16, 5, 2]),
    ("5 x 5", [64, 16, 32, 64, 5, 2]),
    ("vgg 1, one", [1, 224, 64, 64, 3, 2]),
    ("vgg 3, one", [1, 56, 256, 256, 3, 2]),
    ("vgg 5, one", [1, 14, 512, 512, 3, 2]),
    ("1 x 1", [8, 56, 64, 256, 1, 2]),
    ("1 x 1 small", [64, 8, 64, 128, 1, 2]),
    ("mnist 1, one", [1, 28, 1, 32, 3, 2]),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments
        .first()
        .map_or(2, |count| count.parse().expect("a number of threads"));
    let cx = Exec::new(Isa::detect(), Arc::new(Team::new(threads).expect("threads")));
    let _held = cx.team.hold();
    println!("us: conv, pool, both, one pass, saved; the same with winners; medians");
    for (name, [batch, size, channels, filters, kernel, window]) in LAYERS {
        if arguments.get(1).is_some_and(|wanted| !name.contains(wanted)) {
            continue;
        }
        let pad = kernel / 2;
        let axis = Axis::new(size, kernel, 1, 1, pad, pad).expect("sizes");
        let conv = Conv2d::new(batch, axis, axis, channels, filters, 1).expect("sizes");
        let axis = Axis::new(axis.output, window, window, 1, 0, 0).expect("sizes");
        let pool = Pool2d::new(batch, axis, axis, filters).expect("sizes");
        let (x, w, bias) = (
            numbers(conv.input_len()),
            numbers(conv.weight_len()),
            numbers(filters),
        );
        let (mut map, mut y, mut z) = (
            numbers(conv.output_len()),
            numbers(pool.output_len()),
            numbers(pool.output_len()),
        );
        print!("{name:14} {:5}", pooled::pays(&cx, &conv, &pool));
        for keep in [false, true] {
            let len = if keep { y.len() } else { 0 };
            let (mut winners, mut found) = (vec![0u8; len], vec![1u8; len]);
            let mut times = [const { Vec::new() }; 3];
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(700) || times[0].len() < 5 {
                let begin = Instant::now();
                forward(&cx, &conv, &x, &w, &bias, Activation::Relu, black_box(&mut map));
                let middle = Instant::now();
                max::forward(&cx, &pool, true, &map, black_box(&mut y), &mut winners);
                let end = Instant::now();
                pooled::forward(
                    &cx,
                    &conv,
                    &pool,
                    &x,
                    &w,
                    &bias,
                    Activation::Relu,
                    black_box(&mut z),
                    &mut found,
                );
                times[0].push((middle - begin).as_secs_f64());
                times[1].push((end - middle).as_secs_f64());
                times[2].push(end.elapsed().as_secs_f64());
            }
            assert!(y[..] == z[..] && winners == found, "other results");
            let [a, b, c] = times.map(|mut all| {
                all.sort_by(f64::total_cmp);
                1e6 * all[all.len() / 2]
            });
            print!(
                "  {a:7.0} {b:6.0} {:7.0} {c:7.0} {:5.1} %",
                a + b,
                100.0 * (1.0 - c / (a + b))
            );
        }
        println!();
    }
}
