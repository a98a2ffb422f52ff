//! Channels: from what somebody wrote to the address of an origin.
//!
//! A [`Channel`] never holds credentials: [`resolve`] takes them out of an address and hands
//! them back beside it as an [`Access`].

mod access;
mod bare;
mod error;
mod expand;
mod location;
mod resolve;
mod rules;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use bare::without_credentials;
pub use error::{ChannelError, Reason};
pub use expand::expand;
pub use resolve::{Channel, Resolved, folder, resolve};
pub use rules::{Rules, name_of};
