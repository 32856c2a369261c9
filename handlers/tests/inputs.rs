//! Whatever is handed to a function is read or refused: no panic, no work without bound, no answer without bound. The
//! targets are those that `make fuzz` runs for as long as one likes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(unreachable_pub)]

#[path = "../../fuzz/src/bounded.rs"]
mod bounded;
#[path = "../../fuzz/src/events.rs"]
mod events;

const CASES: u32 = 256;

#[test]
fn any_arrival_is_read_or_refused() {
    bounded::run("arrival", events::arrival, CASES);
}

#[test]
fn any_pipeline_status_is_read_or_refused() {
    bounded::run("pipeline_status", events::pipeline_status, CASES);
}

#[test]
fn any_endpoint_status_is_read_or_refused() {
    bounded::run("endpoint_status", events::endpoint_status, CASES);
}

#[test]
fn any_model_package_is_read_or_refused() {
    bounded::run("model_package", events::model_package, CASES);
}

#[test]
fn any_errand_is_read_or_refused() {
    bounded::run("schedule", events::schedule, CASES);
}

#[test]
fn any_request_of_cloudformation_is_read_or_refused() {
    bounded::run("resource_request", events::resource_request, CASES);
}

#[test]
fn any_manifest_is_read_or_refused() {
    bounded::run("manifest", events::manifest, CASES);
}

#[test]
fn an_event_of_nonsense_is_told_in_one_short_line() {
    let nonsense = "\u{1b}[31mx\n".repeat(20_000);
    for member in ["time", "source", "detail-type", "account", "region", "resources", "detail"] {
        let mut event: serde_json::Value =
            serde_json::from_slice(&bounded::seeds("arrival").first().unwrap().1).unwrap();
        event[member] = nonsense.clone().into();
        let event = event.to_string();
        assert!(event.len() < 256 * 1024, "{}", event.len());
        events::arrival(event.as_bytes());
    }
    for request in ["RequestType", "ResourceType", "StackId", "ResourceProperties"] {
        let mut event: serde_json::Value =
            serde_json::from_slice(&bounded::seeds("resource_request").first().unwrap().1).unwrap();
        event[request] = nonsense.clone().into();
        events::resource_request(event.to_string().as_bytes());
    }
}
