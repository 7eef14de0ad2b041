use super::*;
use crate::sample::{assert_close, assert_same_bits, doubles, uniform};

/// Turns, mirrors, stretches and moves, and one that is the identity.
fn geometry(height: usize, width: usize, channels: usize, out: [usize; 2], border: Border) -> Warp {
    let maps = [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.8, -0.6, 1.3, 0.6, 0.8, -2.1],
        [-1.7, 0.0, 5.0, 0.0, 0.3, 0.4],
        [0.5, 0.25, -40.0, 0.1, 0.2, 90.0],
        [0.0, 0.0, 1e9, 0.0, 0.0, -1e9],
    ];
    let placements: Vec<f64> = maps
        .iter()
        .enumerate()
        .flat_map(|(i, map)| {
            let (top, left) = (i % height, (2 * i) % width);
            map.iter()
                .copied()
                .chain([top as f64, left as f64, height as f64, width as f64])
        })
        .collect();
    let words = [maps.len(), height, width, channels, out[0], out[1]].map(|v| v as f64);
    Warp::new(Images::from_words(&words).unwrap(), &placements, border).unwrap()
}

fn cases() -> Vec<Warp> {
    let sizes = [
        (1, 1, 1, [1, 1]),
        (5, 4, 3, [5, 4]),
        (7, 3, 2, [4, 9]),
        (70, 65, 3, [80, 64]),
    ];
    [Border::Fill, Border::Nearest]
        .into_iter()
        .flat_map(|border| sizes.map(|(h, w, c, out)| geometry(h, w, c, out, border)))
        .collect()
}

#[test]
fn agrees_with_the_reference_on_every_path_and_team() {
    for geometry in cases() {
        let images = geometry.images;
        let len = images.samples * images.out_size();
        let x = uniform(1, images.samples * images.size(), 0.0, 255.0);
        let bytes: Vec<u8> = x.iter().map(|&v| v as u8).collect();
        let whole: Vec<f64> = bytes.iter().map(|&v| f64::from(v)).collect();
        let fill: Vec<f32> = (0..images.channels).map(|c| 3.0 + c as f32).collect();
        let dark: Vec<u8> = fill.iter().map(|&v| v as u8).collect();
        let (mut expected, mut expected_bytes) = (vec![f64::NAN; len], vec![f64::NAN; len]);
        reference::warp(&geometry, &doubles(&x), &doubles(&fill), &mut expected);
        reference::warp(&geometry, &whole, &doubles(&fill), &mut expected_bytes);
        let mut first: Option<Vec<f32>> = None;
        for cx in Exec::all_for_tests() {
            let mut y = vec![f32::NAN; len];
            warp(&cx, &geometry, &x, &fill, &mut y);
            assert_close(&y, &expected, 1e-4, 0.0, "warp");
            assert_same_bits(&y, first.get_or_insert_with(|| y.clone()), "threads");
            let mut y = vec![99u8; len];
            warp(&cx, &geometry, &bytes, &dark, &mut y);
            for (y, expected) in y.iter().zip(&expected_bytes) {
                assert!((f64::from(*y) - expected).abs() < 0.5001, "{y} {expected}");
            }
        }
    }
}

#[test]
fn the_identity_changes_no_bit() {
    let images = Images::from_words(&[1.0, 9.0, 8.0, 3.0, 9.0, 8.0]).unwrap();
    let placement = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 9.0, 8.0];
    let x = uniform(3, images.size(), -1.0, 1.0);
    for border in [Border::Fill, Border::Nearest] {
        let geometry = Warp::new(images, &placement, border).unwrap();
        let mut y = vec![0.0; x.len()];
        warp(&Exec::serial(), &geometry, &x, &[9.0; 3], &mut y);
        assert_same_bits(&y, &x, "identity");
    }
}

/// Σ dy · warp(x) = Σ gradient(dy) · x, as warp is linear in x where the fill is 0.
#[test]
fn the_gradient_is_the_adjoint_on_every_path_and_team() {
    for geometry in cases() {
        let images = geometry.images;
        let x = doubles(&uniform(4, images.samples * images.size(), -1.0, 1.0));
        let dy = uniform(5, images.samples * images.out_size(), -1.0, 1.0);
        let mut y = vec![0.0; dy.len()];
        reference::warp(&geometry, &x, &vec![0.0; images.channels], &mut y);
        let mut exact = vec![f64::NAN; x.len()];
        gradient(&Exec::serial(), &geometry, &doubles(&dy), &mut exact);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (forward, backward) = (dot(&doubles(&dy), &y), dot(&exact, &x));
        assert!(
            (forward - backward).abs() < 1e-9 * (1.0 + forward.abs()),
            "{forward} {backward}"
        );
        for cx in Exec::all_for_tests() {
            let mut dx = vec![f32::NAN; x.len()];
            gradient(&cx, &geometry, &dy, &mut dx);
            assert_close(&dx, &exact, 2e-4, 1e-5, "gradient");
        }
    }
}

#[test]
fn parts_beyond_the_image_are_refused() {
    let images = Images::from_words(&[1.0, 4.0, 5.0, 1.0, 4.0, 5.0]).unwrap();
    for part in [
        [0, 0, 5, 5],
        [0, 0, 4, 6],
        [-1, 0, 4, 5],
        [2, 0, 2, 5],
        [0, 5, 4, 5],
    ] {
        let placement: Vec<f64> = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
            .into_iter()
            .chain(part.map(f64::from))
            .collect();
        assert!(Warp::new(images, &placement, Border::Fill).is_err(), "{part:?}");
    }
}
