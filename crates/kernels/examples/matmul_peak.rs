//! How near matrix products come to the arithmetic limit of this machine, on each instruction set and thread count.
//!
//! `cargo run --release -p ferrograd-kernels --example matmul_peak [isa] [threads] [rows]`
//!
//! Each round runs a loop of independent multiply-adds in registers on all threads (the peak) and then the product;
//! what is printed is the best product against the best peak of the same rounds, so that clocks and neighbours count
//! for both. The last figure is the product with a B that was packed before, where it can be. On a processor with AMX,
//! `FERROGRAD_AMX=always` measures products in pieces of bfloat16, `FERROGRAD_PRECISION=high` or `medium` in fewer of them.

mod peak;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrograd_kernels::matmul::{Geometry, forward, forward_packed, pack, packed_len};
use ferrograd_kernels::memory::Floats;
use ferrograd_kernels::microkernel::Activation;
use ferrograd_kernels::{Exec, Isa, Team};
use peak::{as_environment_says, fma_rate, numbers};

/// (m, n, k, A transposed, B transposed, what it is)
const SHAPES: [(usize, usize, usize, bool, bool, &str); 38] = [
    (64, 64, 64, false, false, ""),
    (128, 128, 128, false, false, ""),
    (256, 256, 256, false, false, ""),
    (384, 384, 384, false, false, ""),
    (512, 512, 512, false, false, ""),
    (512, 512, 512, true, false, "A transposed"),
    (512, 512, 512, false, true, "B transposed"),
    (768, 768, 768, false, false, ""),
    (1024, 1024, 1024, false, false, ""),
    (1536, 1536, 1536, false, false, ""),
    (2048, 2048, 2048, false, false, ""),
    (64, 256, 784, false, false, "dense forward"),
    (784, 256, 64, true, false, "dense gradient of the weight"),
    (64, 784, 256, false, true, "dense gradient of the input"),
    (64, 10, 256, false, false, "last layer forward"),
    (256, 10, 64, true, false, "last layer, gradient of the weight"),
    (64, 256, 10, false, true, "last layer, gradient of the input"),
    (32, 256, 784, false, false, "dense 784, batch 32, forward"),
    (784, 256, 32, true, false, "gradient of the weight"),
    (32, 784, 256, false, true, "gradient of the input"),
    (128, 256, 784, false, false, "dense 784, batch 128, forward"),
    (784, 256, 128, true, false, "gradient of the weight"),
    (128, 784, 256, false, true, "gradient of the input"),
    (32, 512, 3072, false, false, "dense 3072, batch 32, forward"),
    (3072, 512, 32, true, false, "gradient of the weight"),
    (32, 3072, 512, false, true, "gradient of the input"),
    (128, 512, 3072, false, false, "dense 3072, batch 128, forward"),
    (3072, 512, 128, true, false, "gradient of the weight"),
    (128, 3072, 512, false, true, "gradient of the input"),
    (32, 4096, 4096, false, false, "dense 4096, batch 32, forward"),
    (4096, 4096, 32, true, false, "gradient of the weight"),
    (32, 4096, 4096, false, true, "gradient of the input"),
    (128, 4096, 4096, false, false, "dense 4096, batch 128, forward"),
    (4096, 4096, 128, true, false, "gradient of the weight"),
    (128, 4096, 4096, false, true, "gradient of the input"),
    (1, 1000, 512, false, false, ""),
    (3136, 256, 64, false, false, "1 x 1 convolution"),
    (25088, 64, 576, false, false, ""),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let isas = match arguments.first() {
        Some(name) => vec![Isa::forced(name).unwrap_or_else(|error| panic!("{error}"))],
        None => Isa::available().into_iter().rev().collect(),
    };
    let threads = match arguments.get(1) {
        Some(count) => vec![count.parse().expect("a number of threads")],
        None => vec![1, 2],
    };
    let rows = arguments
        .get(2)
        .map(|rows| rows.parse().expect("a number of rows"));
    for isa in isas {
        for &threads in &threads {
            measure(isa, threads, rows);
        }
    }
}

/// Measures the shapes with this many rows, or all.
fn measure(isa: Isa, threads: usize, rows: Option<usize>) {
    let cx = as_environment_says(Exec::new(isa, Arc::new(Team::new(threads).expect("threads"))));
    let _held = cx.team.hold();
    println!("{} on {threads} threads", isa.name());
    for (m, n, k, transpose_a, transpose_b, note) in SHAPES {
        if rows.is_some_and(|rows| rows != m) {
            continue;
        }
        let geometry = Geometry::new((m, n, k), transpose_a, transpose_b, &[]).expect("sizes");
        let (a, b, mut c) = (numbers(m * k), numbers(k * n), Floats::zeros(m * n));
        let work = (m * n * k) as f64;
        let repeats = (3e7 / work).max(1.0) as usize;
        let mut packed = Floats::zeros(packed_len(&cx, &geometry));
        if !packed.is_empty() {
            pack(&cx, &geometry, &b, &mut packed);
        }
        let rate = |run: &mut dyn FnMut()| {
            let start = Instant::now();
            for _ in 0..repeats {
                run();
            }
            work * repeats as f64 / start.elapsed().as_secs_f64()
        };
        let (mut best, mut best_packed, mut peak) = (0.0f64, 0.0f64, 0.0f64);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(500) {
            peak = peak.max(fma_rate(&cx));
            best = best.max(rate(&mut || {
                forward(&cx, &geometry, Activation::None, [&a, &b, &[]], black_box(&mut c))
            }));
            if !packed.is_empty() {
                best_packed = best_packed.max(rate(&mut || {
                    forward_packed(
                        &cx,
                        &geometry,
                        Activation::None,
                        [&a, &packed, &[]],
                        black_box(&mut c),
                    )
                }));
            }
        }
        println!(
            "{m:6} x {n:4} x {k:4}  {:7.1} GF/s  {:5.1} %  {:8.1} us  packed {:5.1} %  {note}",
            2e-9 * best,
            100.0 * best / peak,
            1e6 * work / best,
            100.0 * best_packed / peak
        );
    }
}
