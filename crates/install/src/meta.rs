//! Writes `conda-meta`: records, history, variables and the list of files.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use envlock_model::channel::without_credentials;
use envlock_model::wheel::is_wheel;
use rattler_conda_types::prefix_record::Link;
use rattler_conda_types::{PrefixRecord, RepoDataRecord};
use serde::{Deserialize, Serialize};

use crate::error::{InstallError, IoContext};
use crate::expected_metadata::ExpectedMetadata;
use crate::history::revision;
use crate::install_spec::InstallSpec;
use crate::prefix_paths::is_not_found;
use crate::stage::Linked;
use crate::trusted::read_bounded;

/// Files of a user's in `conda-meta` that the next environment keeps: conda's pins, and the
/// mark that an environment must not be changed (CEP 22).
const KEPT: [&str; 2] = ["pinned", "frozen"];

/// The maximum number of bytes of the history, and of each kept file.
const MAX_TEXT_BYTES: u64 = 64_000_000;

/// The maximum number of bytes of [`FileList`]: some 100 for each file.
const MAX_FILES_BYTES: u64 = 512_000_000;

/// rattler gives the files that it changes the time of their package and one second, which can be
/// later than the end of the install.
const SLACK: Duration = Duration::from_secs(2);

/// The extension of the record of a wheel.
const WHEEL_RECORD: &str = "wheel";

/// The name of [`FileList`] in `conda-meta`.
pub(crate) const FILE_LIST_NAME: &str = "envlock-files";

/// Writes the records, the history, the state and the list of files into `staging`.
pub(crate) fn write(
    linked: Vec<Linked<'_>>,
    staging: &Path,
    spec: &InstallSpec,
    before: &[RepoDataRecord],
    expected: &ExpectedMetadata,
) -> Result<Vec<PrefixRecord>, InstallError> {
    let folder = staging.join("conda-meta");
    let records: Vec<PrefixRecord> =
        linked.into_iter().map(|package| record(package, spec)).collect();
    for record in &records {
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::from);
        text.and_then(|text| fs_err::write(folder.join(record_file_name(record)), text))
            .while_doing("write a package's record")?;
    }
    let history = read_or_empty(&spec.prefix.join("conda-meta/history"))
        .while_doing("read the environment's history")?;
    fs_err::write(folder.join("history"), history + &revision(spec, before))
        .while_doing("write the history")?;
    for name in KEPT {
        let old = read_bounded(&spec.prefix.join("conda-meta").join(name), MAX_TEXT_BYTES);
        if let Some(bytes) = old.while_doing("keep a file of conda-meta")? {
            fs_err::write(folder.join(name), bytes).while_doing("keep a file of conda-meta")?;
        }
    }
    write_variables(&folder, &spec.variables).while_doing("write the environment's variables")?;
    FileList::new(staging, &records, expected)
        .and_then(|files| files.write(staging))
        .while_doing("write the list of files")?;
    Ok(records)
}

#[allow(deprecated, reason = "conda up to 24 reads `requested_spec`")]
fn record(package: Linked<'_>, spec: &InstallSpec) -> PrefixRecord {
    let mut repodata = package.package.record.clone();
    repodata.url = without_credentials(&repodata.url);
    repodata.channel = repodata.channel.map(|channel| {
        url::Url::parse(&channel).map_or(channel, |url| without_credentials(&url).to_string())
    });
    let name = repodata.package_record.name.as_normalized();
    let requested_specs = spec.requested.get(name).cloned().unwrap_or_default();
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

/// Returns the file name of a record in `conda-meta`. A wheel's doesn't end in `.json`, so that
/// conda and rattler, which read the others as records of conda packages, find the wheel where
/// pip's tools find it.
pub(crate) fn record_file_name(record: &PrefixRecord) -> String {
    let name = record.file_name();
    match name.strip_suffix(".json") {
        Some(stem) if is_wheel(&record.repodata_record) => format!("{stem}.{WHEEL_RECORD}"),
        _ => name,
    }
}

/// Whether a file in `conda-meta` is the record of a package.
pub(crate) fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json" || extension == WHEEL_RECORD)
}

fn read_or_empty(path: &Path) -> io::Result<String> {
    let bytes = read_bounded(path, MAX_TEXT_BYTES)?.unwrap_or_default();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Writes `conda-meta/state`, which conda has only where there are variables.
fn write_variables(folder: &Path, variables: &BTreeMap<String, String>) -> io::Result<()> {
    if variables.is_empty() {
        return Ok(());
    }
    let state = serde_json::json!({ "version": 1, "env_vars": variables });
    fs_err::write(folder.join("state"), serde_json::to_vec(&state)?)
}

/// `conda-meta/envlock-files`: what `verify` needs and a package's record doesn't say, and
/// all files in short, because reading all records to check a prefix takes too long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileList {
    /// Files by their permissions, in octal. Empty where the file system has no permissions.
    modes: BTreeMap<String, Vec<PathBuf>>,
    /// The permissions of directories, in octal.
    directory_mode: Option<String>,
    /// Where symbolic links point to.
    pub(crate) symlinks: BTreeMap<PathBuf, PathBuf>,
    /// The sizes of all other files, in bytes.
    pub(crate) sizes: BTreeMap<PathBuf, u64>,
    /// Files that post-link scripts made.
    #[serde(rename = "made")]
    pub(crate) made_by_scripts: Vec<PathBuf>,
}

