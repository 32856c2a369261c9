//! List prices, from a dated file.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// Money, exact to a millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(u64);

const MILLION: u64 = 1_000_000;

impl Amount {
    pub(crate) fn times(self, number: u64) -> Self {
        Self(self.0.saturating_mul(number))
    }

    /// `0.011`: up to six decimals.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if part.len() > 6 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part: u64 = format!("{part:0<6}").parse().ok()?;
        Some(Self(whole.parse::<u64>().ok()?.checked_mul(MILLION)?.checked_add(part)?))
    }

    /// With as many decimals as it has, for a price.
    pub(crate) fn exact(self) -> String {
        let text = format!("{}.{:06}", self.0 / MILLION, self.0 % MILLION);
        let short = text.trim_end_matches('0');
        let decimals = short.split_once('.').map_or(0, |(_, part)| part.len());
        format!("{short}{}", "0".repeat(2_usize.saturating_sub(decimals)))
    }
}

/// With two decimals.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.saturating_add(5_000) / 10_000;
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0, |sum, amount| sum.saturating_add(amount.0)))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "millionths of a dollar fit a double up to nine thousand million"
        )]
        serializer.serialize_f64(self.0 as f64 / MILLION as f64)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no price")))
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    /// When they were looked up.
    pub(crate) date: String,
    pub(crate) currency: String,
    #[serde(rename = "about")]
    _about: String,
    prices: BTreeMap<String, Price>,
}

/// What something costs, and where that is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    pub(crate) what: String,
    pub(crate) unit: String,
    /// `hour` or `month`.
    pub(crate) per: String,
    pub(crate) source: String,
    pub(crate) note: String,
    #[serde(default)]
    regions: BTreeMap<String, Figure>,
    everywhere: Option<Figure>,
}

/// A figure, and what it was compared with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    pub(crate) price: Amount,
    pub(crate) checked: String,
}

impl Prices {
    /// Those that this program was built with.
    pub(crate) fn built_in() -> Result<Self, Error> {
        serde_json::from_str(include_str!("../../data/prices.json"))
            .map_err(|error| Error::failed(format!("the prices of this program cannot be read: {error}")))
    }

    /// The Regions with prices of their own.
    pub(crate) fn regions(&self) -> Vec<&str> {
        let mut regions: Vec<&str> =
            self.prices.values().flat_map(|price| price.regions.keys()).map(String::as_str).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }

    /// A price in a Region.
    pub(crate) fn of(&self, name: &str, region: &str) -> Option<(&Price, &Figure)> {
        let price = self.prices.get(name)?;
        Some((price, price.regions.get(region).or(price.everywhere.as_ref())?))
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = (&String, &Price)> {
        self.prices.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let amount = |text| Amount::parse(text).unwrap();
        assert_eq!(amount("0.011").times(730).to_string(), "8.03");
        assert_eq!(amount("0.1").times(3).to_string(), "0.30");
        assert_eq!(amount("0.011").exact(), "0.011");
        assert_eq!(amount("3").exact(), "3.00");
        assert_eq!([amount("0.1"), amount("0.2")].into_iter().sum::<Amount>(), amount("0.3"));
        assert_eq!(serde_json::to_string(&amount("0.1").times(3)).unwrap(), "0.3");
        for wrong in ["", ".", "1.2345678", "-1", "1e3", "a"] {
            assert_eq!(Amount::parse(wrong), None, "{wrong}");
        }
    }
}
