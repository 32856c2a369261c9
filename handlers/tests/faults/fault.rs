//! What goes wrong, where, and for how long.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::Call;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service answers with an error of its own, and has done nothing.
    FailsBefore,
    /// The service has done it, and answers with an error of its own.
    FailsAfter,
    /// The service has done it, and the connection breaks before the answer.
    BreaksAfter,
    /// Nothing is done and nothing answered.
    HangsBefore,
    /// It is done, and nothing answered.
    HangsAfter,
    /// Nothing is answered, and it is done only when everybody has moved on: a request that was stuck on its way.
    Late,
    /// The service has too much to do.
    Throttles,
    /// The function is killed before the service has done it.
    KilledBefore,
    /// The function is killed when the service has done it.
    KilledAfter,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::FailsBefore,
        Self::FailsAfter,
        Self::BreaksAfter,
        Self::HangsBefore,
        Self::HangsAfter,
        Self::Late,
        Self::Throttles,
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// Whether the service does what it is asked, sooner or later.
    pub(crate) fn has_effect(self) -> bool {
        self.acts_at_once() || self == Self::Late
    }

    /// Whether it does so before anything else happens.
    pub(crate) fn acts_at_once(self) -> bool {
        matches!(self, Self::FailsAfter | Self::BreaksAfter | Self::HangsAfter | Self::KilledAfter)
    }

    /// A function that is killed does not try again: there is no difference between an attempt and a call.
    fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}

/// For how long it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many attempts of one call, which the SDK makes up for.
    Attempts(u32),
    /// Every attempt of a call, of so many calls of the operation in a row: the invocation fails, and the next one too.
    Calls(u32),
    /// Every call of the service for ten minutes, longer than Lambda tries: the event ends as a dead letter, and is
    /// given again when the service is back.
    Outage,
}

impl Extent {
    const ALL: [Self; 5] = [Self::Attempts(1), Self::Attempts(2), Self::Calls(1), Self::Calls(2), Self::Outage];

    /// Whether there is such a thing for this fault, different from the others.
    fn fits(self, fault: Fault) -> bool {
        match self {
            Self::Attempts(times) => !fault.kills() && (fault != Fault::Late || times == 1),
            Self::Calls(times) => fault != Fault::Late || times == 1,
            Self::Outage => fault == Fault::FailsBefore,
        }
    }
}

/// All that can go wrong with a call. One that only asks has no effect that a fault could come before or after.
pub(crate) fn all(call: &Call) -> impl Iterator<Item = (Fault, Extent)> {
    let reads = call.reads();
    let faults = Fault::ALL.into_iter();
    let faults = faults.filter(move |fault| !reads || !fault.has_effect() || *fault == Fault::BreaksAfter);
    faults.flat_map(|fault| {
        let extents = Extent::ALL.into_iter().filter(move |extent| extent.fits(fault));
        extents.map(move |extent| (fault, extent))
    })
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The call, by its number in a run without faults.
    pub(crate) call: usize,
    pub(crate) fault: Fault,
    pub(crate) extent: Extent,
}

impl Plan {
    /// The function does not notice: nothing was done, and the SDK tries again by itself.
    pub(crate) fn looks_the_same(&self) -> bool {
        matches!(self.extent, Extent::Attempts(_)) && !self.fault.has_effect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} {:?} {:?}", self.call, self.fault, self.extent)
    }
}

const OUTAGE: SignedDuration = SignedDuration::from_mins(10);

/// A plan under way.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    plan: Plan,
    /// The call that the plan names, once it has come, and when it came.
    struck: Option<(Call, Timestamp)>,
    /// The calls that are hit, by the SDK's name of each.
    hit: Vec<String>,
    attempts: u32,
}

impl Progress {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { plan, struck: None, hit: Vec::new(), attempts: 0 }
    }

    /// The call that was hit first.
    pub(crate) fn struck(&self) -> Option<&Call> {
        self.struck.as_ref().map(|(call, _)| call)
    }

    /// Whether the SDK's own attempts are enough, and the function notices nothing.
    pub(crate) fn is_made_up_for(&self) -> bool {
        matches!(self.plan.extent, Extent::Attempts(_))
    }

    /// What goes wrong with this attempt of the call with this number.
    pub(crate) fn strike(&mut self, number: usize, id: &str, call: &Call, now: Timestamp) -> Option<Fault> {
        if self.struck.is_none() && number == self.plan.call {
            self.struck = Some((call.clone(), now));
        }
        let (first, since) = self.struck.as_ref()?;
        let known = self.hit.iter().any(|hit| hit == id);
        let same = call.service == first.service && call.operation == first.operation;
        let hits = match self.plan.extent {
            Extent::Attempts(most) => {
                let hits = (known || self.hit.is_empty()) && self.attempts < most;
                self.attempts += u32::from(hits);
                hits
            }
            Extent::Calls(most) => known || (same && self.hit.len() < most as usize),
            Extent::Outage => call.service == first.service && now < *since + OUTAGE,
        };
        if hits && !known {
            self.hit.push(id.to_owned());
        }
        hits.then_some(self.plan.fault)
    }
}
