//! Checks that a lock is consistent: every spec and dependency is met, and there are no
//! duplicates. It uses no hash of the file, because a hash would conflict in every merge.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use envlock_report::Place;
use envlock_text::limits::LOCK_CONTRADICTIONS;
use envlock_text::tree::Node;
use rattler_conda_types::{PackageName, RepoDataRecord, Subdir};
use url::Url;

use super::{FILE_NAME, Lock, LockedPlatform, write::has_credential};
use envlock_text::redact;

use crate::record::{self, MalformedRecord};
use crate::spec::{RecordSpec, parse_spec};

/// A contradiction in a lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Inconsistency {
    platform: Subdir,
    record: Option<Box<RepoDataRecord>>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    RequestMissing { spec: String },
    RequestUnmet { spec: String },
    DependencyMissing { dependency: String },
    DependencyUnmet { dependency: String, found: String },
    ConstraintBroken { constraint: String, found: String },
    DuplicateName,
    NoSha256,
    Credential,
    UnknownChannel,
    DuplicateListEntry,
    DuplicateBlock,
    UnrequestedChannel { channel: String },
    Malformed(MalformedRecord),
    OtherArchiveOnly { url: Url },
    More { count: usize },
}

/// The places of a lock's packages and channels.
pub(super) struct Places<'n> {
    file: &'n str,
    document: &'n Node,
    packages: HashMap<&'n str, &'n Node>,
    other_archives: HashMap<&'n str, &'n Node>,
}

impl<'n> Places<'n> {
    pub(super) fn new(file: &'n str, document: &'n Node) -> Self {
        let packages = document.get("packages");
        let packages = nodes(packages, "conda").chain(nodes(packages, "pypi"));
        let other_archives = document.get("envlock").and_then(|block| block.get("other-archives"));
        let entries = other_archives.and_then(Node::entries).unwrap_or_default();
        Self {
            file,
            document,
            packages: packages.collect(),
            other_archives: entries.iter().map(|entry| (entry.name(), &entry.key)).collect(),
        }
    }

    /// Returns the place of a problem. For a package it is its last block.
    pub(super) fn place_of(&self, problem: &Inconsistency) -> Place {
        let node = match (&problem.kind, &problem.record) {
            (Kind::UnrequestedChannel { channel }, _) => {
                let mut channels = nodes(channels(self.document), "url");
                channels.find(|(url, _)| url == channel).map(|(_, node)| node)
            }
            (Kind::OtherArchiveOnly { url }, _) => self.other_archives.get(url.as_str()).copied(),
            (_, Some(record)) => self.packages.get(record.url.as_str()).copied(),
            (_, None) => self.document.entry("envlock").map(|entry| &entry.key),
        };
        node.unwrap_or(self.document).place(self.file)
    }
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let platform = self.platform;
        let package = self.record.as_ref().map(|r| r.identifier.to_string()).unwrap_or_default();
        match &self.kind {
            Kind::RequestMissing { spec } => {
                write!(f, "`{spec}` is requested, but no package of {platform} satisfies it")
            }
            Kind::RequestUnmet { spec } => {
                write!(f, "{package} doesn't satisfy `{spec}`, which is requested for {platform}")
            }
            Kind::DependencyMissing { dependency } => {
                write!(f, "{package} needs `{dependency}`, which isn't in the lock for {platform}")
            }
            Kind::DependencyUnmet { dependency, found } => {
                write!(f, "{package} needs `{dependency}`; the lock for {platform} has {found}")
            }
            Kind::ConstraintBroken { constraint, found } => {
                write!(
                    f,
                    "{package} allows only `{constraint}`; the lock for {platform} has {found}"
                )
            }
            Kind::DuplicateName => {
                write!(f, "the lock has another package with the name of {package} for {platform}")
            }
            Kind::NoSha256 => write!(f, "{package} has no sha256"),
            Kind::Credential => write!(f, "the URL of {package} has a credential or a query"),
            Kind::UnknownChannel => {
                write!(f, "{package} is from a channel that the lock doesn't have")
            }
            Kind::DuplicateListEntry => write!(f, "{package} is listed twice for {platform}"),
            Kind::DuplicateBlock => write!(f, "{package} has two blocks"),
            Kind::More { count } => write!(f, "the lock has {count} more contradictions"),
            Kind::Malformed(fault) => write!(f, "the record of {package} is malformed: {fault}"),
            Kind::OtherArchiveOnly { url } => {
                let url = redact(url.as_str());
                write!(f, "`other-archives` has {url}, which isn't a package of the lock")
            }
            Kind::UnrequestedChannel { channel } => {
                let channel = redact(channel);
                write!(f, "the channel {channel} of the environment isn't one of those requested")
            }
        }
    }
}

