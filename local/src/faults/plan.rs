//! Which requests meet which fault.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A 500 without any effect.
    ErrorBefore,
    /// The connection ends without an answer and without any effect.
    DroppedBefore,
    /// The request is carried out, and the answer is a 500.
    ErrorAfter,
    /// The request is carried out, and the connection ends without an answer.
    DroppedAfter,
    /// The request is carried out, and the answer comes when nobody waits any more.
    Late,
    /// The service says that there are too many requests.
    Throttled,
    /// The answer comes after up to two seconds.
    Delayed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ErrorBefore,
        Self::DroppedBefore,
        Self::ErrorAfter,
        Self::DroppedAfter,
        Self::Late,
        Self::Throttled,
        Self::Delayed,
    ];

    /// Whether the request is carried out all the same.
    #[must_use]
    pub fn has_effect(self) -> bool {
        matches!(self, Self::ErrorAfter | Self::DroppedAfter | Self::Late | Self::Delayed)
    }

    /// Its name in the figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ErrorBefore => "error_before",
            Self::DroppedBefore => "dropped_before",
            Self::ErrorAfter => "error_after",
            Self::DroppedAfter => "dropped_after",
            Self::Late => "late",
            Self::Throttled => "throttled",
            Self::Delayed => "delayed",
        }
    }

    /// Of a hundred faults, how many are of this kind.
    fn weight(self) -> u64 {
        match self {
            Self::ErrorBefore => 24,
            Self::DroppedBefore => 12,
            Self::ErrorAfter => 18,
            Self::DroppedAfter => 16,
            Self::Late => 2,
            Self::Throttled => 16,
            Self::Delayed => 12,
        }
    }
}

/// The share of requests that go wrong, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// No request goes wrong.
    pub const NONE: Self = Self(0.0);

    /// # Errors
    /// It is not from 0 to 1.
    pub fn new(rate: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("`{rate}` is no rate: give a number from 0 to 1, such as 0.1 for one request in ten"))
        }
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        Self::new(rate)
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text.parse().map_err(|_| format!("`{text}` is no rate: give a number from 0 to 1, such as 0.1"))?;
        Self::new(rate)
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One call in this many that go wrong goes wrong in every attempt: an SDK's own retries would hide all the others.
const STUBBORN: u64 = 10;
/// How many stubborn calls are remembered; a call lives for seconds.
const REMEMBERED: usize = 256;

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) fault: Fault,
    /// For [`Fault::Delayed`].
    pub(super) delay: Duration,
}

/// Draws the fates, one after the other.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) rate: Rate,
    random: SplitMix,
    stubborn: BTreeMap<String, Fate>,
    order: VecDeque<String>,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        Self { rate: Rate::NONE, random: SplitMix(seed), stubborn: BTreeMap::new(), order: VecDeque::new() }
    }

    /// `call` is the same for all attempts of one call.
    pub(super) fn next(&mut self, call: Option<&str>) -> Option<Fate> {
        if self.rate == Rate::NONE {
            return None;
        }
        if let Some(fate) = call.and_then(|call| self.stubborn.get(call)) {
            return Some(*fate);
        }
        // Drawn in any case, so that each request uses up as many numbers.
        let (share, kind, stubborn, delay) =
            (self.random.share(), self.random.next(), self.random.next(), self.random.next());
        if share >= self.rate.0 {
            return None;
        }
        let fate = Fate { fault: kind_of(kind), delay: Duration::from_millis(50 + delay % 1950) };
        if let Some(call) = call
            && fate.fault != Fault::Delayed
            && stubborn.is_multiple_of(STUBBORN)
        {
            self.remember(call, fate);
        }
        Some(fate)
    }

    fn remember(&mut self, call: &str, fate: Fate) {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.stubborn.remove(&oldest);
        }
        self.order.push_back(call.to_owned());
        self.stubborn.insert(call.to_owned(), fate);
    }
}

fn kind_of(number: u64) -> Fault {
    let mut left = number % Fault::ALL.iter().map(|fault| fault.weight()).sum::<u64>();
    for fault in Fault::ALL {
        match left.checked_sub(fault.weight()) {
            Some(rest) => left = rest,
            None => return fault,
        }
    }
    Fault::Delayed
}

/// Steele, Lea and Flood's generator: good enough for chance that is to be had again, and ten lines.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below 1.
    fn share(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fates(seed: u64, rate: f64, requests: usize) -> Vec<Option<Fate>> {
        let mut plan = Plan::new(seed);
        plan.rate = Rate::new(rate).unwrap();
        (0..requests).map(|_| plan.next(None)).collect()
    }

    #[test]
    fn the_seed_decides_and_the_rate_holds() {
        let one = fates(7, 0.1, 10_000);
        assert_eq!(one, fates(7, 0.1, 10_000));
        assert_ne!(one, fates(8, 0.1, 10_000));
        let faults: Vec<Fault> = one.iter().flatten().map(|fate| fate.fault).collect();
        assert!((900..1100).contains(&faults.len()), "{}", faults.len());
        for fault in Fault::ALL {
            assert!(faults.contains(&fault), "{fault:?} never came");
        }
        assert!(fates(7, 0.0, 1000).iter().all(Option::is_none));
        assert!(fates(7, 1.0, 1000).iter().all(Option::is_some));
    }

    #[test]
    fn a_stubborn_call_fails_in_every_attempt_and_others_recover() {
        let mut plan = Plan::new(1);
        plan.rate = Rate::new(0.5).unwrap();
        let (mut stubborn, mut recovered) = (0, 0);
        for number in 0..2000 {
            let call = number.to_string();
            let Some(first) = plan.next(Some(&call)) else { continue };
            let attempts: Vec<_> = (0..6).map(|_| plan.next(Some(&call))).collect();
            if attempts.iter().all(|fate| *fate == Some(first)) { stubborn += 1 } else { recovered += 1 }
        }
        assert!((50..200).contains(&stubborn), "{stubborn} of {recovered}");
        assert!(recovered > 500);
        assert!(plan.stubborn.len() <= REMEMBERED && plan.order.len() == plan.stubborn.len());
    }

    #[test]
    fn a_rate_is_from_0_to_1() {
        assert_eq!("0.1".parse::<Rate>(), Rate::new(0.1));
        for wrong in ["10", "-0.1", "NaN", "ten percent", "inf"] {
            assert!(wrong.parse::<Rate>().unwrap_err().contains("from 0 to 1"), "{wrong}");
        }
        assert!(serde_json::from_str::<Rate>("2").is_err());
    }
}
