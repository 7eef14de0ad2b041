//! One vector register of each instruction set, as far as the micro-kernel and the Winograd transforms need it.

/// A register of `COUNT` floats. Every method is inlined into a function that enables the instruction set.
///
/// # Safety
/// All methods: the instruction set is there, and the pointers are valid for as many floats as are read or written.
pub(crate) trait Lanes: Copy {
    const COUNT: usize;
    unsafe fn zero() -> Self;
    /// The float at `from` in every lane.
    unsafe fn splat(from: *const f32) -> Self;
    /// `value` in every lane.
    unsafe fn all(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `count` lanes; zeros behind them. Reads nothing else.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Writes the first `count` lanes and nothing else.
    unsafe fn store_first(self, to: *mut f32, count: usize);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    /// `self · factor + sum`, in one rounding where the hardware has it.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// 0 where a lane is 0, -0 or below, the lane itself otherwise (NaN stays NaN).
    unsafe fn relu(self) -> Self;
    /// Asks for a cache line that will be read soon. Any address will do: nothing is read.
    #[inline(always)]
    fn prefetch(_at: *const f32) {}
}

/// Four plain floats: what the compiler makes of them is whatever the target guarantees.
#[derive(Clone, Copy)]
pub(crate) struct Plain([f32; 4]);

impl Lanes for Plain {
    const COUNT: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Plain([0.0; 4])
    }

    #[inline(always)]
    unsafe fn all(value: f32) -> Self {
        Plain([value; 4])
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Self {
        // SAFETY: the trait's contract.
        Plain([unsafe { *from }; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the trait's contract; an array of floats needs no more alignment than a float.
        Plain(unsafe { *from.cast::<[f32; 4]>() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; 4];
        // SAFETY: the trait's contract; the copy ends inside `lanes`.
        unsafe { std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count.min(4)) };
        Plain(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the trait's contract.
        unsafe { *to.cast::<[f32; 4]>() = self.0 };
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the trait's contract; the copy starts inside the array and ends inside it.
        unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr(), to, count.min(4)) };
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // Two roundings: a fused operation would be a call into the maths library here.
        Plain(std::array::from_fn(|i| self.0[i] * factor.0[i] + sum.0[i]))
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Plain(self.0.map(|v| if v <= 0.0 { 0.0 } else { v }))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    #[derive(Clone, Copy)]
    pub struct Avx2(__m256);

    /// The mask of `_mm256_maskload_ps` for the first `count` lanes.
    #[inline(always)]
    unsafe fn first(count: usize) -> __m256i {
        const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: `count.min(8)` leaves at least 8 of the 16 numbers to read.
        unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - count.min(8)).cast()) }
    }

    impl Lanes for Avx2 {
        const COUNT: usize = 8;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the trait's contract, here and in every method below.
            Avx2(unsafe { _mm256_setzero_ps() })
        }

        #[inline(always)]
        unsafe fn all(value: f32) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn splat(from: *const f32) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_set1_ps(*from) })
        }

        #[inline(always)]
        fn prefetch(at: *const f32) {
            // SAFETY: a prefetch of an address that is not there does nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            // SAFETY: as above; masked lanes are not touched.
            Avx2(unsafe { _mm256_maskload_ps(from, first(count)) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as above.
            unsafe { _mm256_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            // SAFETY: as above; masked lanes are not touched.
            unsafe { _mm256_maskstore_ps(to, first(count), self.0) };
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: as above.
            Avx2(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: as above. With a NaN the maximum is its second operand: the NaN. The sum turns -0 into 0.
            Avx2(unsafe {
                let zero = _mm256_setzero_ps();
                _mm256_add_ps(_mm256_max_ps(zero, self.0), zero)
            })
        }
    }

    #[derive(Clone, Copy)]
    pub struct Avx512(__m512);

    /// The mask of the first `count` lanes.
    #[inline(always)]
    fn bits(count: usize) -> __mmask16 {
        ((1u32 << count.min(16)) - 1) as __mmask16
    }

    impl Lanes for Avx512 {
        const COUNT: usize = 16;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the trait's contract, here and in every method below.
            Avx512(unsafe { _mm512_setzero_ps() })
        }

        #[inline(always)]
        unsafe fn all(value: f32) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn splat(from: *const f32) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_set1_ps(*from) })
        }

        #[inline(always)]
        fn prefetch(at: *const f32) {
            // SAFETY: a prefetch of an address that is not there does nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            // SAFETY: as above; masked lanes are not touched.
            Avx512(unsafe { _mm512_maskz_loadu_ps(bits(count), from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            // SAFETY: as above; masked lanes are not touched.
            unsafe { _mm512_mask_storeu_ps(to, bits(count), self.0) };
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: as above.
            Avx512(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: as above. With a NaN the maximum is its second operand: the NaN. The sum turns -0 into 0.
            Avx512(unsafe {
                let zero = _mm512_setzero_ps();
                _mm512_add_ps(_mm512_max_ps(zero, self.0), zero)
            })
        }
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(
    unused_unsafe,
    reason = "some of these intrinsics are safe on targets that always have NEON"
)]
pub(crate) mod arm {
    use super::{Lanes, Plain};
    use std::arch::aarch64::*;

    #[derive(Clone, Copy)]
    pub struct Neon(float32x4_t);

    impl Lanes for Neon {
        const COUNT: usize = 4;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: NEON belongs to every aarch64 target; pointers by the trait's contract, here and below.
            Neon(unsafe { vdupq_n_f32(0.0) })
        }

        #[inline(always)]
        unsafe fn all(value: f32) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vdupq_n_f32(value) })
        }

        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vsubq_f32(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn splat(from: *const f32) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vld1q_dup_f32(from) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vld1q_f32(from) })
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            // SAFETY: as above; `Plain` reads `count` floats only.
            Neon(unsafe { vld1q_f32(Plain::load_first(from, count).0.as_ptr()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as above.
            unsafe { vst1q_f32(to, self.0) };
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            let mut lanes = Plain([0.0; 4]);
            // SAFETY: as above; `Plain` writes `count` floats only.
            unsafe {
                vst1q_f32(lanes.0.as_mut_ptr(), self.0);
                lanes.store_first(to, count);
            }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vaddq_f32(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vfmaq_f32(sum.0, self.0, factor.0) })
        }

        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: as above.
            Neon(unsafe { vbslq_f32(vclezq_f32(self.0), vdupq_n_f32(0.0), self.0) })
        }
    }
}
