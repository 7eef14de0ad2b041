//! The way of a kernel onto the stream: handles become typed, checked views that only the executor can open.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use ferrograd_kernels::Exec;
use ferrograd_stream::Block;
use napi::bindgen_prelude::*;

use crate::runtime::{Buffer, DType, Handle, Runtime, internal};

/// A number that a buffer can hold.
pub trait Element: Copy + Send + Sync + 'static {
    const DTYPE: DType;
}

impl Element for f32 {
    const DTYPE: DType = DType::Float32;
}
impl Element for f64 {
    const DTYPE: DType = DType::Float64;
}
impl Element for i32 {
    const DTYPE: DType = DType::Int32;
}
impl Element for u8 {
    const DTYPE: DType = DType::Uint8;
}

/// Proof that code runs on the executor, where buffers may be opened; and what kernels run on.
pub struct Turn<'a> {
    pub exec: &'a Exec,
}

/// A buffer that queued work reads.
pub struct Input<T> {
    block: Option<Arc<Block>>,
    len: usize,
    element: PhantomData<T>,
}

/// A buffer that queued work writes, and that nothing else of the same work touches.
pub struct Output<T> {
    block: Option<Arc<Block>>,
    len: usize,
    element: PhantomData<T>,
}

impl<T> Input<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get<'a>(&'a self, _turn: &'a Turn) -> &'a [T] {
        let Some(block) = &self.block else { return &[] };
        // SAFETY: the block holds `len` elements (checked when it was made) and is aligned to 64 bytes. Every bit
        // pattern is a number. Only the executor opens buffers, one piece of work at a time, and `Launch::queue`
        // refuses work that writes a block it also reads.
        unsafe { std::slice::from_raw_parts(block.pointer().cast::<T>(), self.len) }
    }
}

impl<T> Output<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get<'a>(&'a mut self, _turn: &'a Turn) -> &'a mut [T] {
        let Some(block) = &self.block else { return &mut [] };
        // SAFETY: as in `Input::get`; `Launch::queue` refuses work that names the block a second time.
        unsafe { std::slice::from_raw_parts_mut(block.pointer().cast::<T>(), self.len) }
    }
}

/// One kernel being prepared: its name and the blocks it uses.
pub struct Launch {
    runtime: Rc<RefCell<Runtime>>,
    op: &'static str,
    reads: Vec<usize>,
    writes: Vec<usize>,
}

impl Launch {
    pub fn new(env: &Env, op: &'static str) -> Result<Launch> {
        Ok(Launch {
            runtime: Runtime::of(env)?,
            op,
            reads: Vec::new(),
            writes: Vec::new(),
        })
    }

    pub fn dtype(&self, handle: Handle) -> Result<DType> {
        Ok(self.runtime.borrow().get(handle)?.dtype)
    }

    /// The number of elements behind a handle.
    pub fn len(&self, handle: Handle) -> Result<usize> {
        if handle == 0.0 {
            Ok(0)
        } else {
            Ok(self.runtime.borrow().get(handle)?.len)
        }
    }

    /// A buffer to read. Handle 0 reads as an empty slice.
    pub fn read<T: Element>(&mut self, handle: Handle) -> Result<Input<T>> {
        if handle == 0.0 {
            return Ok(Input {
                block: None,
                len: 0,
                element: PhantomData,
            });
        }
        let buffer = self.typed(handle, T::DTYPE)?;
        self.reads.push(buffer.block.pointer().addr());
        Ok(Input {
            block: Some(buffer.block),
            len: buffer.len,
            element: PhantomData,
        })
    }

    /// A buffer to write, or to update in place. Its former contents are in it. Handle 0 is an empty slice: an output
    /// that is not wanted.
    pub fn write<T: Element>(&mut self, handle: Handle) -> Result<Output<T>> {
        if handle == 0.0 {
            return Ok(Output {
                block: None,
                len: 0,
                element: PhantomData,
            });
        }
        let buffer = self.typed(handle, T::DTYPE)?;
        self.runtime.borrow_mut().unsettle(handle);
        self.writes.push(buffer.block.pointer().addr());
        Ok(Output {
            block: Some(buffer.block),
            len: buffer.len,
            element: PhantomData,
        })
    }

    /// A buffer of any dtype to read as plain bytes.
    pub fn read_bytes(&mut self, handle: Handle) -> Result<Input<u8>> {
        let buffer = self.runtime.borrow().get(handle)?.clone();
        self.reads.push(buffer.block.pointer().addr());
        Ok(Input {
            len: buffer.len * buffer.dtype.size(),
            block: Some(buffer.block),
            element: PhantomData,
        })
    }

    /// A buffer of any dtype to write as plain bytes.
    pub fn write_bytes(&mut self, handle: Handle) -> Result<Output<u8>> {
        let buffer = self.runtime.borrow().get(handle)?.clone();
        self.runtime.borrow_mut().unsettle(handle);
        self.writes.push(buffer.block.pointer().addr());
        Ok(Output {
            len: buffer.len * buffer.dtype.size(),
            block: Some(buffer.block),
            element: PhantomData,
        })
    }

