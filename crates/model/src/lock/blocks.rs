//! The types of the top-level blocks `envlock:` and `secrets:`, as they are written.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use super::{LockedPipLine, OtherArchives};
use crate::{lock_inputs::Priority, needs::LockedNeeds};

#[derive(Serialize)]
pub(super) struct Document {
    pub(super) envlock: Envlock,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets: Option<LockedNeeds>,
}

#[derive(Serialize)]
pub(super) struct Envlock {
    pub(super) version: u64,
    pub(super) name: String,
    pub(super) requested: Requested,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<String, String>,
    #[serde(rename = "other-archives", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) other_archives: OtherArchives,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Requested {
    pub(super) channel_priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exclude_newer: Option<jiff::Timestamp>,
    pub(super) channels: Vec<Channel>,
    pub(super) platforms: BTreeMap<String, Platform>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) urls: Vec<Url>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) multi: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) only_for_specs: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Platform {
    pub(super) specs: Vec<String>,
    /// The lines as requested. `pip-resolved: false` means that they aren't resolved to packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) pip: Vec<LockedPipLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pip_resolved: Option<bool>,
}
