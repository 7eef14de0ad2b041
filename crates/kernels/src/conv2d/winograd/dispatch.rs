//! Transforms are generic over registers and forms; here each gets a function that picks by what it is given.

/// Compiles `$body::<V, M, R>` for every instruction set and form, and picks by the first two arguments.
macro_rules! on_every_isa {
    ($(#[$meta:meta])* $name:ident = $body:ident($($arg:ident: $ty:ty),*)) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        pub unsafe fn $name(isa: $crate::Isa, form: $crate::conv2d::winograd::form::Form, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
            unsafe fn avx512<const M: usize, const R: usize>($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<$crate::microkernel::lanes::x86::Avx512, M, R>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2<const M: usize, const R: usize>($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<$crate::microkernel::lanes::x86::Avx2, M, R>($($arg),*) }
            }
            unsafe fn of_form<const M: usize, const R: usize>(isa: $crate::Isa, $($arg: $ty),*) {
                // SAFETY: an `Isa` is only made where the machine has it; the rest is the caller's promise.
                unsafe {
                    match isa {
                        #[cfg(target_arch = "x86_64")]
                        $crate::Isa::Avx512 => avx512::<M, R>($($arg),*),
                        #[cfg(target_arch = "x86_64")]
                        $crate::Isa::Avx2 => avx2::<M, R>($($arg),*),
                        #[cfg(target_arch = "aarch64")]
                        $crate::Isa::Neon => $body::<$crate::microkernel::lanes::arm::Neon, M, R>($($arg),*),
                        _ => $body::<$crate::microkernel::lanes::Plain, M, R>($($arg),*),
                    }
                }
            }
            // SAFETY: the caller's promise.
            unsafe {
                match form {
                    $crate::conv2d::winograd::form::Form::F23 => of_form::<2, 3>(isa, $($arg),*),
                    $crate::conv2d::winograd::form::Form::F43 => of_form::<4, 3>(isa, $($arg),*),
                    $crate::conv2d::winograd::form::Form::F25 => of_form::<2, 5>(isa, $($arg),*),
                }
            }
        }
    };
}

pub(super) use on_every_isa;
