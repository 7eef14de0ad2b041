//! Threads: the only file that names rayon.
//!
//! Rayon's workers sleep between jobs, and waking one costs about 100 µs on a virtual machine, more than most
//! layers take. So while a training step is in flight a [`Team`] keeps its workers *resident*: each runs one
//! long rayon task that spins on a single pointer, takes tiles of whatever job stands there from atomic
//! counters, and leaves when the last [`Held`] is dropped. Handing over a job then costs a cache miss. The caller
//! takes tiles too and waits only for tiles that another thread has begun, so a worker that is late, or was
//! descheduled by a busy neighbour, never holds up a job it has not started.
//!
//! Each thread begins with its own share of the tiles, the same part of every job: what one kernel wrote, the next
//! finds in the cache of the same core. Whoever is done with its share takes from the others.

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, TryLockError};

/// Spins this often before yielding the processor: about 20 µs.
const SPINS_BEFORE_YIELD: u32 = 1 << 10;

/// A group of threads that runs the tiles of one job at a time.
pub struct Team {
    threads: usize,
    pool: Option<rayon::ThreadPool>,
    shared: Arc<Shared>,
    /// How many [`Held`] are alive.
    holders: Mutex<usize>,
    /// Held while a job runs; whoever finds it taken (another stream of the process) works alone.
    running: Mutex<()>,
}

struct Shared {
    /// The job in progress or null. Points into the stack of [`Team::run`].
    job: AtomicPtr<Job>,
    /// Grows by one with every job, so that a worker does not come back to a job it has emptied.
    ticket: AtomicU64,
    /// Workers that may be holding `job`: `run` does not return before it is zero.
    inside: AtomicUsize,
    /// The residence that workers should be spinning for; 0: none, leave.
    residence: AtomicU64,
}

struct Job {
    shares: [Share; MOST_SHARES],
    /// How many of them there are.
    count: usize,
    body: *const (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// With more threads than this some begin with the same share.
const MOST_SHARES: usize = 16;

/// Consecutive tiles, on a cache line of their own.
#[repr(align(64))]
struct Share {
    next: AtomicUsize,
    end: usize,
}

thread_local! {
    /// Inside a tile: a nested job runs on this thread alone.
    static IN_TILE: Cell<bool> = const { Cell::new(false) };
}

impl Job {
    fn new(threads: usize, tiles: usize, body: *const (dyn Fn(usize) + Sync)) -> Job {
        let count = threads.min(tiles).min(MOST_SHARES);
        let start = |share: usize| tiles / count * share + (tiles % count).min(share);
        Job {
            shares: std::array::from_fn(|share| Share {
                next: AtomicUsize::new(start(share.min(count))),
                end: start((share + 1).min(count)),
            }),
            count,
            body,
            panic: Mutex::new(None),
        }
    }

    /// Takes tiles until none is left, those of this thread's share first.
    fn work(&self, thread: usize) {
        let outer = IN_TILE.replace(true);
        // SAFETY: `run` keeps the closure alive until no worker is inside the job.
        let body = unsafe { &*self.body };
        for turn in 0..self.count {
            let share = &self.shares[(thread + turn) % self.count];
            loop {
                let tile = share.next.fetch_add(1, Relaxed);
                if tile >= share.end {
                    break;
                }
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(tile))) {
                    for share in &self.shares {
                        share.next.store(share.end, Relaxed);
                    }
                    self.panic
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .get_or_insert(panic);
                }
            }
        }
        IN_TILE.set(outer);
    }
}

impl Team {
    /// A team of `threads` threads, the caller of [`Team::run`] being one of them.
    pub fn new(threads: usize) -> Result<Team, String> {
        let workers = threads.max(1) - 1;
        let pool = if workers == 0 {
            None
        } else {
            let builder = rayon::ThreadPoolBuilder::new()
                .num_threads(workers)
                .thread_name(|index| format!("ferrograd-{}", index + 1));
            Some(
                builder
                    .build()
                    .map_err(|error| format!("cannot start {workers} worker threads: {error}"))?,
            )
        };
        Ok(Team {
            threads: workers + 1,
            pool,
            shared: Arc::new(Shared {
                job: AtomicPtr::new(null_mut()),
                ticket: AtomicU64::new(0),
                inside: AtomicUsize::new(0),
                residence: AtomicU64::new(0),
            }),
            holders: Mutex::new(0),
            running: Mutex::new(()),
        })
    }

