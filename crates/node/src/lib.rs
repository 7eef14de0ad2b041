//! The Node-API binding, the only crate that knows napi: handles for buffers, the way onto the stream, and one
//! short function for each kernel entry.

mod buffers;
mod launch;
mod ops;
mod runtime;
