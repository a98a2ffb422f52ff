//! Compares a lock with what is requested now, without network or solving.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use envlock_report::Place;
use rattler_conda_types::Subdir;

use super::{FILE_NAME, Lock, LockedPlatform};
use crate::{
    lock_inputs::{LockInputs, PlatformInputs, Priority, RequestedChannel},
    needs::{self, LockedNeeds, StaleNeed},
    spec::parse_spec,
};

/// A difference between a lock and what is requested now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The place of the request. `None` if the difference has no place in environment.yml.
    pub place: Option<Place>,
    /// The kind of difference.
    pub kind: ChangeKind,
}

/// The kind of difference between a lock and what is requested now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// The environment has another name.
    Name {
        /// The name in the lock.
        locked: String,
        /// The requested name.
        requested: String,
    },
    /// The list of channels differs.
    Channels {
        /// The channels in the lock.
        locked: String,
        /// The requested channels.
        requested: String,
    },
    /// The channel priority differs.
    Priority {
        /// The priority in the lock.
        locked: Priority,
        /// The requested priority.
        requested: Priority,
    },
    /// The time after which records are excluded differs.
    ExcludeNewer {
        /// The time in the lock.
        locked: String,
        /// The requested time.
        requested: String,
    },
    /// A platform is requested, but not locked.
    PlatformAdded {
        /// The platform.
        platform: String,
    },
    /// A platform is locked, but no longer requested.
    PlatformRemoved {
        /// The platform.
        platform: String,
    },
    /// The virtual packages of a platform differ.
    VirtualPackages {
        /// The platform.
        platform: String,
        /// The virtual packages in the lock.
        locked: String,
        /// The requested virtual packages.
        requested: String,
    },
    /// A spec is requested, but the lock has no package of its name.
    SpecAdded {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
    },
    /// A spec is requested that the locked package doesn't satisfy.
    SpecUnmet {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
        /// The locked package.
        locked: String,
    },
    /// A spec is no longer requested.
    SpecRemoved {
        /// The platform.
        platform: String,
        /// The spec.
        spec: String,
    },
    /// A line of the pip section is requested, but not locked.
    PipAdded {
        /// The platform.
        platform: String,
        /// The line.
        line: String,
    },
    /// A line of the pip section is no longer requested.
    PipRemoved {
        /// The platform.
        platform: String,
        /// The line.
        line: String,
    },
    /// The lock was made by a version that didn't resolve the pip section.
    PipUnresolved {
        /// The platform.
        platform: String,
    },
    /// The options of the pip section have another order.
    PipOrder {
        /// The platform.
        platform: String,
    },
    /// A variable of the environment differs.
    Variable {
        /// The variable's name.
        name: String,
    },
    /// A need differs.
    Need(StaleNeed),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ChangeKind::Name { locked, requested } => {
                write!(f, "the name was {locked} and is {requested}")
            }
            ChangeKind::Channels { locked, requested } => {
                write!(f, "the channels were [{locked}] and are [{requested}]")
            }
            ChangeKind::Priority { locked, requested } => {
                let (locked, requested) = (locked.as_str(), requested.as_str());
                write!(f, "the channel priority was {locked} and is {requested}")
            }
            ChangeKind::ExcludeNewer { locked, requested } => {
                write!(f, "`exclude-newer` was {locked} and is {requested}")
            }
            ChangeKind::PlatformAdded { platform } => {
                write!(f, "{platform} is requested, but not in the lock")
            }
            ChangeKind::PlatformRemoved { platform } => {
                write!(f, "{platform} is in the lock, but no longer requested")
            }
            ChangeKind::VirtualPackages { platform, locked, requested } => {
                write!(
                    f,
                    "the virtual packages of {platform} were [{locked}] and are [{requested}]"
                )
            }
            ChangeKind::SpecAdded { platform, spec } => {
                write!(f, "`{spec}` is requested, but the lock has no such package ({platform})")
            }
            ChangeKind::SpecUnmet { platform, spec, locked } => {
                write!(f, "`{spec}` is requested, but the lock has {locked} ({platform})")
            }
            ChangeKind::SpecRemoved { platform, spec } => {
                write!(f, "`{spec}` is no longer requested ({platform})")
            }
            ChangeKind::PipAdded { platform, line } => {
                write!(f, "the pip line `{line}` is requested, but not in the lock ({platform})")
            }
            ChangeKind::PipRemoved { platform, line } => {
                write!(f, "the pip line `{line}` is no longer requested ({platform})")
            }
            ChangeKind::PipUnresolved { platform } => {
                write!(f, "the lock doesn't resolve the pip section ({platform})")
            }
            ChangeKind::PipOrder { platform } => {
                write!(f, "the order of the pip section's options changed ({platform})")
            }
            ChangeKind::Variable { name } => write!(f, "the variable {name} changed"),
            ChangeKind::Need(change) => change.fmt(f),
        }
    }
}

