//! Parses the match specs that a lock records.

use envlock_report::Place;

use super::matchspec;
use crate::lock_inputs::RequestedSpec;

/// Parses one match spec of a lock. `None` if it is invalid.
pub fn parse_spec(text: &str, place: Place) -> Option<RequestedSpec> {
    let parts = matchspec::parse(text).ok()?;
    Some(RequestedSpec {
        text: text.to_owned(),
        place,
        spec: parts.spec,
        conditions: parts.conditions,
        channel: parts.channel,
        subdir: parts.subdir,
    })
}
