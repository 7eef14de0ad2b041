use super::super::tests::{A, B, BOTH, SUM, agree};
use super::super::{forward, reference};
use super::*;
use crate::Precision;
use crate::bfloat16::Tiles;
use crate::bfloat16::tests::units;
use crate::exec::EMULATED;
use crate::sample::{doubles, uniform};

const EVERY: &[Precision] = match EMULATED {
    true => &[Precision::Medium],
    false => &[Precision::Medium, Precision::High, Precision::Highest],
};

/// Plain code on 1, 2 and 4 threads.
fn execs(precision: Precision) -> Vec<Exec> {
    let best = Isa::detect();
    let threads = Exec::all_for_tests().into_iter().filter(|cx| cx.isa == best);
    threads.map(|cx| on(Unit::Plain, cx.at(precision))).collect()
}

fn on(unit: Unit, cx: Exec) -> Exec {
    let tiles = Some(Tiles { unit, always: true });
    Exec { tiles, ..cx }
}

fn serves(cx: &Exec, sizes: (usize, usize, usize)) -> bool {
    let geometry = Geometry::new(sizes, false, false, &[]).unwrap();
    serve(cx, &geometry).is_some()
}

#[test]
fn integers_are_exact_whatever_the_layout() {
    for &precision in EVERY {
        let execs = execs(precision);
        for (sizes, batch) in [
            ((63, 65, 127), vec![]),
            ((33, 97, 300), vec![]),
            ((16, 16, 5000), vec![]),
            ((20, 40, 90), vec![(5, BOTH)]),
            ((20, 40, 90), vec![(2, A), (3, B)]),
            ((32, 48, 50), vec![(6, BOTH), (4, SUM)]),
        ] {
            let folded = Geometry::new(sizes, false, false, &batch).unwrap();
            assert!(serve(&execs[0], &folded).is_some(), "{sizes:?} {batch:?}");
            let some = if EVERY.len() > 1 { &execs[..] } else { &execs[..1] };
            agree(some, sizes, &batch);
        }
    }
}

#[test]
fn every_thread_and_unit_gives_the_same_bits_with_the_error_of_the_precision() {
    for (m, n, k, transposed) in [(70, 90, 700, false), (40, 70, 3_000, false), (100, 33, 260, true)] {
        let (mut a, b) = (uniform(1, m * k, -1.0, 1.0), uniform(2, k * n, -1.0, 1.0));
        // Some blocks go to float32.
        a[k + 3] = 1e-39;
        let geometry = Geometry::new((m, n, k), transposed, transposed, &[]).unwrap();
        let (mut expected, mut all) = (vec![0.0; m * n], vec![0.0; m * n]);
        let magnitudes = |v: &[f32]| v.iter().map(|v| f64::from(v.abs())).collect::<Vec<f64>>();
        let none = Activation::None;
        reference::forward(&geometry, none, [&doubles(&a), &doubles(&b), &[]], &mut expected);
        reference::forward(&geometry, none, [&magnitudes(&a), &magnitudes(&b), &[]], &mut all);
        for (&precision, bound) in EVERY.iter().zip([2f64.powi(-7), 2f64.powi(-15), 2f64.powi(-21)]) {
            let mut first: Option<Vec<f32>> = None;
            let mut execs = execs(precision);
            let two_threads = execs[1].clone();
            execs.extend(units().into_iter().map(|unit| on(unit, two_threads.clone())));
            for cx in execs {
                let mut c = vec![f32::NAN; m * n];
                forward(&cx, &geometry, none, [&a, &b, &[]], &mut c);
                let first = first.get_or_insert_with(|| c.clone());
                assert!(
                    c == *first,
                    "{precision:?}, {} threads, {:?}",
                    cx.team.threads(),
                    cx.tiles
                );
            }
            for ((found, expected), all) in first.unwrap().iter().zip(&expected).zip(&all) {
                let error = (f64::from(*found) - expected).abs() / all;
                assert!(error <= bound, "{precision:?}: {error:e}");
            }
        }
    }
}

#[test]
fn few_rows_columns_or_products_stay_in_float32() {
    let cx = &execs(Precision::Medium)[0];
    assert!(serves(cx, (16, 64, 256)));
    assert!(!serves(cx, (15, 64, 512)));
    assert!(!serves(cx, (64, 15, 512)));
    assert!(!serves(cx, (512, 512, 23)));
    assert!(!serves(cx, (32, 32, 255)));
    let exact = Exec {
        tiles: cx.tiles.map(|tiles| Tiles {
            always: false,
            ..tiles
        }),
        ..cx.clone()
    };
    assert!(serves(&exact, (64, 64, 64)));
    assert!(!serves(&exact.at(Precision::Highest), (64, 64, 64)));
    assert!(!serves(&Exec::serial().at(Precision::Medium), (64, 64, 64)));
}
