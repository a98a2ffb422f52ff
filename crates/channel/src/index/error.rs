//! Why indexes are unavailable.

use std::fmt;

use envlock_report::{AsFindings, Code, Exit, Finding, Level, Place};
use envlock_text::redact::redact_url;
use rattler_conda_types::Subdir;
use url::Url;

use crate::disk::DiskError;
use crate::mirror_channels_below;
use crate::source_error::{Attempt, help_for, list_attempts, setting_errors};
use envlock_model::channel::{Channel, display_name, without_credentials};

/// Why the indexes of the channels are unavailable.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Some indexes can't be fetched. All of them are named.
    #[error("{}", .failures.iter().map(ChannelFailure::message).collect::<Vec<_>>().join("; "))]
    Channels {
        /// The failures, by channel.
        failures: Vec<ChannelFailure>,
        /// Warnings about the other indexes.
        warnings: Vec<Finding>,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Why the indexes of one channel are unavailable.
#[derive(Debug)]
pub struct ChannelFailure {
    channel: Channel,
    place: Option<Place>,
    setting: Option<ChannelSetting>,
    kind: ChannelFailureKind,
}

/// The configured setting that decides the URL of a channel's name.
#[derive(Clone)]
pub struct ChannelSetting {
    /// The setting, such as `channel_alias`.
    pub key: String,
    /// The base URL. It may hold credentials.
    pub base: Url,
    /// Where it is set, for messages.
    pub set_by: String,
    /// The place, if it is in a file.
    pub place: Option<Place>,
}

impl fmt::Debug for ChannelSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, base, set_by, .. } = self;
        write!(f, "{key}: {} by {set_by}", redact_url(base.as_str()))
    }
}

#[derive(Debug)]
pub(super) enum ChannelFailureKind {
    /// No source has the channel.
    NotFound {
        /// The subdirs that were requested.
        subdirs: Vec<Subdir>,
        /// The right name, if the wrong one is known.
        hint: Option<String>,
        /// The requests.
        attempts: Vec<Attempt>,
    },
    /// No source delivered one of its indexes.
    Unavailable {
        /// The subdir.
        subdir: Subdir,
        /// The requests and their errors.
        attempts: Vec<Attempt>,
    },
    /// Offline, and the index was never fetched.
    NotCached { subdir: Subdir },
    /// The origin may not be asked, and there is no other source.
    NoSource,
}

impl IndexError {
    /// Sets the places at which the channels are written.
    #[must_use]
    pub fn with_places(mut self, place: impl Fn(&Channel) -> Option<Place>) -> Self {
        if let Self::Channels { failures, .. } = &mut self {
            for failure in failures {
                failure.place = place(&failure.channel);
            }
        }
        self
    }

    /// Sets the settings that decide the URLs of the channels.
    #[must_use]
    pub fn with_settings(mut self, setting: impl Fn(&Channel) -> Option<ChannelSetting>) -> Self {
        if let Self::Channels { failures, .. } = &mut self {
            for failure in failures {
                failure.setting = setting(&failure.channel);
            }
        }
        self
    }
}

impl ChannelFailure {
    pub(super) fn new(channel: Channel, kind: ChannelFailureKind) -> Self {
        Self { channel, place: None, setting: None, kind }
    }

    fn message(&self) -> String {
        let channel = &self.channel.name;
        match &self.kind {
            ChannelFailureKind::NotFound { subdirs, .. } => {
                let names: Vec<&str> = subdirs.iter().rev().map(|subdir| subdir.as_str()).collect();
                let names = names.join(" nor ");
                match &self.setting {
                    None => format!("the channel {channel} has no {names}: is the name right?"),
                    Some(ChannelSetting { key, set_by, .. }) => format!(
                        "the channel {channel} has no {names}: `{key}` of {set_by} sets its URL"
                    ),
                }
            }
            ChannelFailureKind::Unavailable { subdir, .. } => {
                format!("no source delivers the index of {channel}/{subdir}")
            }
            ChannelFailureKind::NotCached { subdir } => {
                format!("the index of {channel}/{subdir} isn't in the cache, and this is offline")
            }
            ChannelFailureKind::NoSource => {
                format!("no mirror has the channel {channel}, and its origin may not be asked")
            }
        }
    }

    fn attempts(&self) -> &[Attempt] {
        match &self.kind {
            ChannelFailureKind::NotFound { attempts, .. }
            | ChannelFailureKind::Unavailable { attempts, .. } => attempts,
            ChannelFailureKind::NotCached { .. } | ChannelFailureKind::NoSource => &[],
        }
    }

    /// Returns the multichannel that has this channel as a member, if its absence doesn't prevent the use
    /// of the other members.
    pub(super) fn absent_member_of(&self) -> Option<&str> {
        let is_absent = matches!(self.kind, ChannelFailureKind::NotFound { .. });
        self.channel.multichannel.as_deref().filter(|_| is_absent)
    }

