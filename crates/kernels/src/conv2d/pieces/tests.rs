use crate::bfloat16::tests::units;
use crate::bfloat16::{Tiles, Unit};
use crate::conv2d::tests::{Dice, check, same};
use crate::conv2d::{Algorithm, Conv2d, algorithms, forward, input_gradient, reference, weight_gradient};
use crate::exec::EMULATED;
use crate::microkernel::Activation;
use crate::padding::Axis;
use crate::sample::{doubles, uniform};
use crate::{Convolution, Exec, Isa, Precision};

const EVERY: &[Precision] = match EMULATED {
    true => &[Precision::Medium],
    false => &[Precision::Medium, Precision::High, Precision::Highest],
};

fn on(unit: Unit, cx: &Exec) -> Exec {
    Exec {
        tiles: Some(Tiles { unit, always: true }),
        ..cx.clone()
    }
}

/// Plain code on 1, 2 and 4 threads, on the best instruction set and on the one with the narrowest panels.
fn execs(precision: Precision) -> Vec<Exec> {
    let ends = [Isa::detect(), Isa::Scalar];
    let threads = Exec::all_for_tests().into_iter();
    let threads = threads.filter(|cx| cx.isa == ends[0] || (cx.isa == ends[1] && cx.team.threads() == 2));
    threads.map(|cx| on(Unit::Plain, &cx.at(precision))).collect()
}

fn serves(cx: &Exec, conv: &Conv2d) -> bool {
    algorithms(cx, conv)
        .concat()
        .iter()
        .any(|found| matches!(found, Algorithm::Pieces(..)))
}

#[test]
fn integers_are_exact_in_every_direction() {
    let mut dice = Dice(17);
    let (tall, wide) = (
        Axis::new(11, 4, 3, 1, 1, 2).unwrap(),
        Axis::new(9, 2, 1, 3, 0, 3).unwrap(),
    );
    for conv in [
        same(3, 11, 3, 2, 20, 33),
        same(2, 7, 1, 1, 16, 48),
        // Sums of more than one block, and positions for more than one part.
        same(1, 5, 1, 1, 600, 17),
        same(if EMULATED { 2 } else { 6 }, 21, 2, 1, 33, 65),
        Conv2d::new(2, tall, wide, 18, 16, 1).unwrap(),
        Conv2d::new(2, tall, tall, 40, 80, 2).unwrap(),
        // The Winograd algorithm serves the first two directions at most.
        same(2, 6, 7, 1, 16, 16),
    ] {
        for &precision in EVERY {
            let execs = execs(precision);
            assert!(serves(&execs[0], &conv), "{conv:?}");
            // The number of pieces and that of threads have nothing to do with each other.
            let some = if precision == Precision::Medium && EVERY.len() > 1 {
                &execs[..]
            } else {
                &execs[..1]
            };
            check(&conv, some, &mut dice);
        }
    }
}

#[test]
fn every_thread_and_unit_gives_the_same_bits_with_the_error_of_the_precision() {
    let conv = same(3, 10, 3, 2, 40, 48);
    let (mut x, w) = (
        uniform(1, conv.input_len(), -1.0, 1.0),
        uniform(2, conv.weight_len(), -1.0, 1.0),
    );
    let dy = uniform(3, conv.output_len(), -1.0, 1.0);
    // Some blocks go to float32.
    x[77] = -1e-39;
    let magnitudes = |v: &[f32]| v.iter().map(|v| f64::from(v.abs())).collect::<Vec<f64>>();
    let exactly = |x: &[f64], w: &[f64], dy: &[f64]| {
        let mut results = [vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]];
        let [y, dx, dw] = &mut results;
        reference::forward(&conv, x, w, &[], false, y);
        reference::input_gradient(&conv, dy, w, dx);
        reference::weight_gradient(&conv, x, dy, dw);
        results.concat()
    };
    let expected = exactly(&doubles(&x), &doubles(&w), &doubles(&dy));
    let all = exactly(&magnitudes(&x), &magnitudes(&w), &magnitudes(&dy));
    for (&precision, bound) in EVERY.iter().zip([2f64.powi(-7), 2f64.powi(-15), 2f64.powi(-21)]) {
        let mut execs = execs(precision);
        execs.retain(|cx| cx.isa == Isa::detect());
        let two_threads = execs[1].clone();
        execs.extend(units().into_iter().map(|unit| on(unit, &two_threads)));
        let mut first: Option<Vec<f32>> = None;
        for cx in &execs {
            let mut results = [vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]];
            let [y, dx, dw] = &mut results;
            forward(cx, &conv, &x, &w, &[], Activation::None, y);
            input_gradient(cx, &conv, &dy, &w, dx);
            weight_gradient(cx, &conv, &x, &dy, dw);
            let results = results.concat();
            let first = first.get_or_insert_with(|| results.clone());
            assert!(
                results == *first,
                "{precision:?}, {} threads, {:?}",
                cx.team.threads(),
                cx.tiles
            );
        }
        for ((found, expected), all) in first.unwrap().iter().zip(&expected).zip(&all) {
            let error = (f64::from(*found) - expected).abs();
            assert!(error <= bound * all, "{precision:?}: {error:e} of {all}");
        }
    }
}

#[test]
fn thin_and_strict_convolutions_stay_in_float32() {
    let cx = &execs(Precision::High)[0];
    let stride2 = same(1, 8, 3, 2, 16, 16);
    assert_eq!(
        algorithms(cx, &stride2).map(|all| all[0].to_string()),
        ["bf16x3"; 3]
    );
    assert_eq!(
        algorithms(&cx.at(Precision::Medium), &stride2)[0][0].to_string(),
        "bf16"
    );
    assert_eq!(
        algorithms(&cx.at(Precision::Highest), &stride2)[0][0].to_string(),
        "bf16x6"
    );
    assert!(
        !serves(cx, &same(1, 8, 3, 1, 16, 16)),
        "the Winograd algorithm does"
    );
    assert!(!serves(cx, &same(1, 8, 3, 2, 15, 16)));
    assert!(!serves(cx, &same(1, 8, 3, 2, 16, 15)));
    assert!(!serves(&cx.clone().convolving(Convolution::Direct), &stride2));
    assert!(!serves(&Exec::serial().at(Precision::Medium), &stride2));
}
