//! Texts that several checks share.

use envlock_report::one_line;
use jiff::SignedDuration;

use crate::need_request::NeedRequest;
use envlock_model::needs::{Locator, Need};

/// Describes a need on the server: a path, or the role or key of a mount.
pub(super) fn describe_need(need: &Need) -> String {
    let mount = &need.mount;
    match &need.locator {
        Locator::Path(path) => format!("{mount}/{path}"),
        Locator::Role(role) => format!("the role {role} of {mount}"),
        Locator::Key { name, .. } => format!("the key {name} of {mount}"),
    }
}

/// Describes a request: `read secret/data/x`.
pub(super) fn describe_request(need_request: &NeedRequest) -> String {
    format!("{} {}", need_request.request.operation.name(), need_request.request.path)
}

/// Joins names that a server reported, on one line.
pub(super) fn join_names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| one_line(name)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Formats seconds as `1h 30m`.
pub(super) fn format_duration(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_secs(seconds))
}
