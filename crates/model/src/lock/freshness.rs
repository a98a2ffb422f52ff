//! Whether a lock still answers the question, and what changed. No network and no solve.

use std::{collections::BTreeMap, fmt};

use envlock_report::Place;
use rattler_conda_types::Subdir;

use super::{FILE_NAME, Lock, LockedPlatform};
use crate::{
    question::{Asked, AskedChannel, Priority, Question},
    spec::parse_request,
};

/// Something that is asked now and that the lock doesn't answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is asked, when it is asked anywhere.
    pub place: Option<Place>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Name { locked: String, asked: String },
    Channels { locked: String, asked: String },
    Priority { locked: Priority, asked: Priority },
    ExcludeNewer { locked: String, asked: String },
    PlatformAdded { platform: String },
    PlatformRemoved { platform: String },
    VirtualPackages { platform: String, locked: String, asked: String },
    SpecAdded { platform: String, spec: String },
    SpecUnmet { platform: String, spec: String, locked: String },
    SpecRemoved { platform: String, spec: String },
    PipAdded { platform: String, line: String },
    PipRemoved { platform: String, line: String },
    PipOrder { platform: String },
    Variable { name: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Name { locked, asked } => write!(f, "the name was {locked} and is {asked}"),
            Kind::Channels { locked, asked } => {
                write!(f, "the channels were [{locked}] and are [{asked}]")
            }
            Kind::Priority { locked, asked } => {
                write!(f, "the channel priority was {} and is {}", locked.as_str(), asked.as_str())
            }
            Kind::ExcludeNewer { locked, asked } => {
                write!(f, "records newer than {locked} were left out, and now {asked}")
            }
            Kind::PlatformAdded { platform } => write!(f, "{platform} is asked for and not locked"),
            Kind::PlatformRemoved { platform } => {
                write!(f, "{platform} is locked and no longer asked for")
            }
            Kind::VirtualPackages { platform, locked, asked } => {
                write!(f, "the virtual packages of {platform} were [{locked}] and are [{asked}]")
            }
            Kind::SpecAdded { platform, spec } => {
                write!(
                    f,
                    "`{spec}` is asked for and no package of the lock answers it ({platform})"
                )
            }
            Kind::SpecUnmet { platform, spec, locked } => {
                write!(f, "`{spec}` is asked for and the lock has {locked} ({platform})")
            }
            Kind::SpecRemoved { platform, spec } => {
                write!(f, "`{spec}` is no longer asked for ({platform})")
            }
            Kind::PipAdded { platform, line } => {
                write!(f, "pip's `{line}` is asked for and not in the lock ({platform})")
            }
            Kind::PipRemoved { platform, line } => {
                write!(f, "pip's `{line}` is no longer asked for ({platform})")
            }
            Kind::PipOrder { platform } => {
                write!(f, "the order of the pip section's options changed ({platform})")
            }
            Kind::Variable { name } => write!(f, "the variable {name} changed"),
        }
    }
}

/// What changed since the lock was made; empty when it still answers.
///
/// A spec is compared by what it accepts, not by its words: one that the locked package
/// still satisfies is no change, nor is a comment or another order of the lines. A spec that
/// is gone is one, since its package would stay.
pub fn changes(lock: &Lock, question: &Question) -> Vec<Change> {
    let mut found = Vec::new();
    if lock.name != question.name {
        found.push(change(Kind::Name { locked: lock.name.clone(), asked: question.name.clone() }));
    }
    if listed(&lock.channels) != listed(&question.channels) {
        found.push(change(Kind::Channels {
            locked: names(&lock.channels),
            asked: names(&question.channels),
        }));
    }
    if lock.priority != question.priority {
        let (locked, asked) = (lock.priority, question.priority);
        found.push(change(Kind::Priority { locked, asked }));
    }
    if lock.exclude_newer != question.exclude_newer {
        let said = |at: Option<jiff::Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
        found.push(change(Kind::ExcludeNewer {
            locked: said(lock.exclude_newer),
            asked: said(question.exclude_newer),
        }));
    }
    for platform in question.platforms.keys().filter(|p| !lock.platforms.contains_key(p)) {
        found.push(change(Kind::PlatformAdded { platform: platform.to_string() }));
    }
    for (platform, locked) in &lock.platforms {
        match question.platforms.get(platform) {
            Some(asked) => of_platform(*platform, locked, asked, question, &mut found),
            None => found.push(change(Kind::PlatformRemoved { platform: platform.to_string() })),
        }
    }
    for name in differing(&lock.variables, &question.variables) {
        found.push(change(Kind::Variable { name }));
    }
    found
}

