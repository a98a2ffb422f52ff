//! What an index says of a file.

use bytes::Bytes;
use rattler_digest::{Sha256, compute_bytes_digest};

/// 2023-11-14: the default upload time, so that the pages are always the same.
const UPLOAD_TIME: &str = "2023-11-14T22:13:20.000000Z";

/// How a page refers to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAddress {
    /// Relative to the page, as mirrors do: `../../packages/…`.
    Relative,
    /// With this before `packages`: a path on the page's host, such as `/pypi/web/`, or a URL,
    /// such as `http://127.0.0.1:1234/`, which may be of another host.
    Base(String),
    /// This URL, of any file.
    Exact(String),
}

/// Which metadata of a wheel is served beside it (PEP 658).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedMetadata {
    /// That of the wheel, with its hash.
    OfTheWheel,
    /// That of the wheel, without a hash.
    WithoutHash,
    /// Other metadata, with its own hash.
    Other(Bytes),
    /// Other metadata, with the hash of the wheel's.
    OtherThanItsHash(Bytes),
    /// The wheel's is listed with its hash, but nothing is served.
    NotServed,
    /// None is listed.
    None,
}

/// What an index says of a file. The default is what PyPI says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub(super) address: Option<FileAddress>,
    pub(super) sha256: Hash,
    pub(super) yanked: Option<String>,
    pub(super) requires_python: Option<String>,
    pub(super) metadata: ListedMetadata,
    pub(super) upload_time: Option<String>,
    pub(super) has_size: bool,
}

/// The hash of a file on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hash {
    OfTheFile,
    Other(String),
    None,
}

/// What a page says of a file's metadata that is served.
pub(super) enum MetadataHash {
    Sha256(String),
    NotTold,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            address: None,
            sha256: Hash::OfTheFile,
            yanked: None,
            requires_python: None,
            metadata: ListedMetadata::OfTheWheel,
            upload_time: Some(UPLOAD_TIME.to_owned()),
            has_size: true,
        }
    }
}

impl Listing {
    /// Creates the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refers to the file in another way than the index does.
    #[must_use]
    pub fn address(mut self, address: FileAddress) -> Self {
        self.address = Some(address);
        self
    }

    /// Omits the hash of the file.
    #[must_use]
    pub fn without_hash(mut self) -> Self {
        self.sha256 = Hash::None;
        self
    }

    /// Lists another SHA-256, in hex.
    #[must_use]
    pub fn sha256(mut self, hex: impl Into<String>) -> Self {
        self.sha256 = Hash::Other(hex.into());
        self
    }

    /// Says that the file is yanked. The reason may be empty.
    #[must_use]
    pub fn yanked(mut self, reason: impl Into<String>) -> Self {
        self.yanked = Some(reason.into());
        self
    }

    /// Lists other versions of Python than the file's.
    #[must_use]
    pub fn requires_python(mut self, specifiers: impl Into<String>) -> Self {
        self.requires_python = Some(specifiers.into());
        self
    }

    /// Sets the metadata that is served beside a wheel.
    #[must_use]
    pub fn metadata(mut self, metadata: ListedMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets the upload time, such as `2023-11-14T22:13:20Z`; `None` omits it. Only JSON has it.
    #[must_use]
    pub fn upload_time(mut self, time: Option<&str>) -> Self {
        self.upload_time = time.map(str::to_owned);
        self
    }

    /// Omits the size. Only JSON has it.
    #[must_use]
    pub fn without_size(mut self) -> Self {
        self.has_size = false;
        self
    }

    /// Returns what is served beside a file with this metadata.
    pub(super) fn served_metadata<'a>(&'a self, own: Option<&'a Bytes>) -> Option<&'a Bytes> {
        let own = own?;
        match &self.metadata {
            ListedMetadata::OfTheWheel | ListedMetadata::WithoutHash => Some(own),
            ListedMetadata::Other(bytes) | ListedMetadata::OtherThanItsHash(bytes) => Some(bytes),
            ListedMetadata::NotServed | ListedMetadata::None => None,
        }
    }

    /// Returns what a page says of the metadata of a file with this metadata.
    pub(super) fn metadata_hash(&self, own: Option<&Bytes>) -> Option<MetadataHash> {
        let own = own?;
        let hashed = match &self.metadata {
            ListedMetadata::OfTheWheel
            | ListedMetadata::OtherThanItsHash(_)
            | ListedMetadata::NotServed => own,
            ListedMetadata::Other(bytes) => bytes,
            ListedMetadata::WithoutHash => return Some(MetadataHash::NotTold),
            ListedMetadata::None => return None,
        };
        Some(MetadataHash::Sha256(hex::encode(compute_bytes_digest::<Sha256>(hashed))))
    }
}
