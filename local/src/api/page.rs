use std::fmt::Write as _;

use super::{Error, Result};

/// One page of a listing.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The token that the next page is asked with; `None` on the last page.
    pub next_token: Option<String>,
}

/// Cuts the page that `token` asks for out of `items`, which are filtered and in order. `listing` names the listing and
/// its filters: a token is good for the listing that gave it only. `key` tells items apart. When the item that the last
/// page ended with is gone, its place in the list is used.
///
/// # Errors
/// `ValidationException` for a token that this listing did not give.
pub fn page<T>(
    listing: &str,
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    max: Option<usize>,
    token: Option<&str>,
) -> Result<Page<T>> {
    /// What SageMaker's listings give when `MaxResults` is not set.
    const USUAL: usize = 10;
    let start = match token {
        None => 0,
        Some(token) => {
            let (place, last) = decode(listing, token).ok_or_else(|| Error::validation("Invalid NextToken."))?;
            items.iter().position(|item| key(item) == last).map_or(place, |at| at + 1)
        }
    };
    let max = max.unwrap_or(USUAL).max(1);
    let more = items.len() > start.saturating_add(max);
    let items: Vec<T> = items.into_iter().skip(start).take(max).collect();
    let next_token = match items.last() {
        Some(last) if more => Some(encode(listing, start + max, &key(last))),
        _ => None,
    };
    Ok(Page { items, next_token })
}

fn encode(listing: &str, place: usize, last: &str) -> String {
    let mut token = String::new();
    for byte in format!("{listing}\n{place}\n{last}").bytes() {
        let _ = write!(token, "{byte:02x}");
    }
    token
}

fn decode(listing: &str, token: &str) -> Option<(usize, String)> {
    if !token.is_ascii() || !token.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        (0..token.len()).step_by(2).map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let rest = text.strip_prefix(listing)?.strip_prefix('\n')?;
    let (place, last) = rest.split_once('\n')?;
    Some((place.parse().ok()?, last.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(items: &[&str], max: usize) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            let found = page("ListThings", items, String::clone, Some(max), token.as_deref()).unwrap();
            all.push(found.items);
            token = found.next_token;
            if token.is_none() {
                return all;
            }
        }
    }

    #[test]
    fn pages_hold_every_item_once() {
        assert_eq!(pages(&["a", "b", "c", "d", "e"], 2), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert_eq!(pages(&["a", "b"], 2), [vec!["a", "b"]]);
        assert_eq!(pages(&[], 2), [Vec::<String>::new()]);
    }

    #[test]
    fn an_item_that_goes_or_comes_between_pages_moves_nothing() {
        let first = page("L", vec!["a", "b", "c", "d"], ToString::to_string, Some(2), None).unwrap();
        let token = first.next_token.unwrap();
        let after =
            |items: Vec<&'static str>| page("L", items, ToString::to_string, Some(9), Some(&token)).unwrap().items;
        assert_eq!(after(vec!["0", "a", "b", "c", "d"]), ["c", "d"]);
        assert_eq!(after(vec!["b", "c", "d"]), ["c", "d"]);
    }

    #[test]
    fn a_token_of_another_listing_or_of_nobody_is_refused() {
        let token = page("L", vec!["a", "b"], ToString::to_string, Some(1), None).unwrap().next_token.unwrap();
        for (listing, token) in [("M", token.as_str()), ("L", "zz"), ("L", "é"), ("L", "00"), ("L", "")] {
            let refused = page("L2", vec!["a"], ToString::to_string, None, Some(token)).unwrap_err();
            assert_eq!(refused.code, super::super::Code::Validation, "{listing} {token}");
        }
    }
}
