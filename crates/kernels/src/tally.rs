//! Counts behind metrics: how often predictions and labels agree. Counts of whole numbers have no rounding, so the one
//! form here serves float32 and float64, and threads may add up in any order.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use num_traits::Float;

use crate::Exec;

/// Scores in one tile.
const GRAIN: usize = 1 << 14;

/// A number that scores are made of.
pub trait Score: Float + Into<f64> + Sync {}
impl Score for f32 {}
impl Score for f64 {}

/// Labels that name one class for each row.
pub enum Labels<'a, T> {
    Indices(&'a [T]),
    /// Rows of one value for each class; the first of the largest names the class.
    OneHot(&'a [T]),
}

/// A number that labels are made of.
pub trait Label: Copy + PartialOrd + Into<f64> + Sync {
    fn index(self) -> Option<usize>;
}

impl Label for i32 {
    fn index(self) -> Option<usize> {
        usize::try_from(self).ok()
    }
}

impl Label for u8 {
    fn index(self) -> Option<usize> {
        Some(self.into())
    }
}

impl Label for f32 {
    fn index(self) -> Option<usize> {
        f64::from(self).index()
    }
}

impl Label for f64 {
    fn index(self) -> Option<usize> {
        (self >= 0.0 && self.fract() == 0.0).then_some(self as usize)
    }
}

impl<'a, T: Label> Labels<'a, T> {
    /// As many labels as rows are indices, as many as scores are one-hot rows.
    pub fn new(labels: &'a [T], rows: usize) -> Labels<'a, T> {
        if labels.len() == rows {
            Labels::Indices(labels)
        } else {
            Labels::OneHot(labels)
        }
    }

    /// The class of a row; `None` where the label names none of them.
    fn class(&self, row: usize, classes: usize) -> Option<usize> {
        match self {
            Labels::Indices(labels) => labels[row].index().filter(|&class| class < classes),
            Labels::OneHot(labels) => first_largest(&labels[row * classes..][..classes]),
        }
    }
}

/// Where the largest value stands, the first if there are several; `None` with a NaN among them or without any.
#[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
fn first_largest<T: Copy + PartialOrd>(values: &[T]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (i, &value) in values.iter().enumerate() {
        if value != value {
            return None;
        }
        if best.is_none_or(|best| value > values[best]) {
            best = Some(i);
        }
    }
    best
}

/// Fails unless there are `classes` scores in each row, and a label or a one-hot row of labels for each of them.
pub fn check_classes(scores: usize, labels: usize, classes: usize) -> Result<(), String> {
    if classes == 0 || !scores.is_multiple_of(classes) {
        return Err(format!("{scores} scores are no rows of {classes}"));
    }
    if labels != scores / classes && labels != scores {
        return Err(format!(
            "{labels} labels for {scores} scores of {classes} classes"
        ));
    }
    Ok(())
}

fn rows_of(cx: &Exec, rows: usize, classes: usize, body: impl Fn(usize) + Sync) {
    cx.ranges(rows, GRAIN / classes, |range| range.for_each(&body));
}

/// The number of rows whose label is among the `k` highest scores. Of equal scores the first counts as higher, and a
/// NaN as higher than every number.
pub fn hits<T: Score, L: Label>(
    cx: &Exec,
    scores: &[T],
    labels: &Labels<L>,
    classes: usize,
    k: usize,
) -> u64 {
    let count = AtomicU64::new(0);
    rows_of(cx, scores.len() / classes, classes, |row| {
        let Some(class) = labels.class(row, classes) else {
            return;
        };
        let scores = &scores[row * classes..][..classes];
        let own = scores[class];
        let above = scores
            .iter()
            .filter(|&&score| !matches!(score.partial_cmp(&own), Some(o) if o.is_le()))
            .count();
        let ties = scores[..class].iter().filter(|&&score| score == own).count();
        count.fetch_add(u64::from(above + ties < k.min(classes)), Relaxed);
    });
    count.into_inner()
}

/// For each class: how often it was predicted rightly, how often predicted at all, and how often it was the label. Rows
/// with a NaN predict nothing.
pub fn by_class<T: Score, L: Label>(
    cx: &Exec,
    scores: &[T],
    labels: &Labels<L>,
    classes: usize,
) -> Vec<[u64; 3]> {
    let counts: Vec<[AtomicU64; 3]> = (0..classes).map(|_| Default::default()).collect();
    rows_of(cx, scores.len() / classes, classes, |row| {
        let predicted = first_largest(&scores[row * classes..][..classes]);
        let class = labels.class(row, classes);
        if let Some(predicted) = predicted {
            counts[predicted][0].fetch_add(u64::from(class == Some(predicted)), Relaxed);
            counts[predicted][1].fetch_add(1, Relaxed);
        }
        if let Some(class) = class {
            counts[class][2].fetch_add(1, Relaxed);
        }
    });
    counts
        .into_iter()
        .map(|counts| counts.map(AtomicU64::into_inner))
        .collect()
}

/// How many elements are predicted (above `threshold`) and labelled (above one half), predicted at all, labelled at
/// all, and judged rightly either way. A NaN is never right.
pub fn by_threshold<T: Score, L: Label>(cx: &Exec, scores: &[T], labels: &[L], threshold: f64) -> [u64; 4] {
    let counts: [AtomicU64; 4] = Default::default();
    cx.ranges(scores.len(), GRAIN, |range| {
        let mut tile = [0; 4];
        for (&score, &label) in scores[range.clone()].iter().zip(&labels[range]) {
            let (predicted, labelled) = (score.into() > threshold, label.into() > 0.5);
            tile[0] += u64::from(predicted && labelled);
            tile[1] += u64::from(predicted);
            tile[2] += u64::from(labelled);
            tile[3] += u64::from(predicted == labelled && !score.is_nan());
        }
        for (count, tile) in counts.iter().zip(tile) {
            count.fetch_add(tile, Relaxed);
        }
    });
    counts.map(AtomicU64::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn hits_are_labels_among_the_highest_scores() {
        let scores = [
            0.1, 0.9, 0.5, 3.0, 1.0, 2.0, 7.0, 7.0, 7.0, 1.0, NAN, 0.0, NAN, 1.0, 0.0,
        ];
        let labels = [2, 0, 1, 0, 0];
        check_classes(scores.len(), labels.len(), 3).unwrap();
        for cx in Exec::all_for_tests() {
            let of = |k| hits(&cx, &scores, &Labels::new(&labels, 5), 3, k);
            // Ranks 1, 0, 1 (a tie behind the first), 1 (behind the NaN), 3 (a NaN itself).
            assert_eq!([of(0), of(1), of(2), of(3), of(9)], [0, 1, 4, 4, 4]);
        }
    }

    #[test]
    fn labels_may_be_one_hot_and_of_any_kind() {
        let cx = Exec::serial();
        let scores = [0.1, 0.9, 0.8, 0.2];
        let one_hot = [0.0, 1.0, 0.0, 1.0];
        assert_eq!(hits(&cx, &scores, &Labels::new(&one_hot, 2), 2, 1), 1);
        assert_eq!(hits(&cx, &scores, &Labels::new(&[0u8, 1, 1, 0], 2), 2, 1), 2);
        assert_eq!(hits(&cx, &scores, &Labels::new(&[1.0f64, 0.0], 2), 2, 1), 2);
        assert_eq!(hits(&cx, &scores, &Labels::new(&[1.5f32, NAN], 2), 2, 1), 0);
        assert_eq!(hits(&cx, &scores, &Labels::new(&[-1, 2], 2), 2, 2), 0);
        assert_eq!(hits(&cx, &[] as &[f32], &Labels::<i32>::new(&[], 0), 2, 1), 0);
    }

    #[test]
    fn classes_are_counted_apart() {
        let scores = [0.1, 0.9, 0.5, 3.0, 1.0, 2.0, 7.0, 7.0, 7.0, NAN, 0.0, 0.0];
        for cx in Exec::all_for_tests() {
            let counts = by_class(&cx, &scores, &Labels::new(&[1, 2, 0, 0], 4), 3);
            assert_eq!(counts, [[1, 2, 2], [1, 1, 1], [0, 0, 1]]);
        }
    }

    #[test]
    fn elements_are_judged_by_a_threshold() {
        let scores = [0.7, 0.2, 0.9, 0.5, NAN, 0.1];
        let labels = [1.0f32, 1.0, 0.0, 1.0, 0.0, 0.0];
        for cx in Exec::all_for_tests() {
            assert_eq!(by_threshold(&cx, &scores, &labels, 0.5), [1, 2, 3, 2]);
        }
        assert_eq!(
            by_threshold(&Exec::serial(), &[0.7f64], &[1u8], 0.5),
            [1, 1, 1, 1]
        );
    }

    #[test]
    fn many_rows_add_up_on_any_number_of_threads() {
        let classes = 7;
        let rows = 3 * GRAIN / classes + 5;
        let scores: Vec<f32> = (0..rows * classes).map(|i| (i * 37 % 101) as f32).collect();
        let labels: Vec<i32> = (0..rows).map(|i| (i % classes) as i32).collect();
        let expected = (0..rows)
            .filter(|&row| first_largest(&scores[row * classes..][..classes]) == Some(row % classes))
            .count() as u64;
        for cx in Exec::all_for_tests() {
            assert_eq!(
                hits(&cx, &scores, &Labels::new(&labels, rows), classes, 1),
                expected
            );
            let counts = by_class(&cx, &scores, &Labels::new(&labels, rows), classes);
            assert_eq!(counts.iter().map(|[right, ..]| right).sum::<u64>(), expected);
            assert_eq!(
                counts.iter().map(|[_, predicted, _]| predicted).sum::<u64>(),
                rows as u64
            );
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(check_classes(10, 5, 0).is_err());
        assert!(check_classes(10, 5, 3).is_err());
        assert!(check_classes(10, 4, 2).is_err());
        check_classes(10, 10, 2).unwrap();
        check_classes(0, 0, 2).unwrap();
    }
}