impl FileList {
    /// Lists the files of `records` in `prefix`. Modes and targets of links are those of the
    /// archives, not those that are found.
    pub(crate) fn new(
        prefix: &Path,
        records: &[PrefixRecord],
        expected: &ExpectedMetadata,
    ) -> io::Result<Self> {
        let mut files = Self { sizes: sizes(prefix, records)?, ..Self::default() };
        for (path, target) in &expected.links {
            files.symlinks.insert(path.clone(), target.clone());
            files.sizes.remove(path);
        }
        if expected.has_modes {
            files.directory_mode = Some(format!("{:o}", expected.directory_mode));
            for (path, mode) in &expected.modes {
                files.modes.entry(format!("{mode:o}")).or_default().push(path.clone());
            }
        }
        Ok(files)
    }

    /// Lists the files of `records` again after post-link scripts, which may have changed and
    /// removed some.
    pub(crate) fn update(&mut self, prefix: &Path, records: &[PrefixRecord]) -> io::Result<()> {
        self.sizes = sizes(prefix, records)?;
        let has_modes = !self.modes.is_empty();
        self.modes.clear();
        self.symlinks.clear();
        for entry in records.iter().flat_map(|record| &record.paths_data.paths) {
            let path = prefix.join(&entry.relative_path);
            let Ok(found) = std::fs::symlink_metadata(&path) else { continue };
            if found.is_symlink() {
                self.symlinks.insert(entry.relative_path.clone(), fs_err::read_link(&path)?);
            } else if has_modes && found.is_file() {
                let mode = format!("{:o}", permissions(&found));
                self.modes.entry(mode).or_default().push(entry.relative_path.clone());
            }
        }
        Ok(())
    }

    /// Returns the permissions of the files.
    pub(crate) fn modes(&self) -> HashMap<&Path, u32> {
        let mut modes = HashMap::new();
        for (mode, paths) in &self.modes {
            if let Ok(mode) = u32::from_str_radix(mode, 8) {
                modes.extend(paths.iter().map(|path| (path.as_path(), mode)));
            }
        }
        modes
    }

    /// Returns the permissions of directories.
    pub(crate) fn directory_mode(&self) -> Option<u32> {
        u32::from_str_radix(self.directory_mode.as_deref()?, 8).ok()
    }

    /// Whether each file and link is there with its size, permissions and target.
    pub(crate) fn matches_disk(&self, prefix: &Path) -> bool {
        let modes = self.modes();
        let is_link = |(path, target): (&PathBuf, &PathBuf)| {
            std::fs::read_link(prefix.join(path)).is_ok_and(|found| found == *target)
        };
        let is_file = |(path, size): (&PathBuf, &u64)| {
            std::fs::symlink_metadata(prefix.join(path)).is_ok_and(|found| {
                let mode = modes.get(path.as_path());
                let has_mode = mode.is_none_or(|mode| permissions(&found) == *mode);
                found.is_file() && found.len() == *size && has_mode
            })
        };
        self.symlinks.iter().all(is_link) && self.sizes.iter().all(is_file)
    }

    /// Whether each file is there with its size and was last written before `time`, with a slack. A
    /// script may have removed the file of a record, so that only what is in this list counts.
    pub(crate) fn is_older_than(&self, prefix: &Path, time: SystemTime) -> bool {
        let is_older = |path: &PathBuf| {
            let found = std::fs::symlink_metadata(prefix.join(path));
            found.and_then(|found| found.modified()).is_ok_and(|modified| modified <= time + SLACK)
        };
        let without_modes = Self { modes: BTreeMap::new(), ..self.clone() };
        without_modes.matches_disk(prefix) && self.sizes.keys().all(is_older)
    }

    fn path(prefix: &Path) -> PathBuf {
        prefix.join("conda-meta").join(FILE_LIST_NAME)
    }

    /// Reads the list of a prefix; it is empty for an environment of another tool.
    pub(crate) fn read(prefix: &Path) -> io::Result<Self> {
        let bytes = read_bounded(&Self::path(prefix), MAX_FILES_BYTES)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub(crate) fn write(&self, prefix: &Path) -> io::Result<()> {
        fs_err::write(Self::path(prefix), serde_json::to_vec(self)?)
    }
}

/// Returns the sizes of the files of `records`, in bytes. Scripts may have removed some.
fn sizes(prefix: &Path, records: &[PrefixRecord]) -> io::Result<BTreeMap<PathBuf, u64>> {
    let mut sizes = BTreeMap::new();
    for entry in records.iter().flat_map(|record| &record.paths_data.paths) {
        match fs_err::symlink_metadata(prefix.join(&entry.relative_path)) {
            Ok(found) if found.is_file() => {
                sizes.insert(entry.relative_path.clone(), found.len());
            }
            Ok(_) => {}
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sizes)
}

/// Returns the permissions of a file, with the setuid, setgid and sticky bits.
pub(crate) fn permissions(found: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o7777
}
