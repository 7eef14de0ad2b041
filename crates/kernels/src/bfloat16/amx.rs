//! Intel AMX: eight tiles of 16 rows of 64 bytes, and an instruction that multiplies two of them onto a third.
//!
//! Tiles 0 to 3 are the sums of a block, 4 and 5 the upper and lower rows of the left operand, 6 and 7 the left and right
//! columns of the right one. Written in assembler: the compiler knows no tiles.
//!
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18, and volume 2; Linux
//! documentation, "Using XSTATE features in user space applications".

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

use super::SIDE;
use super::block::{Sums, products};

/// Whether the processor has tiles of bfloat16, the system saves them, and this process may use them; asks the system for that.
pub(super) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_instructions() && is_permitted())
}

fn has_instructions() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES_AND_BFLOAT16: u32 = 1 << 24 | 1 << 22;
    const TILE_STATE: u64 = 1 << 17 | 1 << 18;
    let has = |bits: u32, all: u32| bits & all == all;
    // SAFETY: XGETBV is there where the system has set OSXSAVE.
    let saved = || unsafe { saved_state() } & TILE_STATE == TILE_STATE;
    has(__cpuid(1).ecx, OSXSAVE)
        && __cpuid(0).eax >= 7
        && has(__cpuid_count(7, 0).edx, TILES_AND_BFLOAT16)
        && saved()
}

#[target_feature(enable = "xsave")]
unsafe fn saved_state() -> u64 {
    // SAFETY: the caller has seen OSXSAVE.
    unsafe { _xgetbv(0) }
}

/// Since Linux 5.16 a process has to ask: tiles make the state of a thread 8 KiB larger.
fn is_permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XTILE_DATA: libc::c_long = 18;
    // SAFETY: a system call that takes two numbers and changes nothing but what this process may use.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILE_DATA) == 0 }
}

/// What LDTILECFG reads.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Eight full tiles.
static FULL: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Tiles on this thread become full ones, of zeros. The unit must be available.
pub(super) fn configure() {
    // SAFETY: the configuration is one that the manual allows.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &FULL, options(nostack, preserves_flags, readonly)) }
}

/// Tiles of this thread need not be saved any more.
pub(super) fn release() {
    // SAFETY: nothing depends on tiles outside of `multiply`.
    unsafe { asm!("tilerelease", options(nostack, preserves_flags, nomem)) }
}

/// One product of pieces: `$a` and `$b` are the pieces of the left and the right operand, or `kept` where the
/// piece is there from the product before.
macro_rules! product {
    ($a:tt, $b:tt) => {
        concat!(
            product!(@load "tmm4", "{left}", $a, 0),
            product!(@load "tmm6", "{right}", $b, 0),
            "tdpbf16ps tmm0, tmm4, tmm6\n",
            product!(@load "tmm7", "{right}", $b, 1024),
            "tdpbf16ps tmm1, tmm4, tmm7\n",
            product!(@load "tmm5", "{left}", $a, 1024),
            "tdpbf16ps tmm2, tmm5, tmm6\n",
            "tdpbf16ps tmm3, tmm5, tmm7\n",
        )
    };
    (@load $tile:literal, $from:literal, kept, $offset:literal) => { "" };
    (@load $tile:literal, $from:literal, $piece:literal, $offset:literal) => {
        concat!("tileloadd ", $tile, ", [", $from, " + 1*{row} + 2048 * ", $piece, " + ", $offset, "]\n")
    };
}

/// The loop over the depth, for `$products` that are taken one after the other in every step.
macro_rules! block {
    ($pieces:literal, $steps:expr, $left:expr, $right:expr, $sums:expr, $($products:expr),*) => {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "test {steps}, {steps}",
            "jz 3f",
            "2:",
            $($products,)*
            concat!("add {left}, 2048 * ", $pieces),
            concat!("add {right}, 2048 * ", $pieces),
            "dec {steps}",
            "jnz 2b",
            "3:",
            "tilestored [{sums} + 1*{sums_row}], tmm0",
            "tilestored [{sums} + 1*{sums_row} + 64], tmm1",
            "tilestored [{sums} + 1*{sums_row} + 16 * 128], tmm2",
            "tilestored [{sums} + 1*{sums_row} + 16 * 128 + 64], tmm3",
            steps = inout(reg) $steps => _,
            left = inout(reg) $left => _,
            right = inout(reg) $right => _,
            sums = in(reg) $sums,
            row = in(reg) 64usize,
            sums_row = in(reg) SIDE * size_of::<f32>(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// Writes the products of two operands of `steps` steps to `sums`.
///
/// # Safety
/// [`configure`] was called on this thread, and [`release`] was not. Both operands have that many steps of `pieces` pieces.
pub(super) unsafe fn multiply(pieces: usize, steps: usize, left: &[f32], right: &[f32], sums: &mut Sums) {
    let (left, right, sums) = (left.as_ptr(), right.as_ptr(), sums.0.as_mut_ptr());
    // SAFETY: the caller's promise for what is loaded; the four tiles that are stored are the 32 × 32 sums.
    unsafe {
        match pieces {
            1 => block!("1", steps, left, right, sums, product!(0, 0)),
            2 => block!(
                "2",
                steps,
                left,
                right,
                sums,
                product!(0, 1),
                product!(kept, 0),
                product!(1, kept)
            ),
            3 => block!(
                "3",
                steps,
                left,
                right,
                sums,
                product!(0, 2),
                product!(kept, 1),
                product!(1, kept),
                product!(kept, 0),
                product!(0, kept),
                product!(2, kept)
            ),
            _ => unreachable!("{:?}", products(pieces)),
        }
    }
}
