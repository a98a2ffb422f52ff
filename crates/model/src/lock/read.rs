//! Parses a lock and checks that it is consistent.

use std::collections::BTreeMap;

use envlock_report::{Mistakes, Place};
use envlock_text::limits::LOCK;
use envlock_text::tree::{self, Node};
use envlock_text::{Pos, to_u32};
use rattler_conda_types::{GenericVirtualPackage, Subdir};
use rattler_lock::{LockFile, PypiPackageData};

use super::blocks::Envlock;
use super::error::is_default_name;
use super::{BODY_VERSION, Lock, LockError, LockedPlatform, VERSION, body, consistency, requested};
use crate::{
    OtherFormat,
    lock_inputs::RequestedChannel,
    needs::{LockedNeeds, NeedsError},
    record,
    wheel::LockedWheel,
};

/// Reads a lock. `file` is its name for messages, and `text` its text after
/// [`decode`](envlock_text::decode).
///
/// The returned lock is consistent: its packages satisfy every request and every dependency,
/// no platform has two packages of one name, every package has a sha256, and no URL has a
/// credential.
pub fn read(file: &str, text: &str) -> Result<Lock, LockError> {
    let foreign =
        || LockError::OtherTool { place: Pos::START.place(file), format: other_format(file, text) };
    let is_foreign = || other_format(file, text).is_some();
    if let Err(error) = refuse_conflict_markers(file, text) {
        return Err(if is_foreign() { foreign() } else { error });
    }
    let tree = tree::read_yaml(file, text, &LOCK);
    if !tree.errors.is_empty() {
        return Err(if is_foreign() { foreign() } else { LockError::Text(tree.errors) });
    }
    let document = tree.root.ok_or_else(foreign)?;
    let block = document.get("envlock").ok_or_else(foreign)?;
    check_version(file, "envlock.version", block, VERSION)?;
    check_version(file, "version", &document, BODY_VERSION)?;
    check_platforms(file, &document)?;
    let mut mistakes = Mistakes::default();
    let envlock = requested::read_envlock_block(file, block, &mut mistakes);
    let Some(envlock) = envlock.filter(|_| mistakes.is_empty()) else {
        return Err(LockError::Blocks(mistakes.into_findings()));
    };
    let body = body::read(file, text, &document)?;
    let needs = needs(file, &document)?;
    let mut lock = assemble(file, &document, envlock, needs, &body)?;

    let mut found = consistency::check(&lock);
    found.extend(consistency::unread_contradictions(&document, &lock));
    consistency::limit(&mut found);
    if found.is_empty() {
        return Ok(lock);
    }
    let places = consistency::Places::new(file, &document);
    let problems = found.into_iter().map(|problem| (places.place_of(&problem), problem)).collect();
    // A solve keeps what it can, and parses the match specs of what it keeps.
    for locked in lock.platforms.values_mut() {
        locked.records.retain(|record| record::check(record).is_ok());
    }
    Err(LockError::Inconsistent { problems, lock: Box::new(lock) })
}

/// Returns the format of a lock of another tool. An incomplete envlock.lock, whose last block is
/// missing, has the format of pixi's.
fn other_format(file: &str, text: &str) -> Option<OtherFormat> {
    let is_ours = is_default_name(file);
    OtherFormat::detect(text).filter(|format| match format {
        OtherFormat::EnvlockLock => false,
        OtherFormat::PixiLock => !is_ours,
        _ => true,
    })
}

fn check_version(file: &str, key: &'static str, block: &Node, reads: u64) -> Result<(), LockError> {
    let version = block.get("version");
    let found = version.and_then(Node::text).and_then(|text| text.parse().ok()).unwrap_or(0);
    if found == reads {
        return Ok(());
    }
    Err(LockError::Version { place: version.unwrap_or(block).place(file), key, found, reads })
}

/// Checks the names of the platforms. The library's error for an unknown one would list all.
fn check_platforms(file: &str, document: &Node) -> Result<(), LockError> {
    let platforms = document.get("platforms").and_then(Node::items).unwrap_or_default();
    let mut names = platforms.iter().filter_map(|platform| platform.get("name"));
    let unknown = names.find_map(|node| {
        let name = node.text()?;
        name.parse::<Subdir>().is_err().then_some((node, name))
    });
    match unknown {
        None => Ok(()),
        Some((node, name)) => Err(LockError::Malformed {
            place: node.place(file),
            message: format!("there is no platform `{name}`"),
        }),
    }
}

