//! Convolutions with a window of one pixel that visits every pixel: matrix products of pixels and channels, in all three
//! directions.

use super::Conv2d;
use crate::matmul::Geometry;

/// Pixels, filters and channels of such a convolution, as the sizes of a product.
#[derive(Clone, Copy)]
pub struct Pointwise {
    pixels: usize,
    filters: usize,
    channels: usize,
}

impl Pointwise {
    /// None for other convolutions.
    pub fn new(conv: &Conv2d) -> Option<Pointwise> {
        let visits_all = [conv.height, conv.width].iter().all(|axis| {
            axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.output == axis.input
        });
        (visits_all && conv.groups == 1).then(|| Pointwise {
            pixels: conv.pixels(),
            filters: conv.filters,
            channels: conv.channels,
        })
    }

    /// y = x · w; None where the sizes are beyond what a product takes.
    pub fn forward(&self) -> Option<Geometry> {
        Geometry::new((self.pixels, self.filters, self.channels), false, false, &[]).ok()
    }

    /// dx = dy · wᵀ.
    pub fn input_gradient(&self) -> Option<Geometry> {
        Geometry::new((self.pixels, self.channels, self.filters), false, true, &[]).ok()
    }

    /// dw = xᵀ · dy.
    pub fn weight_gradient(&self) -> Option<Geometry> {
        Geometry::new((self.channels, self.filters, self.pixels), true, false, &[]).ok()
    }
}
