//! CIDR blocks.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Serialize, Serializer};

use super::{LARGEST, SMALLEST};
use crate::error::Error;

/// A block of addresses that begins at one of its own boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    start: u32,
    prefix: u8,
}

/// Addresses of a block; `prefix` is at most 32.
pub(crate) fn size(prefix: u8) -> u64 {
    1 << (32 - u32::from(prefix.min(32)))
}

/// The smallest block that AWS allows and that holds so many addresses.
pub(crate) fn holding(addresses: u64) -> Option<u8> {
    (LARGEST..=SMALLEST).rev().find(|prefix| size(*prefix) >= addresses)
}

impl Block {
    /// # Errors
    /// Exit code 2 when no such block begins there.
    pub(crate) fn new(start: Ipv4Addr, prefix: u8) -> Result<Self, Error> {
        let number = u64::from(u32::from(start));
        let over = number % size(prefix);
        if over == 0 {
            return Ok(Self { start: start.into(), prefix });
        }
        let below = Ipv4Addr::from(u32::try_from(number - over).unwrap_or_default());
        Err(Error::usage(format!("no /{prefix} begins at `{start}`"))
            .hint(format!("the VPC needs a /{prefix}: give for example `--start {below}`")))
    }

    /// The blocks of this length in it, in order.
    pub(crate) fn parts(self, prefix: u8) -> impl Iterator<Item = Self> {
        let (step, count) = (size(prefix), size(self.prefix) / size(prefix));
        (0..count).filter_map(move |place| {
            let start = u32::try_from(u64::from(self.start) + place * step).ok()?;
            Some(Self { start, prefix })
        })
    }

    #[cfg(test)]
    pub(super) fn range(self) -> std::ops::Range<u64> {
        u64::from(self.start)..u64::from(self.start) + size(self.prefix)
    }

    #[cfg(test)]
    pub(super) fn prefix(self) -> u8 {
        self.prefix
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.start), self.prefix)
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
