//! The text as a lock, checked by meaning.

use std::{borrow::Cow, collections::BTreeMap};

use envlock_report::{Code, Exit, Explain, Finding, Place};
use envlock_text::tree;
use rattler_conda_types::{GenericVirtualPackage, Subdir};
use rattler_lock::{LockFile, ParseCondaLockError};

use super::{BODY_VERSION, Lock, LockedPlatform, VERSION, blocks, consistency};
use crate::{
    lock::Inconsistency,
    needs::{LockedNeeds, NeedsError},
    question::AskedChannel,
};

/// Why a file is not a lock that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A merge left its markers.
    #[error("the lock has unresolved merge conflicts")]
    Conflict {
        /// The first marker.
        place: Place,
    },
    /// It isn't YAML, or not of the lock's form.
    #[error("the lock can't be read: {message}")]
    Form {
        /// Where, when that is known.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A lock of another tool.
    #[error("this lock was not written by envlock: it has no `envlock:` block")]
    Foreign {
        /// The file.
        place: Place,
    },
    /// Written by another generation of envlock.
    #[error("the lock's {key} is {found}; this envlock reads {reads}")]
    Version {
        /// Where.
        place: Place,
        /// Which version: that of the body or that of envlock's own block.
        key: &'static str,
        /// The version that it has.
        found: u64,
        /// The version that this program reads.
        reads: u64,
    },
    /// The block of needs isn't one.
    #[error("the needs of the lock can't be read")]
    Needs {
        /// Each mistake with its place.
        mistakes: Vec<Finding>,
    },
    /// It contradicts itself: a hand edit or a bad merge.
    #[error("the lock contradicts itself")]
    Inconsistent {
        /// Each contradiction with its place.
        problems: Vec<(Place, Inconsistency)>,
        /// What could be read: good enough to say which packages to keep, for nothing else.
        lock: Box<Lock>,
    },
}

