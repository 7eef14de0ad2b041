//! What one JavaScript environment owns: its stream, its memory and its handles.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Weak};

use ferrograd_kernels::bfloat16::Tiles;
use ferrograd_kernels::{Convolution, Exec, Held, Isa, Precision, Team};
use ferrograd_stream::{Block, Context, OutOfMemory, Pool, Stream};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// A buffer as JavaScript names it: slot and generation in one number. 0 stands for "none".
pub type Handle = f64;

/// Slots fit in the low bits, generations above them, both together in the 53 bits of a number.
const SLOT_BITS: u32 = 24;
const GENERATIONS: u64 = 1 << 28;
/// The garbage collector is told of changes in native memory when they add up to this many bytes.
const REPORT_BYTES: i64 = 1 << 20;

/// The kinds of number that a buffer holds, with the numbering that TypeScript uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DType {
    Float32 = 0,
    Float64 = 1,
    Int32 = 2,
    Uint8 = 3,
}

impl DType {
    pub fn from_code(code: u32) -> Result<DType> {
        match code {
            0 => Ok(DType::Float32),
            1 => Ok(DType::Float64),
            2 => Ok(DType::Int32),
            3 => Ok(DType::Uint8),
            _ => Err(internal(format!("{code} is no code of a dtype"))),
        }
    }

    pub fn size(self) -> usize {
        match self {
            DType::Float32 | DType::Int32 => 4,
            DType::Float64 => 8,
            DType::Uint8 => 1,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::Int32 => "int32",
            DType::Uint8 => "uint8",
        }
    }
}

/// A typed stretch of memory behind a handle.
#[derive(Clone)]
pub struct Buffer {
    pub block: Arc<Block>,
    pub dtype: DType,
    pub len: usize,
    /// Filled when it was made, and no queued work writes it: what it holds can be looked at without waiting.
    pub settled: bool,
}

#[derive(Default)]
struct Slot {
    generation: u64,
    buffer: Option<Buffer>,
}

/// An error that only a mistake of ours can cause: TypeScript checks everything that users control.
pub fn internal(message: impl std::fmt::Display) -> Error {
    Error::new(Status::InvalidArg, format!("ferrograd internal: {message}"))
}

/// What the executor thread owns.
pub struct Compute {
    pub exec: Exec,
    held: Option<Held>,
    awake: bool,
}

impl Context for Compute {
    fn wake(&mut self) {
        self.awake = true;
        self.held = Some(self.exec.team.hold());
    }

    fn sleep(&mut self) {
        self.awake = false;
        self.held = None;
    }
}

impl Compute {
    fn new(exec: Exec) -> Compute {
        Compute {
            exec,
            held: None,
            awake: false,
        }
    }

    fn set_team(&mut self, team: Arc<Team>) {
        self.exec = Exec {
            team,
            ..self.exec.clone()
        };
        self.held = self.awake.then(|| self.exec.team.hold());
    }
}

pub struct Runtime {
    pub stream: Stream<Compute>,
    pub pool: Pool,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    live: usize,
    live_bytes: usize,
    reported: i64,
    threads: usize,
    /// What kernels run on, but for the threads: what they would choose can be asked of it.
    pub exec: Exec,
}

thread_local! {
    /// The environments of this thread; one, save where an embedder runs several. JavaScript of an environment
    /// runs on its own thread only, so no lock is needed.
    static RUNTIMES: RefCell<Vec<(usize, Rc<RefCell<Runtime>>)>> = const { RefCell::new(Vec::new()) };
}

impl Runtime {
    /// The runtime of this environment, started on first use.
    pub fn of(env: &Env) -> Result<Rc<RefCell<Runtime>>> {
        let key = env.raw().addr();
        let known =
            RUNTIMES.with_borrow(|all| all.iter().find(|(id, _)| *id == key).map(|(_, rt)| rt.clone()));
        if let Some(runtime) = known {
            return Ok(runtime);
        }
        // The executor and the workers outlive an environment; without this the last one to go would unmap the
        // code they run.
        retain_current_module_for_unload_safety();
        let runtime = Rc::new(RefCell::new(Runtime::start()?));
        env.add_env_cleanup_hook(key, |key| {
            RUNTIMES.with_borrow_mut(|all| all.retain(|(id, _)| *id != key));
        })?;
        RUNTIMES.with_borrow_mut(|all| all.push((key, runtime.clone())));
        Ok(runtime)
    }

