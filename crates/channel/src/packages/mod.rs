//! Packages: fetched, checked, unpacked.
//!
//! Everything is fetched and checked before [`Client::packages`](crate::Client::packages)
//! returns: whoever links from what it gives needs no network any more.

mod archive;
mod channel;
mod error;
mod fetch;
mod store;
mod twin;

pub use error::{FailedPackage, FetchError, MissingPackage};
