//! Convolution by its definition.

use num_traits::Float;

use super::Conv2d;

/// Calls `body(x, w, y)` with the indices of every product x · w that y sums, y by y.
fn products(conv: &Conv2d, mut body: impl FnMut(usize, usize, usize)) {
    let Conv2d {
        batch,
        height,
        width,
        channels,
        filters,
        ..
    } = *conv;
    let (group_channels, group_filters) = (conv.group_channels(), conv.group_filters());
    for n in 0..batch {
        for oh in 0..height.output {
            for ow in 0..width.output {
                for o in 0..filters {
                    let y = ((n * height.output + oh) * width.output + ow) * filters + o;
                    for kh in height.taps(oh) {
                        for kw in width.taps(ow) {
                            let ih = (height.start(oh) + (kh * height.dilation) as isize) as usize;
                            let iw = (width.start(ow) + (kw * width.dilation) as isize) as usize;
                            for c in 0..group_channels {
                                let channel = o / group_filters * group_channels + c;
                                let x = ((n * height.input + ih) * width.input + iw) * channels + channel;
                                let w = ((kh * width.kernel + kw) * group_channels + c) * filters + o;
                                body(x, w, y);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// y = x ∗ w + bias, then the rectifier if `relu`. An empty `bias` adds nothing.
pub fn forward<T: Float>(conv: &Conv2d, x: &[T], w: &[T], bias: &[T], relu: bool, y: &mut [T]) {
    y.fill(T::zero());
    products(conv, |xi, wi, yi| y[yi] = y[yi] + x[xi] * w[wi]);
    for (i, y) in y.iter_mut().enumerate() {
        if !bias.is_empty() {
            *y = *y + bias[i % conv.filters];
        }
        if relu && *y <= T::zero() {
            *y = T::zero();
        }
    }
}

/// The gradient of the input.
pub fn input_gradient<T: Float>(conv: &Conv2d, dy: &[T], w: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    products(conv, |xi, wi, yi| dx[xi] = dx[xi] + dy[yi] * w[wi]);
}

/// The gradient of the weight.
pub fn weight_gradient<T: Float>(conv: &Conv2d, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::zero());
    products(conv, |xi, wi, yi| dw[wi] = dw[wi] + x[xi] * dy[yi]);
}