    /// Looks at a buffer now, if its contents came from JavaScript and nothing writes them. `None` otherwise.
    pub fn peek<T: Element, R>(&self, handle: Handle, look: impl FnOnce(&[T]) -> R) -> Result<Option<R>> {
        let buffer = self.typed(handle, T::DTYPE)?;
        if !buffer.settled {
            return Ok(None);
        }
        // SAFETY: an upload fills the block before it has a handle, and `write` takes the mark away before work that
        // writes is queued: so nobody has written the block since, and nobody can while this thread is here.
        let values = unsafe { std::slice::from_raw_parts(buffer.block.pointer().cast::<T>(), buffer.len) };
        Ok(Some(look(values)))
    }

    /// Refuses the launch with a reason: sizes that do not fit, numbers out of range.
    pub fn check(&self, result: std::result::Result<(), String>) -> Result<()> {
        result.map_err(|reason| internal(format!("{}: {reason}", self.op)))
    }

    /// Queues the work and returns at once.
    pub fn queue(mut self, work: impl FnOnce(&Turn) + Send + 'static) -> Result<()> {
        self.refuse_aliases()?;
        self.runtime
            .borrow_mut()
            .stream
            .queue(self.op, move |compute| work(&Turn { exec: &compute.exec }));
        Ok(())
    }

    /// The common case: all buffers float32, which run the fast kernel, or all float64, which run the reference.
    pub fn float<const R: usize, const W: usize>(
        mut self,
        reads: [Handle; R],
        writes: [Handle; W],
        check: impl FnOnce([usize; R], [usize; W]) -> std::result::Result<(), String>,
        float32: impl FnOnce(&Exec, [&[f32]; R], [&mut [f32]; W]) + Send + 'static,
        float64: impl FnOnce([&[f64]; R], [&mut [f64]; W]) + Send + 'static,
    ) -> Result<()> {
        // Not simply the first: a handle of 0 stands for an input or output that is not there.
        let first = writes
            .iter()
            .chain(&reads)
            .copied()
            .find(|&handle| handle != 0.0)
            .ok_or_else(|| internal("a kernel without a buffer"))?;
        if self.dtype(first)? == DType::Float64 {
            let (inputs, mut outputs) = self.open::<f64, R, W>(reads, writes)?;
            self.check(check(lengths(&inputs), outputs.each_ref().map(Output::len)))?;
            self.queue(move |turn| {
                float64(
                    inputs.each_ref().map(|x| x.get(turn)),
                    outputs.each_mut().map(|y| y.get(turn)),
                )
            })
        } else {
            let (inputs, mut outputs) = self.open::<f32, R, W>(reads, writes)?;
            self.check(check(lengths(&inputs), outputs.each_ref().map(Output::len)))?;
            self.queue(move |turn| {
                float32(
                    turn.exec,
                    inputs.each_ref().map(|x| x.get(turn)),
                    outputs.each_mut().map(|y| y.get(turn)),
                )
            })
        }
    }

    #[allow(clippy::type_complexity, reason = "a pair of arrays")]
    fn open<T: Element, const R: usize, const W: usize>(
        &mut self,
        reads: [Handle; R],
        writes: [Handle; W],
    ) -> Result<([Input<T>; R], [Output<T>; W])> {
        let inputs = try_map(reads, |handle| self.read(handle))?;
        let outputs = try_map(writes, |handle| self.write(handle))?;
        Ok((inputs, outputs))
    }

    fn typed(&self, handle: Handle, dtype: DType) -> Result<Buffer> {
        let buffer = self.runtime.borrow().get(handle)?.clone();
        if buffer.dtype == dtype {
            Ok(buffer)
        } else {
            let (found, wanted) = (buffer.dtype.name(), dtype.name());
            Err(internal(format!(
                "{}: a {found} buffer where {wanted} is expected",
                self.op
            )))
        }
    }

    fn refuse_aliases(&mut self) -> Result<()> {
        let (reads, writes) = (&mut self.reads, &mut self.writes);
        let clash = if reads.len() * writes.len() + writes.len() * writes.len() <= 256 {
            (0..writes.len()).any(|i| reads.contains(&writes[i]) || writes[..i].contains(&writes[i]))
        } else {
            reads.sort_unstable();
            writes.sort_unstable();
            writes.windows(2).any(|pair| pair[0] == pair[1])
                || writes.iter().any(|block| reads.binary_search(block).is_ok())
        };
        if clash {
            Err(internal(format!(
                "{}: a buffer is written and used twice",
                self.op
            )))
        } else {
            Ok(())
        }
    }
}

fn lengths<T, const R: usize>(inputs: &[Input<T>; R]) -> [usize; R] {
    inputs.each_ref().map(Input::len)
}

fn try_map<T, const N: usize>(
    handles: [Handle; N],
    mut open: impl FnMut(Handle) -> Result<T>,
) -> Result<[T; N]> {
    let mut error = None;
    let opened = handles.map(|handle| match open(handle) {
        Ok(value) => Some(value),
        Err(reason) => {
            error.get_or_insert(reason);
            None
        }
    });
    match error {
        Some(error) => Err(error),
        None => Ok(opened.map(|value| value.expect("opened without an error"))),
    }
}

/// Every length is the same.
pub fn same_length(lengths: &[usize]) -> std::result::Result<(), String> {
    match lengths.iter().find(|&&len| len != lengths[0]) {
        Some(len) => Err(format!("buffers of {} and {len} elements", lengths[0])),
        None => Ok(()),
    }
}
