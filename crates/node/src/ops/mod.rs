//! The kernels as JavaScript calls them: one file a family, one short function an entry.

mod accumulate;
mod conv2d;
mod elementwise;
mod matmul;
mod reduce;
mod unary;
