//! Fetches indexes and packages from loopback mirrors, with and without faults.
// An unwrap in a test is its assertion.
#![allow(clippy::unwrap_used)]

mod archives;
mod bundles;
mod cache;
mod content_encoding;
mod credentials;
mod failover;
mod faults;
mod indexes;
mod offline;
mod other_archives;
mod proxies;
mod real_channels;
mod records;
mod support;
mod transport;
mod unpacked;
