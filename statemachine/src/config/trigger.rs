//! Reading `trigger`.

use super::Arrival;
use super::arrival::{Batch, Grouping, SizeBounds};
use super::expected::{ClockTime, Days, Expected};
use super::reader::{Field, Reader, Section};
use super::schedule::TimeZone;
use super::values::Duration;

const ARRIVAL_KEYS: [&str; 7] = ["prefix", "suffix", "min_size", "max_size", "batch", "complete", "expected"];

pub(super) fn arrival(reader: &mut Reader<'_>, trigger: &Field<'_>) -> Option<Arrival> {
    let section = trigger.section(reader, &["arrival"])?;
    let arrival = section.required(reader, "arrival", "arrival: {prefix: raw/my-data/}")?;
    let section = arrival.section(reader, &ARRIVAL_KEYS)?;
    let suffix = section.optional(reader, "suffix").and_then(|field| field.parse(reader));
    let prefix = section.required(reader, "prefix", "prefix: raw/my-data/").and_then(|field| field.parse(reader));
    let size = size(reader, &section);
    let grouping = grouping(reader, &section);
    let expected = section.optional(reader, "expected").and_then(|field| expected(reader, &field));
    Some(Arrival { prefix: prefix?, suffix, size: size?, grouping: grouping?, expected })
}

fn size(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<SizeBounds> {
    let min = section.optional(reader, "min_size").and_then(|field| field.parse(reader));
    let field = section.optional(reader, "max_size");
    let max = field.as_ref().and_then(|field| field.parse(reader));
    match (SizeBounds::new(min, max), field) {
        (Ok(size), _) => Some(size),
        (Err(error), field) => {
            if let Some(field) = field {
                field.problem(reader, error);
            }
            None
        }
    }
}

fn grouping(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Grouping> {
    match (section.optional(reader, "batch"), section.optional(reader, "complete")) {
        (None, None) => Some(Grouping::Each),
        (Some(_), Some(_)) => {
            let message = format!(
                "{} has `batch` and `complete`: either a quiet period or a file tells that all is there, remove one",
                section.path.quoted()
            );
            reader.problem(section.place, &section.path, message);
            None
        }
        (Some(field), None) => batch(reader, &field).map(Grouping::Batch),
        (None, Some(field)) => complete(reader, &field),
    }
}

fn batch(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Batch> {
    let section = field.section(reader, &["quiet", "longest"])?;
    let quiet_field = section.required(reader, "quiet", "quiet: 2m");
    let quiet: Option<Duration> = quiet_field.as_ref().and_then(|field| field.parse(reader));
    let longest_field = section.optional(reader, "longest");
    let longest = match &longest_field {
        Some(field) => field.parse(reader),
        None => Duration::from_seconds(Batch::DEFAULT_LONGEST),
    };
    let (quiet, longest) = (quiet?, longest?);
    // A wrong quiet period is wrong whatever the longest wait is.
    let quiet_field = quiet_field?;
    if let Err(error) = Batch::new(quiet, Duration::from_seconds(Batch::LONGEST)?) {
        quiet_field.problem(reader, error);
        return None;
    }
    match (Batch::new(quiet, longest), longest_field) {
        (Ok(batch), _) => Some(batch),
        (Err(error), Some(field)) => {
            field.problem(reader, error);
            None
        }
        (Err(_), None) => {
            let message = format!("`{quiet}` is more than `longest`, which is `{longest}` unless it is given: add it");
            quiet_field.problem(reader, message);
            None
        }
    }
}

fn complete(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Grouping> {
    let section = field.section(reader, &["marker", "manifest"])?;
    match (section.optional(reader, "marker"), section.optional(reader, "manifest")) {
        (Some(field), None) => field.parse(reader).map(Grouping::Marker),
        (None, Some(field)) => field.parse(reader).map(Grouping::Manifest),
        (None, None) if section.has("marker") || section.has("manifest") => None,
        (found, _) => {
            let found = if found.is_some() { "both" } else { "none" };
            let message = format!(
                "{} has {found} of `marker` and `manifest`: give exactly one, such as `marker: _SUCCESS`",
                section.path.quoted()
            );
            reader.problem(section.place, &section.path, message);
            None
        }
    }
}

fn expected(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Expected> {
    let section = field.section(reader, &["by", "timezone", "days", "within"])?;
    let by: Option<ClockTime> = section.required(reader, "by", "by: \"06:00\"").and_then(|field| field.parse(reader));
    let time_zone = match section.optional(reader, "timezone") {
        Some(field) => field.parse(reader),
        None => Some(TimeZone::utc()),
    };
    let days = match section.optional(reader, "days") {
        Some(field) => field.parse(reader),
        None => Some(Days::ALL),
    };
    let within_field = section.optional(reader, "within");
    let within = match &within_field {
        Some(field) => field.parse(reader),
        None => Duration::from_seconds(Expected::DEFAULT_WITHIN),
    };
    let expected = Expected::new(by?, days?, time_zone?, within?);
    expected.map_err(|error| within_field.as_ref().unwrap_or(field).problem(reader, error)).ok()
}
