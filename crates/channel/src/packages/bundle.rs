//! Writes packages as a local channel: the archives and their index, in a folder that any conda
//! tool can use as `file://`.
//!
//! The cache has only unpacked packages, so archives are downloaded, except those that are in the
//! folder with the right sha256. The index is written last: a folder with an index is complete.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envlock_model::lock::OtherArchives;
use envlock_model::progress::{Event, Observer, Phase};
use envlock_model::wheel::is_wheel;
use fs_err as fs;
use futures::StreamExt;
use rattler_conda_types::{RepoDataRecord, Subdir};
use rattler_digest::{Sha256, Sha256Hash, compute_file_digest};
use serde_json::{Map, Value, json};
use tempfile::{NamedTempFile, TempPath};

use super::Substitution;
use super::error::FetchError;
use super::fetch::{UnavailablePackage, error_for, item_name};
use super::other_archive::{OtherRecord, with_other_archive};
use super::store::{PackageDir, checked_sha256};
use crate::Client;
use crate::blocking::spawn_blocking;
use crate::disk::{DiskError, WithPath};

/// The records of a channel by the path of their archive in it.
type Files = BTreeMap<String, RepoDataRecord>;

impl Client {
    /// Writes a channel of exactly these records into `folder`. Other files in it are kept, but
    /// the index doesn't list them. If no source has an archive, its other archive is used, as in
    /// [`Client::packages`]. Returns the substitutions.
    pub async fn write_channel(
        &self,
        records: &[RepoDataRecord],
        archives: &OtherArchives,
        folder: &Path,
        observer: &dyn Observer,
    ) -> Result<Vec<Substitution>, FetchError> {
        let mut files = Files::new();
        for record in records {
            add_file(&mut files, record.clone())?;
        }
        let wanted = missing_files(&files, folder).await?;
        let unavailable = self.fetch_archives(wanted, observer).await?;
        let (others, unavailable) = with_other_archive(unavailable, archives);
        error_for(&unavailable).map_err(without_archives)?;
        let mut used = Files::new();
        let mut substitutions = Vec::new();
        let mut replaced = Vec::new();
        for OtherRecord { locked, record } in others {
            substitutions.push(Substitution::new(locked.record, &record));
            replaced.push(file_path(locked.record));
            add_file(&mut used, record)?;
        }
        let wanted = missing_files(&used, folder).await?;
        error_for(&self.fetch_archives(wanted, observer).await?).map_err(without_archives)?;
        for path in replaced {
            files.remove(&path);
        }
        for record in used.into_values() {
            add_file(&mut files, record)?;
        }
        let indexes = indexes(&files);
        let folder = folder.to_owned();
        spawn_blocking(move || write_indexes(&folder, &indexes)).await?;
        Ok(substitutions)
    }

    /// Fetches archives to their paths. Returns those that no source delivers.
    async fn fetch_archives<'a>(
        &self,
        wanted: Vec<(PathBuf, &'a RepoDataRecord)>,
        observer: &dyn Observer,
    ) -> Result<Vec<UnavailablePackage<'a>>, FetchError> {
        let phase = Phase::Download;
        let units = wanted.iter().filter_map(|(_, record)| record.package_record.size).sum();
        observer.observe(Event::Expect { phase, units });
        observer.observe(Event::ExpectItems { phase, items: wanted.len() });
        let fetched = wanted.into_iter().map(|(path, record)| async move {
            let fetched = self.fetch_to(&path, record, observer).await;
            observer.observe(Event::ItemDone { phase, name: item_name(record) });
            fetched
        });
        let mut results = self.run_concurrently(fetched);
        let mut unavailable = Vec::new();
        while let Some(result) = results.next().await {
            unavailable.extend(result?);
        }
        Ok(unavailable)
    }

    async fn fetch_to<'a>(
        &self,
        path: &Path,
        record: &'a RepoDataRecord,
        observer: &dyn Observer,
    ) -> Result<Option<UnavailablePackage<'a>>, FetchError> {
        let dir = PackageDir::for_record(self.cache_dir(), record)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = || temporary(folder);
        match self.download_archive(dir, record, &file, observer).await? {
            Ok((_, archive)) => {
                archive.persist(path).map_err(|error| error.error).with_path(path)?;
                Ok(None)
            }
            Err(unavailable) => Ok(Some(unavailable)),
        }
    }
}

/// Says of packages that the cache may have that their archives are missing.
fn without_archives(error: FetchError) -> FetchError {
    match error {
        FetchError::NotCached(packages) => FetchError::NoArchive(packages),
        other => other,
    }
}

