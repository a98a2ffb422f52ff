//! A requirement of pip: a package by name, an archive by URL, a path, or a git repository.

use std::fmt;
use std::path::PathBuf;

use envlock_report::Place;
use envlock_text::redact;
use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::VariableText;
use crate::spec::Selector;

/// A requirement, or a constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The line as written, without comment and continuations.
    pub text: VariableText,
    /// The place in the file where the line stands.
    pub place: Place,
    /// The places of the lines that include that file, the outermost first. Empty for a line of
    /// environment.yml.
    pub included_at: Vec<Place>,
    /// The platforms that it applies to. `None` for all.
    pub selector: Option<Selector>,
    /// What is required.
    pub kind: RequirementKind,
    /// The environments that it applies to. `None` for all.
    pub marker: Option<Marker>,
    /// The values of `--hash`: an archive must have one of them. Empty without that option.
    pub hashes: Vec<Hash>,
    /// The values of `--config-settings` in order, for the build of an sdist.
    pub config_settings: Vec<(String, String)>,
}

/// What a requirement names.
#[derive(Debug, Clone, PartialEq)]
pub enum RequirementKind {
    /// A package of an index.
    Named {
        /// The normalised name.
        name: PackageName,
        /// The extras in the order of the line.
        extras: Vec<ExtraName>,
        /// The conditions on the version; all must hold. Empty for any version.
        specifiers: VersionSpecifiers,
    },
    /// An archive at a URL: a wheel or an sdist.
    Url {
        /// The name before `@`, in the wheel's file name, or in `#egg=`. `None` if the line has none.
        name: Option<PackageName>,
        /// The extras.
        extras: Vec<ExtraName>,
        /// The URL without its fragment.
        url: VariableText,
        /// The folder of the project in the archive, from `#subdirectory=`.
        subdirectory: Option<String>,
        /// The hashes in the fragment. If there are none, and no `--hash`, the address can have
        /// another content tomorrow: the lock pins what it had.
        hashes: Vec<Hash>,
    },
    /// A folder or an archive of this machine.
    Path {
        /// The name before `@`, in the wheel's file name, or in `#egg=`. `None` if the line has none.
        name: Option<PackageName>,
        /// The extras.
        extras: Vec<ExtraName>,
        /// The path, relative to the project's folder. As for pip, a relative path on a line of an
        /// included file is relative to the folder of environment.yml, not to that file.
        path: PathBuf,
        /// Whether it is installed with `-e`.
        editable: bool,
        /// The folder of the project in the archive, from `#subdirectory=`.
        subdirectory: Option<String>,
        /// The hashes in the fragment of a `file:` URL.
        hashes: Vec<Hash>,
    },
    /// A git repository.
    Git {
        /// The name before `@` or in `#egg=`. `None` if the line has none.
        name: Option<PackageName>,
        /// The extras.
        extras: Vec<ExtraName>,
        /// The URL of the repository for git, such as `https://…` or `ssh://…`, without revision
        /// and fragment.
        url: VariableText,
        /// The revision after `@`. `None` for the default branch.
        revision: Option<Revision>,
        /// The folder of the project in the repository.
        subdirectory: Option<String>,
        /// Whether it is installed with `-e`.
        editable: bool,
    },
}

/// A revision of a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// A commit with all of its 40 digits, in lower case. It is the only revision that never moves.
    Commit(String),
    /// A branch, a tag, an abbreviated commit or another reference. The lock pins its commit.
    Name(String),
}

/// A marker: the condition after `;`.
#[derive(Clone, PartialEq, Eq)]
pub struct Marker {
    /// The text as written.
    pub text: String,
    /// The condition.
    pub tree: MarkerTree,
}

/// The hash of an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The hexadecimal digits, in lower case.
    pub digest: String,
}

/// The algorithm of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD5, only in fragments.
    Md5,
    /// SHA-1, only in fragments.
    Sha1,
    /// SHA-224, only in fragments.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Requirement {
    /// Returns the normalised name, if the line has one.
    pub fn name(&self) -> Option<&PackageName> {
        match &self.kind {
            RequirementKind::Named { name, .. } => Some(name),
            RequirementKind::Url { name, .. }
            | RequirementKind::Path { name, .. }
            | RequirementKind::Git { name, .. } => name.as_ref(),
        }
    }

    /// Returns the extras.
    pub fn extras(&self) -> &[ExtraName] {
        match &self.kind {
            RequirementKind::Named { extras, .. }
            | RequirementKind::Url { extras, .. }
            | RequirementKind::Path { extras, .. }
            | RequirementKind::Git { extras, .. } => extras,
        }
    }

    /// Returns a requirement by name in the notation of PEP 508, with normalised names. `None` for
    /// the other kinds.
    pub fn pep508(&self) -> Option<String> {
        let RequirementKind::Named { name, extras, specifiers } = &self.kind else { return None };
        let mut text = name.to_string();
        if !extras.is_empty() {
            let extras: Vec<_> = extras.iter().map(ToString::to_string).collect();
            text.push_str(&format!("[{}]", extras.join(",")));
        }
        let specifiers: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
        text.push_str(&specifiers.join(","));
        if let Some(marker) = &self.marker {
            text.push_str(&format!(" ; {}", marker.text));
        }
        Some(text)
    }
}

impl Revision {
    /// Returns the revision as git takes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Commit(text) | Self::Name(text) => text,
        }
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tree as text takes exponential time.
        write!(f, "{:?}", redact(&self.text))
    }
}

impl HashAlgorithm {
    /// Every algorithm that pip reads in a fragment.
    pub(super) const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the name, such as `sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the number of hexadecimal digits.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// Whether `--hash` accepts it.
    pub(super) fn is_strong(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.digest)
    }
}
