//! Buffers between JavaScript and the stream: made, filled, read and released.

use ferrograd_stream::Failure;
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Launch, Turn};
use crate::runtime::{Buffer, DType, Handle, Runtime, internal};

/// The longest buffer in elements: its bytes must fit in an `isize` whatever the dtype.
const LONGEST: f64 = (1u64 << 50) as f64;

/// A new buffer with unspecified contents, or 0 when there is no memory for it.
#[napi(catch_unwind)]
pub fn allocate(env: Env, dtype: u32, len: f64) -> Result<Handle> {
    let dtype = DType::from_code(dtype)?;
    if !(0.0..=LONGEST).contains(&len) || len.fract() != 0.0 {
        return Err(internal(format!("{len} is no length of a buffer")));
    }
    let len = len as usize;
    let runtime = Runtime::of(&env)?;
    let mut runtime = runtime.borrow_mut();
    match runtime.lend(|pool, _| pool.take(len * dtype.size())) {
        Some(block) => runtime.insert(
            &env,
            Buffer {
                block,
                dtype,
                len,
                settled: false,
            },
        ),
        None => Ok(0.0),
    }
}

#[napi(catch_unwind)]
pub fn release(env: Env, handle: Handle) -> Result<()> {
    Runtime::of(&env)?.borrow_mut().release(&env, handle)
}

fn upload<T: Element>(env: &Env, values: &[T]) -> Result<Handle> {
    let runtime = Runtime::of(env)?;
    let mut runtime = runtime.borrow_mut();
    let Runtime { pool, stream, .. } = &mut *runtime;
    let block = match pool.take_idle(
        size_of_val(values),
        || stream.completed(),
        |number| stream.wait(number),
    ) {
        Ok(block) => block,
        Err(_) => return Ok(0.0),
    };
    // SAFETY: `take_idle` lends a block that no queued work uses, and it holds at least the bytes asked for.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), block.pointer().cast::<T>(), values.len()) };
    runtime.insert(
        env,
        Buffer {
            block,
            dtype: T::DTYPE,
            len: values.len(),
            settled: true,
        },
    )
}

/// A new buffer with a copy of these values, or 0 when there is no memory for it.
#[napi(catch_unwind)]
pub fn upload_float32(env: Env, values: &[f32]) -> Result<Handle> {
    upload(&env, values)
}

#[napi(catch_unwind)]
pub fn upload_float64(env: Env, values: &[f64]) -> Result<Handle> {
    upload(&env, values)
}

#[napi(catch_unwind)]
pub fn upload_int32(env: Env, values: &[i32]) -> Result<Handle> {
    upload(&env, values)
}

#[napi(catch_unwind)]
pub fn upload_uint8(env: Env, values: &[u8]) -> Result<Handle> {
    upload(&env, values)
}

/// Copies one buffer over another of the same dtype and length.
#[napi(catch_unwind)]
pub fn copy(env: Env, from: Handle, to: Handle) -> Result<()> {
    let mut launch = Launch::new(&env, "copy")?;
    if launch.dtype(from)? != launch.dtype(to)? || launch.len(from)? != launch.len(to)? {
        return Err(internal("copy: buffers of different dtype or length"));
    }
    let from = launch.read_bytes(from)?;
    let mut to = launch.write_bytes(to)?;
    launch.queue(move |turn| to.get(turn).copy_from_slice(from.get(turn)))
}

/// Sets every element of a buffer.
#[napi(catch_unwind)]
pub fn fill(env: Env, to: Handle, value: f64) -> Result<()> {
    fn fill_with<T: Element>(mut launch: Launch, to: Handle, value: T) -> Result<()> {
        let mut to = launch.write::<T>(to)?;
        launch.queue(move |turn| to.get(turn).fill(value))
    }
    let launch = Launch::new(&env, "fill")?;
    match launch.dtype(to)? {
        DType::Float32 => fill_with(launch, to, value as f32),
        DType::Float64 => fill_with(launch, to, value),
        DType::Int32 => fill_with(launch, to, value as i32),
        DType::Uint8 => fill_with(launch, to, value as u8),
    }
}

/// The contents of a buffer on their way to JavaScript.
enum Values {
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int32(Vec<i32>),
    Uint8(Vec<u8>),
}

impl ToNapiValue for Values {
    unsafe fn to_napi_value(env: sys::napi_env, values: Values) -> Result<sys::napi_value> {
        // SAFETY: `env` is the environment that this function was called with.
        unsafe {
            match values {
                Values::Float32(values) => Float32Array::to_napi_value(env, Float32Array::new(values)),
                Values::Float64(values) => Float64Array::to_napi_value(env, Float64Array::new(values)),
                Values::Int32(values) => Int32Array::to_napi_value(env, Int32Array::new(values)),
                Values::Uint8(values) => Uint8Array::to_napi_value(env, Uint8Array::new(values)),
            }
        }
    }
}

/// A promise of a copy of the buffer as it is after all work queued so far. It keeps the process alive.
#[napi(
    catch_unwind,
    ts_return_type = "Promise<Float32Array | Float64Array | Int32Array | Uint8Array>"
)]
pub fn read(env: Env, handle: Handle) -> Result<Object<'static>> {
    let runtime = Runtime::of(&env)?;
    let mut runtime = runtime.borrow_mut();
    let Buffer {
        block, dtype, len, ..
    } = runtime.get(handle)?.clone();
    let (deferred, promise) = env.create_deferred::<Values, Box<dyn FnOnce(Env) -> Result<Values>>>()?;
    let promise = Object::from_raw(env.raw(), promise.raw());
    runtime.stream.read(move |compute, result| {
        let turn = Turn { exec: &compute.exec };
        let values = result
            .map_err(|failure| failed(&failure))
            .and_then(|()| match dtype {
                DType::Float32 => copy_out(&turn, &block, len).map(Values::Float32),
                DType::Float64 => copy_out(&turn, &block, len).map(Values::Float64),
                DType::Int32 => copy_out(&turn, &block, len).map(Values::Int32),
                DType::Uint8 => copy_out(&turn, &block, len).map(Values::Uint8),
            });
        match values {
            Ok(values) => deferred.resolve(Box::new(move |_| Ok(values))),
            Err(error) => deferred.reject(error),
        }
    });
    Ok(promise)
}

fn failed(failure: &Failure) -> Error {
    Error::from_reason(format!("{} failed: {}", failure.op, failure.message))
}

fn copy_out<T: Element>(_turn: &Turn, block: &ferrograd_stream::Block, len: usize) -> Result<Vec<T>> {
    let mut values: Vec<T> = Vec::new();
    if values.try_reserve_exact(len).is_err() {
        return Err(Error::from_reason(format!(
            "no memory for a copy of {len} elements"
        )));
    }
    // SAFETY: the block holds `len` elements of this type and only the executor, which runs this, opens it.
    values.extend_from_slice(unsafe { std::slice::from_raw_parts(block.pointer().cast::<T>(), len) });
    Ok(values)
}