/// The folder of the wheels in a bundle. pip takes it as `--find-links`.
pub const WHEELS_FOLDER: &str = "wheels";

/// Returns the path of a record's archive in a channel, or of a wheel beside it.
fn file_path(record: &RepoDataRecord) -> String {
    if is_wheel(record) {
        return format!("{WHEELS_FOLDER}/{}", record.identifier);
    }
    format!("{}/{}", record.package_record.subdir, record.identifier)
}

/// Adds a record. Two archives with the same path and other digests are an error.
fn add_file(files: &mut Files, record: RepoDataRecord) -> Result<(), FetchError> {
    checked_sha256(&record)?;
    match files.entry(file_path(&record)) {
        Entry::Vacant(entry) => {
            entry.insert(record);
            Ok(())
        }
        Entry::Occupied(entry)
            if entry.get().package_record.sha256 == record.package_record.sha256 =>
        {
            Ok(())
        }
        Entry::Occupied(entry) => Err(FetchError::DuplicateFileName {
            file: record.identifier.to_string(),
            urls: [entry.get().url.to_string(), record.url.to_string()],
        }),
    }
}

/// Returns the files that aren't in `folder` with their digest.
async fn missing_files<'a>(
    files: &'a Files,
    folder: &Path,
) -> Result<Vec<(PathBuf, &'a RepoDataRecord)>, FetchError> {
    let mut missing = Vec::with_capacity(files.len());
    for (name, record) in files {
        let sha256 = checked_sha256(record)?;
        let path = folder.join(name);
        let checked = path.clone();
        if !spawn_blocking(move || has_sha256(&checked, &sha256)).await {
            missing.push((path, record));
        }
    }
    Ok(missing)
}

fn has_sha256(path: &Path, sha256: &Sha256Hash) -> bool {
    compute_file_digest::<Sha256>(path).is_ok_and(|digest| digest == *sha256)
}

/// Creates a temporary file in the folder of its final path. Its mode is 0666 without the user's
/// umask, since a channel may be shared. The folder of a subdir is never a symbolic link: a file
/// would be written elsewhere.
fn temporary(folder: &Path) -> Result<NamedTempFile, DiskError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(folder).with_path(folder)?;
    if fs::symlink_metadata(folder).with_path(folder)?.is_symlink() {
        let error = std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is a symbolic link");
        return Err(DiskError::new(folder, error));
    }
    tempfile::Builder::new()
        .prefix(".envlock-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_path(folder)
}

/// Builds `repodata.json` by subdir. Every channel has noarch.
fn indexes(files: &Files) -> BTreeMap<String, Value> {
    let conda = files.values().filter(|record| !is_wheel(record));
    let subdirs = conda.map(|record| record.package_record.subdir.clone());
    let subdirs: BTreeSet<String> = subdirs.chain([Subdir::NoArch.to_string()]).collect();
    let records_of = |subdir: &str, ending: &str| -> Map<String, Value> {
        let records = files.values().map(|record| (record.identifier.to_string(), record));
        records
            .filter(|(name, record)| {
                record.package_record.subdir == subdir && name.ends_with(ending)
            })
            .map(|(name, record)| (name, json!(record.package_record)))
            .collect()
    };
    let index = |subdir: String| {
        let index = json!({
            "info": { "subdir": subdir },
            "packages": records_of(&subdir, ".tar.bz2"),
            "packages.conda": records_of(&subdir, ".conda"),
            "removed": [],
            "repodata_version": 1,
        });
        (subdir, index)
    };
    subdirs.into_iter().map(index).collect()
}

/// Writes each index in both formats: conda asks for the compressed one first.
fn write_indexes(folder: &Path, indexes: &BTreeMap<String, Value>) -> Result<(), DiskError> {
    for (subdir, index) in indexes {
        let folder = folder.join(subdir);
        let text = index.to_string();
        let packed = zstd::encode_all(text.as_bytes(), zstd::DEFAULT_COMPRESSION_LEVEL);
        let packed = packed.with_path(&folder)?;
        for (name, bytes) in [("repodata.json", text.as_bytes()), ("repodata.json.zst", &packed)] {
            let path = folder.join(name);
            let file: TempPath = temporary(&folder)?.into_temp_path();
            fs::write(&file, bytes).with_path(&path)?;
            file.persist(&path).map_err(|error| error.error).with_path(&path)?;
        }
    }
    Ok(())
}
