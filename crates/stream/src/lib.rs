//! The runtime of ferrograd: where tensors live ([`Pool`], [`Block`]) and in which order work on them runs
//! ([`Stream`]). It knows neither Node nor any maths.
//!
//! One rule carries both halves: **order is the only synchronisation**. Work runs one piece after the other, in
//! the order in which it was queued, so memory released by the queueing thread can be lent again at once: work
//! queued later also runs later.

mod block;
mod pool;
mod stream;

pub use block::{Block, OutOfMemory};
pub use pool::Pool;
pub use stream::{Context, Failure, Stream};
