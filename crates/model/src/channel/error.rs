//! Errors of channels that can't be resolved.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};

use envlock_text::redact::redact_url;

/// A text that can't be resolved to a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` can't be used as a channel: {reason}")]
pub struct ChannelError {
    /// The text, with `***` for a password.
    pub written: String,
    /// What is wrong with it.
    pub reason: InvalidChannel,
    /// The place of the text, if the caller has set it.
    pub place: Option<Place>,
    /// The setting that the text is a value of, if the caller has set it.
    pub setting: Option<String>,
}

/// What is wrong with a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChannel {
    /// The text is empty, also after variables are expanded.
    #[error("it is empty")]
    Empty,
    /// `$NAME` for a variable that isn't set.
    #[error("the variable `{0}` isn't set")]
    UnsetVariable(String),
    /// `${` without `}`, or `$` without a name.
    #[error("a `$` isn't followed by the name of a variable")]
    MalformedVariable,
    /// conda's `local`: the packages that conda-build built on this machine.
    #[error("`local` means the packages that conda-build made on one machine")]
    LocalChannel,
    /// `?…` or `#…` in a URL.
    #[error("the URL of a channel can't have `?` or `#`")]
    QueryOrFragment,
    /// An `@` after the host, as a `/` in a password causes it.
    #[error("it has an `@` after its host")]
    MisplacedAt,
    /// A URL that is invalid because of the value of a variable, which isn't shown.
    #[error("the value of a variable in it can't be a part of a URL")]
    VariableValue,
    /// A scheme other than http, https and file.
    #[error("the scheme `{0}:` isn't supported for channels")]
    UnsupportedScheme(String),
    /// A character that neither a name nor a URL has.
    #[error("it has the character `{0}`")]
    InvalidCharacter(String),
    /// A text with `://` that isn't a URL.
    #[error("it isn't a valid URL")]
    InvalidUrl,
    /// A name with an empty part, or with `.` or `..` as a part.
    #[error("a part between two `/` is empty, `.` or `..`")]
    InvalidNamePart,
    /// A relative path without an absolute base folder.
    #[error("there is no absolute folder to resolve a relative path")]
    NoBaseFolder,
}

impl ChannelError {
    pub(super) fn new(written: &str, reason: InvalidChannel) -> Self {
        // A part of a value could be a part of a password.
        let reason = match reason {
            InvalidChannel::InvalidCharacter(part) | InvalidChannel::UnsupportedScheme(part)
                if written.contains('$') && !written.contains(&part) =>
            {
                InvalidChannel::VariableValue
            }
            reason => reason,
        };
        Self { written: redact_url(written), reason, place: None, setting: None }
    }

    /// Sets the setting, such as `channel_alias`.
    #[must_use]
    pub fn with_setting(mut self, setting: impl Into<String>) -> Self {
        self.setting = Some(setting.into());
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl InvalidChannel {
    fn code(&self) -> Code {
        match self {
            Self::UnsetVariable(_) => Code::ChannelVariableUnset,
            Self::LocalChannel => Code::ChannelLocal,
            _ => Code::ChannelInvalid,
        }
    }

    fn help(&self) -> String {
        match self {
            Self::UnsetVariable(name) => {
                format!("set it, as in `export {name}=…`, or write the value")
            }
            Self::MalformedVariable => "write `$NAME` or `${NAME}`".to_owned(),
            Self::LocalChannel => {
                "write their folder, as in `file:///home/me/conda-bld`".to_owned()
            }
            Self::QueryOrFragment => "write only the URL of the channel's folder".to_owned(),
            Self::MisplacedAt => {
                "percent-encode the special characters of a user and a password: `/` is \
                                  `%2F`, `?` is `%3F`, `#` is `%23`, `@` is `%40`"
                    .to_owned()
            }
            Self::VariableValue => {
                "correct the variable, or write a variable for each of user, password and host"
                    .to_owned()
            }
            Self::NoBaseFolder => "write an absolute path, or `file:///…`".to_owned(),
            Self::UnsupportedScheme(_) => "use `https://…`, `http://…` or `file:///…`".to_owned(),
            Self::Empty | Self::InvalidCharacter(_) | Self::InvalidUrl | Self::InvalidNamePart => {
                "write a name like `conda-forge`, a URL like \
                 `https://conda.anaconda.org/conda-forge`, or a folder like `./channel`"
                    .to_owned()
            }
        }
    }
}

impl AsFindings for ChannelError {
    fn findings(&self) -> Vec<Finding> {
        let mut finding =
            Finding::new(self.reason.code(), self.to_string()).with_help(self.reason.help());
        finding.place.clone_from(&self.place);
        if let Some(setting) = &self.setting {
            finding = finding.with_note(format!("it is the value of `{setting}`"));
        }
        vec![finding]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
