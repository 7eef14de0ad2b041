//! The tile instructions of a processor that lacks them, for tests: the code that is tested is the one that runs elsewhere.
//!
//! An unknown instruction raises SIGILL. The handler here reads it as the manual encodes it, does to tiles kept for each thread what
//! it would, and lets the program go on behind it.

use std::cell::RefCell;
use std::sync::Once;

use super::plain;

/// Tiles of 16 rows of 64 bytes; none while they are not configured.
type Tiles = Option<[[u8; 1024]; 8]>;

thread_local! {
    static TILES: RefCell<Tiles> = const { RefCell::new(None) };
}

/// Makes tile instructions work in this process, if they do not.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    if super::amx::available() {
        return;
    }
    ONCE.call_once(|| {
        // SAFETY: all zeros is a valid action; the handler touches nothing but its thread's tiles and what the instruction names.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(libc::SIGILL, &action, std::ptr::null_mut()), 0);
        }
    });
}

extern "C" fn handle(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system passes the state of the thread, whose instruction pointer stands at an instruction of 15 bytes or less. If it
    // is not one of tiles, the process must end: with the default action it does, at the same place.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let at = registers[libc::REG_RIP as usize] as *const u8;
        match Instruction::read(at).filter(|instruction| instruction.run(registers)) {
            Some(instruction) => registers[libc::REG_RIP as usize] += instruction.len as i64,
            None => {
                libc::signal(libc::SIGILL, libc::SIG_DFL);
            }
        }
    }
}

type Registers = [libc::greg_t; 23];

/// An instruction with a three-byte VEX prefix of map 0F 38.
struct Instruction {
    len: usize,
    /// Which mandatory prefix it has: none, 66, F3, F2.
    prefix: u8,
    opcode: u8,
    /// Register and, where there is no address, register or number of the last byte.
    reg: usize,
    rm: usize,
    /// The third register.
    third: usize,
    address: Option<Address>,
}

struct Address {
    base: usize,
    /// A register, and the power of two that it is multiplied with.
    index: Option<(usize, u8)>,
    displacement: i64,
}

impl Instruction {
    /// # Safety
    /// `at` points to an instruction.
    unsafe fn read(at: *const u8) -> Option<Instruction> {
        // SAFETY: bytes are read one after the other, none behind what those before say the instruction has.
        let byte = |i: usize| unsafe { *at.add(i) };
        if byte(0) != 0xc4 || byte(1) & 0x1f != 2 {
            return None;
        }
        let extend = |bit: u8| if byte(1) & bit == 0 { 8 } else { 0 };
        let (prefix, opcode, modrm) = (byte(2) & 3, byte(3), byte(4));
        let (mode, reg, rm) = (modrm >> 6, (modrm >> 3 & 7) as usize, (modrm & 7) as usize);
        let mut len = 5;
        let mut address = None;
        if mode != 3 {
            let (mut base, mut index) = (rm + extend(0x20), None);
            if rm == 4 {
                let sib = byte(len);
                len += 1;
                base = (sib & 7) as usize + extend(0x20);
                let register = (sib >> 3 & 7) as usize + extend(0x40);
                index = (register != 4).then_some((register, sib >> 6));
            }
            // No base, or an address from the instruction on: the kernels have neither.
            if mode == 0 && base & 7 == 5 {
                return None;
            }
            let displacement = match mode {
                0 => 0,
                1 => i64::from(byte(len) as i8),
                _ => i64::from(i32::from_le_bytes(std::array::from_fn(|i| byte(len + i)))),
            };
            len += [0, 1, 4][mode as usize];
            address = Some(Address {
                base,
                index,
                displacement,
            });
        }
        Some(Instruction {
            len,
            prefix,
            opcode,
            reg,
            rm,
            third: (!byte(2) >> 3 & 15) as usize,
            address,
        })
    }

    /// Whether it is an instruction of tiles, and what it reads or writes is there.
    ///
    /// # Safety
    /// Its addresses are those of the program.
    unsafe fn run(&self, registers: &Registers) -> bool {
        const NONE: u8 = 0;
        const F3: u8 = 2;
        const F2: u8 = 3;
        TILES.with_borrow_mut(|tiles| {
            match (self.prefix, self.opcode, &self.address, tiles) {
                (NONE, 0x49, Some(_), tiles) => {
                    let (pointer, _) = self.place(registers);
                    // SAFETY: LDTILECFG reads 64 bytes.
                    let bytes = unsafe { std::slice::from_raw_parts(pointer, 64) };
                    // Full tiles of palette 1 are all that the kernels ask for.
                    let mut full = [0; 64];
                    full[0] = 1;
                    full[16..32].copy_from_slice(&[64, 0].repeat(8));
                    full[48..56].fill(16);
                    if bytes != full {
                        return false;
                    }
                    *tiles = Some([[0; 1024]; 8]);
                }
                (NONE, 0x49, None, tiles) if self.reg == 0 && self.rm == 0 => *tiles = None,
                (F2, 0x49, None, Some(tiles)) if self.rm == 0 => tiles[self.reg].fill(0),
                (F2, 0x4b, Some(_), Some(tiles)) => {
                    for (row, bytes) in tiles[self.reg].chunks_exact_mut(64).enumerate() {
                        let (pointer, step) = self.place(registers);
                        // SAFETY: TILELOADD reads 16 rows of 64 bytes, so far apart.
                        let from =
                            unsafe { std::slice::from_raw_parts(pointer.offset(row as isize * step), 64) };
                        bytes.copy_from_slice(from);
                    }
                }
                (F3, 0x4b, Some(_), Some(tiles)) => {
                    for (row, bytes) in tiles[self.reg].chunks_exact(64).enumerate() {
                        let (pointer, step) = self.place(registers);
                        // SAFETY: TILESTORED writes 16 rows of 64 bytes, so far apart.
                        unsafe {
                            pointer
                                .offset(row as isize * step)
                                .cast_mut()
                                .copy_from(bytes.as_ptr(), 64)
                        };
                    }
                }
                (F3, 0x5c, None, Some(tiles)) => {
                    let [left, right, mut sums] =
                        [self.rm, self.third, self.reg].map(|tile| words(&tiles[tile]));
                    plain::dot(&left, &right, 16, &mut sums);
                    for (bytes, sum) in tiles[self.reg].chunks_exact_mut(4).zip(sums) {
                        bytes.copy_from_slice(&sum.to_le_bytes());
                    }
                }
                _ => return false,
            }
            true
        })
    }

    /// The address, and the distance of rows: the index register, scaled.
    fn place(&self, registers: &Registers) -> (*const u8, isize) {
        let value = |register: usize| registers[NAMES[register] as usize];
        let address = self.address.as_ref().expect("an address");
        let start = (value(address.base) + address.displacement) as usize as *const u8;
        let step = address
            .index
            .map_or(0, |(register, scale)| value(register) << scale);
        (start, step as isize)
    }
}

/// Registers in the order of their numbers.
const NAMES: [libc::c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

fn words(tile: &[u8; 1024]) -> [f32; 256] {
    std::array::from_fn(|i| f32::from_le_bytes(std::array::from_fn(|byte| tile[4 * i + byte])))
}
