//! Fetches, checks and unpacks packages.
//!
//! Everything is fetched and checked before [`Client::packages`](crate::Client::packages)
//! returns, so linking needs no network.

mod archive;
mod archive_writer;
mod bundle;
mod error;
mod fetch;
mod other_archive;
mod store;
mod unpack;
mod unpacked_files;
mod wheel;

pub use bundle::WHEELS_FOLDER;
pub use error::{FailedPackage, FetchError, MissingPackage};
pub use fetch::UnpackedPackage;
pub use other_archive::Substitution;
