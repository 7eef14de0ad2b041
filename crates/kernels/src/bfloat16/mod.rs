//! Float32 products out of bfloat16 pieces, on the matrix unit of the processor (Intel AMX).
//!
//! A bfloat16 is the upper half of a float32: its exponent and 8 bits of its significand. A float32 is the sum of three of
//! them, without a remainder: x = x₀ + x₁ + x₂, each the rounded rest of those before (`split`). The product of two such
//! sums has nine terms, of which the small ones are left out:
//!
//! | pieces | products | relative error of a term |
//! |--------|----------|--------------------------|
//! | 3 | x₀y₀ + x₀y₁ + x₁y₀ + x₁y₁ + x₀y₂ + x₂y₀ | 2⁻²³, as float32 |
//! | 2 | x₀y₀ + x₀y₁ + x₁y₀ | 2⁻¹⁶ |
//! | 1 | x₀y₀ | 2⁻⁸ |
//!
//! Products of pieces are exact in float32, and the unit adds them up in float32 (`block`). It does sixteen times as many
//! of them a second as the vector unit, so that even six for one pay.
//!
//! The unit takes denormal numbers for zero, and an infinity has no pieces that add up to it and give 0 times nothing.
//! So of every block of operands the least and the largest exponent are noted, and where a product of such numbers may leave
//! the range in which the pieces keep their promise, that block is computed in float32 (`split`).
//!
//! Source: Henry, Tang and Heinecke 2019, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision
//! computations".

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod block;
mod plain;
mod split;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod trap;

pub(crate) use block::{Factor, Session, multiply};
pub(crate) use split::{len, panel, split_left, split_right};

/// Rows, and columns, of a block of C: two tiles.
pub(crate) const SIDE: usize = 32;
/// Numbers along the depth that one instruction sums up: operands are filled up with zeros to a multiple of it.
pub(crate) const STEP: usize = 32;

/// How exact products of float32 matrices, and convolutions, must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// As float32.
    #[default]
    Highest,
    /// Two pieces will do.
    High,
    /// One piece will do.
    Medium,
}

impl Precision {
    /// From the number that crosses from JavaScript.
    pub fn from_code(code: f64) -> Result<Precision, String> {
        [Precision::Highest, Precision::High, Precision::Medium]
            .into_iter()
            .find(|&precision| precision as u8 as f64 == code)
            .ok_or_else(|| format!("{code} is no code of a precision"))
    }
}

/// What multiplies tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// The processor's own.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
    /// Plain code that gives the same bits: for tests, on any machine.
    Plain,
}

/// Which products run on pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tiles {
    pub unit: Unit,
    /// Whether products that must be as exact as float32 do, too.
    pub always: bool,
}

impl Tiles {
    /// As `name` says: `auto` or nothing (for those that need not be exact, where the processor has AMX), `always` (for all), `off`,
    /// or `emulate` (`always`, in plain code on any machine). An error lists these names.
    pub fn named(name: &str) -> Result<Option<Tiles>, String> {
        let on = |always| native().map(|unit| Tiles { unit, always });
        match name {
            "" | "auto" => Ok(on(false)),
            "always" => match on(true) {
                None => {
                    Err("\"always\" needs a processor with AMX and bfloat16, and Linux 5.16 or later".into())
                }
                tiles => Ok(tiles),
            },
            "off" => Ok(None),
            "emulate" => Ok(Some(Tiles {
                unit: Unit::Plain,
                always: true,
            })),
            _ => Err(format!(
                "there is no \"{name}\"; there are auto, always, off, emulate"
            )),
        }
    }

    /// Into how many pieces numbers are cut for products of this precision, if they are at all.
    pub fn pieces(self, precision: Precision) -> Option<usize> {
        match precision {
            Precision::Highest => self.always.then_some(3),
            Precision::High => Some(2),
            Precision::Medium => Some(1),
        }
    }
}

/// The matrix unit of this machine, if it has one and the system lends it.
fn native() -> Option<Unit> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if amx::available() {
        return Some(Unit::Amx);
    }
    None
}
