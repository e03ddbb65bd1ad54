//! An allocator that counts, thread by thread.
#![expect(
    unsafe_code,
    reason = "the trait of allocators is unsafe; this one only counts and passes on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    // A thread that is ending has no counter any more; nobody asks for its number.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on as it came; counting touches no memory of the heap (the counter is initialised at
// compile time and needs no destructor).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What this thread allocated since a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocations {
    since: u64,
}

impl Allocations {
    /// Counts from now on.
    pub(crate) fn now() -> Self {
        Self {
            since: ALLOCATIONS.get(),
        }
    }

    /// How often this thread allocated since then; counts from now on again.
    pub(crate) fn restart(&mut self) -> u64 {
        let before = std::mem::replace(&mut self.since, ALLOCATIONS.get());
        // Begun on another thread, the first count means nothing.
        self.since.saturating_sub(before)
    }
}

#[test]
fn an_allocation_of_this_thread_is_counted_and_none_of_another() {
    let (mut kept, mut count) = (Vec::<u8>::new(), Allocations::now());
    kept.reserve(100);
    assert_eq!(count.restart(), 1);
    kept.reserve(10_000);
    assert_eq!(count.restart(), 1, "growing");
    kept.clear();
    assert_eq!(count.restart(), 0);
    let other = std::thread::spawn(|| {
        let mut count = Allocations::now();
        drop(vec![0u8; 100]);
        count.restart()
    });
    let mut count = Allocations::now();
    assert_eq!((other.join().ok(), count.restart()), (Some(1), 0));
}
