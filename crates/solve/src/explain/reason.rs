//! Why there is no solution, as data. The words are made in `finding.rs`.

use std::{collections::BTreeSet, fmt};

use envlock_model::question::{AskedSpec, Priority};
use envlock_report::Place;
use rattler_conda_types::{RepoDataRecord, Subdir, Version};

/// A reason for which a problem has no solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsolvableReason {
    /// The platforms on which it holds.
    pub platforms: BTreeSet<Subdir>,
    /// The requests that take part, at least one.
    pub requests: Vec<RequestLine>,
    /// What is wrong with them.
    pub kind: ReasonKind,
}

/// A request, as it is written in environment.yml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The spec.
    pub text: String,
    /// Its place.
    pub place: Place,
}

/// What is wrong with requests that can't be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReasonKind {
    /// The virtual package isn't assumed, or not in this version.
    UnmetVirtualPackage {
        /// Its name.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The one that is assumed instead.
        assumed: Option<String>,
    },
    /// No channel has a package of this name.
    UnknownPackage {
        /// The name.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The channels that were searched.
        searched: Vec<String>,
        /// The nearest name that there is, with its channels.
        nearest: Option<(String, Vec<String>)>,
    },
    /// Every record that fits is newer than allowed.
    TooNew {
        /// The versions that are old enough.
        usable: Versions,
    },
    /// Every record that fits lacks a sha256.
    NoSha256 {
        /// The versions that have one.
        usable: Versions,
    },
    /// The channel that is asked, or every listed channel, lacks the package.
    NotInChannel {
        /// The package.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The channel that is asked by name.
        asked: Option<String>,
        /// A channel that has it.
        other: Option<String>,
    },
    /// No record of the subdir that is asked for can be used.
    NotInSubdir {
        /// The package.
        package: String,
        /// The subdir.
        subdir: Subdir,
        /// The platform.
        platform: Subdir,
        /// The subdirs that have it.
        found_in: Vec<String>,
        /// A line to write instead.
        line: String,
    },
    /// The channel that is asked by name has other versions only, and another channel fits.
    OtherChannel {
        /// The package.
        package: String,
        /// The request without its channel.
        spec: String,
        /// The channel that is asked.
        asked: String,
        /// Its versions.
        usable: Versions,
        /// The channel that fits.
        other: String,
    },
    /// Strict channel priority hides the channel that fits.
    HiddenChannel {
        /// The package.
        package: String,
        /// The request.
        spec: String,
        /// The channel that is used.
        used: String,
        /// Its versions.
        usable: Versions,
        /// The channel that fits.
        other: String,
    },
    /// The version exists, but no build of it fits.
    NoSuchBuild {
        /// A line that asks for any build.
        line: String,
        /// What the builds have for each key that is asked for.
        differing: Vec<KeyValues>,
    },
    /// No record has the version.
    NoSuchVersion {
        /// The package.
        package: String,
        /// The version that is asked for.
        asked: String,
        /// The versions that there are, the nearest first.
        versions: Versions,
        /// What excludes the nearest one.
        blocked: Option<ExcludedRequirement>,
        /// What to write instead.
        advice: Option<Suggestion>,
    },
    /// The requests can't hold at once; a single one can't be met at all.
    Conflict {
        /// The solver's solver_message, shortened.
        solver_message: Option<String>,
        /// The virtual package with which they would hold.
        missing_virtual_package: Option<String>,
    },
    /// The requests can't hold at once because of strict channel priority.
    HiddenByPriority {
        /// The needs that only a hidden record meets, the nearest to the requests first.
        needs: Vec<HiddenNeed>,
        /// Lines that ask the hidden channel for each package, where that is enough.
        lines: Vec<String>,
    },
}

/// The first of a list of versions, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The first ones.
    pub listed: Vec<String>,
    /// How many there are in all.
    pub total: usize,
}

/// The values of one key of some records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValues {
    /// The key.
    pub key: &'static str,
    /// The first values.
    pub listed: Vec<String>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// A requirement of a version that another request excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedRequirement {
    /// The package that is required.
    pub dependency: String,
    /// The version that is required, as people write it.
    pub version: String,
    /// The requirement as the record has it.
    pub needs: String,
    /// The request that excludes it.
    pub by: RequestLine,
    /// The version that this request asks for.
    pub by_version: String,
}

/// What to write in place of a version that doesn't exist. It was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The nearest version that fits.
    Nearest {
        /// The version.
        version: String,
        /// The line to write.
        line: String,
        /// Whether no version is nearer.
        is_first: bool,
        /// The virtual package that a machine must have for it.
        machine: Option<String>,
        /// The channel priority that it takes.
        priority: Option<Priority>,
        /// The lines it was tried with.
        tried_with: TriedWith,
    },
    /// Some version that fits.
    Any {
        /// The version.
        version: String,
        /// The line to write.
        line: String,
        /// The channel priority that it takes.
        priority: Option<Priority>,
        /// The lines it was tried with.
        tried_with: TriedWith,
    },
    /// No version fits.
    NoneFits {
        /// The lines that were tried; none where the package fails by itself.
        tried_with: Option<TriedWith>,
    },
}

/// The lines that advice was tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriedWith {
    /// All other lines.
    OtherLines,
    /// The other lines that can hold at once.
    SatisfiableLines,
}

/// A need that only a record meets that channel priority hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenNeed {
    /// The packages from a request to the one that has the need, as `name version`.
    pub path: Vec<String>,
    /// The package that is needed.
    pub package: String,
    /// The requirement.
    pub spec: String,
    /// The channel that is used for the package.
    pub used: String,
    /// The first versions that it has.
    pub usable: Versions,
    /// The hidden channel.
    pub channel: String,
    /// The newest version there that meets the need.
    pub version: String,
}

impl UnsolvableReason {
    pub(super) fn new(platform: Subdir, requests: &[&AskedSpec], kind: ReasonKind) -> Self {
        let requests = requests.iter().map(|request| RequestLine::new(request)).collect();
        Self { platforms: [platform].into(), requests, kind }
    }

    /// The place of the first request.
    pub fn place(&self) -> Option<&Place> {
        self.requests.first().map(|request| &request.place)
    }

    /// Merges the reasons of several platforms: the same reason is one, on all its platforms.
    pub fn merge(reasons: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for reason in reasons {
            let same =
                |other: &&mut Self| other.kind == reason.kind && other.requests == reason.requests;
            match merged.iter_mut().find(same) {
                Some(other) => other.platforms.extend(reason.platforms),
                None => merged.push(reason),
            }
        }
        merged
    }
}

impl RequestLine {
    pub(super) fn new(request: &AskedSpec) -> Self {
        Self { text: request.text.clone(), place: request.place.clone() }
    }
}

impl Versions {
    /// The first `most` of these versions.
    pub(super) fn first(versions: impl IntoIterator<Item = String>, most: usize) -> Self {
        let mut listed: Vec<_> = versions.into_iter().collect();
        let total = listed.len();
        listed.truncate(most);
        Self { listed, total }
    }

    /// The versions of some records, each once, the newest first.
    pub(super) fn of<'a>(
        records: impl IntoIterator<Item = &'a RepoDataRecord>,
        most: usize,
    ) -> Self {
        let versions: BTreeSet<&Version> =
            records.into_iter().map(|record| record.package_record.version.version()).collect();
        Self::first(versions.iter().rev().map(ToString::to_string), most)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed.join(", "))?;
        if self.total > self.listed.len() {
            write!(f, ", … ({} in all)", self.total)?;
        }
        Ok(())
    }
}
