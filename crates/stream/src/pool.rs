//! Memory that is used again: blocks by size class, lent in stream order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::{Block, OutOfMemory};

/// The smallest block, in bytes.
const SMALLEST: usize = 64;
/// Steps between one power of two and the next: of a small block at most an eighth is wasted, ...
const STEPS: usize = 8;
/// ... of one from this power of two on at most a thirty-second.
const LARGE: usize = 21;
const LARGE_STEPS: usize = 32;
const CLASSES: usize = usize::BITS as usize * LARGE_STEPS;
/// A request is also served by a free block of up to this many classes above its own: a quarter more.
const SLACK: usize = LARGE_STEPS / 4;
/// Free blocks that the executor may still be using are waited for, instead of taking fresh memory for the
/// queueing thread to write to, once there are this many bytes of them.
const RUN_AHEAD_BYTES: usize = 256 << 20;

/// Lends blocks to one queueing thread. See the crate's head for why a block can be lent again while earlier
/// work is still using it.
pub struct Pool {
    /// By class; in each the numbers `busy_until` never fall.
    free: Vec<VecDeque<Free>>,
    free_bytes: usize,
    total: Arc<AtomicUsize>,
    limit: usize,
}

struct Free {
    block: Arc<Block>,
    /// Work numbered below this may still use the block.
    busy_until: u64,
}

/// The class of a request and the size of its blocks: powers of two with even steps between them.
fn class_of(bytes: usize) -> Option<(usize, usize)> {
    let bytes = bytes.max(SMALLEST);
    let exponent = bytes.ilog2() as usize;
    let steps = if exponent < LARGE { STEPS } else { LARGE_STEPS };
    let step = (1usize << exponent) / steps;
    let index = (bytes - (1 << exponent)).div_ceil(step);
    let size = (1usize << exponent).checked_add(index * step)?;
    Some((exponent * LARGE_STEPS + index * (LARGE_STEPS / steps), size))
}

impl Pool {
    /// A pool whose blocks, lent and free, never exceed `limit` bytes together.
    pub fn new(limit: usize) -> Pool {
        Pool {
            free: (0..=CLASSES).map(|_| VecDeque::new()).collect(),
            free_bytes: 0,
            total: Arc::new(AtomicUsize::new(0)),
            limit,
        }
    }

    /// Bytes of free blocks.
    pub fn free_bytes(&self) -> usize {
        self.free_bytes
    }

    /// The most bytes that all blocks may have together.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of all blocks, lent and free.
    pub fn total_bytes(&self) -> usize {
        self.total.load(Relaxed)
    }

    /// Lends a block that only queued work will touch.
    pub fn take(&mut self, bytes: usize) -> Result<Arc<Block>, OutOfMemory> {
        let (class, size) = class_of(bytes).ok_or_else(|| self.refusal(bytes))?;
        for class in class..=(class + SLACK).min(CLASSES) {
            if let Some(free) = self.free[class].pop_back() {
                self.free_bytes -= free.block.capacity();
                return Ok(free.block);
            }
        }
        self.allocate(size)
    }

    /// Lends a block that the queueing thread itself may write to at once: no work numbered below `completed()`
    /// or above uses it. `wait(number)` must return once all work below `number` is complete.
    pub fn take_idle(
        &mut self,
        bytes: usize,
        completed: impl Fn() -> u64,
        wait: impl Fn(u64),
    ) -> Result<Arc<Block>, OutOfMemory> {
        let (class, size) = class_of(bytes).ok_or_else(|| self.refusal(bytes))?;
        let done = completed();
        let free = &mut self.free[class];
        let busy = free.len() * size;
        // The latest is warm in the cache, the oldest most likely to be idle.
        let found = if free.back().is_some_and(|latest| latest.busy_until <= done) {
            free.pop_back()
        } else if free.front().is_some_and(|oldest| oldest.busy_until <= done) {
            free.pop_front()
        } else if busy >= RUN_AHEAD_BYTES || (busy > 0 && self.total.load(Relaxed) + size > self.limit) {
            free.pop_front().inspect(|oldest| wait(oldest.busy_until))
        } else {
            None
        };
        match found {
            Some(free) => {
                self.free_bytes -= free.block.capacity();
                Ok(free.block)
            }
            None => self.allocate(size),
        }
    }

