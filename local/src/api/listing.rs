//! What the listings have in common: filters by name and time, order, pages.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Error, Page, Result, page};

/// The members that listings share; each listing's shape has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListRequest {
    pub(crate) name_contains: Option<String>,
    #[serde(alias = "PipelineNamePrefix")]
    pub(crate) name_prefix: Option<String>,
    #[serde(alias = "CreatedAfter")]
    pub(crate) creation_time_after: Option<Value>,
    #[serde(alias = "CreatedBefore")]
    pub(crate) creation_time_before: Option<Value>,
    pub(crate) last_modified_time_after: Option<Value>,
    pub(crate) last_modified_time_before: Option<Value>,
    pub(crate) status_equals: Option<String>,
    pub(crate) sort_by: Option<String>,
    pub(crate) sort_order: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) max_results: Option<usize>,
}

/// A resource as a listing sees it.
pub(crate) trait Listed {
    fn name(&self) -> &str;
    fn created(&self) -> Timestamp;
    fn modified(&self) -> Timestamp {
        self.created()
    }
    fn status(&self) -> &str {
        ""
    }
}

/// The order when the request has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usually {
    Ascending,
    Descending,
}

/// One page of the resources that the request asks for. `SortBy` is `Name`, `Status`, or a time, which is the default.
pub(crate) fn list<T: Listed>(
    listing: &str,
    items: Vec<T>,
    request: &ListRequest,
    usually: Usually,
) -> Result<Page<T>> {
    let (after, before) = (time(&request.creation_time_after)?, time(&request.creation_time_before)?);
    let (changed_after, changed_before) =
        (time(&request.last_modified_time_after)?, time(&request.last_modified_time_before)?);
    let wanted = |item: &T| {
        request.name_contains.as_deref().is_none_or(|part| item.name().contains(part))
            && request.name_prefix.as_deref().is_none_or(|prefix| item.name().starts_with(prefix))
            && request.status_equals.as_deref().is_none_or(|status| item.status() == status)
            && after.is_none_or(|time| item.created() > time)
            && before.is_none_or(|time| item.created() < time)
            && changed_after.is_none_or(|time| item.modified() > time)
            && changed_before.is_none_or(|time| item.modified() < time)
    };
    let mut items: Vec<T> = items.into_iter().filter(wanted).collect();
    match request.sort_by.as_deref() {
        Some("Name") => items.sort_by(|a, b| a.name().cmp(b.name())),
        Some("Status") => items.sort_by(|a, b| (a.status(), a.name()).cmp(&(b.status(), b.name()))),
        Some("LastModifiedTime") => items.sort_by(|a, b| (a.modified(), a.name()).cmp(&(b.modified(), b.name()))),
        _ => items.sort_by(|a, b| (a.created(), a.name()).cmp(&(b.created(), b.name()))),
    }
    let descending = match request.sort_order.as_deref() {
        Some(order) => order == "Descending",
        None => usually == Usually::Descending,
    };
    if descending {
        items.reverse();
    }
    let listing = fingerprint(listing, request);
    page(&listing, items, |item| item.name().to_owned(), request.max_results, request.next_token.as_deref())
}

/// A token belongs to the listing with its filters and order, not to its page size.
fn fingerprint(listing: &str, request: &ListRequest) -> String {
    let filters = format!(
        "{:?}",
        (
            (&request.name_contains, &request.name_prefix, &request.status_equals),
            (&request.creation_time_after, &request.creation_time_before),
            (&request.last_modified_time_after, &request.last_modified_time_before),
            (&request.sort_by, &request.sort_order),
        )
    );
    let hash = Sha256::digest(filters.as_bytes());
    let short: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{listing}:{short}")
}

/// A time of a request: seconds since 1970, or ISO 8601.
pub(crate) fn time(value: &Option<Value>) -> Result<Option<Timestamp>> {
    let time = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64().and_then(|seconds| {
            #[expect(clippy::cast_possible_truncation, reason = "a number beyond the range saturates and is refused")]
            let milliseconds = (seconds * 1000.0) as i64;
            Timestamp::from_millisecond(milliseconds).ok()
        }),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let shown = value.as_ref().map(ToString::to_string).unwrap_or_default();
    time.map(Some).ok_or_else(|| Error::validation(format!("{shown} is not a timestamp")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Thing(&'static str, i64);

    impl Listed for Thing {
        fn name(&self) -> &str {
            self.0
        }
        fn created(&self) -> Timestamp {
            Timestamp::from_second(self.1).unwrap()
        }
    }

    fn names(request: Value) -> Vec<&'static str> {
        let request: ListRequest = serde_json::from_value(request).unwrap();
        let things = vec![Thing("a", 30), Thing("ab", 10), Thing("b", 20)];
        list("L", things, &request, Usually::Descending).unwrap().items.into_iter().map(|thing| thing.0).collect()
    }

    #[test]
    fn listings_filter_and_sort() {
        assert_eq!(names(json!({})), ["a", "b", "ab"]);
        assert_eq!(names(json!({"SortOrder": "Ascending"})), ["ab", "b", "a"]);
        assert_eq!(names(json!({"SortBy": "Name", "SortOrder": "Ascending"})), ["a", "ab", "b"]);
        assert_eq!(names(json!({"NameContains": "b"})), ["b", "ab"]);
        assert_eq!(names(json!({"PipelineNamePrefix": "b"})), ["b"]);
        assert_eq!(names(json!({"CreationTimeAfter": 10.5, "CreatedBefore": "1970-01-01T00:00:25Z"})), ["b"]);
    }

    #[test]
    fn a_token_is_good_for_its_filters_only() {
        let first: ListRequest = serde_json::from_value(json!({"MaxResults": 1})).unwrap();
        let things = || vec![Thing("a", 1), Thing("b", 2)];
        let token = list("L", things(), &first, Usually::Ascending).unwrap().next_token.unwrap();
        let next = |request: Value| {
            let mut request: ListRequest = serde_json::from_value(request).unwrap();
            request.next_token = Some(token.clone());
            list("L", things(), &request, Usually::Ascending)
        };
        assert_eq!(next(json!({"MaxResults": 5})).unwrap().items, [Thing("b", 2)]);
        assert!(next(json!({"NameContains": "b"})).is_err());
    }
}
