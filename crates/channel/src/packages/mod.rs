//! Packages: fetched, checked, unpacked.
//!
//! Everything is fetched and checked before [`Client::packages`](crate::Client::packages)
//! returns: whoever links from what it gives needs no network any more.

mod archive;
mod bundle;
mod error;
mod fetch;
mod other_archive;
mod store;

pub use error::{FailedPackage, FetchError, MissingPackage};
