//! Why there are no indexes, in words.

use envlock_report::{Diagnostic, Exit, Explain};
use rattler_conda_types::Subdir;

use crate::answer::{Attempt, tried};
use crate::disk::DiskError;
use envlock_model::channel::Channel;

/// Why the indexes of the channels can't be had.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Some couldn't be fetched; all of them are named.
    #[error("{}", .0.iter().map(Problem::message).collect::<Vec<_>>().join("; "))]
    Problems(Vec<Problem>),
    /// A record of an index can't be read.
    #[error("the index of {index} has a record of `{package}` that can't be read: {reason}")]
    Record {
        /// The channel and subdir.
        index: String,
        /// The package's name.
        package: String,
        /// The source that delivered the index.
        served_by: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What is the matter with one channel.
#[derive(Debug)]
pub enum Problem {
    /// No source has it at all.
    ChannelNotFound {
        /// The channel.
        channel: Channel,
        /// What was looked for.
        subdirs: Vec<Subdir>,
        /// The right name, where the wrong one is known.
        hint: Option<String>,
        /// What was asked.
        attempts: Vec<Attempt>,
    },
    /// No source delivered one of its indexes.
    Unavailable {
        /// The channel.
        channel: Channel,
        /// Which of its indexes.
        subdir: Subdir,
        /// What was asked, and the answers.
        attempts: Vec<Attempt>,
    },
    /// Offline, and never fetched.
    NotCached {
        /// The channel.
        channel: Channel,
        /// Which of its indexes.
        subdir: Subdir,
    },
    /// Its origin may not be asked, and nothing else can be.
    NoSource {
        /// The channel.
        channel: Channel,
    },
}

impl Problem {
    fn message(&self) -> String {
        match self {
            Self::ChannelNotFound { channel, subdirs, .. } => {
                let names: Vec<&str> = subdirs.iter().rev().map(|subdir| subdir.as_str()).collect();
                format!(
                    "the channel {} has no {}: is the name right?",
                    channel.name,
                    names.join(" nor ")
                )
            }
            Self::Unavailable { channel, subdir, .. } => {
                format!("no source delivers the index of {}/{subdir}", channel.name)
            }
            Self::NotCached { channel, subdir } => {
                format!(
                    "the index of {}/{subdir} isn't in the cache, and this is offline",
                    channel.name
                )
            }
            Self::NoSource { channel } => {
                format!(
                    "no mirror has the channel {}, and its origin may not be asked",
                    channel.name
                )
            }
        }
    }

    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::ChannelNotFound { channel, hint, attempts, .. } => {
                let diagnostic = Diagnostic::error("channel-not-found", self.message())
                    .with_note(format!("asked:\n{}", tried(attempts)));
                match hint {
                    Some(hint) => diagnostic.with_help(hint.clone()),
                    None => diagnostic.with_help(format!("look at {} in a browser", channel.url)),
                }
            }
            Self::Unavailable { attempts, .. } => Diagnostic::error("index-unavailable", self.message())
                .with_note(format!("tried:\n{}", tried(attempts)))
                .with_help("try again later or name another source with `--mirror PREFIX=URL`; `--offline` uses what was fetched before"),
            Self::NotCached { .. } => Diagnostic::error("not-cached", self.message())
                .with_help("run the same command once without `--offline`"),
            Self::NoSource { channel } => Diagnostic::error("no-source", self.message())
                .with_help(format!("leave `--no-origin` out, or name a mirror: `--mirror {}=URL`", channel.url)),
        }
    }
}

impl Explain for IndexError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Problems(problems) => problems.iter().map(Problem::diagnostic).collect(),
            Self::Record { served_by, .. } => vec![
                Diagnostic::error("record-malformed", self.to_string())
                    .with_note(format!("served by {served_by}"))
                    .with_help("tell the channel's keepers, or try another source with `--mirror PREFIX=URL`"),
            ],
            Self::Disk(error) => error.diagnostics(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Problems(problems)
                if problems.iter().all(|p| matches!(p, Problem::NoSource { .. })) =>
            {
                Exit::Usage
            }
            Self::Problems(_) | Self::Record { .. } => Exit::Unknown,
            Self::Disk(error) => error.exit(),
        }
    }
}
