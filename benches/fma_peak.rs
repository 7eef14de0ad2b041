//! GFLOP/s of nothing but fused multiply-adds in registers, the limit of this machine: `fma_peak [threads]`.
//! Built by run.mjs with `rustc -O -C target-cpu=native`, so that the widest vectors of this machine are used.

use std::hint::black_box;
use std::time::Instant;

/// Independent chains: enough to hide the latency of 4 cycles on two ports, few enough for the registers.
const CHAINS: usize = if LANES == 16 { 24 } else { 12 };

#[cfg(target_feature = "avx512f")]
mod vector {
    use std::arch::x86_64::*;
    pub const LANES: usize = 16;
    pub type Vector = __m512;
    pub fn splat(value: f32) -> Vector {
        // SAFETY: this module exists only where the compilation target has AVX-512F.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    pub fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "fma", not(target_feature = "avx512f")))]
mod vector {
    use std::arch::x86_64::*;
    pub const LANES: usize = 8;
    pub type Vector = __m256;
    pub fn splat(value: f32) -> Vector {
        // SAFETY: this module exists only where the compilation target has AVX and FMA.
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    pub fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "fma")))]
mod vector {
    pub const LANES: usize = 4;
    pub type Vector = [f32; 4];
    pub fn splat(value: f32) -> Vector {
        [value; 4]
    }
    #[inline(always)]
    pub fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
}

use vector::{LANES, Vector, multiply_add, splat};

fn spin(iterations: usize) {
    let (a, b) = (splat(black_box(0.999)), splat(black_box(0.001)));
    let mut sums: [Vector; CHAINS] = [splat(black_box(1.0)); CHAINS];
    for _ in 0..iterations {
        for sum in &mut sums {
            *sum = multiply_add(*sum, a, b);
        }
    }
    black_box(sums);
}

fn main() {
    let threads: usize = std::env::args()
        .nth(1)
        .map_or(1, |text| text.parse().expect("a number of threads"));
    let iterations = 2_000_000;
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| spin(iterations));
            }
        });
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{:.1}",
        2.0 * (threads * iterations * CHAINS * LANES) as f64 / best / 1e9
    );
}
