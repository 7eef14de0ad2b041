//! The arithmetic limit: a loop of independent multiply-adds in registers, for the examples that measure kernels.

#![allow(dead_code, reason = "not every example uses all of it")]

use std::hint::black_box;
use std::time::Instant;

use ferrograd_kernels::bfloat16::Tiles;
use ferrograd_kernels::memory::Floats;
use ferrograd_kernels::{Exec, Isa, Precision};

/// The same, for products as `FERROGRAD_AMX` and `FERROGRAD_PRECISION` (highest, high or medium) say.
pub fn as_environment_says(cx: Exec) -> Exec {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let tiles = Tiles::named(&variable("FERROGRAD_AMX")).expect("FERROGRAD_AMX");
    let precision = match variable("FERROGRAD_PRECISION").as_str() {
        "" | "highest" => Precision::Highest,
        "high" => Precision::High,
        "medium" => Precision::Medium,
        name => panic!("FERROGRAD_PRECISION: there is no \"{name}\"; there are highest, high, medium"),
    };
    Exec {
        tiles,
        ..cx.at(precision)
    }
}

/// Different numbers between -0.5 and 0.5, in memory as tensors have it.
pub fn numbers(len: usize) -> Floats {
    let mut floats = Floats::zeros(len);
    for (i, float) in floats.iter_mut().enumerate() {
        *float = (i % 251) as f32 / 251.0 - 0.5;
    }
    floats
}

/// Multiply-adds a second of all threads together.
pub fn fma_rate(cx: &Exec) -> f64 {
    const TIMES: usize = 40_000;
    let threads = cx.team.threads();
    let start = Instant::now();
    cx.tiles(threads, |_| {
        black_box(chains(cx.isa, TIMES));
    });
    let lanes = match cx.isa {
        Isa::Avx512 => 16,
        Isa::Avx2 => 8,
        Isa::Neon | Isa::Scalar => 4,
    };
    (TIMES * CHAINS * lanes * threads) as f64 / start.elapsed().as_secs_f64()
}

/// Enough independent chains to hide the latency, few enough for the registers of each instruction set.
const CHAINS: usize = 12;

fn chains(isa: Isa, times: usize) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;
        macro_rules! chains {
            ($name:ident, $features:literal, $splat:ident, $fma:ident, $store:ident, $lanes:literal) => {
                #[target_feature(enable = $features)]
                fn $name(times: usize) -> f32 {
                    let (factor, sum) = (black_box($splat(0.999)), black_box($splat(0.5)));
                    let mut sums = [sum; CHAINS];
                    for _ in 0..times {
                        for sum in &mut sums {
                            *sum = $fma(*sum, factor, factor);
                        }
                    }
                    let mut total = [0.0f32; $lanes];
                    for sum in sums {
                        let mut lanes = [0.0f32; $lanes];
                        // SAFETY: the array has as many floats as the vector.
                        unsafe { $store(lanes.as_mut_ptr(), sum) };
                        total
                            .iter_mut()
                            .zip(lanes)
                            .for_each(|(total, lane)| *total += lane);
                    }
                    total[0]
                }
            };
        }
        chains!(
            avx512,
            "avx512f",
            _mm512_set1_ps,
            _mm512_fmadd_ps,
            _mm512_storeu_ps,
            16
        );
        chains!(
            avx2,
            "avx2,fma",
            _mm256_set1_ps,
            _mm256_fmadd_ps,
            _mm256_storeu_ps,
            8
        );
        match isa {
            // SAFETY: an `Isa` is only made after its features were detected on this machine.
            Isa::Avx512 => return unsafe { avx512(times) },
            // SAFETY: as above.
            Isa::Avx2 => return unsafe { avx2(times) },
            _ => {}
        }
    }
    let fused = isa == Isa::Neon;
    let factor = black_box([0.999f32; 4]);
    let mut sums = [black_box([0.5f32; 4]); CHAINS];
    for _ in 0..times {
        for sum in &mut sums {
            *sum = std::array::from_fn(|i| {
                if fused {
                    sum[i].mul_add(factor[i], factor[i])
                } else {
                    sum[i] * factor[i] + factor[i]
                }
            });
        }
    }
    sums.iter().map(|sum| sum[0]).sum()
}
