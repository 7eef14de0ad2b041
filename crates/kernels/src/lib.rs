//! The maths of ferrograd: kernels on plain slices, without tensors, handles or global state.
//!
//! Every fast kernel takes an [`Exec`] (which instruction set, how many threads) and float32 slices. Beside it,
//! in a module `reference`, stands a plain form that is generic over float32 and float64 and *defines* the right
//! answer; float64 tensors run on it.
//!
//! Results never depend on the number of threads or the caches of the machine: sums are cut by the shapes alone, and
//! partial results combined in order.

pub mod accumulate;
pub mod activation;
pub mod augment;
pub mod bfloat16;
pub mod broadcast;
mod cache;
pub mod conv2d;
pub mod covariance;
pub mod dimensions;
pub mod dropout;
pub mod elementwise;
mod exec;
pub mod loss;
pub mod matmul;
pub mod memory;
pub mod microkernel;
pub mod moments;
pub mod movement;
pub mod norm;
pub mod padding;
mod parallel;
mod partials;
pub mod pool2d;
pub mod principal;
pub mod random;
pub mod reduce;
#[cfg(test)]
mod sample;
mod scratch;
mod simd;
pub mod softmax;
pub mod tally;
pub mod unary;
pub mod update;
pub mod vector_math;

pub use bfloat16::Precision;
pub use exec::{Convolution, Exec};
pub use parallel::{Disjoint, Held, Team};
pub use scratch::with_scratch;
pub use simd::Isa;
