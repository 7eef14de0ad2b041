//! One executor thread that runs queued work in order.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces of work that may be queued; queueing more waits. Bounds how far the queueing thread runs ahead.
const QUEUE: usize = 1024;
/// An executor without work spins this long before it sleeps: longer than the event loop needs between steps.
const SPIN: Duration = Duration::from_micros(200);

/// What work runs on; owned by the executor thread.
pub trait Context: Send + 'static {
    /// Work has arrived after a sleep.
    fn wake(&mut self);
    /// The queue has run dry and the executor goes to sleep.
    fn sleep(&mut self);
}

/// The first panic of a stream: everything queued after it is dropped, and every read reports it.
#[derive(Debug, Clone)]
pub struct Failure {
    pub op: &'static str,
    pub message: String,
}

type Work<C> = Box<dyn FnOnce(&mut C) + Send>;
type Read<C> = Box<dyn FnOnce(&mut C, Result<(), Failure>) + Send>;

enum Task<C> {
    Op { name: &'static str, work: Work<C> },
    Read(Read<C>),
}

struct Shared {
    completed: AtomicU64,
    cancelled: AtomicBool,
    failure: OnceLock<Failure>,
}

/// A FIFO of work for one executor thread. Dropping it drops the work still queued, without waiting.
pub struct Stream<C> {
    sender: SyncSender<Task<C>>,
    shared: Arc<Shared>,
    queued: u64,
}

impl<C: Context> Stream<C> {
    pub fn new(context: C) -> Result<Stream<C>, String> {
        let (sender, receiver) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            completed: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            failure: OnceLock::new(),
        });
        let executor = shared.clone();
        thread::Builder::new()
            .name("ferrograd".into())
            .spawn(move || execute(context, receiver, &executor))
            .map_err(|error| format!("cannot start the executor thread: {error}"))?;
        Ok(Stream {
            sender,
            shared,
            queued: 0,
        })
    }

    /// Queues work. It is dropped, not run, if earlier work panicked.
    pub fn queue(&mut self, name: &'static str, work: impl FnOnce(&mut C) + Send + 'static) {
        self.send(Task::Op {
            name,
            work: Box::new(work),
        });
    }

    /// Queues a read: it always runs and is told whether everything before it went well. If the stream is dropped
    /// first, so is the closure.
    pub fn read(&mut self, work: impl FnOnce(&mut C, Result<(), Failure>) + Send + 'static) {
        self.send(Task::Read(Box::new(work)));
    }

    fn send(&mut self, task: Task<C>) {
        self.queued += 1;
        // The executor leaves only after this sender is dropped, so it is there to receive.
        let _ = self.sender.send(task);
    }

    /// The number that the next work will have; numbers count from 0.
    pub fn next(&self) -> u64 {
        self.queued
    }

    /// All work with a smaller number has run.
    pub fn completed(&self) -> u64 {
        self.shared.completed.load(Acquire)
    }

    /// Returns once all work with a number below `number` has run.
    pub fn wait(&self, number: u64) {
        while self.completed() < number.min(self.queued) {
            thread::sleep(Duration::from_micros(50));
        }
    }

    pub fn failure(&self) -> Option<&Failure> {
        self.shared.failure.get()
    }
}

impl<C> Drop for Stream<C> {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Release);
    }
}

fn execute<C: Context>(mut context: C, receiver: Receiver<Task<C>>, shared: &Shared) {
    context.wake();
    while let Some(task) = next_task(&receiver, &mut context) {
        let cancelled = shared.cancelled.load(Acquire);
        let result = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Op { name, work } => {
                if cancelled || shared.failure.get().is_some() {
                    return drop(work);
                }
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&mut context))) {
                    let _ = shared.failure.set(Failure {
                        op: name,
                        message: message_of(&*panic),
                    });
                }
            }
            Task::Read(work) if cancelled => drop(work),
            Task::Read(work) => work(&mut context, shared.failure.get().cloned().map_or(Ok(()), Err)),
        }));
        if let Err(panic) = result {
            let _ = shared.failure.set(Failure {
                op: "read",
                message: message_of(&*panic),
            });
        }
        shared.completed.fetch_add(1, Release);
    }
    context.sleep();
}