    fn start() -> Result<Runtime> {
        let isa = match std::env::var("FERROGRAD_SIMD") {
            Ok(name) if !name.is_empty() => {
                Isa::forced(&name).map_err(|error| Error::from_reason(format!("FERROGRAD_SIMD: {error}")))?
            }
            _ => Isa::detect(),
        };
        let threads = match std::env::var("FERROGRAD_THREADS") {
            Ok(text) if !text.is_empty() => match text.parse::<usize>() {
                Ok(threads @ 1..=1024) => threads,
                _ => {
                    return Err(Error::from_reason(format!(
                        "FERROGRAD_THREADS: \"{text}\" is not a number of threads from 1 to 1024"
                    )));
                }
            },
            _ => std::thread::available_parallelism().map_or(1, |count| count.get()),
        };
        let convolution = match std::env::var("FERROGRAD_CONV") {
            Ok(name) if !name.is_empty() => Convolution::forced(&name)
                .map_err(|error| Error::from_reason(format!("FERROGRAD_CONV: {error}")))?,
            _ => Convolution::Auto,
        };
        let tiles = std::env::var("FERROGRAD_AMX").unwrap_or_default();
        let exec = Exec {
            tiles: Tiles::named(&tiles)
                .map_err(|error| Error::from_reason(format!("FERROGRAD_AMX: {error}")))?,
            ..Exec::new(isa, Arc::new(Team::serial())).convolving(convolution)
        };
        let team = team_of(threads)?;
        Ok(Runtime {
            stream: Stream::new(Compute::new(Exec { team, ..exec.clone() })).map_err(Error::from_reason)?,
            pool: Pool::new(memory_limit()?),
            // Slot 0 is never used: handle 0 means "none".
            slots: vec![Slot::default()],
            free_slots: Vec::new(),
            live: 0,
            live_bytes: 0,
            reported: 0,
            threads,
            exec,
        })
    }

    /// Takes a block from the pool. Blocks that the pool gave up may still be in use by queued work: when there is no
    /// memory, waits for that and tries again.
    pub fn lend(
        &mut self,
        take: impl Fn(&mut Pool, &Stream<Compute>) -> std::result::Result<Arc<Block>, OutOfMemory>,
    ) -> Option<Arc<Block>> {
        if let Ok(block) = take(&mut self.pool, &self.stream) {
            return Some(block);
        }
        self.stream.wait(self.stream.next());
        take(&mut self.pool, &self.stream).ok()
    }

    /// Gives a buffer a handle.
    pub fn insert(&mut self, env: &Env, buffer: Buffer) -> Result<Handle> {
        let slot = match self.free_slots.pop() {
            Some(slot) => slot as usize,
            None if self.slots.len() >> SLOT_BITS == 0 => {
                self.slots.push(Slot::default());
                self.slots.len() - 1
            }
            None => {
                return Err(Error::from_reason(
                    "more than 16 million tensors are alive; dispose some",
                ));
            }
        };
        self.live += 1;
        self.live_bytes += buffer.block.capacity();
        self.slots[slot].buffer = Some(buffer);
        self.report(env)?;
        Ok(((self.slots[slot].generation << SLOT_BITS) | slot as u64) as f64)
    }

    /// The buffer behind a handle.
    pub fn get(&self, handle: Handle) -> Result<&Buffer> {
        self.slot_of(handle)
            .and_then(|slot| self.slots[slot].buffer.as_ref())
            .ok_or_else(|| internal(format!("{handle} is no live buffer")))
    }

    /// Notes that queued work is going to write this buffer.
    pub fn unsettle(&mut self, handle: Handle) {
        if let Some(slot) = self.slot_of(handle)
            && let Some(buffer) = &mut self.slots[slot].buffer
        {
            buffer.settled = false;
        }
    }

    /// Takes the handle away; the memory is lent again to later work. Unknown handles are ignored, so that a
    /// late finalizer does no harm.
    pub fn release(&mut self, env: &Env, handle: Handle) -> Result<()> {
        let Some(slot) = self.slot_of(handle) else {
            return Ok(());
        };
        let Some(buffer) = self.slots[slot].buffer.take() else {
            return Ok(());
        };
        self.slots[slot].generation = (self.slots[slot].generation + 1) % GENERATIONS;
        self.free_slots.push(slot as u32);
        self.live -= 1;
        self.live_bytes -= buffer.block.capacity();
        self.pool.give(buffer.block, self.stream.next());
        self.report(env)
    }

    fn slot_of(&self, handle: Handle) -> Option<usize> {
        let number = handle as u64;
        let slot = (number & ((1 << SLOT_BITS) - 1)) as usize;
        let known = self.slots.get(slot)?;
        (number as f64 == handle && number >> SLOT_BITS == known.generation).then_some(slot)
    }

    /// Tells the garbage collector how much memory hangs on its small objects.
    fn report(&mut self, env: &Env) -> Result<()> {
        let change = self.live_bytes as i64 - self.reported;
        if change.abs() >= REPORT_BYTES {
            env.adjust_external_memory(change)?;
            self.reported += change;
        }
        Ok(())
    }
}

