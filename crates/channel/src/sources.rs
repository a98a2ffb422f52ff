//! Which addresses stand for an origin, in which order they are asked, and back again.
//!
//! Pure. An *origin* is the URL by which a channel is known and locked; a *source* is an
//! address that is asked for it. Only mirrors that were declared, and the known ones of
//! `mirrors.json`, map to an origin: every other URL is an origin of its own, so that a
//! private channel never turns into a public name.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use envlock_model::channel::without_credentials;
use envlock_report::{Code, Exit, Explain, Finding, nearest};
use envlock_text::redact;
use serde::Deserialize;
use url::Url;

use crate::address;

/// A place that serves everything below `prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mirror {
    /// What it stands for; http or https, ends in `/`.
    pub prefix: Url,
    /// Where it is; http, https or file, ends in `/`.
    pub url: Url,
}

/// One address to ask for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where to ask.
    pub url: Url,
    /// Whether it is the origin itself.
    pub is_origin: bool,
    /// How it is called in messages: its host, or its folder.
    pub label: String,
}

/// `mirrors.json`: the mirrors known by name.
static KNOWN_MIRRORS: LazyLock<BTreeMap<String, Vec<Mirror>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("mirrors.json")).expect("mirrors.json is read by a test")
});

/// Reads `PREFIX=URL`, or the name of a known mirror such as `tuna`.
pub fn parse_mirror(text: &str) -> Result<Vec<Mirror>, MirrorError> {
    if let Some(mirrors) = KNOWN_MIRRORS.get(text.trim()) {
        return Ok(mirrors.clone());
    }
    let Some((prefix, url)) = text.split_once('=') else {
        return Err(MirrorError::unknown(text.trim()));
    };
    let prefix = parse_part(text, prefix, &["http", "https"])?;
    let url = parse_part(text, url, &["http", "https", "file"])?;
    Ok(vec![Mirror { prefix, url }])
}

/// One side of `PREFIX=URL`.
fn parse_part(
    text: &str,
    written: &str,
    schemes: &'static [&'static str],
) -> Result<Url, MirrorError> {
    let wrong = |reason: String| MirrorError::Malformed {
        text: redact(text).into_owned(),
        part: redact(written.trim()).into_owned(),
        reason,
    };
    let url = Url::parse(written.trim())
        .map_err(|_| wrong("isn't an address such as https://host/folder/".to_owned()))?;
    if !schemes.contains(&url.scheme()) {
        return Err(wrong(format!("must begin with {}", schemes.join(":, ") + ":")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment, which no prefix can have".into()));
    }
    Ok(address::with_trailing_slash(&url))
}

/// Where to ask for what.
#[derive(Debug, Clone)]
pub struct Sources {
    /// What was declared, in groups: one that was declared nearer to the user is asked
    /// before all others, whatever their prefixes.
    groups: Vec<Vec<Mirror>>,
    /// Known mirrors that were written as the addresses of channels; asked behind all groups.
    registered: Vec<Mirror>,
    origin: bool,
    /// Folders, each ending in `/`, whose origin isn't asked.
    disabled_origins: Vec<Url>,
}

impl Sources {
    /// The mirrors in the order in which they are asked; `origin` is false for
    /// `--no-origin`, where mirrors and local folders alone are asked.
    pub fn new(mirrors: Vec<Mirror>, origin: bool) -> Self {
        Self { groups: vec![mirrors], registered: Vec::new(), origin, disabled_origins: Vec::new() }
    }

    /// Further mirrors, which are asked behind all that are there already.
    pub fn append(&mut self, mirrors: Vec<Mirror>) {
        self.groups.push(mirrors);
    }

    /// Below `prefix` only mirrors are asked, as with `--no-origin`.
    pub fn disable_origin(&mut self, prefix: &Url) {
        self.disabled_origins.push(address::with_trailing_slash(prefix));
    }

    /// Everything that is asked before an origin, with its place in the order.
    fn ranked(&self) -> impl Iterator<Item = (usize, &Mirror)> {
        let groups = self.groups.iter().chain([&self.registered]);
        groups.enumerate().flat_map(|(rank, group)| group.iter().map(move |mirror| (rank, mirror)))
    }

    /// Every address to ask for `origin`, in order: the mirrors with the longest prefix
    /// first, among equals in the order given, then the origin, unless it is declared as one
    /// of them. Empty where only an origin could be asked and isn't allowed to be. A local
    /// folder has only itself.
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
                // Two mirrors on one host are told apart by their folders.
                if hosts.iter().filter(|host| **host == label).count() > 1 {
                    label.push_str(without_credentials(mirror).path().trim_end_matches('/'));
                }
                sources.push(Source { url, is_origin, label });
            }
        }
        let may_ask =
            self.origin && !self.disabled_origins.iter().any(|end| address::is_below(origin, end));
        if may_ask && !sources.iter().any(|source| source.is_origin) {
            sources.push(itself());
        }
        sources
    }

    /// The origin that a URL under a declared or known mirror stands for, or `None` where
    /// the URL is an origin of its own.
    pub fn origin_of(&self, url: &Url) -> Option<Url> {
        self.origins_of(url).into_iter().next()
    }

    /// Every origin that a URL can stand for, the most specific mirror's first.
    pub(crate) fn origins_of(&self, url: &Url) -> Vec<Url> {
        let secure = with_https(url);
        let declared = self.ranked().map(|(_, mirror)| (mirror, url));
        let known = KNOWN_MIRRORS.values().flatten().map(|mirror| (mirror, &secure));
        let mut origins: Vec<(usize, Url)> = declared
            .chain(known)
            .filter_map(|(mirror, url)| {
                let origin = address::rebase(url, &mirror.url, &mirror.prefix)?;
                Some((mirror.url.as_str().len(), origin))
            })
            .collect();
        origins.sort_by_key(|(length, _)| Reverse(*length));
        origins.into_iter().map(|(_, origin)| origin).collect()
    }

    /// Asks the known mirror that `url` lies below, if there is one, from now on, after the
    /// declared ones. Returns the origin that `url` stands for, as [`Sources::origin_of`].
    pub fn register_mirror_url(&mut self, url: &Url) -> Option<Url> {
        let origin = self.origin_of(url)?;
        let secure = with_https(url);
        let known = KNOWN_MIRRORS.values().flatten().filter(|mirror| {
            address::rebase(&secure, &mirror.url, &mirror.prefix).as_ref() == Some(&origin)
        });
        for mirror in known {
            if !self.ranked().any(|(_, there)| there == mirror) {
                self.registered.push(mirror.clone());
            }
        }
        Some(origin)
    }
}

