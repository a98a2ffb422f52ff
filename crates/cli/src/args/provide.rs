//! `fetch` and `bundle` as they are typed.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{Files, Network};

#[derive(Debug, ClapArgs)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Only what the lock has for this platform. May be given several times.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Vec<String>,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) wanted: Fetch,
    /// The folder that becomes a channel: a new one, an empty one, or an older bundle.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}