/// Returns every contradiction in the lock.
pub(super) fn check(lock: &Lock) -> Vec<Inconsistency> {
    let channels: HashSet<&str> =
        lock.channel_urls().map(|url| without_slash(url.as_str())).collect();
    let mut found = Vec::new();
    for (platform, locked) in &lock.platforms {
        let by_name = names(*platform, locked, &mut found);
        requests(lock, *platform, locked, &by_name, &mut found);
        for record in &locked.records {
            let mut add = |kind| found.push(about(*platform, record, kind));
            if let Err(fault) = record::check(record) {
                add(Kind::Malformed(fault));
                continue;
            }
            if record.package_record.sha256.is_none() {
                add(Kind::NoSha256);
            }
            if has_credential(&record.url) {
                add(Kind::Credential);
            }
            let channel = record.channel.as_deref().map(without_slash);
            if channel.is_none_or(|channel| !channels.contains(channel)) {
                add(Kind::UnknownChannel);
            }
            relations(record, locked, &by_name).into_iter().for_each(add);
        }
        wheels(*platform, locked, &mut found);
    }
    found.extend(other_archives(lock));
    found
}

/// Checks the wheels of a platform.
fn wheels(platform: Subdir, locked: &LockedPlatform, found: &mut Vec<Inconsistency>) {
    let mut names = HashSet::new();
    for wheel in locked.wheels.iter().flatten() {
        let record = wheel.record();
        if !names.insert(wheel.name()) {
            found.push(about(platform, record, Kind::DuplicateName));
        }
        if has_credential(wheel.url()) || wheel.index.as_ref().is_some_and(has_credential) {
            found.push(about(platform, record, Kind::Credential));
        }
    }
}

/// Keeps the first contradictions, and the number of the others.
pub(super) fn limit(found: &mut Vec<Inconsistency>) {
    let more = found.len().saturating_sub(LOCK_CONTRADICTIONS);
    if let Some(first) = found.first().filter(|_| more > 0) {
        let (platform, kind) = (first.platform, Kind::More { count: more });
        found.truncate(LOCK_CONTRADICTIONS);
        found.push(Inconsistency { platform, record: None, kind });
    }
}

/// Returns the entries of `other-archives` that aren't about a package of the lock.
fn other_archives(lock: &Lock) -> Vec<Inconsistency> {
    let Some(platform) = lock.platforms.keys().next() else { return Vec::new() };
    let records = lock.platforms.values().flat_map(|locked| &locked.records);
    let locked: HashSet<&Url> = records.map(|record| &record.url).collect();
    let unknown = lock.other_archives.keys().filter(|url| !locked.contains(url));
    let problem = |url: &Url| Inconsistency {
        platform: *platform,
        record: None,
        kind: Kind::OtherArchiveOnly { url: url.clone() },
    };
    unknown.map(problem).collect()
}

/// Returns the contradictions that only the text shows, because rattler drops them while it reads:
/// duplicates, and channels of the environment that aren't requested.
pub(super) fn unread_contradictions(document: &Node, lock: &Lock) -> Vec<Inconsistency> {
    let environment = document.get("environments").and_then(|all| all.get("default"));
    let lists = environment.and_then(|environment| environment.get("packages"));
    let mut found = Vec::new();
    let mut all: HashMap<&str, (Subdir, &RepoDataRecord)> = HashMap::new();
    for (platform, locked) in &lock.platforms {
        let list = lists.and_then(|lists| lists.get(platform.as_str()));
        let records: HashMap<_, _> = locked.records.iter().map(|r| (r.url.as_str(), r)).collect();
        for url in duplicates(list) {
            let record = records.get(url);
            found.extend(record.map(|record| about(*platform, record, Kind::DuplicateListEntry)));
        }
        for (url, record) in records {
            all.entry(url).or_insert((*platform, record));
        }
    }
    for url in duplicates(document.get("packages")) {
        let first = all.get(url);
        found
            .extend(first.map(|(platform, record)| about(*platform, record, Kind::DuplicateBlock)));
    }
    let requested: HashSet<_> = lock.channel_urls().map(Url::as_str).collect();
    let listed = texts(channels(document), "url");
    for channel in listed.filter(|channel| !requested.contains(channel)) {
        found.extend(lock.platforms.keys().next().map(|platform| Inconsistency {
            platform: *platform,
            record: None,
            kind: Kind::UnrequestedChannel { channel: channel.to_owned() },
        }));
    }
    found
}

