//! Why there is no solution, as data. The texts are in `finding.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use envlock_model::lock_inputs::{Priority, RequestedSpec};
use envlock_report::Place;
use rattler_conda_types::{RepoDataRecord, Subdir, Version};

/// A reason why a problem has no solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsolvableReason {
    /// The platforms that it applies to.
    pub platforms: BTreeSet<Subdir>,
    /// The requests that it is about, at least one.
    pub requests: Vec<RequestLine>,
    /// The kind of the reason.
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

/// Why requests can't be met.
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
        /// The value of `--virtual-package` that meets the request; `None` if no machine of the
        /// platform has it.
        value: Option<String>,
    },
    /// No channel has a package of this name.
    UnknownPackage {
        /// The name.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The channels that were searched.
        searched: Vec<String>,
        /// The name that conda has for it, with its channels.
        other_name: Option<(String, Vec<String>)>,
        /// The most similar name, with its channels.
        nearest: Option<(String, Vec<String>)>,
    },
    /// The indexes have records of this name, and none of them can be read.
    MalformedRecords {
        /// The name.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The files, each with the reason.
        records: Vec<String>,
    },
    /// Every matching record is newer than allowed.
    TooNew {
        /// The versions that are old enough.
        usable: Versions,
    },
    /// Every matching record lacks a sha256.
    NoSha256 {
        /// The versions that have one.
        usable: Versions,
    },
    /// The requested channel, or every listed channel, lacks the package.
    NotInChannel {
        /// The package.
        package: String,
        /// The platform.
        platform: Subdir,
        /// The requested channel, if the request names one.
        requested_channel: Option<String>,
        /// A channel that has it.
        other: Option<String>,
    },
    /// No record of the requested subdir can be used.
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
    /// The requested channel has other versions only, and another channel has a matching one.
    OtherChannel {
        /// The package.
        package: String,
        /// The request without its channel.
        spec: String,
        /// The requested channel.
        requested_channel: String,
        /// Its versions.
        available: Versions,
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
        available: Versions,
        /// The channel that fits.
        other: String,
    },
    /// The version exists, but no build of it matches.
    NoSuchBuild {
        /// A line that requests any build.
        line: String,
        /// The values of the builds for each key that is requested.
        differing: Vec<KeyValues>,
    },
    /// No record has the version.
    NoSuchVersion {
        /// The package.
        package: String,
        /// The requested version.
        requested_version: String,
        /// The existing versions, the nearest first.
        versions: Versions,
        /// What excludes the nearest one.
        blocked: Option<ExcludedRequirement>,
        /// What to write instead.
        suggestion: Option<Suggestion>,
    },
    /// The requests can't be met together; a single one can't be met at all.
    Conflict {
        /// The steps that show it. The first ones state the contradiction, the others the reasons
        /// for these. Empty if there is no such chain.
        steps: Vec<ConflictStep>,
        /// The explanation of the solver, if there are no steps.
        solver_message: Option<String>,
        /// The value of `--virtual-package` with which they could be met.
        virtual_package: Option<String>,
        /// The value of `--virtual-package` that meets this dependency, but doesn't resolve the
        /// conflict.
        insufficient_virtual_package: Option<String>,
        /// Lines that can be met in place of one of the requests. Each was tried with the solver.
        instead: Vec<String>,
    },
    /// Requests for one package of which no version matches all.
    SamePackage {
        /// The package.
        package: String,
        /// Its versions.
        usable: Versions,
    },
    /// The requests can't be met together because of strict channel priority.
    HiddenByPriority {
        /// The dependencies that only a hidden record meets, the nearest to the requests first.
        needs: Vec<HiddenDependencyText>,
        /// Lines that request each package from the hidden channel, if that is enough.
        lines: Vec<String>,
    },
}

/// The first versions of a list, and the length of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The first ones.
    pub listed: Vec<String>,
    /// The number of all versions.
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

/// A step of an explanation: packages that need another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictStep {
    /// The case that the step is about, in an explanation by cases: `python 3.12`.
    pub assuming: Option<String>,
    /// The packages with their versions: `numba 0.60.0`.
    pub packages: String,
    /// The name of the package that they need.
    pub needed: String,
    /// What they need, in short form: `python 3.10 or 3.11`.
    pub needs: String,
    /// Why they don't get it.
    pub outcome: StepOutcome,
}

