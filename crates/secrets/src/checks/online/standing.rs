//! How a need stands on a server: there, gone, elsewhere, or unknown.

use jiff::Timestamp;

use super::wrong_engine;
use crate::facts::{Fact, Mount, NeedFacts, Presence};
use crate::manifest::ResolvedNeed;
use envlock_model::needs::{Need, Verify};
use envlock_policy::Engine;

/// How a need stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// The manifest takes it as there: `verify: offline`.
    Taken,
    /// It is there.
    There {
        /// The fields that it hasn't.
        lacks: Vec<&'a str>,
        /// When the server takes it away.
        ends: Option<Timestamp>,
    },
    /// It isn't there.
    Gone(Gone),
    /// Something else is mounted where the manifest means it to be.
    Elsewhere(&'a Mount),
    /// Nobody can say.
    Unknown,
}

/// Why something isn't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// Nothing was ever there, as far as the server tells.
    Absent,
    /// It was deleted, and can be brought back.
    Deleted,
    /// It was destroyed.
    Destroyed,
    /// The server took it away at that time.
    Ended(Timestamp),
}

impl<'a> Standing<'a> {
    pub(super) fn of(
        resolved: &'a ResolvedNeed,
        facts: Option<&'a NeedFacts>,
        now: Timestamp,
    ) -> Self {
        let need = &resolved.need;
        if need.verify == Verify::Offline {
            return Self::Taken;
        }
        let Some(facts) = facts else { return Self::Unknown };
        if let Ok(mount) = &facts.mount
            && !wrong_engine::fits(need, mount)
        {
            return Self::Elsewhere(mount);
        }
        match &facts.presence {
            Ok(Presence::There { ends: Some(end) }) if *end <= now => Self::Gone(Gone::Ended(*end)),
            Ok(Presence::There { ends }) => Self::There { lacks: lacks(need, facts), ends: *ends },
            Ok(Presence::Absent) => Self::Gone(Gone::Absent),
            Ok(Presence::Deleted) => Self::Gone(Gone::Deleted),
            Ok(Presence::Destroyed) => Self::Gone(Gone::Destroyed),
            // Names of fields are those of something that is there.
            Err(_) if need.engine == Engine::Kv2 && facts.fields.is_ok() => {
                Self::There { lacks: lacks(need, facts), ends: None }
            }
            Err(_) => Self::Unknown,
        }
    }

    /// Whether it is there with all that the server could be asked for.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Taken => true,
            Self::There { lacks, .. } => lacks.is_empty(),
            Self::Gone(_) | Self::Elsewhere(_) | Self::Unknown => false,
        }
    }

    /// A word or two for the table; nothing where the server's word isn't asked for.
    pub(super) fn in_short(&self, names_known: bool) -> Option<String> {
        Some(match self {
            Self::Taken => return None,
            Self::There { lacks, .. } if !lacks.is_empty() => {
                format!("no field {}", lacks.join(", "))
            }
            Self::There { .. } if !names_known => "yes, fields unknown".to_owned(),
            Self::There { .. } => "yes".to_owned(),
            Self::Gone(Gone::Absent) => "no".to_owned(),
            Self::Gone(Gone::Deleted | Gone::Ended(_)) => "deleted".to_owned(),
            Self::Gone(Gone::Destroyed) => "destroyed".to_owned(),
            Self::Elsewhere(_) => "wrong engine".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        })
    }
}

/// The fields of the manifest that the server doesn't name. Only kv2 can be asked for names.
fn lacks<'a>(need: &'a Need, facts: &NeedFacts) -> Vec<&'a str> {
    let known: &Fact<_> = &facts.fields;
    let (Ok(known), Engine::Kv2) = (known, need.engine) else { return Vec::new() };
    need.fields.keys().map(String::as_str).filter(|name| !known.contains(*name)).collect()
}
