//! The kernels as JavaScript calls them: one file a family, one short function an entry.

mod accumulate;
mod augment;
mod conv2d;
mod conv2d_max_pool2d;
mod dropout;
mod elementwise;
mod loss;
mod matmul;
mod movement;
mod norm;
mod pool2d;
mod random;
mod reduce;
mod softmax;
mod statistics;
mod tally;
mod unary;
mod update;

use ferrograd_kernels::Precision;

/// Words of a geometry, and the code of a precision behind them.
fn parted(words: &[f64]) -> Result<(&[f64], Precision), String> {
    let (code, words) = words.split_last().ok_or("no words")?;
    Ok((words, Precision::from_code(*code)?))
}