/// Why packages don't get what they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// Other steps exclude it.
    Excluded,
    /// A request is for other versions.
    RequestedOtherwise {
        /// The request.
        line: RequestLine,
        /// Its version.
        version: String,
    },
    /// No channel has the package.
    NoSuchPackage,
    /// The channels have only other versions.
    OtherVersions {
        /// These, in short form.
        available: String,
    },
    /// The machine isn't assumed to have this virtual package.
    NotAssumed {
        /// The assumed version, if there is one.
        assumed: Option<String>,
    },
}

/// A requirement of a version that another request excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedRequirement {
    /// The package that is required.
    pub dependency: String,
    /// The version that is required, in short form.
    pub version: String,
    /// The requirement as the record has it.
    pub needs: String,
    /// The request that excludes it.
    pub by: RequestLine,
    /// The version that this request is for.
    pub by_version: String,
}

/// A line to write in place of a version that doesn't exist. It was tried with the solver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The nearest version that fits.
    Nearest {
        /// The version.
        version: String,
        /// The line to write.
        line: String,
        /// Whether it is also the nearest of all versions, fitting or not.
        is_nearest_existing: bool,
        /// The virtual package that the machine must have for it.
        machine: Option<String>,
        /// The channel priority that is necessary for it.
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
        /// The lines that were tried. `None` if the package can't be used even alone.
        tried_with: Option<TriedWith>,
    },
}

/// The lines that a suggestion was tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriedWith {
    /// All other lines.
    OtherLines,
    /// The other lines that can be met together.
    SatisfiableLines,
}

/// A dependency that is met only by a record that channel priority hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenDependencyText {
    /// The packages from a request to the one with the dependency, as `name version`.
    pub path: Vec<String>,
    /// The package that is needed.
    pub package: String,
    /// The requirement.
    pub spec: String,
    /// The channel that is used for the package.
    pub used: String,
    /// The first versions that it has.
    pub available: Versions,
    /// The hidden channel.
    pub channel: String,
    /// The newest version there that meets the need.
    pub version: String,
}

impl UnsolvableReason {
    pub(super) fn new(platform: Subdir, requests: &[&RequestedSpec], kind: ReasonKind) -> Self {
        let requests = requests.iter().map(|request| RequestLine::new(request)).collect();
        Self { platforms: [platform].into(), requests, kind }
    }

    /// Returns the place of the first request.
    pub fn place(&self) -> Option<&Place> {
        self.requests.first().map(|request| &request.place)
    }

    /// Names the malformed records of a package instead of saying that no channel has it.
    /// `malformed` are the records that can't be read, by package.
    pub fn name_malformed_records(&mut self, malformed: &BTreeMap<String, Vec<String>>) {
        let ReasonKind::UnknownPackage { package, platform, .. } = &self.kind else { return };
        if let Some(records) = malformed.get(package) {
            self.kind = ReasonKind::MalformedRecords {
                package: package.clone(),
                platform: *platform,
                records: records.clone(),
            };
        }
    }

    /// Merges the reasons of several platforms. Equal reasons become one, with all their
    /// platforms.
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
    pub(super) fn new(request: &RequestedSpec) -> Self {
        Self { text: request.text.clone(), place: request.place.clone() }
    }
}

impl Versions {
    /// Returns the first `most` of these versions.
    pub(super) fn truncated(versions: impl IntoIterator<Item = String>, most: usize) -> Self {
        let mut listed: Vec<_> = versions.into_iter().collect();
        let total = listed.len();
        listed.truncate(most);
        Self { listed, total }
    }

    /// Returns the versions of some records, each once, the newest first.
    pub(super) fn from_records<'a>(
        records: impl IntoIterator<Item = &'a RepoDataRecord>,
        most: usize,
    ) -> Self {
        let versions: BTreeSet<&Version> =
            records.into_iter().map(|record| record.package_record.version.version()).collect();
        Self::truncated(versions.iter().rev().map(ToString::to_string), most)
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