    /// The calling thread alone.
    pub fn serial() -> Team {
        Team::new(1).expect("a team of one starts no thread")
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Keeps the workers spinning until the returned value is dropped. Several holders may overlap.
    pub fn hold(self: &Arc<Team>) -> Held {
        if let Some(pool) = &self.pool {
            let mut holders = self
                .holders
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            *holders += 1;
            if *holders == 1 {
                static RESIDENCES: AtomicU64 = AtomicU64::new(1);
                let residence = RESIDENCES.fetch_add(1, Relaxed);
                self.shared.residence.store(residence, Release);
                let shared = self.shared.clone();
                pool.spawn_broadcast(move |worker| reside(&shared, residence, worker.index() + 1));
            }
        }
        Held { team: self.clone() }
    }

    /// Runs `body(tile)` once for each tile in `0..tiles`. A panic in a tile is raised again here, after every
    /// thread has left the job. Inside a tile, or while another thread runs a job, all tiles run on this thread.
    pub fn run(&self, tiles: usize, body: &(dyn Fn(usize) + Sync)) {
        let alone = tiles <= 1 || self.threads == 1 || IN_TILE.get();
        let turn = if alone {
            None
        } else {
            match self.running.try_lock() {
                Ok(turn) => Some(turn),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        };
        if turn.is_none() {
            (0..tiles).for_each(body);
            return;
        }
        // SAFETY: only the lifetime is erased; the closure outlives the job, which ends in this function.
        let body =
            unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(body) };
        let job = Job::new(self.threads, tiles, body);
        self.shared.ticket.fetch_add(1, Release);
        self.shared.job.store((&raw const job).cast_mut(), SeqCst);
        job.work(0);
        self.shared.job.store(null_mut(), SeqCst);
        // A worker counts itself in before it reads the pointer again: from zero on nobody can hold the job.
        let mut spins = 0;
        while self.shared.inside.load(SeqCst) != 0 {
            spin(&mut spins);
        }
        drop(turn);
        if let Some(panic) = job
            .panic
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
        {
            resume_unwind(panic);
        }
    }
}

/// One worker's residence: spin, work, spin. Thread 0 is the caller of [`Team::run`].
fn reside(shared: &Shared, residence: u64, thread: usize) {
    let mut emptied = 0;
    let mut spins = 0;
    while shared.residence.load(Acquire) == residence {
        let ticket = shared.ticket.load(Acquire);
        if ticket == emptied || shared.job.load(Acquire).is_null() {
            spin(&mut spins);
            continue;
        }
        spins = 0;
        shared.inside.fetch_add(1, SeqCst);
        let job = shared.job.load(SeqCst);
        if !job.is_null() {
            // SAFETY: counted in before the pointer was read, so `run` keeps the job alive until we count out.
            unsafe { &*job }.work(thread);
            emptied = ticket;
        }
        shared.inside.fetch_sub(1, SeqCst);
    }
}

fn spin(spins: &mut u32) {
    *spins += 1;
    if *spins < SPINS_BEFORE_YIELD {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Keeps a team's workers hot while it lives.
pub struct Held {
    team: Arc<Team>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.team.pool.is_some() {
            let mut holders = self
                .team
                .holders
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            *holders -= 1;
            if *holders == 0 {
                self.team.shared.residence.store(0, Release);
            }
        }
    }
}

/// A mutable slice that several tiles write at once, each its own part.
pub struct Disjoint<'a, T> {
    pointer: *mut T,
    len: usize,
    marker: PhantomData<&'a mut [T]>,
}

// SAFETY: handing out parts is `unsafe`, and whoever does so promises that they do not overlap.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub fn new(slice: &'a mut [T]) -> Disjoint<'a, T> {
        Disjoint {
            pointer: slice.as_mut_ptr(),
            len: slice.len(),
            marker: PhantomData,
        }
    }

    /// Where the slice starts. Whoever writes through it sees to it that nobody else touches the same places.
    pub fn pointer(&self) -> *mut T {
        self.pointer
    }

    /// # Safety
    /// While the returned slice lives, nothing else may touch this range. The range is checked.
    #[allow(
        clippy::mut_from_ref,
        reason = "that is the point; the caller promises disjoint ranges"
    )]
    pub unsafe fn slice(&self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range {range:?} of {}",
            self.len
        );
        // SAFETY: in bounds by the assertion; unaliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_tile_runs_once_on_any_number_of_threads() {
        for threads in [1, 2, 4, 7] {
            let team = Arc::new(Team::new(threads).unwrap());
            let held = team.hold();
            for tiles in [0, 1, 2, 3, 100, 1000] {
                let counts: Vec<AtomicUsize> = (0..tiles).map(|_| AtomicUsize::new(0)).collect();
                team.run(tiles, &|tile| {
                    counts[tile].fetch_add(1, Relaxed);
                });
                assert!(
                    counts.iter().all(|count| count.load(Relaxed) == 1),
                    "{threads} threads, {tiles} tiles"
                );
            }
            drop(held);
        }
    }

    #[test]
    fn workers_take_part_and_come_back_after_a_pause() {
        let team = Arc::new(Team::new(2).unwrap());
        for _ in 0..3 {
            let _held = team.hold();
            let caller = std::thread::current().id();
            let elsewhere = AtomicUsize::new(0);
            let start = std::time::Instant::now();
            while elsewhere.load(Relaxed) == 0 && start.elapsed().as_secs() < 10 {
                team.run(64, &|_| {
                    std::thread::sleep(std::time::Duration::from_micros(50));
                    if std::thread::current().id() != caller {
                        elsewhere.fetch_add(1, Relaxed);
                    }
                });
            }
            assert!(elsewhere.load(Relaxed) > 0);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_lives_on() {
        let team = Arc::new(Team::new(3).unwrap());
        let _held = team.hold();
        for _ in 0..50 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(100, &|tile| assert!(tile != 57, "tile {tile}"));
            }));
            let message = *result.unwrap_err().downcast::<String>().unwrap();
            assert!(message.starts_with("tile 57"));
            let done = AtomicUsize::new(0);
            team.run(10, &|_| {
                done.fetch_add(1, Relaxed);
            });
            assert_eq!(done.load(Relaxed), 10);
        }
    }

    #[test]
    fn nested_and_concurrent_jobs_finish() {
        let team = Arc::new(Team::new(2).unwrap());
        let _held = team.hold();
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        team.run(8, &|_| {
                            team.run(4, &|_| {
                                total.fetch_add(1, Relaxed);
                            })
                        });
                    }
                });
            }
        });
        assert_eq!(total.load(Relaxed), 4 * 200 * 8 * 4);
    }
}