    /// Takes a block back. Work numbered below `busy_until` may still use it.
    pub fn give(&mut self, block: Arc<Block>, busy_until: u64) {
        let (class, _) = class_of(block.capacity()).expect("the size of a block that exists");
        self.free_bytes += block.capacity();
        self.free[class].push_back(Free { block, busy_until });
    }

    /// Returns all free blocks to the system (those still in use once their work is complete).
    pub fn trim(&mut self) {
        self.free.iter_mut().for_each(VecDeque::clear);
        self.free_bytes = 0;
    }

    fn allocate(&mut self, size: usize) -> Result<Arc<Block>, OutOfMemory> {
        if self.total_bytes().saturating_add(size) > self.limit {
            self.trim();
        }
        if self.total_bytes().saturating_add(size) > self.limit {
            return Err(self.refusal(size));
        }
        if let Some(block) = Block::allocate(size, &self.total) {
            return Ok(Arc::new(block));
        }
        self.trim();
        Block::allocate(size, &self.total)
            .map(Arc::new)
            .ok_or_else(|| self.refusal(size))
    }

    fn refusal(&self, requested: usize) -> OutOfMemory {
        OutOfMemory {
            requested,
            in_use: self.total_bytes() - self.free_bytes,
            limit: self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn classes_hold_their_requests_and_waste_little() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, (1 << 33) + 12345]) {
            let (class, size) = class_of(bytes).unwrap();
            assert!(
                size >= bytes && size <= bytes.max(SMALLEST) + bytes.max(SMALLEST) / STEPS,
                "{bytes} {size}"
            );
            assert_eq!(
                class_of(size),
                Some((class, size)),
                "a block returns to the class it came from"
            );
        }
        assert_eq!(class_of(usize::MAX), None);
    }

    #[test]
    fn blocks_are_aligned_and_used_again() {
        let mut pool = Pool::new(1 << 30);
        for bytes in [0, 1, 100, 4096, 3 << 20] {
            let block = pool.take(bytes).unwrap();
            assert!(block.capacity() >= bytes);
            assert_eq!(
                block.pointer().addr() % if bytes >= 2 << 20 { 2 << 20 } else { 64 },
                0
            );
            let address = block.pointer().addr();
            pool.give(block, 0);
            let again = pool.take(bytes).unwrap();
            assert_eq!(again.pointer().addr(), address);
        }
    }

    #[test]
    fn a_block_to_write_to_is_not_in_use() {
        let mut pool = Pool::new(1 << 20);
        let busy = pool.take(1000).unwrap();
        let address = busy.pointer().addr();
        pool.give(busy, 7);
        let other = pool
            .take_idle(1000, || 6, |_| panic!("there is memory left"))
            .unwrap();
        assert_ne!(other.pointer().addr(), address);
        let idle = pool
            .take_idle(1000, || 7, |_| panic!("nothing to wait for"))
            .unwrap();
        assert_eq!(idle.pointer().addr(), address);
    }

    #[test]
    fn at_the_limit_a_writer_waits_for_a_block() {
        let mut pool = Pool::new(1500);
        let busy = pool.take(1000).unwrap();
        let address = busy.pointer().addr();
        pool.give(busy, 7);
        let waited = Cell::new(0);
        let block = pool.take_idle(1000, || 0, |number| waited.set(number)).unwrap();
        assert_eq!((block.pointer().addr(), waited.get()), (address, 7));
    }

    #[test]
    fn the_limit_and_the_system_refuse_with_an_error() {
        let mut pool = Pool::new(10_000);
        let held = pool.take(8192).unwrap();
        let error = pool.take(4096).err().unwrap();
        assert_eq!(
            error,
            OutOfMemory {
                requested: 4096,
                in_use: 8192,
                limit: 10_000
            }
        );
        pool.give(held, 0);
        assert!(pool.take(4096).is_ok(), "free blocks make way");
        assert!(Pool::new(usize::MAX).take(1 << 60).is_err());
        assert!(Pool::new(usize::MAX).take(usize::MAX).is_err());
    }
}
