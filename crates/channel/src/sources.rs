//! Maps origins to mirrors, in order, and mirrors back to origins.
//!
//! Pure. An *origin* is the URL by which a channel is named and locked; a *source* is a URL that
//! is tried for it. Only declared mirrors, and the known ones of `mirrors.json`, map to an
//! origin. Every other URL is its own origin, so a private channel never becomes a public name.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use envlock_model::channel::without_credentials;
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
                let origin = address::rebase(url, &mirror.url, &mirror.prefix)?;
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
        let known = KNOWN_MIRRORS.values().flatten().filter(|mirror| {
            address::rebase(url, &mirror.url, &mirror.prefix).as_ref() == Some(&origin)
        });
        for mirror in known {
            if !self.ranked().any(|(_, other)| other == mirror) {
                self.registered.push(mirror.clone());
            }
        }
        Some(origin)
    }
}

/// Suggests the full URL if `alias` is a known mirror's without its last part: `…/anaconda/cloud/`
/// for `…/anaconda/`.
pub fn mirror_channels_below(alias: &Url) -> Option<Url> {
    let public = |mirror: &&Mirror| mirror.prefix.host_str() == Some("conda.anaconda.org");
    let mut channels = KNOWN_MIRRORS.values().flatten().filter(public).map(|mirror| &mirror.url);
    let alias = address::with_trailing_slash(alias);
    channels
        .find(|url| **url != alias && address::is_below_on_any_scheme(url, &alias))
        .filter(|_| alias.path().len() > 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("the test's own URL")
    }

    fn mirrors(texts: &[&str]) -> Vec<Mirror> {
        texts.iter().flat_map(|text| parse_mirror(text).expect("the test's own mirror")).collect()
    }

    fn asked(sources: &Sources, origin: &str) -> Vec<String> {
        sources.sources_for(&url(origin)).into_iter().map(|source| source.url.to_string()).collect()
    }

    #[test]
    fn every_known_mirror_has_both_public_hosts() {
        for (name, mirrors) in KNOWN_MIRRORS.iter() {
            for pair in mirrors.chunks(2) {
                let hosts: Vec<_> = pair.iter().filter_map(|m| m.prefix.host_str()).collect();
                assert_eq!(hosts, ["conda.anaconda.org", "repo.anaconda.com"], "{name}");
            }
            let is_folder = |m: &Mirror| m.url.path().ends_with('/') && m.url.scheme() == "https";
            assert!(mirrors.iter().all(is_folder), "{name}");
        }
    }

    #[test]
    fn mirrors_of_one_prefix_are_asked_in_the_order_given_then_the_origin() {
        let sources = Sources::new(
            mirrors(&[
                "https://conda.anaconda.org/=http://b/",
                "https://conda.anaconda.org=http://a/x",
            ]),
            true,
        );
        assert_eq!(
            asked(&sources, "https://conda.anaconda.org/conda-forge/noarch/"),
            [
                "http://b/conda-forge/noarch/",
                "http://a/x/conda-forge/noarch/",
                "https://conda.anaconda.org/conda-forge/noarch/"
            ]
        );
    }

    #[test]
    fn labels_of_two_mirrors_on_one_host_have_their_folders() {
        let sources = Sources::new(
            mirrors(&[
                "https://conda.anaconda.org/=http://h:81/one/t/secret/cloud/",
                "https://conda.anaconda.org/=http://h:81/two/",
                "https://conda.anaconda.org/=http://other/three/",
            ]),
            true,
        );
        let asked = sources.sources_for(&url("https://conda.anaconda.org/conda-forge/"));
        let labels: Vec<_> = asked.iter().map(|source| source.label.as_str()).collect();
        assert_eq!(labels, ["h:81/one/cloud", "h:81/two", "other", "conda.anaconda.org"]);
    }

    #[test]
    fn the_longest_prefix_is_asked_first_and_a_prefix_ends_at_a_slash() {
        let sources = Sources::new(
            mirrors(&[
                "https://conda.anaconda.org/=http://all/",
                "https://conda.anaconda.org/conda-forge/=http://forge/",
                "https://conda.anaconda.org/conda/=http://other/",
            ]),
            false,
        );
        assert_eq!(
            asked(&sources, "https://conda.anaconda.org/conda-forge/a.conda"),
            ["http://forge/a.conda", "http://all/conda-forge/a.conda"]
        );
    }

    #[test]
    fn without_origin_and_mirror_there_is_no_source_but_a_folder_is_its_own_source() {
        let sources = Sources::new(Vec::new(), false);
        assert!(asked(&sources, "https://conda.anaconda.org/conda-forge/").is_empty());
        assert_eq!(asked(&sources, "file:///ch/%E9%80%9A/"), ["file:///ch/%E9%80%9A/"]);
        let itself = Sources::new(mirrors(&["https://lab.example/=https://lab.example/"]), false);
        assert_eq!(asked(&itself, "https://lab.example/lab/"), ["https://lab.example/lab/"]);
    }

    #[test]
    fn a_url_below_a_mirror_maps_to_its_origin_and_any_other_url_is_its_own_origin() {
        let sources =
            Sources::new(mirrors(&["https://conda.anaconda.org/=http://127.0.0.1:8000/c/"]), true);
        let origin = |text: &str| sources.origin_of(&url(text)).map(|url| url.to_string());
        assert_eq!(
            origin("http://127.0.0.1:8000/c/conda-forge/").as_deref(),
            Some("https://conda.anaconda.org/conda-forge/")
        );
        assert_eq!(
            origin("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/pytorch/").as_deref(),
            Some("https://conda.anaconda.org/pytorch/")
        );
        assert_eq!(
            origin("https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main/").as_deref(),
            Some("https://repo.anaconda.com/pkgs/main/")
        );
        assert_eq!(origin("https://lab.example/anaconda/cloud/pytorch/"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_mirror_url_maps_back_to_the_origin_it_was_made_from(path in "[^?#]{0,40}") {
            let sources = Sources::new(mirrors(&["https://conda.anaconda.org/=http://h:1/x/"]), false);
            let mut wanted = url("https://conda.anaconda.org/");
            wanted.set_path(&path);
            for source in sources.sources_for(&wanted) {
                proptest::prop_assert_eq!(sources.origin_of(&source.url), Some(wanted.clone()));
            }
        }

        #[test]
        fn parsing_a_mirror_never_panics(text in "\\PC{0,60}") {
            let _ = parse_mirror(&text).map_err(|error| error.findings());
            let _ = parse_mirror(&format!("https://a/={text}"));
        }
    }

    #[test]
    fn a_known_mirror_that_was_written_as_a_channel_becomes_a_source() {
        let mut sources = Sources::new(Vec::new(), true);
        let written = url("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/pytorch/");
        let origin = sources.register_mirror_url(&written).expect("a known mirror");
        assert_eq!(asked(&sources, origin.as_str()), [written.as_str(), origin.as_str()]);
        assert_eq!(sources.register_mirror_url(&url("https://lab.example/x/")), None);
    }

    #[test]
    fn a_known_mirror_written_with_http_is_asked_with_https() {
        let mut sources = Sources::new(Vec::new(), true);
        let origin =
            sources.register_mirror_url(&url("http://mirrors.aliyun.com/anaconda/pkgs/main/"));
        let origin = origin.expect("a known mirror");
        assert_eq!(
            asked(&sources, origin.as_str()),
            [
                "https://mirrors.aliyun.com/anaconda/pkgs/main/",
                "https://repo.anaconda.com/pkgs/main/"
            ]
        );
        assert_eq!(
            sources.register_mirror_url(&url("http://mirrors.aliyun.com:8080/anaconda/pkgs/main/")),
            None
        );
    }

    #[test]
    fn an_alias_without_the_last_part_of_a_known_mirror_is_completed() {
        let complete = |text: &str| mirror_channels_below(&url(text)).map(|url| url.to_string());
        let cloud = "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/";
        let found = complete("http://mirrors.tuna.tsinghua.edu.cn/anaconda");
        assert_eq!(found.as_deref(), Some(cloud));
        assert_eq!(complete(cloud), None);
        assert_eq!(complete("https://mirrors.tuna.tsinghua.edu.cn/"), None);
    }

    #[test]
    fn an_earlier_group_is_asked_first_regardless_of_prefix_lengths() {
        let all = mirrors(&["https://conda.anaconda.org/=http://flag/"]);
        let mut sources = Sources::new(all, true);
        sources.append(mirrors(&["https://conda.anaconda.org/conda-forge/=http://file/cf/"]));
        assert_eq!(
            asked(&sources, "https://conda.anaconda.org/conda-forge/"),
            [
                "http://flag/conda-forge/",
                "http://file/cf/",
                "https://conda.anaconda.org/conda-forge/"
            ]
        );
    }

    #[test]
    fn a_disabled_origin_is_asked_only_as_a_declared_mirror_in_its_order() {
        let lab = url("https://conda.anaconda.org/lab");
        let mut sources = Sources::new(Vec::new(), true);
        sources.append(mirrors(&["https://conda.anaconda.org/lab/=http://corp/lab/"]));
        sources.disable_origin(&lab);
        assert_eq!(asked(&sources, "https://conda.anaconda.org/lab/"), ["http://corp/lab/"]);
        assert_eq!(
            asked(&sources, "https://conda.anaconda.org/labs/"),
            ["https://conda.anaconda.org/labs/"]
        );
        sources
            .append(mirrors(&["https://conda.anaconda.org/lab/=https://conda.anaconda.org/lab/"]));
        sources.append(mirrors(&["https://conda.anaconda.org/lab/=http://last/lab/"]));
        assert_eq!(
            asked(&sources, "https://conda.anaconda.org/lab/"),
            ["http://corp/lab/", "https://conda.anaconda.org/lab/", "http://last/lab/"]
        );
    }

    #[test]
    fn the_error_of_a_malformed_mirror_has_the_nearest_name_or_an_example() {
        let error_and_help = |text: &str| {
            let error = parse_mirror(text).expect_err("a malformed mirror");
            assert_eq!(error.exit(), Exit::Usage);
            let finding = error.findings().remove(0);
            (finding.message, finding.help.unwrap_or_default())
        };
        assert!(error_and_help("tunna").1.contains("`--mirror tuna`"));
        assert!(
            error_and_help("https://mirrors.tuna.tsinghua.edu.cn/anaconda")
                .1
                .contains("`--mirror tuna`")
        );
        assert!(error_and_help("conda-forge=http://x/").0.contains("`conda-forge` isn't a URL"));
        assert!(
            error_and_help("https://a/=ftp://b/")
                .0
                .contains("must begin with http:, https:, file:")
        );
        assert!(error_and_help("https://a/=http://b/?x=1").0.contains("query"));
        let (message, _) = error_and_help("https://a/=ftp://user:geheim@b/");
        assert!(!message.contains("geheim"), "{message}");
    }
}