    /// Returns a warning that this member of a multichannel is left out.
    pub(super) fn member_warning(&self, place: impl Fn(&Channel) -> Option<Place>) -> Finding {
        let multichannel = self.channel.multichannel.as_deref().unwrap_or_default();
        let attempts = match &self.kind {
            ChannelFailureKind::NotFound { attempts, .. } => list_attempts(attempts),
            _ => String::new(),
        };
        let finding = Finding::new(
            Code::ChannelNotFound,
            format!(
                "no source has the channel {}, which is left out of `{multichannel}`",
                display_name(&self.channel.url)
            ),
        )
        .at_level(Level::Warning)
        .with_note(format!("requested:\n{attempts}"))
        .with_help(format!(
            "if packages are missing, name a source that has it: `--mirror {}=URL`",
            self.channel.url
        ));
        match place(&self.channel) {
            Some(place) => finding.at(place),
            None => finding,
        }
    }

    fn finding(&self) -> Finding {
        let finding = match &self.kind {
            ChannelFailureKind::NotFound { hint, attempts, .. } => {
                let finding = Finding::new(Code::ChannelNotFound, self.message())
                    .with_note(format!("requested:\n{}", list_attempts(attempts)));
                let help = match self.cause() {
                    Some(setting) => setting.help(),
                    None => hint.clone().unwrap_or_else(|| self.where_to_look()),
                };
                finding.with_help(help)
            }
            ChannelFailureKind::Unavailable { attempts, .. } => {
                let help = match self.cause() {
                    Some(setting) => setting.help(),
                    None => format!(
                        "{}; `--offline` uses what was fetched before",
                        help_for(attempts.iter())
                    ),
                };
                Finding::new(Code::IndexUnavailable, self.message())
                    .with_note(format!("tried:\n{}", list_attempts(attempts)))
                    .with_help(help)
            }
            ChannelFailureKind::NotCached { .. } => Finding::new(Code::NotCached, self.message())
                .with_help("run the same command once without `--offline`"),
            ChannelFailureKind::NoSource => {
                Finding::new(Code::NoSource, self.message()).with_help(format!(
                    "leave `--no-origin` out, or name a mirror: `--mirror {}=URL`",
                    self.channel.url
                ))
            }
        };
        match (self.cause().and_then(|setting| setting.place.as_ref()), &self.place) {
            (Some(cause), Some(place)) => finding
                .at(cause.clone())
                .with_related(place.clone(), "the channel is requested here"),
            (None, Some(place)) | (Some(place), None) => finding.at(place.clone()),
            (None, None) => finding,
        }
    }

    /// The setting that is the cause: the channel isn't where it says, or it is known to be wrong.
    fn cause(&self) -> Option<&ChannelSetting> {
        let setting = self.setting.as_ref()?;
        let is_cause = match self.kind {
            ChannelFailureKind::NotFound { .. } => true,
            ChannelFailureKind::Unavailable { .. } => {
                mirror_channels_below(&setting.base).is_some()
            }
            ChannelFailureKind::NotCached { .. } | ChannelFailureKind::NoSource => false,
        };
        is_cause.then_some(setting)
    }

    fn where_to_look(&self) -> String {
        match self.channel.url.to_file_path() {
            Ok(folder) => format!(
                "look into {}: a channel has folders such as noarch, each with a repodata.json",
                folder.display()
            ),
            Err(()) => format!("look at {} in a browser", self.channel.url),
        }
    }
}

impl ChannelSetting {
    fn help(&self) -> String {
        match mirror_channels_below(&self.base) {
            Some(url) => format!("write `{}: {}`", self.key, url.as_str().trim_end_matches('/')),
            None => format!("is `{}: {}` right?", self.key, without_credentials(&self.base)),
        }
    }
}

impl AsFindings for IndexError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Channels { failures, warnings } => warnings
                .iter()
                .cloned()
                .chain(setting_errors(failures.iter().flat_map(ChannelFailure::attempts)))
                .chain(failures.iter().map(ChannelFailure::finding))
                .collect(),
            Self::Disk(error) => error.findings(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Channels { failures, .. }
                if failures
                    .iter()
                    .all(|failure| matches!(failure.kind, ChannelFailureKind::NoSource)) =>
            {
                Exit::Usage
            }
            Self::Channels { failures, .. }
                if !setting_errors(failures.iter().flat_map(ChannelFailure::attempts))
                    .is_empty() =>
            {
                Exit::Usage
            }
            Self::Channels { .. } => Exit::Undetermined,
            Self::Disk(error) => error.exit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_form_of_a_setting_shows_no_credential() {
        for base in ["https://me:geheim@h/x", "https://geheim@h/x", "https://h/t/geheim/x"] {
            let base = base.parse().expect("the test's own URL");
            let (key, set_by) = ("channel_alias".into(), "CONDA_CHANNEL_ALIAS".into());
            let shown = format!("{:?}", ChannelSetting { key, base, set_by, place: None });
            assert!(shown.contains("channel_alias") && !shown.contains("geheim"), "{shown}");
        }
    }
}