/// The next task, `None` when the stream is gone.
fn next_task<C: Context>(receiver: &Receiver<Task<C>>, context: &mut C) -> Option<Task<C>> {
    match receiver.try_recv() {
        Ok(task) => return Some(task),
        Err(TryRecvError::Disconnected) => return None,
        Err(TryRecvError::Empty) => {}
    }
    let start = Instant::now();
    while start.elapsed() < SPIN {
        for _ in 0..32 {
            std::hint::spin_loop();
        }
        match receiver.try_recv() {
            Ok(task) => return Some(task),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => thread::yield_now(),
        }
    }
    context.sleep();
    let task = receiver.recv().ok();
    context.wake();
    task
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic without a message".to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[derive(Default)]
    struct Log {
        seen: Vec<u32>,
        wakes: u32,
        sleeps: u32,
    }

    impl Context for Log {
        fn wake(&mut self) {
            self.wakes += 1;
        }
        fn sleep(&mut self) {
            self.sleeps += 1;
        }
    }

    fn read<T: Send + 'static>(
        stream: &mut Stream<Log>,
        get: impl FnOnce(&mut Log, Result<(), Failure>) -> T + Send + 'static,
    ) -> T {
        let (sender, receiver) = channel();
        stream.read(move |log, result| sender.send(get(log, result)).unwrap());
        receiver.recv().unwrap()
    }

    #[test]
    fn work_runs_in_order_even_when_the_queue_is_full() {
        let mut stream = Stream::new(Log::default()).unwrap();
        for i in 0..5000 {
            stream.queue("push", move |log: &mut Log| log.seen.push(i));
        }
        assert_eq!(
            read(&mut stream, |log, _| log.seen.clone()),
            (0..5000).collect::<Vec<u32>>()
        );
        stream.wait(5001);
        assert_eq!((stream.completed(), stream.next()), (5001, 5001));
    }

    #[test]
    fn the_first_panic_stays_and_later_work_is_dropped() {
        let mut stream = Stream::new(Log::default()).unwrap();
        stream.queue("conv2d", |_| panic!("boom {}", 1));
        stream.queue("add", |_| panic!("never runs"));
        for _ in 0..2 {
            let failure = read(&mut stream, |_, result| result).unwrap_err();
            assert_eq!((failure.op, failure.message.as_str()), ("conv2d", "boom 1"));
        }
        assert_eq!(stream.failure().unwrap().op, "conv2d");
    }

    #[test]
    fn a_panicking_read_does_not_kill_the_executor() {
        let mut stream = Stream::new(Log::default()).unwrap();
        stream.read(|_, _| panic!("in a read"));
        assert_eq!(read(&mut stream, |_, result| result).unwrap_err().op, "read");
    }

    #[test]
    fn an_idle_executor_sleeps_and_wakes() {
        let mut stream = Stream::new(Log::default()).unwrap();
        for round in 1..4 {
            let (wakes, sleeps) = read(&mut stream, |log, _| (log.wakes, log.sleeps));
            assert_eq!(wakes, sleeps + 1);
            assert!(sleeps >= round - 1);
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn dropping_the_stream_drops_queued_work_at_once() {
        let (sender, receiver) = channel();
        let mut stream = Stream::new(Log::default()).unwrap();
        stream.queue("slow", |_| thread::sleep(Duration::from_millis(50)));
        for _ in 0..100 {
            let sender = sender.clone();
            stream.queue("later", move |_| sender.send(()).unwrap());
        }
        drop(stream);
        drop(sender);
        assert!(
            receiver.recv().is_err(),
            "nothing ran and every sender was dropped"
        );
    }
}
