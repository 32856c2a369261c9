//! Pages of profiles, spaces and apps.

use serde::Deserialize;

use super::Resource;
use crate::api::{Page, Result, page};

/// The members that these listings share.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Order {
    next_token: Option<String>,
    max_results: Option<usize>,
    sort_order: Option<String>,
    sort_by: Option<String>,
}

/// Sorts, by creation and ascending unless asked otherwise, and cuts a page. A token belongs to the listing, its filters
/// and its order.
pub(super) fn sorted<T: Resource>(listing: &str, mut items: Vec<T>, order: &Order) -> Result<Page<T>> {
    let by_change = order.sort_by.as_deref() == Some("LastModifiedTime");
    let time = |item: &T| if by_change { item.life().modified } else { item.life().created };
    items.sort_by_key(|item| (time(item), item.key()));
    if order.sort_order.as_deref() == Some("Descending") {
        items.reverse();
    }
    let listing = format!("{listing}:{by_change}:{:?}", order.sort_order);
    page(&listing, items, Resource::key, order.max_results, order.next_token.as_deref())
}
