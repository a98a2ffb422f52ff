//! Resolves a channel's name, URL or path to the URL of its origin.
//!
//! A [`Channel`] never holds credentials: [`resolve`] removes them from the URL and returns them
//! separately as [`ChannelCredentials`].

mod channel_config;
mod credentials;
mod error;
mod expand;
mod location;
mod origin;
mod resolve;
mod without_credentials;

#[cfg(test)]
mod tests;

pub use channel_config::{BaseSetting, ChannelConfig, InvalidEntries, display_name};
pub use credentials::ChannelCredentials;
pub use error::{ChannelError, InvalidChannel};
pub use expand::{expand, expand_url};
pub use origin::{comparable_origin, is_anaconda, is_anaconda_channel};
pub use resolve::{Channel, ResolvedChannel, resolve, resolve_folder};
pub use without_credentials::without_credentials;
