//! What element-wise ops cost: cycles for an element in the first-level cache, and GB/s of long arrays beside a copy.
//!
//! `cargo run --release -p ferrograd-kernels --example elementwise_peak [isa] [threads] [megabytes] [op]`
//!
//! A cycle is what the same machine takes in the same round for two vectors of multiply-adds in registers.

mod peak;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrograd_kernels::activation::{Elu, Gelu, GeluTanh, Relu, Sigmoid, Softplus, Swish, Tanh};
use ferrograd_kernels::memory::Floats;
use ferrograd_kernels::softmax::{Axis, log_softmax, log_softmax_backward, softmax, softmax_backward};
use ferrograd_kernels::unary::{Abs, Exp, Log, Unary, backward, forward};
use ferrograd_kernels::{Exec, Isa, Team};
use peak::{fma_rate, numbers};

/// An op on arrays of one length: x, dy, y.
type Run = fn(&Exec, &[f32], &[f32], &mut [f32]);

const OPS: [(&str, Run); 24] = [
    ("abs", value::<AbsOp>),
    ("relu", value::<ReluOp>),
    ("exp", value::<ExpOp>),
    ("log", value::<LogOp>),
    ("sigmoid", value::<SigmoidOp>),
    ("tanh", value::<TanhOp>),
    ("gelu", value::<GeluOp>),
    ("gelu tanh", value::<GeluTanhOp>),
    ("swish", value::<SwishOp>),
    ("softplus", value::<SoftplusOp>),
    ("elu", value::<EluOp>),
    ("relu gradient", slope::<ReluOp>),
    ("sigmoid gradient", slope::<SigmoidOp>),
    ("gelu gradient", slope::<GeluOp>),
    ("gelu tanh gradient", slope::<GeluTanhOp>),
    ("swish gradient", slope::<SwishOp>),
    ("softplus gradient", slope::<SoftplusOp>),
    ("elu gradient", slope::<EluOp>),
    ("softmax of 1000", |cx, x, _, y| softmax(cx, x, rows(1000, x), y)),
    ("softmax of 10", |cx, x, _, y| softmax(cx, x, rows(10, x), y)),
    ("log softmax of 1000", |cx, x, _, y| {
        log_softmax(cx, x, rows(1000, x), y)
    }),
    ("log softmax of 10", |cx, x, _, y| {
        log_softmax(cx, x, rows(10, x), y)
    }),
    ("softmax gradient", |cx, x, dy, y| {
        softmax_backward(cx, x, dy, rows(1000, x), y)
    }),
    ("log softmax gradient", |cx, x, dy, y| {
        log_softmax_backward(cx, x, dy, rows(1000, x), y)
    }),
];

fn rows(size: usize, x: &[f32]) -> Axis {
    Axis::new(x.len() / size, size, 1, &[x.len()]).expect("whole rows")
}

/// Makes an op from nothing, so that a table can name it.
trait Make {
    type Op: Unary;
    fn make() -> Self::Op;
}

macro_rules! ops {
    ($($name:ident = $op:ty: $make:expr;)*) => {
        $(
            struct $name;
            impl Make for $name {
                type Op = $op;
                fn make() -> $op {
                    $make
                }
            }
        )*
    };
}

ops! {
    AbsOp = Abs: Abs;
    ReluOp = Relu: Relu;
    ExpOp = Exp: Exp;
    LogOp = Log: Log;
    SigmoidOp = Sigmoid: Sigmoid;
    TanhOp = Tanh: Tanh;
    GeluOp = Gelu: Gelu;
    GeluTanhOp = GeluTanh: GeluTanh;
    SwishOp = Swish: Swish;
    SoftplusOp = Softplus: Softplus;
    EluOp = Elu: Elu { alpha: 1.0 };
}

fn value<M: Make>(cx: &Exec, x: &[f32], _: &[f32], y: &mut [f32]) {
    forward(cx, M::make(), x, y);
}

fn slope<M: Make>(cx: &Exec, x: &[f32], dy: &[f32], y: &mut [f32]) {
    backward(cx, M::make(), x, dy, y);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let isa = match arguments.first() {
        Some(name) => Isa::forced(name).unwrap_or_else(|error| panic!("{error}")),
        None => Isa::detect(),
    };
    let number = |index: usize, otherwise: usize| {
        arguments
            .get(index)
            .map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (threads, megabytes) = (number(1, 2), number(2, 16));
    let many = Exec::new(isa, Arc::new(Team::new(threads).expect("threads")));
    let one = Exec::new(isa, Arc::new(Team::serial()));
    let _held = many.team.hold();
    let long = megabytes * 250_000;
    let [x, dy, mut y] = [numbers(long), numbers(long), Floats::zeros(long)];
    println!("{} on {threads} threads, arrays of {megabytes} MB", isa.name());
    for (name, run) in OPS {
        if arguments.get(3).is_some_and(|op| !name.starts_with(op.as_str())) {
            continue;
        }
        let small = 4000;
        let in_cache = best(500, || {
            run(&one, &x[..small], &dy[..small], black_box(&mut y[..small]))
        });
        let rate = (0..5).map(|_| fma_rate(&one)).fold(0.0, f64::max);
        let lanes = match isa {
            Isa::Avx512 => 16.0,
            Isa::Avx2 => 8.0,
            _ => 4.0,
        };
        let hertz = rate / lanes / 2.0;
        let whole = best(1, || run(&many, &x, &dy, black_box(&mut y)));
        let copy = best(1, || forward(&many, Abs, &x, black_box(&mut y)));
        let arrays = if name.contains("gradient") { 3.0 } else { 2.0 };
        println!(
            "{name:20} {:6.2} cycles/vector ({:.2} GHz)   {:7.1} us  {:6.1} GB/s, copy {:6.1} GB/s",
            in_cache * hertz / small as f64 * lanes,
            hertz * 1e-9,
            whole * 1e6,
            arrays * 4e-9 * long as f64 / whole,
            8e-9 * long as f64 / copy
        );
    }
}

/// Seconds that one of the best `times` runs in a row takes.
fn best(times: u32, mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(60) {
        let start = Instant::now();
        (0..times).for_each(|_| run());
        best = best.min(start.elapsed().as_secs_f64() / f64::from(times));
    }
    best
}
