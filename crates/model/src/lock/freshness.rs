//! What changed since a lock was made. No network and no solve.

use std::{collections::BTreeMap, fmt};

use envlock_report::Place;
use rattler_conda_types::Subdir;

use super::{FILE_NAME, Lock, LockedPlatform};
use crate::{
    lock_inputs::{LockInputs, PlatformInputs, Priority, RequestedChannel},
    needs::{self, LockedNeeds, NeedChange},
    spec::parse_spec,
};

/// Something that changed since the lock was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is platform_inputs, when it is platform_inputs anywhere.
    pub place: Option<Place>,
    /// What changed.
    pub kind: ChangeKind,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// The environment's name.
    Name {
        /// The lock's.
        locked: String,
        /// The one that is platform_inputs for.
        platform_inputs: String,
    },
    /// The listed channels.
    Channels {
        /// The lock's.
        locked: String,
        /// Those that are platform_inputs for.
        platform_inputs: String,
    },
    /// The channel priority.
    Priority {
        /// The lock's.
        locked: Priority,
        /// The one that is platform_inputs for.
        platform_inputs: Priority,
    },
    /// The age from which records are excluded.
    ExcludeNewer {
        /// The lock's.
        locked: String,
        /// The one that is platform_inputs for.
        platform_inputs: String,
    },
    /// A platform is platform_inputs for and not locked.
    PlatformAdded {
        /// The platform.
        platform: String,
    },
    /// A platform is locked and no longer platform_inputs for.
    PlatformRemoved {
        /// The platform.
        platform: String,
    },
    /// The virtual packages that a platform is assumed to have.
    VirtualPackages {
        /// The platform.
        platform: String,
        /// The lock's.
        locked: String,
        /// Those that are platform_inputs for.
        platform_inputs: String,
    },
    /// A spec is platform_inputs for, and the lock has no such package.
    SpecAdded {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
    },
    /// A spec is platform_inputs for that the locked package doesn't satisfy.
    SpecUnmet {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
        /// The locked package.
        locked: String,
    },
    /// A spec is no longer platform_inputs for.
    SpecRemoved {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
    },
    /// A line of the pip section is platform_inputs for and not locked.
    PipAdded {
        /// The platform.
        platform: String,
        /// The line.
        line: String,
    },
    /// A line of the pip section is no longer platform_inputs for.
    PipRemoved {
        /// The platform.
        platform: String,
        /// The line.
        line: String,
    },
    /// The order of the pip section's options.
    PipOrder {
        /// The platform.
        platform: String,
    },
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// A need of secrets.
    Need(NeedChange),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ChangeKind::Name { locked, platform_inputs } => {
                write!(f, "the name was {locked} and is {platform_inputs}")
            }
            ChangeKind::Channels { locked, platform_inputs } => {
                write!(f, "the channels were [{locked}] and are [{platform_inputs}]")
            }
            ChangeKind::Priority { locked, platform_inputs } => {
                write!(
                    f,
                    "the channel priority was {} and is {}",
                    locked.as_str(),
                    platform_inputs.as_str()
                )
            }
            ChangeKind::ExcludeNewer { locked, platform_inputs } => {
                write!(f, "records newer than {locked} were left out, and now {platform_inputs}")
            }
            ChangeKind::PlatformAdded { platform } => {
                write!(f, "{platform} is platform_inputs for and not locked")
            }
            ChangeKind::PlatformRemoved { platform } => {
                write!(f, "{platform} is locked and no longer platform_inputs for")
            }
            ChangeKind::VirtualPackages { platform, locked, platform_inputs } => {
                write!(
                    f,
                    "the virtual packages of {platform} were [{locked}] and are [{platform_inputs}]"
                )
            }
            ChangeKind::SpecAdded { platform, spec } => {
                write!(
                    f,
                    "`{spec}` is platform_inputs for and no package of the lock answers it ({platform})"
                )
            }
            ChangeKind::SpecUnmet { platform, spec, locked } => {
                write!(f, "`{spec}` is platform_inputs for and the lock has {locked} ({platform})")
            }
            ChangeKind::SpecRemoved { platform, spec } => {
                write!(f, "`{spec}` is no longer platform_inputs for ({platform})")
            }
            ChangeKind::PipAdded { platform, line } => {
                write!(f, "pip's `{line}` is platform_inputs for and not in the lock ({platform})")
            }
            ChangeKind::PipRemoved { platform, line } => {
                write!(f, "pip's `{line}` is no longer platform_inputs for ({platform})")
            }
            ChangeKind::PipOrder { platform } => {
                write!(f, "the order of the pip section's options changed ({platform})")
            }
            ChangeKind::Variable { name } => write!(f, "the variable {name} changed"),
            ChangeKind::Need(change) => change.fmt(f),
        }
    }
}

