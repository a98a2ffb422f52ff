//! Indexes of channels: what packages there are.
//!
//! For every channel and subdir the sources are asked in their order, each for the
//! compressed form first and then for the plain one; which of them a source has is
//! remembered, so that the next run asks right away. There is no time during which a cached
//! index counts as fresh: every run asks once per subdir, conditionally, and mostly hears
//! that nothing changed.

mod base_url;
mod cache;
mod decode;
mod error;
mod fetch;
mod hints;
mod index_fetch;
mod records;
mod regression;
mod subdirs;
mod summary;

pub(crate) use base_url::subdir_url;
pub use error::{ChannelFailure, IndexError};
pub(crate) use hints::suggested_name;
pub use records::{Indexes, SubdirRecords};
pub use subdirs::ChannelRequest;
