//! The state of a need on a server: present, missing, on a wrong mount, or unknown.

use jiff::Timestamp;

use super::wrong_engine;
use crate::facts::{Fact, Mount, NeedFacts, Presence};
use crate::manifest::ResolvedNeed;
use envlock_model::needs::{CheckMode, Need};
use envlock_policy::Engine;

/// The state of a need on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NeedState<'a> {
    /// The manifest disables the request: `verify: offline`.
    Assumed,
    /// It exists.
    Present {
        /// The fields of the manifest that are missing.
        missing_fields: Vec<&'a str>,
        /// The time at which the server deletes it.
        deleted_at: Option<Timestamp>,
    },
    /// It doesn't exist.
    Missing(Absence),
    /// Another engine, or another mount, serves its path.
    WrongMount(&'a Mount),
    /// The server gave no answer.
    Unknown,
}

/// Why something doesn't exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// The server has no entry for it.
    Absent,
    /// It was deleted, and can be restored.
    Deleted,
    /// It was destroyed.
    Destroyed,
    /// The server deleted it at this time.
    Expired(Timestamp),
}

impl<'a> NeedState<'a> {
    pub(super) fn new(
        resolved: &'a ResolvedNeed,
        facts: Option<&'a NeedFacts>,
        now: Timestamp,
    ) -> Self {
        let need = &resolved.need;
        if need.check == CheckMode::Offline {
            return Self::Assumed;
        }
        let Some(facts) = facts else { return Self::Unknown };
        if let Ok(mount) = &facts.mount
            && !wrong_engine::fits(need, mount)
        {
            return Self::WrongMount(mount);
        }
        match &facts.presence {
            Ok(Presence::Present { deleted_at: Some(end) }) if *end <= now => {
                Self::Missing(Absence::Expired(*end))
            }
            Ok(Presence::Present { deleted_at }) => Self::Present {
                missing_fields: missing_fields(need, facts),
                deleted_at: *deleted_at,
            },
            Ok(Presence::Absent) => Self::Missing(Absence::Absent),
            Ok(Presence::Deleted) => Self::Missing(Absence::Deleted),
            Ok(Presence::Destroyed) => Self::Missing(Absence::Destroyed),
            // A secret with field names exists.
            Err(_) if need.engine == Engine::Kv2 && facts.fields.is_ok() => {
                Self::Present { missing_fields: missing_fields(need, facts), deleted_at: None }
            }
            Err(_) => Self::Unknown,
        }
    }

    /// Whether it exists with every field whose name the server can list.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Assumed => true,
            Self::Present { missing_fields, .. } => missing_fields.is_empty(),
            Self::Missing(_) | Self::WrongMount(_) | Self::Unknown => false,
        }
    }

    /// The text for the table; `None` if the server isn't queried.
    pub(super) fn table_text(&self, names_known: bool) -> Option<String> {
        Some(match self {
            Self::Assumed => return None,
            Self::Present { missing_fields, .. } if !missing_fields.is_empty() => {
                format!("no field {}", missing_fields.join(", "))
            }
            Self::Present { .. } if !names_known => "yes, fields unknown".to_owned(),
            Self::Present { .. } => "yes".to_owned(),
            Self::Missing(Absence::Absent) => "no".to_owned(),
            Self::Missing(Absence::Deleted | Absence::Expired(_)) => "deleted".to_owned(),
            Self::Missing(Absence::Destroyed) => "destroyed".to_owned(),
            Self::WrongMount(_) => "wrong engine".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        })
    }
}

/// The fields of the manifest that the secret lacks. Only kv2 lists field names.
fn missing_fields<'a>(need: &'a Need, facts: &NeedFacts) -> Vec<&'a str> {
    let known: &Fact<_> = &facts.fields;
    let (Ok(known), Engine::Kv2) = (known, need.engine) else { return Vec::new() };
    need.fields.keys().map(String::as_str).filter(|name| !known.contains(*name)).collect()
}
