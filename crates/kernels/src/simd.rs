//! Which instruction set runs: detected once, forced by tests and by the environment.

/// An instruction set that kernels are compiled for. `Scalar` is what the compilation target guarantees
/// (SSE2 on x86-64).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    Scalar,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 F, VL, BW and DQ.
    Avx512,
    /// 64-bit Arm.
    Neon,
}

impl Isa {
    /// The best one of this machine.
    pub fn detect() -> Isa {
        *Isa::available().last().expect("scalar is always there")
    }

    /// All that this machine runs, slowest first.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut, reason = "nothing to add on targets without SIMD paths")]
        let mut found = vec![Isa::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Isa::Avx2);
                let avx512 = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq");
                if avx512 {
                    found.push(Isa::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Isa::Neon);
        found
    }

    /// The one that `name` (`scalar`, `avx2`, `avx512`, `neon`) forces, or an error that lists what this machine has.
    pub fn forced(name: &str) -> Result<Isa, String> {
        let available = Isa::available();
        available
            .iter()
            .copied()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
                format!(
                    "instruction set \"{name}\" is not available here; this machine has {}",
                    names.join(", ")
                )
            })
    }

    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
        }
    }
}

/// How a product is added to a number.
pub trait MulAdd: Copy {
    /// `a · b + c`, in one rounding where the instruction set has that.
    fn mul_add(a: f32, b: f32, c: f32) -> f32;
    /// `a² + c` from the exact square.
    fn square_add(a: f32, c: f32) -> f32;
}

/// In one rounding.
#[derive(Clone, Copy, Default)]
pub struct Fused;

/// In two, where a fused operation would be a call into the maths library for every single number.
#[derive(Clone, Copy, Default)]
pub struct Separate;

impl MulAdd for Fused {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn square_add(a: f32, c: f32) -> f32 {
        a.mul_add(a, c)
    }
}

impl MulAdd for Separate {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    #[inline(always)]
    fn square_add(a: f32, c: f32) -> f32 {
        let wide = f64::from(a);
        (wide * wide + f64::from(c)) as f32
    }
}

/// What [`Isa::Scalar`] does on x86-64. NEON belongs to every aarch64 target, so the plain body already uses it.
#[cfg(not(target_arch = "aarch64"))]
pub type Baseline = Separate;
#[cfg(target_arch = "aarch64")]
pub type Baseline = Fused;

/// Compiles one plain function body for every instruction set and picks at run time by its first argument, an
/// [`Isa`]. The body is an ordinary loop: the compiler vectorizes it for each target. Generic parameters stand
/// in square brackets after the name; before them, in angle brackets, how the target adds products, if the body asks.
///
/// ```ignore
/// vectorize! {
///     fn add_scaled<M>[](x: &[f32], factor: f32, y: &mut [f32]) {
///         for (y, x) in y.iter_mut().zip(x) { *y = M::mul_add(*x, factor, *y); }
///     }
/// }
/// add_scaled(isa, x, 2.0, y);
/// ```
#[allow(unused_macros, reason = "used by the kernels of this crate")]
macro_rules! vectorize {
    ($(#[$meta:meta])* $vis:vis fn $name:ident [$($generics:tt)*] $($rest:tt)*) => {
        $crate::simd::vectorize! { $(#[$meta])* $vis fn $name <ByTarget> [$($generics)*] $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident <$add:ident> [$($generics:tt)*] ($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<$($generics)*>(isa: $crate::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<$add: $crate::simd::MulAdd, $($generics)*>(_: $add, $($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
            fn avx512<$($generics)*>($($arg: $ty),*) $(-> $ret)? { body($crate::simd::Fused, $($arg),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generics)*>($($arg: $ty),*) $(-> $ret)? { body($crate::simd::Fused, $($arg),*) }
            match isa {
                // SAFETY: an `Isa` is only made after its features were detected on this machine.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx2 => unsafe { avx2($($arg),*) },
                _ => body(<$crate::simd::Baseline>::default(), $($arg),*),
            }
        }
    };
}
#[allow(unused_imports, reason = "used by the kernels of this crate")]
pub(crate) use vectorize;

#[cfg(test)]
mod tests {
    use super::*;

    vectorize! {
        fn scale[F: Fn(f32) -> f32 + Copy](x: &[f32], y: &mut [f32], f: F) -> usize {
            for (y, x) in y.iter_mut().zip(x) {
                *y = f(*x);
            }
            y.len()
        }
    }

    #[test]
    fn every_path_runs_the_same_body() {
        let x: Vec<f32> = (0..37).map(|i| i as f32).collect();
        for isa in Isa::available() {
            let mut y = vec![0.0; 37];
            assert_eq!(scale(isa, &x, &mut y, |v| v * 2.0), 37);
            assert!(y.iter().enumerate().all(|(i, &v)| v == 2.0 * i as f32), "{isa:?}");
        }
    }

    #[test]
    fn kernel_tests_run_on_every_path_or_the_forced_one() {
        let mut tested: Vec<Isa> = crate::Exec::all_for_tests().iter().map(|cx| cx.isa).collect();
        tested.dedup();
        let names: Vec<&str> = tested.iter().map(|isa| isa.name()).collect();
        println!("kernel tests run on {}", names.join(", "));
        match std::env::var("FERROGRAD_SIMD") {
            Ok(name) if !name.is_empty() => assert_eq!(names, [name]),
            _ => assert_eq!(tested, Isa::available()),
        }
        #[cfg(target_arch = "aarch64")]
        assert_eq!(Isa::detect(), Isa::Neon);
    }

    #[test]
    fn a_name_forces_a_path_and_an_unknown_one_lists_what_there_is() {
        assert_eq!(Isa::forced("scalar"), Ok(Isa::Scalar));
        let error = Isa::forced("mmx").unwrap_err();
        assert!(error.starts_with("instruction set \"mmx\" is not available here; this machine has scalar"));
    }
}
