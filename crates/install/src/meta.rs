//! Writes `conda-meta`: records, history, variables and the list of files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use envlock_model::channel::without_credentials;
use rattler_conda_types::prefix_record::Link;
use rattler_conda_types::{PrefixRecord, RepoDataRecord};
use serde::{Deserialize, Serialize};

use crate::error::{Attempting, InstallError};
use crate::history::revision;
use crate::prefix_paths::is_absent;
use crate::stage::Linked;
use crate::wanted::Wanted;

/// Files of a user's in `conda-meta` that the next environment keeps: conda's pins, and the
/// mark that an environment must not be changed (CEP 22).
const KEPT: [&str; 2] = ["pinned", "frozen"];

/// The name of [`Files`] in `conda-meta`.
pub(crate) const FILES: &str = "envlock-files";

/// Writes the records, the history, the state and the list of files into `staging`.
pub(crate) fn write(
    linked: Vec<Linked<'_>>,
    staging: &Path,
    wanted: &Wanted,
    before: &[RepoDataRecord],
) -> Result<Vec<PrefixRecord>, InstallError> {
    let folder = staging.join("conda-meta");
    let records: Vec<PrefixRecord> =
        linked.into_iter().map(|package| record(package, wanted)).collect();
    for record in &records {
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::from);
        text.and_then(|text| fs_err::write(folder.join(record.file_name()), text))
            .attempting("write a package's record")?;
    }
    let history = read_or_empty(&wanted.prefix.join("conda-meta/history"))
        .attempting("read the environment's history")?;
    fs_err::write(folder.join("history"), history + &revision(wanted, before))
        .attempting("write the history")?;
    for name in KEPT {
        let old = wanted.prefix.join("conda-meta").join(name);
        if old.is_file() {
            fs_err::copy(old, folder.join(name)).attempting("keep a file of conda-meta")?;
        }
    }
    write_variables(&folder, &wanted.variables).attempting("write the environment's variables")?;
    Files::of(staging, &records)
        .and_then(|files| files.write(staging))
        .attempting("write the list of files")?;
    Ok(records)
}

#[allow(deprecated, reason = "conda up to 24 reads `requested_spec`")]
fn record(package: Linked<'_>, wanted: &Wanted) -> PrefixRecord {
    let mut repodata = package.package.record.clone();
    repodata.url = without_credentials(&repodata.url);
    repodata.channel = repodata.channel.map(|channel| {
        url::Url::parse(&channel).map_or(channel, |url| without_credentials(&url).to_string())
    });
    let name = repodata.package_record.name.as_normalized();
    let requested_specs = wanted.requested.get(name).cloned().unwrap_or_default();
    PrefixRecord {
        extracted_package_dir: Some(package.package.dir.clone()),
        link: Some(Link {
            source: package.package.dir.clone(),
            link_type: Some(package.link_type),
        }),
        requested_spec: requested_specs.first().cloned(),
        requested_specs,
        ..PrefixRecord::from_repodata_record(repodata, package.paths)
    }
}

fn read_or_empty(path: &Path) -> io::Result<String> {
    match fs_err::read(path) {
        Ok(bytes) => {
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            Ok(text)
        }
        Err(error) if is_absent(&error) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// `conda-meta/state`, which conda has only where there are variables.
fn write_variables(folder: &Path, variables: &BTreeMap<String, String>) -> io::Result<()> {
    if variables.is_empty() {
        return Ok(());
    }
    let state = serde_json::json!({ "version": 1, "env_vars": variables });
    fs_err::write(folder.join("state"), serde_json::to_vec(&state)?)
}

/// `conda-meta/envlock-files`: what `verify` needs and a package's record doesn't say, and
/// all files in short, as reading the records takes too long to tell that a prefix is right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Files {
    /// Files that may be executed.
    pub(crate) executable: Vec<PathBuf>,
    /// Where symbolic links point to.
    pub(crate) symlinks: BTreeMap<PathBuf, PathBuf>,
    /// The sizes of all other files, in bytes.
    pub(crate) sizes: BTreeMap<PathBuf, u64>,
    /// Files that post-link scripts made.
    pub(crate) made: Vec<PathBuf>,
}

impl Files {
    /// Looks at the files of `records` in `prefix`. Scripts may have removed some.
    pub(crate) fn of(prefix: &Path, records: &[PrefixRecord]) -> io::Result<Self> {
        let mut files = Self::default();
        for entry in records.iter().flat_map(|record| &record.paths_data.paths) {
            let path = prefix.join(&entry.relative_path);
            let found = match fs_err::symlink_metadata(&path) {
                Ok(found) => found,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(error),
            };
            if found.is_symlink() {
                files.symlinks.insert(entry.relative_path.clone(), fs_err::read_link(&path)?);
            } else if found.is_file() {
                if is_executable(&found) {
                    files.executable.push(entry.relative_path.clone());
                }
                files.sizes.insert(entry.relative_path.clone(), found.len());
            }
        }
        files.executable.sort();
        Ok(files)
    }

    /// Whether each file is there, is what it was, and has its size.
    pub(crate) fn are_in(&self, prefix: &Path) -> bool {
        let found = |path: &PathBuf| std::fs::symlink_metadata(prefix.join(path));
        self.symlinks.keys().all(|path| found(path).is_ok_and(|found| found.is_symlink()))
            && self.sizes.iter().all(|(path, size)| {
                found(path).is_ok_and(|found| found.is_file() && found.len() == *size)
            })
    }

    fn path(prefix: &Path) -> PathBuf {
        prefix.join("conda-meta").join(FILES)
    }

    /// Nothing in environments of other tools.
    pub(crate) fn read(prefix: &Path) -> io::Result<Self> {
        match fs_err::read(Self::path(prefix)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if is_absent(&error) => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn write(&self, prefix: &Path) -> io::Result<()> {
        fs_err::write(Self::path(prefix), serde_json::to_vec(self)?)
    }
}

/// Whether any user may execute it.
pub(crate) fn is_executable(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o111 != 0
}