/// The same URL by https: all known mirrors have it, though some tell people to write http.
fn with_https(url: &Url) -> Url {
    let mut secure = url.clone();
    if url.scheme() == "http" && url.port().is_none() {
        // It only fails for schemes that aren't the web's.
        let _ = secure.set_scheme("https");
    }
    secure
}

/// Why a `--mirror` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Neither `PREFIX=URL` nor a known name.
    #[error("no mirror is called `{text}`, and it isn't PREFIX=URL")]
    Unknown {
        /// As written.
        text: String,
        /// The known name that was probably meant.
        nearest: Option<String>,
    },
    /// One side isn't usable.
    #[error("in the mirror `{text}`, `{part}` {reason}")]
    Malformed {
        /// As written.
        text: String,
        /// The side that is wrong.
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
        Self::Unknown { text: redact(text).into_owned(), nearest: close.map(str::to_owned) }
    }
}

impl Explain for MirrorError {
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
    fn every_preset_stands_for_both_public_hosts() {
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
    fn two_mirrors_on_one_host_are_called_by_their_folders_too() {
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
    fn without_the_origin_and_a_mirror_nothing_is_left_but_a_folder_is_always_itself() {
        let sources = Sources::new(Vec::new(), false);
        assert!(asked(&sources, "https://conda.anaconda.org/conda-forge/").is_empty());
        assert_eq!(asked(&sources, "file:///ch/%E9%80%9A/"), ["file:///ch/%E9%80%9A/"]);
        let itself = Sources::new(mirrors(&["https://lab.example/=https://lab.example/"]), false);
        assert_eq!(asked(&itself, "https://lab.example/lab/"), ["https://lab.example/lab/"]);
    }

    #[test]
    fn a_url_under_a_mirror_stands_for_its_origin_and_any_other_is_its_own() {
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
        fn what_is_asked_of_a_mirror_stands_for_what_was_wanted(path in "[^?#]{0,40}") {
            let sources = Sources::new(mirrors(&["https://conda.anaconda.org/=http://h:1/x/"]), false);
            let mut wanted = url("https://conda.anaconda.org/");
            wanted.set_path(&path);
            for source in sources.sources_for(&wanted) {
                proptest::prop_assert_eq!(sources.origin_of(&source.url), Some(wanted.clone()));
            }
        }

        #[test]
        fn no_text_makes_reading_a_mirror_panic(text in "\\PC{0,60}") {
            let _ = parse_mirror(&text).map_err(|error| error.findings());
            let _ = parse_mirror(&format!("https://a/={text}"));
        }
    }

    #[test]
    fn a_known_mirror_that_was_written_as_a_channel_is_asked_from_then_on() {
        let mut sources = Sources::new(Vec::new(), true);
        let written = url("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/pytorch/");
        let origin = sources.register_mirror_url(&written).expect("a known mirror");
        assert_eq!(asked(&sources, origin.as_str()), [written.as_str(), origin.as_str()]);
        assert_eq!(sources.register_mirror_url(&url("https://lab.example/x/")), None);
    }

    #[test]
    fn a_known_mirror_by_http_is_the_same_mirror_and_asked_by_https() {
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
    fn a_group_declared_earlier_is_asked_first_however_long_the_others_prefixes_are() {
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
    fn an_origin_that_is_closed_is_asked_only_as_a_declared_mirror_and_in_its_turn() {
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
    fn a_wrong_mirror_is_told_with_the_nearest_name_or_an_example() {
        let said = |text: &str| {
            let error = parse_mirror(text).expect_err("it is wrong");
            assert_eq!(error.exit(), Exit::Usage);
            let finding = error.findings().remove(0);
            (finding.message, finding.help.unwrap_or_default())
        };
        assert!(said("tunna").1.contains("`--mirror tuna`"));
        assert!(
            said("https://mirrors.tuna.tsinghua.edu.cn/anaconda").1.contains("`--mirror tuna`")
        );
        assert!(said("conda-forge=http://x/").0.contains("`conda-forge` isn't an address"));
        assert!(said("https://a/=ftp://b/").0.contains("must begin with http:, https:, file:"));
        assert!(said("https://a/=http://b/?x=1").0.contains("query"));
        let (message, _) = said("https://a/=ftp://user:geheim@b/");
        assert!(!message.contains("geheim"), "{message}");
    }
}
