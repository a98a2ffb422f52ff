//! One requirement by itself, as a lock holds it.

use envlock_report::Place;

use super::matchspec;
use crate::lock_inputs::RequestedSpec;

/// Reads a requirement that stands alone at `place`; `None` when it isn't one.
pub fn parse_spec(text: &str, place: Place) -> Option<RequestedSpec> {
    let parts = matchspec::parse(text).ok()?;
    Some(RequestedSpec {
        text: text.to_owned(),
        place,
        spec: parts.spec,
        channel: parts.channel,
        subdir: parts.subdir,
    })
}
