//! Losses: predictions and labels in, one number out, and back.
//!
//! Every forward kernel makes one pass and keeps nothing; the backward kernel works the gradient out of the same
//! inputs, times the gradient of the loss. Labels are checked on the way: a bad one is an `Err` that names it.
//!
//! `weights` holds one factor for each equal share of the predictions, in order, or nothing. It multiplies before
//! the mean, which divides by the number of rows or elements all the same.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub mod classes;
pub mod cross_entropy;
pub mod element;
pub mod svm;

/// The first position, in order, at which some tile found a bad label.
struct FirstBad(AtomicUsize);

impl FirstBad {
    fn none() -> FirstBad {
        FirstBad(AtomicUsize::new(usize::MAX))
    }

    fn at(&self, position: usize) {
        self.0.fetch_min(position, Relaxed);
    }

    fn into_result(self, explain: impl FnOnce(usize) -> String) -> Result<(), String> {
        match self.0.into_inner() {
            usize::MAX => Ok(()),
            position => Err(explain(position)),
        }
    }
}

/// Fails unless `weights` weights share `count` rows or elements equally, and the loss is one number.
fn check_shares(count: usize, weights: usize, loss: usize) -> Result<(), String> {
    if count == 0 {
        return Err("there is nothing to take a mean of".into());
    }
    if loss != 1 {
        return Err(format!("the loss has {loss} elements, not 1"));
    }
    if weights > 0 && !count.is_multiple_of(weights) {
        return Err(format!("{weights} weights do not share {count} rows equally"));
    }
    Ok(())
}
