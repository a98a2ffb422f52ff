//! Channels: archives and an index for each platform, as files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rattler_conda_types::Subdir;
use serde_json::{Map, Value, json};

use crate::{BuiltPackage, Format, Package};

/// The formats in which the index is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexFormats {
    /// `repodata.json`
    pub json: bool,
    /// `repodata.json.zst`
    pub zst: bool,
}

impl IndexFormats {
    /// Both.
    pub const ALL: Self = Self { json: true, zst: true };
    /// `repodata.json` alone.
    pub const JSON: Self = Self { json: true, zst: false };
    /// `repodata.json.zst` alone.
    pub const ZST: Self = Self { json: false, zst: true };
}

/// A channel in a directory, to which packages are added.
#[derive(Debug, Clone)]
pub struct Channel {
    root: PathBuf,
    info: Map<String, Value>,
    /// By platform, then by file name.
    records: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

impl Channel {
    /// Creates an empty channel in `root`, with a directory for each platform.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), info: Map::new(), records: BTreeMap::new() }
    }

    /// Returns the directory that contains the directories of the platforms.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a package's archive into its platform's directory and lists it.
    pub fn add(&mut self, package: &Package, format: Format) -> io::Result<BuiltPackage> {
        let directory = self.root.join(package.subdir_name());
        fs_err::create_dir_all(&directory)?;
        let built = package.write(&directory, format)?;
        let records = self.records.entry(package.subdir_name()).or_default();
        records.insert(built.file_name.clone(), built.record.clone());
        Ok(built)
    }

    /// Adds a record without an archive.
    pub fn add_record(&mut self, subdir: Subdir, file_name: impl Into<String>, record: Value) {
        self.records.entry(subdir.as_str()).or_default().insert(file_name.into(), record);
    }

    /// Sets a field of `info` in every platform's index, such as `base_url`.
    pub fn set_info(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.info.insert(key.into(), value.into());
    }

    /// Writes the index of noarch and of every platform with a record.
    pub fn write_index(&self, formats: IndexFormats) -> io::Result<()> {
        let noarch = Subdir::NoArch.as_str();
        let subdirs: BTreeSet<_> = self.records.keys().copied().chain([noarch]).collect();
        for subdir in subdirs {
            let directory = self.root.join(subdir);
            fs_err::create_dir_all(&directory)?;
            let text = self.index(subdir).to_string();
            if formats.json {
                fs_err::write(directory.join("repodata.json"), &text)?;
            }
            if formats.zst {
                let path = directory.join("repodata.json.zst");
                fs_err::write(path, compressed(text.as_bytes())?)?;
            }
        }
        Ok(())
    }

    /// Returns a platform's `repodata.json`.
    fn index(&self, subdir: &str) -> Value {
        let mut info = self.info.clone();
        info.insert("subdir".to_owned(), json!(subdir));
        let of_format = |format: Format| -> Map<String, Value> {
            let records = self.records.get(subdir).into_iter().flatten();
            records
                .filter(|(file_name, _)| file_name.ends_with(format.extension()))
                .map(|(file_name, record)| (file_name.clone(), record.clone()))
                .collect()
        };
        json!({
            "info": info,
            "packages": of_format(Format::TarBz2),
            "packages.conda": of_format(Format::Conda),
            "removed": [],
            "repodata_version": 1,
        })
    }
}

/// Compresses an index, with a checksum so that damage on the way is noticed.
fn compressed(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), zstd::DEFAULT_COMPRESSION_LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(text)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::RepoData;

    use super::*;

    fn channel(root: &Path) -> Channel {
        let mut channel = Channel::new(root);
        let zlib = Package::new("zlib", "1.3").build("h1_0").file("lib/libz.so", "z");
        channel.add(&zlib, Format::TarBz2).unwrap();
        channel.add(&zlib, Format::Conda).unwrap();
        let idna = Package::new("idna", "3.4").build("pyhd_1").noarch_python().depends(["python"]);
        channel.add(&idna, Format::Conda).unwrap();
        channel
    }

    #[test]
    fn every_platform_with_packages_has_an_index_that_can_be_read() {
        let root = tempfile::tempdir().unwrap();
        channel(root.path()).write_index(IndexFormats::ALL).unwrap();
        let linux = RepoData::from_path(root.path().join("linux-64/repodata.json")).unwrap();
        assert_eq!((linux.packages.len(), linux.conda_packages.len()), (1, 1));
        let noarch = RepoData::from_path(root.path().join("noarch/repodata.json")).unwrap();
        let idna = noarch.conda_packages.values().next().unwrap();
        assert_eq!((idna.build_number, idna.noarch.is_python()), (1, true));
        assert!(idna.sha256.is_some() && idna.md5.is_some() && idna.size.is_some());
    }

    #[test]
    fn both_formats_of_the_index_have_the_same_content() {
        let root = tempfile::tempdir().unwrap();
        channel(root.path()).write_index(IndexFormats::ALL).unwrap();
        let json = fs_err::read(root.path().join("linux-64/repodata.json")).unwrap();
        let zst = fs_err::read(root.path().join("linux-64/repodata.json.zst")).unwrap();
        assert_eq!(zstd::decode_all(&zst[..]).unwrap(), json);
    }

    #[test]
    fn an_empty_channel_has_only_noarch_in_the_requested_format() {
        let root = tempfile::tempdir().unwrap();
        Channel::new(root.path()).write_index(IndexFormats::ZST).unwrap();
        assert!(root.path().join("noarch/repodata.json.zst").exists());
        assert!(!root.path().join("noarch/repodata.json").exists());
        assert!(!root.path().join("linux-64").exists());
    }

    #[test]
    fn records_need_no_archive_and_info_can_have_more_fields() {
        let root = tempfile::tempdir().unwrap();
        let mut channel = Channel::new(root.path());
        let record = Value::Object(Package::new("a", "1").index_json());
        channel.add_record(Subdir::OsxArm64, "a-1-0.conda", record);
        channel.set_info("base_url", "https://elsewhere.example/");
        channel.write_index(IndexFormats::JSON).unwrap();
        let text = fs_err::read_to_string(root.path().join("osx-arm64/repodata.json")).unwrap();
        let index: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(index["packages.conda"]["a-1-0.conda"]["name"], "a");
        let base_url = "https://elsewhere.example/";
        assert_eq!(index["info"], json!({ "base_url": base_url, "subdir": "osx-arm64" }));
    }
}
