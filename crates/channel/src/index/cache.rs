//! The cached index of one subdir: `index/<key>.json` and, written after it,
//! `index/<key>.info.json` with its source and its digest.
//!
//! Both are written by a rename. A pair that doesn't match (after a killed run, with two runs at
//! once, on a damaged disk) is detected by the digest and counts as missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use envlock_model::channel::without_credentials;
use fs_err as fs;
use rattler_digest::{Sha256, compute_bytes_digest, compute_url_digest};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};
use url::Url;

use super::lenient;
use crate::cache_folder;
use crate::disk::{DiskError, WithPath};
use crate::scratch::Scratch;
use crate::transport::Validators;

/// The version of the cache format. Other versions are not read.
const VERSION: u32 = 2;

/// The folder of the indexes in the cache.
const FOLDER: &str = "index";

/// The format of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// `repodata.json.zst`.
    Zst,
    /// `repodata.json`.
    Json,
}

impl Format {
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Zst => "repodata.json.zst",
            Self::Json => "repodata.json",
        }
    }
}

/// The metadata of one subdir in the cache.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SubdirInfo {
    version: u32,
    /// The subdir's origin, to detect a collision of keys.
    origin: String,
    /// The format that each source last had, by the subdir's URL at the source.
    pub(crate) formats: BTreeMap<String, Format>,
    /// The cached index; `None` if no source has the subdir.
    pub(crate) index: Option<CachedIndex>,
}

impl SubdirInfo {
    /// Returns both formats in the order in which the source at `url` is asked for them.
    pub(crate) fn formats_for(&self, url: &Url) -> [Format; 2] {
        match self.formats.get(without_credentials(url).as_str()) {
            Some(Format::Json) => [Format::Json, Format::Zst],
            _ => [Format::Zst, Format::Json],
        }
    }

    /// Whether no source had the subdir when the sources were last asked.
    pub(crate) fn is_known_absent(&self) -> bool {
        self.version == VERSION && self.index.is_none()
    }
}

/// The metadata of the cached index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CachedIndex {
    /// The subdir's URL at the source that delivered it, without credentials.
    pub(crate) source: String,
    /// Whether that source was the origin.
    pub(crate) from_origin: bool,
    pub(crate) format: Format,
    #[serde(flatten)]
    pub(crate) validators: Validators,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// `info.base_url`, as written there.
    pub(crate) base_url: Option<String>,
    /// The number of archives that it lists.
    pub(crate) records: usize,
    /// The timestamp of the newest archive, in seconds since 1970.
    pub(crate) newest: Option<u64>,
}

/// The cache files of one subdir.
#[derive(Debug, Clone)]
pub(crate) struct IndexCacheEntry {
    cache_dir: PathBuf,
    origin: Url,
    json: PathBuf,
    info: PathBuf,
}

impl IndexCacheEntry {
    pub(crate) fn new(cache_dir: &Path, origin: &Url) -> Self {
        let key = hex::encode(compute_url_digest::<Sha256>(origin.clone()));
        let folder = cache_dir.join(FOLDER);
        Self {
            cache_dir: cache_dir.to_owned(),
            origin: origin.clone(),
            json: folder.join(format!("{}.json", &key[..16])),
            info: folder.join(format!("{}.info.json", &key[..16])),
        }
    }

    /// Reads the metadata, and the index if it is complete. Unreadable files count as missing,
    /// since they can be fetched again.
    pub(crate) fn read(&self) -> (SubdirInfo, Option<String>) {
        let info: SubdirInfo = fs::read(&self.info)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .filter(|info: &SubdirInfo| {
                info.version == VERSION && info.origin == self.origin.as_str()
            })
            .unwrap_or_default();
        let json = info.index.as_ref().and_then(|stored| {
            let json = fs::read(&self.json).ok()?;
            let is_complete = json.len() as u64 == stored.size && digest(&json) == stored.sha256;
            is_complete.then(|| lenient::text(json))?
        });
        (info, json)
    }

    /// Stores a validated index.
    pub(crate) fn write(
        &self,
        info: SubdirInfo,
        json: TempPath,
        scratch: &Scratch,
    ) -> Result<(), DiskError> {
        cache_folder::create(&self.cache_dir, FOLDER)?;
        json.persist(&self.json).map_err(|error| error.error).with_path(&self.json)?;
        self.write_info(info, scratch)
    }

    /// Stores the metadata without a new index.
    pub(crate) fn write_info(&self, info: SubdirInfo, scratch: &Scratch) -> Result<(), DiskError> {
        cache_folder::create(&self.cache_dir, FOLDER)?;
        let info = SubdirInfo { version: VERSION, origin: self.origin.to_string(), ..info };
        let mut file: NamedTempFile = scratch.file()?;
        serde_json::to_writer_pretty(&mut file, &info)
            .map_err(std::io::Error::from)
            .with_path(&self.info)?;
        file.persist(&self.info).map_err(|error| error.error).with_path(&self.info)?;
        Ok(())
    }
}

/// Returns the SHA-256 digest in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(compute_bytes_digest::<Sha256>(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn stored(json: &[u8]) -> SubdirInfo {
        let index = CachedIndex {
            source: "http://h/noarch/".into(),
            from_origin: false,
            format: Format::Json,
            validators: Validators { etag: Some("\"1\"".into()), last_modified: None },
            sha256: digest(json),
            size: json.len() as u64,
            base_url: None,
            records: 0,
            newest: None,
        };
        SubdirInfo { index: Some(index), ..SubdirInfo::default() }
    }

    #[test]
    fn a_cached_index_is_read_until_a_byte_of_it_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let scratch = Scratch::open(folder.path()).expect("a scratch folder");
        let origin = Url::parse("https://h/通道/noarch/").expect("a URL");
        let entry = IndexCacheEntry::new(folder.path(), &origin);
        assert_eq!(entry.read(), (SubdirInfo::default(), None));

        let mut file = scratch.file().expect("a file");
        file.write_all(b"{}").expect("room for two bytes");
        entry.write(stored(b"{}"), file.into_temp_path(), &scratch).expect("room");
        let (info, json) = entry.read();
        assert_eq!(json.as_deref(), Some("{}"));
        assert_eq!(info.index, stored(b"{}").index);

        for damage in [&b"{"[..], b"[]"] {
            fs::write(&entry.json, damage).expect("room");
            assert_eq!(entry.read().1, None);
        }
    }
}
