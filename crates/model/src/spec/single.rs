//! One requirement by itself, as a lock holds it.

use envlock_report::Place;

use super::matchspec;
use crate::question::AskedSpec;

/// Reads a requirement that stands alone at `place`; `None` when it isn't one.
pub fn parse_request(text: &str, place: Place) -> Option<AskedSpec> {
    let parts = matchspec::parse(text).ok()?;
    Some(AskedSpec {
        text: text.to_owned(),
        place,
        spec: parts.spec,
        channel: parts.channel,
        subdir: parts.subdir,
    })
}
