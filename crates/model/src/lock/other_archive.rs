//! The other archive of a locked build: the `.tar.bz2` of a `.conda`, or the reverse.
//!
//! Mirrors remove a `.tar.bz2` when its `.conda` exists. An index that is read at install time
//! proves nothing about an archive, so the lock has the digest of the other archive from the index
//! that the solve read. A lock without it allows only the locked archive.

use std::collections::BTreeMap;

use envlock_report::{Code, Fields, Mistakes};
use envlock_text::tree::Node;
use rattler_conda_types::RepoDataRecord;
use rattler_conda_types::package::{CondaArchiveType, DistArchiveType};
use rattler_digest::{Sha256, Sha256Hash, parse_digest_from_hex};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use url::Url;

use super::Lock;

/// The other archives of a lock, by the URL of the locked archive.
pub type OtherArchives = BTreeMap<Url, OtherArchive>;

/// The digest and the size of the other archive of a locked build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherArchive {
    /// The digest of its bytes.
    pub sha256: Sha256Hash,
    /// Its size in bytes, if the index had it.
    pub size: Option<u64>,
}

impl OtherArchive {
    /// Returns the record of the other archive of `locked`: the same package in another file.
    /// `None` if the locked archive is neither a `.conda` nor a `.tar.bz2`.
    pub fn record(&self, locked: &RepoDataRecord) -> Option<RepoDataRecord> {
        let identifier = locked.identifier.with_archive_type(other_type(locked)?);
        let mut record = locked.clone();
        let package = &mut record.package_record;
        package.sha256 = Some(self.sha256);
        package.size = self.size;
        (package.md5, package.legacy_bz2_md5, package.legacy_bz2_size) = (None, None, None);
        package.attestations_sha256 = None;
        record.url.path_segments_mut().ok()?.pop().push(&identifier.to_file_name());
        record.identifier = identifier;
        Some(record)
    }

    /// Whether `other` is the other archive of the build that `locked` is an archive of.
    pub fn is_pair(locked: &RepoDataRecord, other: &RepoDataRecord) -> bool {
        let (a, b) = (&locked.package_record, &other.package_record);
        other_type(locked) == Some(other.identifier.archive_type)
            && locked.identifier.identifier == other.identifier.identifier
            && (&a.name, &a.version, &a.build) == (&b.name, &b.version, &b.build)
            && (a.build_number, &a.subdir) == (b.build_number, &b.subdir)
    }
}

impl Lock {
    /// Takes over the other archives of a previous lock, for the archives that both locks have.
    pub fn keep_other_archives(&mut self, previous: Option<&Self>) {
        let Some(previous) = previous.filter(|lock| !lock.other_archives.is_empty()) else {
            return;
        };
        let records = |lock: &Self| -> BTreeMap<Url, Option<Sha256Hash>> {
            let records = lock.platforms.values().flat_map(|locked| &locked.records);
            records.map(|record| (record.url.clone(), record.package_record.sha256)).collect()
        };
        let (locked, before) = (records(self), records(previous));
        for (url, archive) in &previous.other_archives {
            if before.contains_key(url) && before.get(url) == locked.get(url) {
                self.other_archives.insert(url.clone(), archive.clone());
            }
        }
    }
}

/// The other type of archive that a build can have.
fn other_type(record: &RepoDataRecord) -> Option<DistArchiveType> {
    match record.identifier.archive_type {
        DistArchiveType::Conda(CondaArchiveType::Conda) => Some(CondaArchiveType::TarBz2.into()),
        DistArchiveType::Conda(CondaArchiveType::TarBz2) => Some(CondaArchiveType::Conda.into()),
        DistArchiveType::Wheel(_) => None,
    }
}

impl Serialize for OtherArchive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("OtherArchive", 2)?;
        fields.serialize_field("sha256", &hex::encode(self.sha256))?;
        match &self.size {
            Some(size) => fields.serialize_field("size", size)?,
            None => fields.skip_field("size")?,
        }
        fields.end()
    }
}

/// Reads the mapping `other-archives` of the block `envlock:`.
pub(super) fn read(file: &str, fields: &mut Fields<'_, '_>) -> OtherArchives {
    let mut archives = OtherArchives::new();
    for entry in fields.entries_of("other-archives", "`other-archives`") {
        let archive = archive(file, &entry.value, fields.mistakes);
        match (Url::parse(entry.name()), archive) {
            (Ok(url), Some(archive)) => {
                archives.insert(url, archive);
            }
            (Err(_), _) => {
                let message = "`other-archives` has a key that isn't a URL";
                fields.add_mistake(Code::InvalidText, message, entry.key.start);
            }
            (Ok(_), None) => {}
        }
    }
    archives
}

fn archive(file: &str, node: &Node, mistakes: &mut Mistakes) -> Option<OtherArchive> {
    let mut fields = Fields::new(file, node, "an archive", mistakes);
    fields.refuse_unknown_keys(&["sha256", "size"]);
    let text = fields.required_text("sha256")?;
    let place = fields.get("sha256").unwrap_or(node).start;
    let sha256 = parse_digest_from_hex::<Sha256>(&text);
    if sha256.is_none() {
        fields.add_mistake(Code::InvalidText, "`sha256` must have 64 hexadecimal digits", place);
    }
    let size = fields.get("size").map(|node| (node.start, node.text().map(str::parse)));
    let size = match size {
        None => None,
        Some((_, Some(Ok(size)))) => Some(size),
        Some((place, _)) => {
            fields.add_mistake(Code::InvalidText, "`size` must be a number of bytes", place);
            return None;
        }
    };
    Some(OtherArchive { sha256: sha256?, size })
}