fn without_slash(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// Returns the URLs that a list of packages has more than once.
fn duplicates(list: Option<&Node>) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    texts(list, "conda").filter(|url| !seen.insert(*url)).collect()
}

/// Returns the texts of a key in a list of mappings.
fn texts<'n>(list: Option<&'n Node>, key: &'n str) -> impl Iterator<Item = &'n str> {
    nodes(list, key).map(|(text, _)| text)
}

/// Returns the texts of a key in a list of mappings, and their nodes.
fn nodes<'n>(list: Option<&'n Node>, key: &'n str) -> impl Iterator<Item = (&'n str, &'n Node)> {
    let items = list.and_then(Node::items).into_iter().flatten();
    items.filter_map(move |item| {
        let node = item.get(key)?;
        Some((node.text()?, node))
    })
}

/// Returns the list of channels of the environment.
fn channels(document: &Node) -> Option<&Node> {
    document.get("environments")?.get("default")?.get("channels")
}

type ByName<'a> = BTreeMap<&'a str, &'a RepoDataRecord>;

fn names<'a>(
    platform: Subdir,
    locked: &'a LockedPlatform,
    found: &mut Vec<Inconsistency>,
) -> ByName<'a> {
    let mut by_name = ByName::new();
    for record in &locked.records {
        let name = record.package_record.name.as_normalized();
        if by_name.insert(name, record).is_some() {
            found.push(about(platform, record, Kind::DuplicateName));
        }
    }
    by_name
}

fn requests(
    lock: &Lock,
    platform: Subdir,
    locked: &LockedPlatform,
    by_name: &ByName<'_>,
    found: &mut Vec<Inconsistency>,
) {
    for text in &locked.specs {
        let spec = || text.clone();
        let Some(request) = parse_spec(text, Place::new(FILE_NAME, 1, 1)) else {
            found.push(Inconsistency {
                platform,
                record: None,
                kind: Kind::RequestMissing { spec: spec() },
            });
            continue;
        };
        match by_name.get(request.package()) {
            Some(record) if request.matches(record, &lock.channels) => {}
            Some(record) => {
                found.push(about(platform, record, Kind::RequestUnmet { spec: spec() }));
            }
            None if is_virtual(request.package()) => {}
            None => found.push(Inconsistency {
                platform,
                record: None,
                kind: Kind::RequestMissing { spec: spec() },
            }),
        }
    }
}

/// Checks a record against the others: its dependencies are met and its constraints hold.
fn relations(record: &RepoDataRecord, locked: &LockedPlatform, by_name: &ByName<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let meets = |text: &str, name: &str| -> Option<Result<(), String>> {
        let spec = RecordSpec::parse(text)?;
        if let Some(other) = by_name.get(name) {
            let met = spec.matches(&other.package_record);
            return Some(if met { Ok(()) } else { Err(other.identifier.to_string()) });
        }
        let other = locked.virtual_packages.iter().find(|v| v.name.as_normalized() == name)?;
        Some(if spec.matches_virtual(other) { Ok(()) } else { Err(other.to_string()) })
    };
    for dependency in &record.package_record.depends {
        let name = PackageName::normalized_name_from_matchspec_str(dependency);
        match meets(dependency, &name) {
            Some(Ok(())) => {}
            Some(Err(found)) => {
                kinds.push(Kind::DependencyUnmet { dependency: dependency.clone(), found });
            }
            None => kinds.push(Kind::DependencyMissing { dependency: dependency.clone() }),
        }
    }
    for constraint in &record.package_record.constrains {
        let name = PackageName::normalized_name_from_matchspec_str(constraint);
        if let Some(Err(found)) = meets(constraint, &name) {
            kinds.push(Kind::ConstraintBroken { constraint: constraint.clone(), found });
        }
    }
    kinds
}

fn is_virtual(name: &str) -> bool {
    name.starts_with("__")
}

fn about(platform: Subdir, record: &RepoDataRecord, kind: Kind) -> Inconsistency {
    Inconsistency { platform, record: Some(Box::new(record.clone())), kind }
}
