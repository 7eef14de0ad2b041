//! The maths of ferrograd: kernels on plain slices, without tensors, handles or global state.
//!
//! Every fast kernel takes an [`Exec`] (which instruction set, how many threads) and float32 slices. Beside it,
//! in a module `reference`, stands a plain form that is generic over float32 and float64 and *defines* the right
//! answer; float64 tensors run on it.
//!
//! Results never depend on the number of threads: work is cut into tiles by the shapes alone, and partial
//! results are combined in tile order.

pub mod accumulate;

mod exec;
mod parallel;
mod scratch;
mod simd;

pub use exec::Exec;
pub use parallel::{Disjoint, Held, Team};
pub use scratch::with_scratch;
pub use simd::Isa;
