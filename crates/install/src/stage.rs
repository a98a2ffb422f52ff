//! Links packages into a staging directory, with the final path in their files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use envlock_model::progress::{Event, Observer, Outcome, Phase};
use envlock_model::wheel::is_wheel;
use rattler::install::{ExternalSymlinkPolicy, InstallOptions, PythonInfo, link_package_sync};
use rattler_conda_types::package::{LinkJson, NoArchLinks, PathType, PathsJson, PythonEntryPoints};
use rattler_conda_types::prefix::Prefix;
use rattler_conda_types::prefix_record::{self, LinkType, PathsEntry};

use crate::contents::Contents;
use crate::error::{InstallError, IoContext};
use crate::expected_metadata::ExpectedMetadata;
use crate::install_spec::{InstallSpec, Package};
use crate::worker::Worker;

/// A package in the staging directory.
#[derive(Debug)]
pub(crate) struct Linked<'a> {
    pub(crate) package: &'a Package,
    pub(crate) noarch_python: bool,
    pub(crate) link_type: LinkType,
    /// Its paths as they are in the prefix, sorted.
    pub(crate) paths: Vec<PathsEntry>,
}

impl Linked<'_> {
    /// Whether the package is a wheel.
    pub(crate) fn is_wheel(&self) -> bool {
        is_wheel(&self.package.record)
    }
}

/// Links every package into `staging`, one after the other and each on all cores.
pub(crate) fn link<'a>(
    set: Vec<Contents<'a>>,
    staging: &Prefix,
    spec: &InstallSpec,
    python: Option<&PythonInfo>,
    expected: &mut ExpectedMetadata,
    worker: &Worker,
) -> Result<Vec<Linked<'a>>, InstallError> {
    let units = |contents: &Contents<'_>| (contents.entries.len() + contents.commands.len()) as u64;
    worker.observe(Event::Expect { phase: Phase::Link, units: set.iter().map(units).sum() });
    worker.observe(Event::ExpectItems { phase: Phase::Link, items: set.len() });
    let mut linked = Vec::with_capacity(set.len());
    for contents in set {
        worker.check_cancelled()?;
        let name = contents.package.record.package_record.name.as_normalized().to_owned();
        worker.observe(Event::Item { phase: Phase::Link, name: name.clone() });
        let units = units(&contents);
        linked.push(link_one(contents, staging, spec, python, expected)?);
        worker.observe(Event::Advance { phase: Phase::Link, units });
        worker.observe(Event::ItemDone { phase: Phase::Link, name });
    }
    let files: usize = linked.iter().map(|package| package.paths.len()).sum();
    worker.observe(Event::Done(Outcome::Linked { packages: linked.len(), files }));
    Ok(linked)
}

fn link_one<'a>(
    contents: Contents<'a>,
    staging: &Prefix,
    spec: &InstallSpec,
    python: Option<&PythonInfo>,
    expected: &mut ExpectedMetadata,
) -> Result<Linked<'a>, InstallError> {
    let package = contents.package;
    let noarch_python = contents.is_noarch_python();
    let (directories, files): (Vec<_>, Vec<_>) = contents
        .entries
        .into_iter()
        .partition(|entry| entry.source.path_type == PathType::Directory);
    let mut modes = BTreeMap::new();
    for entry in &files {
        if let Some(mode) = entry.mode {
            modes.insert(entry.target.clone(), mode);
        }
        if let Some(link) = &entry.link {
            expected.links.insert(entry.target.clone(), link.clone());
        }
    }
    for command in &contents.commands {
        modes.insert(command.target.clone(), 0o777);
    }
    let commands = contents.commands.into_iter().map(|command| command.entry_point).collect();
    let options = InstallOptions {
        target_prefix: Some(spec.prefix.clone()),
        paths_json: Some(PathsJson {
            paths: files.into_iter().map(|entry| entry.source).collect(),
            paths_version: 1,
        }),
        index_json: Some(contents.index),
        link_json: Some(Some(LinkJson {
            noarch: NoArchLinks::Python(PythonEntryPoints { entry_points: commands }),
            package_metadata_version: 1,
        })),
        platform: Some(spec.platform),
        python_info: python.filter(|_| noarch_python).cloned(),
        external_symlink_policy: ExternalSymlinkPolicy::Deny,
        // There, whole directories are cloned, with files that their package doesn't list.
        allow_ref_links: cfg!(target_os = "macos").then_some(false),
        ..InstallOptions::default()
    };
    // A separate registry for each package: `owners` has left nothing to clobber.
    let (mut paths, link_type) = link_package_sync(&package.dir, staging, Arc::default(), options)
        .map_err(|source| InstallError::Link { package: package.display_name(), source })?;
    for (path, mode) in modes {
        expected
            .set_mode(staging.path(), &path, mode)
            .while_doing("set the permissions of a file")?;
    }
    for directory in directories {
        fs_err::create_dir_all(staging.path().join(&directory.target))
            .while_doing("make a directory of a package")?;
        paths.push(directory_entry(&directory.target));
    }
    paths.sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
    Ok(Linked { package, noarch_python, link_type, paths })
}

/// Creates the entry of a directory, because rattler would copy it as if it were a file.
fn directory_entry(path: &Path) -> PathsEntry {
    PathsEntry {
        relative_path: path.to_owned(),
        original_path: None,
        path_type: prefix_record::PathType::Directory,
        no_link: false,
        sha256: None,
        sha256_in_prefix: None,
        size_in_bytes: None,
        file_mode: None,
        prefix_placeholder: None,
    }
}