/// Returns the differences between the lock and the inputs. Empty if the lock is up to date.
///
/// A spec is compared by what it accepts, not by its text: it is no difference if the locked
/// package satisfies it. Comments and the order of lines are no difference. A removed spec is
/// one, because its package would remain in the lock.
///
/// `needs` are the needs of the project's secrets manifest, if it has one.
pub fn changes(lock: &Lock, inputs: &LockInputs, needs: Option<&LockedNeeds>) -> Vec<Change> {
    let mut found = Vec::new();
    if lock.name != inputs.name {
        found.push(change(ChangeKind::Name {
            locked: lock.name.clone(),
            requested: inputs.name.clone(),
        }));
    }
    if listed(&lock.channels) != listed(&inputs.channels) {
        found.push(change(ChangeKind::Channels {
            locked: names(&lock.channels),
            requested: names(&inputs.channels),
        }));
    }
    if lock.priority != inputs.priority {
        let (locked, requested) = (lock.priority, inputs.priority);
        found.push(change(ChangeKind::Priority { locked, requested }));
    }
    if lock.exclude_newer != inputs.exclude_newer {
        let text = |at: Option<jiff::Timestamp>| at.map_or("none".to_owned(), |at| at.to_string());
        found.push(change(ChangeKind::ExcludeNewer {
            locked: text(lock.exclude_newer),
            requested: text(inputs.exclude_newer),
        }));
    }
    for (platform, requested) in &inputs.platforms {
        if !lock.platforms.contains_key(platform) {
            let kind = ChangeKind::PlatformAdded { platform: platform.to_string() };
            found.push(Change { place: requested.place.clone(), kind });
        }
    }
    for (platform, locked) in &lock.platforms {
        if let Some(requested) = inputs.platforms.get(platform) {
            platform_changes(*platform, locked, requested, inputs, &mut found);
        } else {
            // The list that no longer has it.
            let place = inputs.platforms.values().filter_map(|p| p.place.clone()).min();
            let kind = ChangeKind::PlatformRemoved { platform: platform.to_string() };
            found.push(Change { place, kind });
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
    requested: &PlatformInputs,
    inputs: &LockInputs,
    found: &mut Vec<Change>,
) {
    let platform = platform.to_string();
    let mut virtual_packages = requested.virtual_packages.clone();
    virtual_packages.sort();
    if virtual_packages != locked.virtual_packages {
        found.push(change(ChangeKind::VirtualPackages {
            platform: platform.clone(),
            locked: join(&locked.virtual_packages),
            requested: join(&virtual_packages),
        }));
    }
    for request in &requested.requests {
        let record = locked
            .records
            .iter()
            .find(|record| record.package_record.name.as_normalized() == request.package());
        let known = locked.specs.contains(&request.text);
        let kind = match record {
            // Also if the package is locked only as a dependency: the set of packages is the same.
            Some(record) if request.matches(record, &inputs.channels) => continue,
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
        let mut requests = requested.requests.iter();
        if !requests.any(|request| Some(request.package()) == package.as_deref()) {
            found.push(change(ChangeKind::SpecRemoved {
                platform: platform.clone(),
                spec: spec.clone(),
            }));
        }
    }
    pip_changes(platform, locked, requested, found);
}

fn pip_changes(
    platform: String,
    locked: &LockedPlatform,
    requested: &PlatformInputs,
    found: &mut Vec<Change>,
) {
    let before = found.len();
    let requested = &requested.pip.lines;
    if let Some(first) = requested.first().filter(|_| locked.wheels.is_none()) {
        let kind = ChangeKind::PipUnresolved { platform: platform.clone() };
        found.push(Change { place: Some(first.place.clone()), kind });
    }
    let known: HashSet<_> =
        locked.pip.iter().map(|line| (line.text.as_str(), line.is_constraint)).collect();
    for line in requested {
        if !known.contains(&(line.text.as_str(), line.is_constraint)) {
            let line_text = line.text.clone();
            let kind = ChangeKind::PipAdded { platform: platform.clone(), line: line_text };
            found.push(Change { place: Some(line.place.clone()), kind });
        }
    }
    let known: HashSet<_> =
        requested.iter().map(|line| (line.text.as_str(), line.is_constraint)).collect();
    for line in &locked.pip {
        if !known.contains(&(line.text.as_str(), line.is_constraint)) {
            found.push(change(ChangeKind::PipRemoved {
                platform: platform.clone(),
                line: line.text.clone(),
            }));
        }
    }
    // The order of requirements has no meaning for pip. The order of options has.
    let requested = requested.iter().filter(|line| line.is_option).map(|line| &line.text);
    let locked = locked.pip.iter().filter(|line| line.is_option()).map(|line| &line.text);
    if found.len() == before && !locked.eq(requested) {
        found.push(change(ChangeKind::PipOrder { platform }));
    }
}

/// Returns the URLs of the listed channels in order, which determine priority. Channels that
/// only a spec names are compared with that spec.
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
