//! A bad day, for rehearsal: two reverse proxies on loopback between the functions and the cloud, one before MiniStack
//! and one before the engine, that let a share of the requests go wrong in the ways that requests to AWS do.
//!
//! Only the functions are turned to them (`local/ministack/disorder.py`); the command line, the CDK, steps and tests are
//! not. They let everything pass until a rate is set, so that a deployment is not disturbed:
//!
//! ```text
//! GET /_tidegate/faults                   figures, on the engine's port
//! PUT /_tidegate/faults {"rate": 0.1}     from now on
//! ```

mod control;
mod figures;
mod plan;
mod protocol;
mod proxy;

use std::sync::{Arc, Mutex, PoisonError};

pub use control::{SetRateError, set_rate};
pub(crate) use control::{router, start};
pub use plan::{Fault, Rate};

use figures::Counts;
use plan::Plan;

/// Where the proxies are, and where their chance begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxies {
    /// The port on 127.0.0.1 of the proxy before MiniStack.
    pub ministack_port: u16,
    /// The port on 127.0.0.1 of the proxy before the engine.
    pub engine_port: u16,
    /// The seed: with it, the n-th request meets the same fate in every rehearsal.
    pub seed: u64,
}

/// What both proxies share.
#[derive(Debug)]
struct Faults {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    counts: Counts,
}

impl Faults {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, state: Mutex::new(State { plan: Plan::new(seed), counts: Counts::default() }) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