/// What changed since the lock was made; empty when it still answers.
///
/// A spec is compared by what it accepts, not by its words: one that the locked package
/// still satisfies is no change, nor is a comment or another order of the lines. A spec that
/// is gone is one, since its package would stay.
///
/// `needs` are the needs of the project's secrets manifest, if it has one.
pub fn changes(lock: &Lock, inputs: &LockInputs, needs: Option<&LockedNeeds>) -> Vec<Change> {
    let mut found = Vec::new();
    if lock.name != inputs.name {
        found.push(change(ChangeKind::Name {
            locked: lock.name.clone(),
            platform_inputs: inputs.name.clone(),
        }));
    }
    if listed(&lock.channels) != listed(&inputs.channels) {
        found.push(change(ChangeKind::Channels {
            locked: names(&lock.channels),
            platform_inputs: names(&inputs.channels),
        }));
    }
    if lock.priority != inputs.priority {
        let (locked, platform_inputs) = (lock.priority, inputs.priority);
        found.push(change(ChangeKind::Priority { locked, platform_inputs }));
    }
    if lock.exclude_newer != inputs.exclude_newer {
        let said = |at: Option<jiff::Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
        found.push(change(ChangeKind::ExcludeNewer {
            locked: said(lock.exclude_newer),
            platform_inputs: said(inputs.exclude_newer),
        }));
    }
    for platform in inputs.platforms.keys().filter(|p| !lock.platforms.contains_key(p)) {
        found.push(change(ChangeKind::PlatformAdded { platform: platform.to_string() }));
    }
    for (platform, locked) in &lock.platforms {
        match inputs.platforms.get(platform) {
            Some(platform_inputs) => {
                platform_changes(*platform, locked, platform_inputs, inputs, &mut found)
            }
            None => {
                found.push(change(ChangeKind::PlatformRemoved { platform: platform.to_string() }));
            }
        }
    }
    for name in differing(&lock.variables, &inputs.variables) {
        found.push(change(ChangeKind::Variable { name }));
    }
    let needs = needs::changes(lock.needs.as_ref(), needs);
    found.extend(needs.into_iter().map(|need| change(ChangeKind::Need(need))));
    found
}

fn platform_changes(
    platform: Subdir,
    locked: &LockedPlatform,
    platform_inputs: &PlatformInputs,
    inputs: &LockInputs,
    found: &mut Vec<Change>,
) {
    let platform = platform.to_string();
    let mut virtuals = platform_inputs.virtual_packages.clone();
    virtuals.sort();
    if virtuals != locked.virtual_packages {
        found.push(change(ChangeKind::VirtualPackages {
            platform: platform.clone(),
            locked: join(&locked.virtual_packages),
            platform_inputs: join(&virtuals),
        }));
    }
    for request in &platform_inputs.requests {
        let record = locked
            .records
            .iter()
            .find(|record| record.package_record.name.as_normalized() == request.package());
        let known = locked.specs.contains(&request.text);
        let kind = match record {
            Some(record) if request.accepts(record, &inputs.channels) => {
                // Locked only because another package needs it: platform_inputs for by name it would be
                // an answer all the same.
                continue;
            }
            Some(record) => ChangeKind::SpecUnmet {
                platform: platform.clone(),
                spec: request.text.clone(),
                locked: record.identifier.to_string(),
            },
            None if known => continue,
            None => {
                ChangeKind::SpecAdded { platform: platform.clone(), spec: request.text.clone() }
            }
        };
        found.push(Change { place: Some(request.place.clone()), kind });
    }
    for spec in &locked.specs {
        let package = parse_spec(spec, Place::new(FILE_NAME, 1, 1))
            .map(|request| request.package().to_owned());
        if !platform_inputs
            .requests
            .iter()
            .any(|request| Some(request.package()) == package.as_deref())
        {
            found.push(change(ChangeKind::SpecRemoved {
                platform: platform.clone(),
                spec: spec.clone(),
            }));
        }
    }
    pip_changes(platform, locked, platform_inputs, found);
}

fn pip_changes(
    platform: String,
    locked: &LockedPlatform,
    platform_inputs: &PlatformInputs,
    found: &mut Vec<Change>,
) {
    let before = found.len();
    for line in platform_inputs.pip.iter().filter(|line| !locked.pip.contains(&line.text)) {
        let kind = ChangeKind::PipAdded { platform: platform.clone(), line: line.text.clone() };
        found.push(Change { place: Some(line.place.clone()), kind });
    }
    for line in &locked.pip {
        if !platform_inputs.pip.iter().any(|platform_inputs| platform_inputs.text == *line) {
            found.push(change(ChangeKind::PipRemoved {
                platform: platform.clone(),
                line: line.clone(),
            }));
        }
    }
    // The order of requirements means nothing to pip; that of index options does.
    let options = |lines: Vec<&String>| -> Vec<String> {
        lines.into_iter().filter(|line| line.starts_with('-')).cloned().collect()
    };
    let asked_options = options(platform_inputs.pip.iter().map(|line| &line.text).collect());
    if found.len() == before && options(locked.pip.iter().collect()) != asked_options {
        found.push(change(ChangeKind::PipOrder { platform }));
    }
}

/// The channels that are listed, as what decides priority: the URLs in their order. Those
/// that only a spec names are compared with that spec.
fn listed(channels: &[RequestedChannel]) -> Vec<(&[url::Url], bool)> {
    channels
        .iter()
        .filter(|channel| !channel.only_for_specs)
        .map(|channel| (channel.urls.as_slice(), channel.multi))
        .collect()
}

fn names(channels: &[RequestedChannel]) -> String {
    let names: Vec<_> =
        channels.iter().filter(|c| !c.only_for_specs).map(|c| c.name.as_str()).collect();
    names.join(", ")
}

fn differing(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<_> =
        a.keys().chain(b.keys()).filter(|k| a.get(*k) != b.get(*k)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

fn join(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn change(kind: ChangeKind) -> Change {
    Change { place: None, kind }
}