/// Threads are shared by all environments of the process: a second stream finds them busy and works alone.
fn team_of(threads: usize) -> Result<Arc<Team>> {
    static TEAMS: Mutex<Option<HashMap<usize, Weak<Team>>>> = Mutex::new(None);
    let mut teams = TEAMS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let teams = teams.get_or_insert_default();
    if let Some(team) = teams.get(&threads).and_then(Weak::upgrade) {
        return Ok(team);
    }
    let team = Arc::new(Team::new(threads).map_err(Error::from_reason)?);
    teams.insert(threads, Arc::downgrade(&team));
    Ok(team)
}

/// `FERROGRAD_MEMORY_LIMIT` in bytes, or 80 % of what the machine or the container has.
fn memory_limit() -> Result<usize> {
    if let Ok(text) = std::env::var("FERROGRAD_MEMORY_LIMIT")
        && !text.is_empty()
    {
        return text
            .parse::<usize>()
            .ok()
            .filter(|&bytes| bytes > 0)
            .ok_or_else(|| {
                Error::from_reason(format!(
                    "FERROGRAD_MEMORY_LIMIT: \"{text}\" is not a number of bytes"
                ))
            });
    }
    let physical = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace()
            .nth(1)?
            .parse::<usize>()
            .ok()?
            .checked_mul(1024)
    });
    let container = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok());
    Ok(match (physical, container) {
        (Some(a), Some(b)) => a.min(b) / 5 * 4,
        (Some(bytes), None) | (None, Some(bytes)) => bytes / 5 * 4,
        // Elsewhere the system's own refusal is the limit.
        (None, None) => isize::MAX as usize,
    })
}

#[napi(object)]
pub struct MemoryReport {
    /// Live buffers.
    pub buffers: f64,
    /// Bytes of live buffers.
    pub bytes: f64,
    /// Bytes kept for buffers to come.
    pub pool_bytes: f64,
    /// The most that live and kept bytes may add up to.
    pub limit: f64,
}

#[napi(catch_unwind)]
pub fn memory_report(env: Env) -> Result<MemoryReport> {
    let runtime = Runtime::of(&env)?;
    let runtime = runtime.borrow();
    Ok(MemoryReport {
        buffers: runtime.live as f64,
        bytes: runtime.live_bytes as f64,
        pool_bytes: runtime.pool.free_bytes() as f64,
        limit: runtime.pool.limit() as f64,
    })
}

/// Gives free memory back to the system.
#[napi(catch_unwind)]
pub fn trim_pool(env: Env) -> Result<()> {
    Runtime::of(&env)?.borrow_mut().pool.trim();
    Ok(())
}

#[napi(catch_unwind)]
pub fn thread_count(env: Env) -> Result<u32> {
    Ok(Runtime::of(&env)?.borrow().threads as u32)
}

/// Work queued from now on uses this many threads.
#[napi(catch_unwind)]
pub fn set_thread_count(env: Env, threads: u32) -> Result<()> {
    let runtime = Runtime::of(&env)?;
    let mut runtime = runtime.borrow_mut();
    let team = team_of((threads as usize).clamp(1, 1024))?;
    runtime.threads = team.threads();
    runtime
        .stream
        .queue("setThreads", move |compute| compute.set_team(team));
    Ok(())
}

/// The instruction set in use: `scalar`, `avx2`, `avx512` or `neon`.
#[napi(catch_unwind)]
pub fn instruction_set(env: Env) -> Result<&'static str> {
    Ok(Runtime::of(&env)?.borrow().exec.isa.name())
}

/// Into how many pieces of bfloat16 products of this precision are cut: 3, 2 or 1; 0 where they are float32.
#[napi(catch_unwind)]
pub fn bfloat16_pieces(env: Env, precision: f64) -> Result<u32> {
    let precision = Precision::from_code(precision).map_err(internal)?;
    let tiles = Runtime::of(&env)?.borrow().exec.tiles;
    Ok(tiles.and_then(|tiles| tiles.pieces(precision)).unwrap_or(0) as u32)
}

/// All instruction sets that this machine has.
#[napi(catch_unwind)]
pub fn instruction_sets() -> Vec<&'static str> {
    Isa::available().into_iter().map(Isa::name).collect()
}

/// Queues a panic: how tests show that one is survived.
#[napi(catch_unwind)]
pub fn panic_for_test(env: Env, op: String) -> Result<()> {
    let runtime = Runtime::of(&env)?;
    let name: &'static str = if op == "conv2d" { "conv2d" } else { "panicForTest" };
    runtime.borrow_mut().stream.queue(name, move |compute| {
        compute.exec.tiles(64, |tile| {
            assert!(tile != 40, "a panic for a test, in tile {tile}")
        });
    });
    Ok(())
}