/// Reads the needs of the block `secrets:`. `None` if there is no such block.
fn needs(file: &str, document: &Node) -> Result<Option<LockedNeeds>, LockError> {
    let Some(node) = document.get("secrets") else { return Ok(None) };
    LockedNeeds::read(file, node).map(Some).map_err(|error| match error {
        NeedsError::Version { place, found } => {
            LockError::Version { place, key: "secrets.version", found, reads: LockedNeeds::VERSION }
        }
        NeedsError::Mistakes(mistakes) => LockError::Blocks(mistakes),
    })
}

fn assemble(
    file: &str,
    document: &Node,
    envlock: Envlock,
    needs: Option<LockedNeeds>,
    body: &LockFile,
) -> Result<Lock, LockError> {
    let at_platforms = |message: String| {
        let place = document.entry("platforms").map(|entry| entry.key.place(file));
        LockError::Malformed { place: place.unwrap_or_else(|| Pos::START.place(file)), message }
    };
    let environment = body
        .default_environment()
        .ok_or_else(|| at_platforms("there is no environment `default`".to_owned()))?;
    let priority = envlock.requested.channel_priority;
    let exclude_newer = envlock.requested.exclude_newer;
    let mut requested = envlock.requested.platforms;
    let mut platforms = BTreeMap::new();
    for platform in body.platforms() {
        let subdir = platform.subdir();
        let request = requested.remove(subdir.as_str()).ok_or_else(|| {
            at_platforms(format!("{subdir} isn't in `envlock.requested.platforms`"))
        })?;
        let virtual_packages = platform
            .virtual_packages()
            .iter()
            .map(|text| {
                virtual_package(text).ok_or_else(|| {
                    at_platforms(format!(
                        "`{text}` is not a virtual package in the format name=version=build"
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        let records = environment
            .conda_repodata_records(platform)
            .map_err(|error| at_platforms(error.to_string()))?
            .unwrap_or_default();
        let mut wheels = wheels(file, document, environment.pypi_packages(platform))?;
        wheels.sort_by(|a, b| a.name().cmp(b.name()));
        // Locks of earlier versions say that the pip section isn't resolved.
        let is_resolved = request.pip.is_empty() || request.pip_resolved != Some(false);
        let wheels = is_resolved.then_some(wheels);
        let (specs, pip) = (request.specs, request.pip);
        platforms.insert(subdir, LockedPlatform { specs, pip, virtual_packages, records, wheels });
    }
    if let Some(name) = requested.into_keys().next() {
        return Err(at_platforms(format!("{name} was requested, but isn't in `platforms`")));
    }
    for locked in platforms.values_mut() {
        locked.records.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
    }
    let channels = envlock
        .requested
        .channels
        .into_iter()
        .map(|channel| RequestedChannel {
            name: channel.name,
            urls: channel.urls,
            multi: channel.multi,
            only_for_specs: channel.only_for_specs,
        })
        .collect();
    Ok(Lock {
        name: envlock.name,
        channels,
        platforms,
        variables: envlock.variables,
        priority,
        exclude_newer,
        needs,
        other_archives: envlock.other_archives,
    })
}

/// Reads the wheels of a platform.
fn wheels<'p>(
    file: &str,
    document: &Node,
    packages: Option<impl Iterator<Item = &'p PypiPackageData>>,
) -> Result<Vec<LockedWheel>, LockError> {
    let read = |package: &PypiPackageData| {
        LockedWheel::from_lock(package).map_err(|fault| {
            let node = wheel_node(document, package);
            let place = node.unwrap_or(document).place(file);
            LockError::Malformed { place, message: format!("{}: {fault}", package.name()) }
        })
    };
    packages.into_iter().flatten().map(read).collect()
}

/// Returns the URL of a package of PyPI in its block.
fn wheel_node<'n>(document: &'n Node, package: &PypiPackageData) -> Option<&'n Node> {
    let location = package.location().inner().to_string();
    let packages = document.get("packages").and_then(Node::items).unwrap_or_default();
    let mut urls = packages.iter().filter_map(|package| package.get("pypi"));
    urls.find(|node| node.text() == Some(location.as_str()))
}

fn virtual_package(text: &str) -> Option<GenericVirtualPackage> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

fn refuse_conflict_markers(file: &str, text: &str) -> Result<(), LockError> {
    let marker = text.lines().position(|line| {
        line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") || line == "======="
    });
    match marker {
        Some(index) => {
            Err(LockError::MergeConflict { place: Place::new(file, to_u32(index + 1), 1) })
        }
        None => Ok(()),
    }
}
