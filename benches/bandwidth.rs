//! GB/s of reading, copying and adding long arrays, the limit of ops that compute little: `bandwidth [threads] [megabytes]`.
//! Prints one line of JSON. Built by run.mjs with `rustc -O -C target-cpu=native`.
//!
//! Every array has so many megabytes, cut among the threads. Bytes count as in STREAM (McCalpin 1995): what the program
//! reads and writes, not what the caches read before they are written to. `streaming` stores go around the caches.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// One of the arrays of a thread, on large pages where the system has them.
fn array(length: usize) -> &'static mut [f32] {
    let layout = Layout::from_size_align(4 * length, 1 << 21).expect("a length that fits memory");
    // SAFETY: the layout has a size; the memory is zeroed, which is a valid f32, and lives as long as the process.
    unsafe {
        let start = alloc_zeroed(layout);
        if start.is_null() {
            handle_alloc_error(layout);
        }
        on_large_pages(start, layout.size());
        std::slice::from_raw_parts_mut(start.cast(), length)
    }
}

#[cfg(target_os = "linux")]
fn on_large_pages(start: *mut u8, bytes: usize) {
    unsafe extern "C" {
        fn madvise(start: *mut u8, bytes: usize, advice: i32) -> i32;
    }
    const MADV_HUGEPAGE: i32 = 14;
    // SAFETY: the range is memory of ours, and the advice changes no contents. A refusal does no harm.
    unsafe { madvise(start, bytes, MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn on_large_pages(_: *mut u8, _: usize) {}

fn read(x: &[f32]) {
    let sum = x
        .iter()
        .fold(0u32, |sum, value| sum.wrapping_add(value.to_bits()));
    black_box(sum);
}

/// With a sum that changes nothing: a plain loop would become a call of the system's `memcpy`, which chooses its stores.
fn copy(x: &[f32], z: &mut [f32]) {
    let nothing = black_box(0.0);
    for (z, x) in z.iter_mut().zip(x) {
        *z = x + nothing;
    }
}

fn triad(x: &[f32], y: &[f32], z: &mut [f32]) {
    let scale = black_box(3.0);
    for ((z, x), y) in z.iter_mut().zip(x).zip(y) {
        *z = x + scale * y;
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx"))]
fn triad_streaming(x: &[f32], y: &[f32], z: &mut [f32]) {
    use std::arch::x86_64::*;
    let scale = black_box(3.0);
    let chunks = z
        .chunks_exact_mut(8)
        .zip(x.chunks_exact(8))
        .zip(y.chunks_exact(8));
    // SAFETY: this exists only where the compilation target has AVX; every chunk has 8 numbers, and `array` aligns the first.
    unsafe {
        let scale = _mm256_set1_ps(scale);
        for ((z, x), y) in chunks {
            let sum = _mm256_add_ps(
                _mm256_loadu_ps(x.as_ptr()),
                _mm256_mul_ps(scale, _mm256_loadu_ps(y.as_ptr())),
            );
            _mm256_stream_ps(z.as_mut_ptr(), sum);
        }
        _mm_sfence();
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx")))]
fn triad_streaming(x: &[f32], y: &[f32], z: &mut [f32]) {
    triad(x, y, z);
}

type Kernel = fn(&[f32], &[f32], &mut [f32]);

const ROUNDS: usize = 5;

/// How many arrays each kernel reads or writes.
const KERNELS: [(usize, Kernel); 4] = [
    (1, |x, _, _| read(x)),
    (2, |x, _, z| copy(x, z)),
    (3, triad),
    (3, triad_streaming),
];

/// Seconds of one pass of each kernel over arrays of `length` numbers a thread, the best of some rounds.
fn measure(threads: usize, length: usize) -> [f64; KERNELS.len()] {
    let passes = ((1usize << 26) / (threads * length)).clamp(1, 64);
    let barrier = Barrier::new(threads);
    let worker = || {
        let (x, y, z) = (array(length), array(length), array(length));
        x.fill(1.0);
        y.fill(2.0);
        z.fill(0.0);
        KERNELS.map(|(_, kernel)| {
            kernel(x, y, z);
            [(); ROUNDS].map(|()| {
                barrier.wait();
                let start = Instant::now();
                for _ in 0..passes {
                    kernel(black_box(x), black_box(y), black_box(z));
                }
                start.elapsed().as_secs_f64() / passes as f64
            })
        })
    };
    let times: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<_>| worker.join().expect("a thread");
        workers.into_iter().map(join).collect()
    });
    // A round is over when its slowest thread is.
    std::array::from_fn(|kernel| {
        let slowest = |round: usize| times.iter().map(|times| times[kernel][round]).fold(0.0, f64::max);
        (0..ROUNDS).map(slowest).fold(f64::INFINITY, f64::min)
    })
}

fn main() {
    let argument = |i: usize, default: usize| {
        let given = std::env::args().nth(i);
        given.map_or(default, |text| text.parse().expect("a whole number"))
    };
    let (threads, megabytes) = (argument(1, 1), argument(2, 768));
    // Whole cache lines for every thread.
    let length = megabytes * 1_000_000 / 4 / threads / 16 * 16;
    let seconds = measure(threads, length);
    let [read, copy, triad, streaming] = std::array::from_fn(|kernel| {
        (4 * KERNELS[kernel].0 * length * threads) as f64 / seconds[kernel] / 1e9
    });
    println!(r#"{{"read":{read:.1},"copy":{copy:.1},"triad":{triad:.1},"streaming":{streaming:.1}}}"#);
}
