//! Maps origins to mirrors, in order, and mirrors back to origins.
//!
//! Pure. An *origin* is the URL by which a channel is named and locked; a *source* is a URL that
//! is tried for it. Only declared mirrors, and the known ones of `mirrors.json`, map to an
//! origin. Every other URL is its own origin, so a private channel never becomes a public name.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use envlock_model::channel::{is_anaconda, is_anaconda_channel, without_credentials};
use envlock_report::{AsFindings, Code, Exit, Finding, nearest};
use envlock_text::redact::{has_misplaced_at, redact_url};
use serde::Deserialize;
use url::Url;

use crate::address;

/// A declared or known mirror: `url` serves everything below `prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mirror {
    /// The mirrored prefix; http or https, ends in `/`.
    pub prefix: Url,
    /// The mirror's URL; http, https or file, ends in `/`.
    pub url: Url,
}

impl Mirror {
    /// Returns the origin of a URL below the mirror.
    ///
    /// Of Anaconda's host a known mirror has only the channels. A URL such as `…/anaconda/conda-forge/`
    /// is one of the public host whose `cloud/` was forgotten, and has no origin.
    fn origin_of(&self, url: &Url) -> Option<Url> {
        let origin = address::rebase(url, &self.url, &self.prefix)?;
        let is_known = || KNOWN_MIRRORS.values().flatten().any(|known| known == self);
        let is_unknown_channel = is_anaconda(&origin) && !is_anaconda_channel(&origin);
        (!is_unknown_channel || !is_known()).then_some(origin)
    }
}

/// A URL that is tried for an index or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The URL.
    pub url: Url,
    /// Whether the source is the origin itself.
    pub is_origin: bool,
    /// The name for messages: the host, or the folder.
    pub label: String,
}

/// `mirrors.json`: the known mirrors by name.
static KNOWN_MIRRORS: LazyLock<BTreeMap<String, Vec<Mirror>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("mirrors.json")).expect("mirrors.json is read by a test")
});

/// Parses `PREFIX=URL`, or the name of a known mirror such as `tuna`.
pub fn parse_mirror(text: &str) -> Result<Vec<Mirror>, MirrorError> {
    if let Some(mirrors) = KNOWN_MIRRORS.get(text.trim()) {
        return Ok(mirrors.clone());
    }
    let Some((prefix, url)) = text.split_once('=') else {
        return Err(MirrorError::unknown(text.trim()));
    };
    let prefix = without_credentials(&parse_part(text, prefix, &["http", "https"])?);
    let url = parse_part(text, url, &["http", "https", "file"])?;
    Ok(vec![Mirror { prefix, url }])
}

