//! Resolves channel names, paths and URLs to the URL of a channel at its origin.
//!
//! A [`Channel`] never has credentials. [`resolve`] removes them from the URL and returns them
//! separately as [`ChannelCredentials`].

mod channel_config;
mod credentials;
mod error;
mod expand;
mod location;
mod resolve;
mod without_credentials;

#[cfg(test)]
mod tests;

pub use channel_config::{ChannelConfig, display_name};
pub use credentials::ChannelCredentials;
pub use error::{ChannelError, InvalidChannel};
pub use expand::expand;
pub use resolve::{Channel, ResolvedChannel, resolve, resolve_location};
pub use without_credentials::without_credentials;