impl Explain for ReadError {
    fn findings(&self) -> Vec<Finding> {
        let solve_again = "solve again with `envlock solve`; what is right in it stays";
        match self {
            Self::Conflict { place } => vec![
                Finding::new(Code::LockConflict, self.to_string())
                    .at(place.clone())
                    .with_note("both sides are answers to different questions; neither half is one")
                    .with_help(format!(
                        "take either side whole, then solve: `git checkout --theirs {0} && envlock solve`",
                        place.file
                    )),
            ],
            Self::Form { place, .. } => {
                let finding = Finding::new(Code::LockForm, self.to_string()).at(place.clone());
                vec![finding.with_help(restore(&place.file))]
            }
            Self::Needs { mistakes } => mistakes.iter().map(in_lock).collect(),
            Self::Foreign { place } => vec![
                Finding::new(Code::LockForeign, self.to_string())
                    .at(place.clone())
                    .with_help("remove it and run `envlock solve`, which writes one with that block"),
            ],
            Self::Version { place, found, reads, .. } => vec![
                Finding::new(Code::LockVersion, self.to_string()).at(place.clone()).with_help(
                    if found > reads {
                        "it was written by a newer envlock: use that one, or remove the lock and \
                         run `envlock solve`"
                    } else {
                        "remove it and run `envlock solve`"
                    },
                ),
            ],
            Self::Inconsistent { problems, .. } => problems
                .iter()
                .map(|(place, problem)| {
                    Finding::new(Code::LockInconsistent, problem.to_string())
                        .at(place.clone())
                        .with_help(solve_again)
                })
                .collect(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// A mistake of a manifest's reader, as one of the lock: nobody writes a lock by hand.
fn in_lock(mistake: &Finding) -> Finding {
    let message = format!("the lock can't be read: {}", mistake.message);
    let finding = Finding::new(Code::LockForm, message);
    match &mistake.place {
        Some(place) => finding.at(place.clone()).with_help(restore(&place.file)),
        None => finding,
    }
}

fn restore(file: &str) -> String {
    format!("restore it with `git checkout {file}`, or remove it and run `envlock solve`")
}

/// Reads a lock; `file` is its name in messages.
///
/// What is returned has been checked by meaning: every request and every dependency is
/// satisfied within the set, no name stands twice on a platform, every package has a sha256
/// and no URL a credential.
pub fn read(file: &str, text: &str) -> Result<Lock, ReadError> {
    refuse_conflict_markers(file, text)?;
    refuse_control_characters(file, text)?;
    let document: serde_yaml::Value = serde_yaml::from_str(text)
        .map_err(|error| form(file, &error, without_position(&error.to_string()).to_owned()))?;
    let Some(block) = document.get("envlock") else {
        return Err(ReadError::Foreign { place: Place::new(file, 1, 1) });
    };
    known_version(line_of(file, text, "envlock:"), "envlock.version", block, VERSION)?;
    known_version(Place::new(file, 1, 1), "version", &document, BODY_VERSION)?;
    known_platforms(file, text, &document)?;
    let blocks: blocks::Document = serde_yaml::from_str(text)
        .map_err(|error| form(file, &error, misfit(&error.to_string())))?;
    let body = LockFile::from_str_with_base_directory(text, None)
        .map_err(|error| body_error(file, text, &document, &error))?;
    let needs = needs(file, text, &document)?;
    let lock = assemble(file, text, blocks, needs, &body)?;

    let problems: Vec<_> = consistency::check(&lock)
        .into_iter()
        .chain(consistency::check_text(&document, &lock))
        .map(|problem| (place_of(file, text, &problem), problem))
        .collect();
    if problems.is_empty() {
        Ok(lock)
    } else {
        Err(ReadError::Inconsistent { problems, lock: Box::new(lock) })
    }
}

fn known_version(
    place: Place,
    key: &'static str,
    block: &serde_yaml::Value,
    reads: u64,
) -> Result<(), ReadError> {
    let found = block.get("version").and_then(serde_yaml::Value::as_u64).unwrap_or(0);
    if found == reads { Ok(()) } else { Err(ReadError::Version { place, key, found, reads }) }
}

/// The library's own sentence about a platform lists all that there are.
fn known_platforms(file: &str, text: &str, document: &serde_yaml::Value) -> Result<(), ReadError> {
    let platforms = document.get("platforms").and_then(serde_yaml::Value::as_sequence);
    let mut names = platforms
        .into_iter()
        .flatten()
        .filter_map(|platform| platform.get("name").and_then(serde_yaml::Value::as_str));
    match names.find(|name| name.parse::<Subdir>().is_err()) {
        None => Ok(()),
        Some(name) => Err(ReadError::Form {
            place: line_of(file, text, &format!("- name: {name}")),
            message: format!("there is no platform `{name}`"),
        }),
    }
}

fn assemble(
    file: &str,
    text: &str,
    blocks: blocks::Document,
    needs: Option<LockedNeeds>,
    body: &LockFile,
) -> Result<Lock, ReadError> {
    let at_platforms =
        |message: String| ReadError::Form { place: line_of(file, text, "platforms:"), message };
    let environment = body
        .default_environment()
        .ok_or_else(|| at_platforms("there is no environment `default`".to_owned()))?;
    let priority = blocks.envlock.requested.channel_priority;
    let exclude_newer = blocks.envlock.requested.exclude_newer;
    let mut requested = blocks.envlock.requested.platforms;
    let mut platforms = BTreeMap::new();
    for platform in body.platforms() {
        let subdir = platform.subdir();
        let asked = requested.remove(subdir.as_str()).ok_or_else(|| {
            at_platforms(format!("{subdir} is not among `envlock.requested.platforms`"))
        })?;
        let virtual_packages = platform
            .virtual_packages()
            .iter()
            .map(|text| {
                virtual_package(text).ok_or_else(|| {
                    at_platforms(format!(
                        "`{text}` is not a virtual package of the form name=version=build"
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        let records = environment
            .conda_repodata_records(platform)
            .map_err(|error| at_platforms(error.to_string()))?
            .unwrap_or_default();
        platforms.insert(
            subdir,
            LockedPlatform { specs: asked.specs, pip: asked.pip, virtual_packages, records },
        );
    }
    if let Some(name) = requested.into_keys().next() {
        return Err(at_platforms(format!("{name} was requested and is not among `platforms`")));
    }
    for locked in platforms.values_mut() {
        locked.records.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
    }
    let channels = blocks
        .envlock
        .requested
        .channels
        .into_iter()
        .map(|channel| AskedChannel {
            name: channel.name,
            urls: channel.urls,
            multi: channel.multi,
            only_for_specs: channel.only_for_specs,
        })
        .collect();
    Ok(Lock {
        name: blocks.envlock.name,
        channels,
        platforms,
        variables: blocks.envlock.variables,
        priority,
        exclude_newer,
        needs,
    })
}

/// The needs of the block `secrets:`, where there is one.
fn needs(
    file: &str,
    text: &str,
    document: &serde_yaml::Value,
) -> Result<Option<LockedNeeds>, ReadError> {
    if document.get("secrets").is_none() {
        return Ok(None);
    }
    let root = tree::parse_yaml(file, &block_of(text, "secrets:")).map_err(|error| {
        ReadError::Form { place: error.place().clone(), message: error.to_string() }
    })?;
    let Some(node) = root.get("secrets") else {
        let message = "its block `secrets` can't be found".to_owned();
        return Err(ReadError::Form { place: Place::new(file, 1, 1), message });
    };
    LockedNeeds::read(file, node).map(Some).map_err(|error| match error {
        NeedsError::Version { place, found } => {
            ReadError::Version { place, key: "secrets.version", found, reads: LockedNeeds::VERSION }
        }
        NeedsError::Mistakes(mistakes) => ReadError::Needs { mistakes },
    })
}

/// The lines of one root block, with as many empty lines before it as there are lines, so that
/// positions are those of the whole text; the whole text where no line starts the block.
fn block_of<'a>(text: &'a str, key: &str) -> Cow<'a, str> {
    let Some(start) = text
        .match_indices(key)
        .map(|(at, _)| at)
        .find(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')
    else {
        return Cow::Borrowed(text);
    };
    let block = &text[start..];
    let inside = |line: &str| line.trim().is_empty() || line.starts_with([' ', '-', '#']);
    let lines = block.split_inclusive('\n').skip(1).take_while(|line| inside(line));
    let first = block.split_inclusive('\n').next().map_or(0, str::len);
    let end = first + lines.map(str::len).sum::<usize>();
    let before = "\n".repeat(text[..start].matches('\n').count());
    Cow::Owned(before + &block[..end])
}

fn virtual_package(text: &str) -> Option<GenericVirtualPackage> {
    serde_yaml::from_value(serde_yaml::Value::String(text.to_owned())).ok()
}

fn refuse_conflict_markers(file: &str, text: &str) -> Result<(), ReadError> {
    let marker = text.lines().position(|line| {
        line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") || line == "======="
    });
    match marker {
        Some(index) => Err(ReadError::Conflict { place: at_line(file, index) }),
        None => Ok(()),
    }
}

/// No YAML holds one, and the library tells where only as a number of bytes.
fn refuse_control_characters(file: &str, text: &str) -> Result<(), ReadError> {
    let is_wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    let wrong = text.lines().enumerate().find_map(|(index, line)| {
        line.chars().enumerate().find(|(_, c)| is_wrong(*c)).map(|(column, c)| (index, column, c))
    });
    match wrong {
        Some((index, column, c)) => Err(ReadError::Form {
            place: Place::new(file, count(index + 1), count(column + 1)),
            message: format!("the control character `{}` is in it", c.escape_unicode()),
        }),
        None => Ok(()),
    }
}

fn form(file: &str, error: &serde_yaml::Error, message: String) -> ReadError {
    let place = error.location().map_or_else(
        || Place::new(file, 1, 1),
        |at| Place::new(file, count(at.line()), count(at.column())),
    );
    ReadError::Form { place, message }
}

/// The library repeats the position at the end of its own sentence.
fn without_position(sentence: &str) -> &str {
    sentence.split(" at line ").next().unwrap_or_default()
}

/// What is wrong with a block of our own, by its path in the file: the library goes on about
/// types.
fn misfit(sentence: &str) -> String {
    let sentence = without_position(sentence);
    let (path, reason) = sentence.split_once(": ").unwrap_or(("", sentence));
    let path = if path.contains(' ') { "" } else { path };
    match (reason.strip_prefix("missing field "), path) {
        (Some(field), "") => format!("{field} is missing"),
        (Some(field), path) => format!("{field} is missing in `{path}`"),
        (None, "") => "its blocks aren't those of a lock".to_owned(),
        (None, path) => format!("`{path}` isn't what a lock has there"),
    }
}

/// The library's errors about the body name no line: the package that it can't read is found
/// by reading each alone.
fn body_error(
    file: &str,
    text: &str,
    document: &serde_yaml::Value,
    error: &ParseCondaLockError,
) -> ReadError {
    if let ParseCondaLockError::MissingPackage { platform, location, .. } = error {
        let message = format!("{} is listed for {platform} and has no block", last(location));
        return ReadError::Form { place: line_of(file, text, location), message };
    }
    let packages = document.get("packages").and_then(serde_yaml::Value::as_sequence);
    let culprit = packages.into_iter().flatten().find(|package| !reads_alone(package));
    let url = culprit.and_then(|package| package.get("conda")).and_then(serde_yaml::Value::as_str);
    match (culprit, url) {
        (Some(package), Some(url)) => ReadError::Form {
            place: line_of(file, text, url),
            message: format!("{} {}", last(url), fault(package)),
        },
        _ => ReadError::Form {
            place: line_of(file, text, "environments:"),
            message: "its platforms, environments and packages don't fit together".to_owned(),
        },
    }
}

fn reads_alone(package: &serde_yaml::Value) -> bool {
    let alone = serde_yaml::to_string(&serde_yaml::Mapping::from_iter([
        ("version".into(), 7.into()),
        ("platforms".into(), serde_yaml::Value::Sequence(Vec::new())),
        ("environments".into(), serde_yaml::Value::Mapping(serde_yaml::Mapping::new())),
        ("packages".into(), serde_yaml::Value::Sequence(vec![package.clone()])),
    ]));
    alone.is_ok_and(|text| LockFile::from_str_with_base_directory(&text, None).is_ok())
}

/// What is wrong with a package's block.
fn fault(package: &serde_yaml::Value) -> String {
    let is_wrong = |(key, digits): &(&str, usize)| {
        let text = package.get(*key).and_then(serde_yaml::Value::as_str);
        let is_digest =
            |text: &str| text.len() == *digits && text.chars().all(|c| c.is_ascii_hexdigit());
        package.get(*key).is_some() && !text.is_some_and(is_digest)
    };
    match [("sha256", 64), ("md5", 32)].iter().find(|digest| is_wrong(digest)) {
        Some((key, digits)) => format!("has a {key} that isn't {digits} hexadecimal digits"),
        None => "has a block that isn't that of a conda package".to_owned(),
    }
}

/// The file that an address ends in.
fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn place_of(file: &str, text: &str, problem: &Inconsistency) -> Place {
    line_of(file, text, &problem.line())
}

/// The last line that holds `needle`: a package's own block comes after the list of URLs.
fn line_of(file: &str, text: &str, needle: &str) -> Place {
    let index = text.lines().enumerate().filter(|(_, line)| line.contains(needle)).last();
    at_line(file, index.map_or(0, |(index, _)| index))
}

fn at_line(file: &str, index: usize) -> Place {
    Place::new(file, count(index + 1), 1)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
