//! Rows of bytes picked from a data set, and put where they belong: how batches are made and predictions collected.
//! Copies have no rounding, so the one form here serves every kind of number.

use crate::Exec;

/// Bytes in one tile.
const GRAIN: usize = 1 << 16;

/// Fails unless `from` and `to` consist of rows of `row` bytes, and `to` has one for each of `count` picks.
pub fn check_pick(from: usize, count: usize, to: usize, row: usize) -> Result<(), String> {
    if row == 0 {
        return if to == 0 {
            Ok(())
        } else {
            Err("rows without bytes".into())
        };
    }
    if !from.is_multiple_of(row) || count.checked_mul(row) != Some(to) {
        return Err(format!(
            "{count} rows of {row} bytes, {from} bytes to pick from and {to} to fill"
        ));
    }
    Ok(())
}

/// The row of `to` at position i becomes the row of `from` that `order[i]` names. Every number in `order` names a
/// row: see [`first_outside`].
pub fn pick(cx: &Exec, from: &[u8], order: &[i32], to: &mut [u8], row: usize) {
    if to.is_empty() {
        return;
    }
    let rows = (GRAIN / row).max(1);
    cx.chunks_mut(to, rows * row, |start, to| {
        for (to, &source) in to.chunks_exact_mut(row).zip(&order[start / row..]) {
            to.copy_from_slice(&from[source as usize * row..][..row]);
        }
    });
}

/// The first position in `order` that names none of `rows` rows.
pub fn first_outside(order: &[i32], rows: usize) -> Option<usize> {
    order
        .iter()
        .position(|&row| usize::try_from(row).map_or(true, |row| row >= rows))
}

/// Fails unless `len` bytes fit into `to` bytes from `at` on.
pub fn check_place(len: usize, to: usize, at: usize) -> Result<(), String> {
    match at.checked_add(len) {
        Some(end) if end <= to => Ok(()),
        _ => Err(format!("{len} bytes at {at} of {to}")),
    }
}

/// Copies `from` into `to` at byte `at`.
pub fn place(cx: &Exec, from: &[u8], to: &mut [u8], at: usize) {
    cx.chunks_mut(&mut to[at..at + from.len()], GRAIN, |start, to| {
        to.copy_from_slice(&from[start..start + to.len()]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_picked_in_order_and_placed_where_they_belong() {
        for row in [1, 3, 64, GRAIN - 1, GRAIN + 1] {
            let from: Vec<u8> = (0..7 * row).map(|i| (i % 251) as u8).collect();
            let order = [6, 0, 0, 3, 5];
            check_pick(from.len(), order.len(), order.len() * row, row).unwrap();
            for cx in Exec::all_for_tests() {
                let mut to = vec![0; order.len() * row];
                pick(&cx, &from, &order, &mut to, row);
                for (to, &source) in to.chunks(row).zip(&order) {
                    assert!(to == &from[source as usize * row..][..row]);
                }
                let mut whole = vec![255; to.len() + 2];
                check_place(to.len(), whole.len(), 1).unwrap();
                place(&cx, &to, &mut whole, 1);
                assert!(whole[1..=to.len()] == to && whole[0] == 255 && whole[to.len() + 1] == 255);
            }
        }
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        let cx = Exec::serial();
        check_pick(0, 0, 0, 0).unwrap();
        check_pick(0, 5, 0, 0).unwrap();
        check_pick(12, 0, 0, 4).unwrap();
        pick(&cx, &[], &[], &mut [], 0);
        pick(&cx, &[], &[0; 5], &mut [], 0);
        place(&cx, &[], &mut [], 0);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(check_pick(10, 2, 8, 4).is_err());
        assert!(check_pick(12, 2, 12, 4).is_err());
        assert!(check_pick(12, usize::MAX, 12, 4).is_err());
        assert!(check_pick(12, 2, 8, 0).is_err());
        assert!(check_place(4, 8, 5).is_err());
        assert!(check_place(4, 8, usize::MAX).is_err());
        assert_eq!(first_outside(&[0, 1, 2, 3], 3), Some(3));
        assert_eq!(first_outside(&[0, -1], 3), Some(1));
        assert_eq!(first_outside(&[2, i32::MAX], 3), Some(1));
        assert_eq!(first_outside(&[0, 2], 3), None);
        assert_eq!(first_outside(&[0], 0), Some(0));
    }
}