fn of_platform(
    platform: Subdir,
    locked: &LockedPlatform,
    asked: &Asked,
    question: &Question,
    found: &mut Vec<Change>,
) {
    let platform = platform.to_string();
    let mut virtuals = asked.virtual_packages.clone();
    virtuals.sort();
    if virtuals != locked.virtual_packages {
        found.push(change(Kind::VirtualPackages {
            platform: platform.clone(),
            locked: join(&locked.virtual_packages),
            asked: join(&virtuals),
        }));
    }
    for request in &asked.requests {
        let record = locked
            .records
            .iter()
            .find(|record| record.package_record.name.as_normalized() == request.package());
        let known = locked.specs.contains(&request.text);
        let kind = match record {
            Some(record) if request.accepts(record, &question.channels) => {
                // Locked only because another package needs it: asked for by name it would be
                // an answer all the same.
                continue;
            }
            Some(record) => Kind::SpecUnmet {
                platform: platform.clone(),
                spec: request.text.clone(),
                locked: record.identifier.to_string(),
            },
            None if known => continue,
            None => Kind::SpecAdded { platform: platform.clone(), spec: request.text.clone() },
        };
        found.push(Change { place: Some(request.place.clone()), kind });
    }
    for spec in &locked.specs {
        let package = parse_request(spec, Place::new(FILE_NAME, 1, 1))
            .map(|request| request.package().to_owned());
        if !asked.requests.iter().any(|request| Some(request.package()) == package.as_deref()) {
            found
                .push(change(Kind::SpecRemoved { platform: platform.clone(), spec: spec.clone() }));
        }
    }
    of_pip(platform, locked, asked, found);
}

fn of_pip(platform: String, locked: &LockedPlatform, asked: &Asked, found: &mut Vec<Change>) {
    let before = found.len();
    for line in asked.pip.iter().filter(|line| !locked.pip.contains(&line.text)) {
        let kind = Kind::PipAdded { platform: platform.clone(), line: line.text.clone() };
        found.push(Change { place: Some(line.place.clone()), kind });
    }
    for line in &locked.pip {
        if !asked.pip.iter().any(|asked| asked.text == *line) {
            found.push(change(Kind::PipRemoved { platform: platform.clone(), line: line.clone() }));
        }
    }
    // The order of requirements means nothing to pip; that of index options does.
    let options = |lines: Vec<&String>| -> Vec<String> {
        lines.into_iter().filter(|line| line.starts_with('-')).cloned().collect()
    };
    let asked_options = options(asked.pip.iter().map(|line| &line.text).collect());
    if found.len() == before && options(locked.pip.iter().collect()) != asked_options {
        found.push(change(Kind::PipOrder { platform }));
    }
}

/// The channels that are listed, as what decides priority: the URLs in their order. Those
/// that only a spec names are compared with that spec.
fn listed(channels: &[AskedChannel]) -> Vec<(&[url::Url], bool)> {
    channels
        .iter()
        .filter(|channel| !channel.only_for_specs)
        .map(|channel| (channel.urls.as_slice(), channel.multi))
        .collect()
}

fn names(channels: &[AskedChannel]) -> String {
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

fn change(kind: Kind) -> Change {
    Change { place: None, kind }
}
