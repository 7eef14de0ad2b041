//! Which class each row belongs to, however the labels say so.

/// Labels that name one class for each row.
pub trait Classes: Copy + Sync {
    /// The class of a row, or `None` where the labels name no class below `count`.
    fn class(self, row: usize, count: usize) -> Option<usize>;

    /// What is wrong with the label of `row`.
    fn explain(self, row: usize, count: usize) -> String;
}

impl Classes for &[i32] {
    #[inline(always)]
    fn class(self, row: usize, count: usize) -> Option<usize> {
        usize::try_from(self[row]).ok().filter(|&class| class < count)
    }

    fn explain(self, row: usize, count: usize) -> String {
        outside(self[row], row, count)
    }
}

impl Classes for &[u8] {
    #[inline(always)]
    fn class(self, row: usize, count: usize) -> Option<usize> {
        Some(usize::from(self[row])).filter(|&class| class < count)
    }

    fn explain(self, row: usize, count: usize) -> String {
        outside(i32::from(self[row]), row, count)
    }
}

fn outside(label: i32, row: usize, count: usize) -> String {
    format!(
        "label {label} at row {row} is no class: classes are numbered from 0 to {}",
        count - 1
    )
}

/// Rows of zeros with a single one.
#[derive(Clone, Copy)]
pub struct OneHot<'a, T>(pub &'a [T]);

impl<T: Copy + Sync + PartialEq + From<u8>> Classes for OneHot<'_, T> {
    #[inline(always)]
    fn class(self, row: usize, count: usize) -> Option<usize> {
        let mut class = None;
        for (index, &value) in self.0[row * count..][..count].iter().enumerate() {
            if value == T::from(1) && class.is_none() {
                class = Some(index);
            } else if value != T::from(0) {
                return None;
            }
        }
        class
    }

    fn explain(self, row: usize, _count: usize) -> String {
        format!("the labels of row {row} are not one-hot: one 1 and zeros elsewhere")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_a_class_or_none() {
        let indices: &[i32] = &[0, 2, 3, -1, i32::MIN];
        let found: Vec<_> = (0..5).map(|row| indices.class(row, 3)).collect();
        assert_eq!(found, [Some(0), Some(2), None, None, None]);
        let bytes: &[u8] = &[2, 255];
        assert_eq!((bytes.class(0, 3), bytes.class(1, 3)), (Some(2), None));
        let nan = f32::NAN;
        let rows = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.5, 0.0, 1.0, nan];
        let rows = OneHot(&rows[..]);
        let found: Vec<_> = (0..6).map(|row| rows.class(row, 2)).collect();
        assert_eq!(found, [Some(1), Some(0), None, None, None, None]);
    }

    #[test]
    fn a_bad_label_is_named() {
        let indices: &[i32] = &[0, -7];
        assert_eq!(
            indices.explain(1, 10),
            "label -7 at row 1 is no class: classes are numbered from 0 to 9"
        );
        assert_eq!(
            OneHot(&[1.0f32, 1.0][..]).explain(0, 2),
            "the labels of row 0 are not one-hot: one 1 and zeros elsewhere"
        );
    }
}
