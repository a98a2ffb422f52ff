//! Indexes of channels: the lists of their packages.
//!
//! For every channel and subdir the sources are asked in order, each for the compressed format
//! first and then for the plain one. The format that a source has is cached for the next run. A
//! cached index never counts as fresh: every run sends one conditional request per subdir, which
//! usually returns status 304.

mod base_url;
mod cache;
mod decode;
mod error;
mod fetch;
mod hints;
mod index_fetch;
mod lenient;
mod listing;
mod outline;
mod records;
mod regression;
mod skipped;
mod subdirs;
mod summary;

pub(crate) use base_url::subdir_url;
pub use error::{ChannelFailure, ChannelSetting, IndexError};
pub(crate) use hints::suggested_name;
pub use records::{Indexes, SubdirRecords};
pub use skipped::SkippedRecord;
pub use subdirs::ChannelRequest;
