//! How a kernel runs: on which instruction set and with which threads.

use std::ops::Range;
use std::sync::Arc;

use crate::bfloat16::{Tiles, Unit};
use crate::{Disjoint, Isa, Precision, Team};

/// How convolutions are computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Convolution {
    /// Whatever is fastest for the sizes.
    #[default]
    Auto,
    /// One rounding for each multiplication and addition: no Winograd transform.
    Direct,
    /// The Winograd algorithm on tiles of 2 × 2 outputs, F(2 × 2, 3 × 3) and F(2 × 2, 5 × 5), wherever there is one.
    Winograd2,
    /// On tiles of 4 × 4 outputs: F(4 × 4, 3 × 3). Windows of 5 × 5 have none and are summed directly.
    Winograd4,
}

impl Convolution {
    pub const ALL: [Convolution; 4] = [
        Convolution::Auto,
        Convolution::Direct,
        Convolution::Winograd2,
        Convolution::Winograd4,
    ];

    /// The one that `name` forces, or an error that lists what there is.
    pub fn forced(name: &str) -> Result<Convolution, String> {
        Convolution::ALL
            .into_iter()
            .find(|way| way.name() == name)
            .ok_or_else(|| {
                let names = Convolution::ALL.map(Convolution::name).join(", ");
                format!("there is no \"{name}\"; ways to convolve are {names}")
            })
    }

    pub fn name(self) -> &'static str {
        match self {
            Convolution::Auto => "auto",
            Convolution::Direct => "direct",
            Convolution::Winograd2 => "winograd2",
            Convolution::Winograd4 => "winograd4",
        }
    }
}

/// What every kernel takes first. Cheap to clone.
#[derive(Clone)]
pub struct Exec {
    pub isa: Isa,
    pub team: Arc<Team>,
    pub convolution: Convolution,
    pub precision: Precision,
    /// Which products run on pieces of bfloat16, on a matrix unit.
    pub tiles: Option<Tiles>,
}

/// Where the machine may be emulated, a hundred times as slow, tests try fewer and smaller cases: every path, but not every size.
#[cfg(test)]
pub const EMULATED: bool = cfg!(target_arch = "aarch64");

impl Exec {
    pub fn new(isa: Isa, team: Arc<Team>) -> Exec {
        Exec {
            isa,
            team,
            convolution: Convolution::Auto,
            precision: Precision::Highest,
            tiles: None,
        }
    }

    /// The same for products that must be so exact.
    pub fn at(&self, precision: Precision) -> Exec {
        Exec {
            precision,
            ..self.clone()
        }
    }

    /// What multiplies, and into how many pieces of bfloat16 it cuts numbers; nothing where float32 is to be used.
    pub(crate) fn pieces(&self) -> Option<(Unit, usize)> {
        let tiles = self.tiles?;
        Some((tiles.unit, tiles.pieces(self.precision)?))
    }

    /// The same, with another way to convolve.
    pub fn convolving(self, convolution: Convolution) -> Exec {
        Exec { convolution, ..self }
    }

    /// One thread on the best instruction set of this machine.
    pub fn serial() -> Exec {
        Exec::new(Isa::detect(), Arc::new(Team::serial()))
    }

    /// Every combination of instruction set that this machine has and of 1, 2 and 4 threads: what kernel tests run on.
    /// `FERROGRAD_SIMD` leaves one instruction set.
    pub fn all_for_tests() -> Vec<Exec> {
        let paths = match std::env::var("FERROGRAD_SIMD") {
            Ok(name) if !name.is_empty() => vec![Isa::forced(&name).expect("FERROGRAD_SIMD")],
            _ => Isa::available(),
        };
        let teams: Vec<Arc<Team>> = [1, 2, 4]
            .iter()
            .map(|&threads| Arc::new(Team::new(threads).expect("threads for a test")))
            .collect();
        paths
            .into_iter()
            .flat_map(|isa| teams.iter().map(move |team| Exec::new(isa, team.clone())))
            .collect()
    }

    /// Runs `body(tile)` once for each tile in `0..tiles`, in any order, on any of the threads.
    pub fn tiles(&self, tiles: usize, body: impl Fn(usize) + Sync) {
        self.team.run(tiles, &body);
    }

    /// Cuts `0..len` into ranges of `grain` and runs `body` on each. `grain` must come from the shapes alone.
    pub fn ranges(&self, len: usize, grain: usize, body: impl Fn(Range<usize>) + Sync) {
        let grain = grain.max(1);
        self.team.run(len.div_ceil(grain), &|tile| {
            let start = tile * grain;
            body(start..len.min(start + grain));
        });
    }

    /// Cuts `out` into chunks of `grain` elements and runs `body(start, chunk)` on each; the last may be shorter.
    pub fn chunks_mut<T: Send>(&self, out: &mut [T], grain: usize, body: impl Fn(usize, &mut [T]) + Sync) {
        let len = out.len();
        let out = Disjoint::new(out);
        self.ranges(len, grain, |range| {
            let start = range.start;
            // SAFETY: `ranges` hands out each range once, and ranges do not overlap.
            body(start, unsafe { out.slice(range) });
        });
    }
}
