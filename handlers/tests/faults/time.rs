//! A clock of the test's own, one for each thread: a day passes in no time, and a hung call costs none.
//!
//! The SDK's timeouts and pauses run on it too, with the values that production has. A pause ends at once and takes the
//! clock along; a timeout ends when the clock gets there, and a call that is never answered moves the clock to the first
//! timeout that is due.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use jiff::Timestamp;

/// The SDK's housekeeping, such as its look at a body's throughput each half second, is no reason for time to pass.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(6);

#[derive(Default)]
struct Clock {
    now: Timestamp,
    timers: BTreeMap<u64, (Timestamp, Option<Waker>)>,
    next: u64,
}

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::new(Clock::default());
}

/// The time.
pub(crate) fn now() -> Timestamp {
    CLOCK.with_borrow(|clock| clock.now)
}

/// Sets the clock, forwards or backwards, and forgets every timer.
pub(crate) fn start_at(now: Timestamp) {
    CLOCK.set(Clock { now, ..Clock::default() });
}

/// Moves the clock forwards; a time that is past changes nothing.
pub(crate) fn pass_to(time: Timestamp) {
    let due: Vec<Waker> = CLOCK.with_borrow_mut(|clock| {
        clock.now = clock.now.max(time);
        let now = clock.now;
        let due = clock.timers.values_mut().filter(|(deadline, _)| *deadline <= now);
        due.filter_map(|(_, waker)| waker.take()).collect()
    });
    due.into_iter().for_each(Waker::wake);
}

/// Nothing will happen until a timeout does: moves the clock to the first.
pub(crate) fn pass_to_first_timeout() {
    let first = CLOCK.with_borrow(|clock| clock.timers.values().map(|(deadline, _)| *deadline).min());
    pass_to(first.expect("a call hangs, and nothing limits how long"));
}

/// Ends when the clock gets there.
pub(crate) fn at(deadline: Timestamp) -> Timer {
    let id = CLOCK.with_borrow_mut(|clock| {
        clock.next += 1;
        clock.timers.insert(clock.next, (deadline, None));
        clock.next
    });
    Timer { id, deadline }
}

/// See [`at`].
pub(crate) struct Timer {
    id: u64,
    deadline: Timestamp,
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        CLOCK.with_borrow_mut(|clock| {
            if clock.now >= self.deadline {
                return Poll::Ready(());
            }
            clock.timers.insert(self.id, (self.deadline, Some(context.waker().clone())));
            Poll::Pending
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // At the end of a thread the clock may be gone before its timers.
        let _ = CLOCK.try_with(|clock| clock.borrow_mut().timers.remove(&self.id));
    }
}

/// The SDK's timeouts and pauses.
#[derive(Debug)]
pub(crate) struct VirtualSleep;

impl AsyncSleep for VirtualSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        let deadline = now() + duration;
        // What someone configured is round; a pause before a retry has a random part.
        let is_round = duration.subsec_nanos() % 100_000_000 == 0;
        match (is_round, duration >= SHORTEST_TIMEOUT) {
            (true, true) => Sleep::new(at(deadline)),
            (true, false) => Sleep::new(std::future::pending()),
            (false, _) => Sleep::new(async move { pass_to(deadline) }),
        }
    }
}
