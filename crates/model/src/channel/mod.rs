//! Channels: from what somebody wrote to the address of an origin.
//!
//! A [`Channel`] never holds credentials: [`resolve`] takes them out of an address and hands
//! them back beside it as an [`ChannelCredentials`].

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