/// Parses one side of `PREFIX=URL`.
fn parse_part(
    text: &str,
    written: &str,
    schemes: &'static [&'static str],
) -> Result<Url, MirrorError> {
    let wrong = |reason: String| MirrorError::Malformed {
        text: redact_url(text),
        part: redact_url(written.trim()),
        reason,
    };
    let url = Url::parse(written.trim())
        .map_err(|_| wrong("isn't a URL such as https://host/folder/".to_owned()))?;
    if !schemes.contains(&url.scheme()) {
        return Err(wrong(format!("must begin with {}", schemes.join(":, ") + ":")));
    }
    // A `/` in a password ends the host for a parser, and the rest would be a path.
    if has_misplaced_at(url.as_str()) {
        return Err(wrong(
            "has an `@` after its host: percent-encode the special characters of a password".into(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment, which isn't supported".into()));
    }
    Ok(address::with_trailing_slash(&url))
}

/// The mirrors and how they map to origins.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The declared mirrors in groups. An earlier group is tried first, regardless of the length
    /// of the prefixes.
    groups: Vec<Vec<Mirror>>,
    /// Known mirrors that were written as URLs of channels. They are tried after all groups.
    registered: Vec<Mirror>,
    origin: bool,
    /// Prefixes, each ending in `/`, whose origin isn't tried.
    disabled_origins: Vec<Url>,
}

impl Sources {
    /// Creates the table from mirrors in the order in which they are tried. `origin` is false for
    /// `--no-origin`: only mirrors and local folders are tried.
    pub fn new(mirrors: Vec<Mirror>, origin: bool) -> Self {
        Self { groups: vec![mirrors], registered: Vec::new(), origin, disabled_origins: Vec::new() }
    }

    /// Adds mirrors, which are tried after those declared before.
    pub fn append(&mut self, mirrors: Vec<Mirror>) {
        self.groups.push(mirrors);
    }

    /// Tries only mirrors below `prefix`, as with `--no-origin`.
    pub fn disable_origin(&mut self, prefix: &Url) {
        self.disabled_origins.push(address::with_trailing_slash(prefix));
    }

    /// Returns all mirrors with the rank of their group.
    fn ranked(&self) -> impl Iterator<Item = (usize, &Mirror)> {
        let groups = self.groups.iter().chain([&self.registered]);
        groups.enumerate().flat_map(|(rank, group)| group.iter().map(move |mirror| (rank, mirror)))
    }

    /// Returns the local folders that are mirrors, each once.
    pub(crate) fn local_folders(&self) -> Vec<Url> {
        let mut folders: Vec<Url> = Vec::new();
        for (_, mirror) in self.ranked() {
            if mirror.url.scheme() == "file" && !folders.contains(&mirror.url) {
                folders.push(mirror.url.clone());
            }
        }
        folders
    }

    /// Returns the URLs to try for `origin`, in order: the mirrors with the longest prefix first,
    /// mirrors of equal prefixes in the order given, then the origin unless it is declared as a
    /// mirror. Empty if there is no mirror and the origin may not be tried. The only source of a
    /// local folder is the folder.
    pub fn sources_for(&self, origin: &Url) -> Vec<Source> {
        let itself = || Source {
            url: origin.clone(),
            is_origin: true,
            label: address::source_label(origin),
        };
        if origin.scheme() == "file" {
            return vec![itself()];
        }
        let mut matching: Vec<_> = self
            .ranked()
            .filter_map(|(rank, mirror)| {
                let url = address::rebase(origin, &mirror.prefix, &mirror.url)?;
                Some((rank, Reverse(mirror.prefix.as_str().len()), url, &mirror.url))
            })
            .collect();
        matching.sort_by_key(|(rank, length, ..)| (*rank, *length));
        let hosts: Vec<_> =
            matching.iter().map(|(.., mirror)| address::source_label(mirror)).collect();
        let mut sources: Vec<Source> = Vec::new();
        for (.., url, mirror) in matching {
            if !sources.iter().any(|source| source.url == url) {
                let is_origin = url == *origin;
                let mut label = address::source_label(&url);
                // The labels of two mirrors on one host have their folders.
                if hosts.iter().filter(|host| **host == label).count() > 1 {
                    label.push_str(without_credentials(mirror).path().trim_end_matches('/'));
                }
                sources.push(Source { url, is_origin, label });
            }
        }
        let may_ask = self.origin
            && !self
                .disabled_origins
                .iter()
                .any(|prefix| address::is_below_on_any_scheme(origin, prefix));
        if may_ask && !sources.iter().any(|source| source.is_origin) {
            sources.push(itself());
        }
        sources
    }

    /// Returns the origin of a URL below a declared or known mirror, or `None` if the URL is its
    /// own origin.
    pub fn origin_of(&self, url: &Url) -> Option<Url> {
        self.origins_of(url).into_iter().next()
    }

    /// Returns every origin that a URL can have, the most specific mirror's first.
    pub(crate) fn origins_of(&self, url: &Url) -> Vec<Url> {
        let declared = self.ranked().map(|(_, mirror)| mirror);
        let mut origins: Vec<(usize, Url)> = declared
            .chain(KNOWN_MIRRORS.values().flatten())
            .filter_map(|mirror| {
                let origin = mirror.origin_of(url)?;
                Some((mirror.url.as_str().len(), origin))
            })
            .collect();
        origins.sort_by_key(|(length, _)| Reverse(*length));
        origins.into_iter().map(|(_, origin)| origin).collect()
    }

    /// Registers the known mirror that `url` is below, if there is one. It is tried after the
    /// declared mirrors. Returns the origin of `url`, as [`Sources::origin_of`].
    pub fn register_mirror_url(&mut self, url: &Url) -> Option<Url> {
        let origin = self.origin_of(url)?;
        let known = KNOWN_MIRRORS
            .values()
            .flatten()
            .filter(|mirror| mirror.origin_of(url).as_ref() == Some(&origin));
        for mirror in known {
            if !self.ranked().any(|(_, other)| other == mirror) {
                self.registered.push(mirror.clone());
            }
        }
        Some(origin)
    }
}

/// Returns the URL of a known mirror's channels, such as `…/anaconda/cloud/`, for another folder of this
/// mirror such as `…/anaconda/` or `…/anaconda/pkgs/`.
pub fn mirror_channels_below(alias: &Url) -> Option<Url> {
    let alias = address::with_trailing_slash(&without_credentials(alias));
    let is_public = |mirror: &&Mirror| mirror.prefix.host_str() == Some("conda.anaconda.org");
    let channels = KNOWN_MIRRORS.values().flatten().filter(is_public).map(|mirror| &mirror.url);
    let mut others = channels.filter(|cloud| !address::is_below_on_any_scheme(&alias, cloud));
    others
        .find(|cloud| {
            let Ok(folder) = cloud.join("..") else { return false };
            address::is_below_on_any_scheme(&alias, &folder)
        })
        .cloned()
}

/// Why a `--mirror` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The text is neither `PREFIX=URL` nor a known name.
    #[error("no mirror is called `{text}`, and it isn't PREFIX=URL")]
    Unknown {
        /// As written.
        text: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
    /// One side can't be used.
    #[error("in the mirror `{text}`, `{part}` {reason}")]
    Malformed {
        /// As written.
        text: String,
        /// The side that can't be used.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl MirrorError {
    fn unknown(text: &str) -> Self {
        let by_host = || {
            let url = Url::parse(text).ok()?;
            KNOWN_MIRRORS
                .iter()
                .find(|(_, mirrors)| mirrors.iter().any(|m| m.url.host() == url.host()))
                .map(|(name, _)| name.as_str())
        };
        let close = nearest(&text.to_lowercase(), KNOWN_MIRRORS.keys().map(String::as_str))
            .or_else(by_host);
        Self::Unknown { text: redact_url(text), nearest: close.map(str::to_owned) }
    }
}

impl AsFindings for MirrorError {
    fn findings(&self) -> Vec<Finding> {
        let example = "--mirror https://conda.anaconda.org/=https://mirror.example/anaconda/cloud/";
        let names = KNOWN_MIRRORS.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let finding = Finding::new(Code::MirrorMalformed, self.to_string());
        let finding = match self {
            Self::Unknown { nearest: Some(name), .. } => {
                finding.with_help(format!("did you mean `--mirror {name}`?"))
            }
            _ => finding.with_help(format!("for example `{example}`")),
        };
        vec![finding.with_note(format!("known by name: {names}"))]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
