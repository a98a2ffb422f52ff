//! The errors of resolving a channel.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};

use envlock_text::redact;

/// A text that can't be used as a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` can't be used as a channel: {reason}")]
pub struct ChannelError {
    /// The text as written, with `***` for a password.
    pub written: String,
    /// The reason.
    pub reason: InvalidChannel,
    /// The place of the text, if the caller has set it.
    pub place: Option<Place>,
}

/// Why a text isn't a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChannel {
    /// The text is empty, also after variables are replaced.
    #[error("it is empty")]
    Empty,
    /// A variable isn't set.
    #[error("the variable `{0}` isn't set")]
    UnsetVariable(String),
    /// The text has `${` without `}`, or `$` without a name.
    #[error("a `$` isn't followed by the name of a variable")]
    MalformedVariable,
    /// The text is conda's `local`: the packages that conda-build built on this machine.
    #[error("`local` means the packages that conda-build made on one machine")]
    LocalChannel,
    /// The URL has a query or a fragment.
    #[error("the URL of a channel can't have `?` or `#`")]
    QueryOrFragment,
    /// The URL has a scheme other than http, https and file.
    #[error("the scheme `{0}:` isn't supported for channels")]
    UnsupportedScheme(String),
    /// The text has a character that is allowed neither in a name nor in a URL.
    #[error("it has the character `{0}`")]
    InvalidCharacter(String),
    /// The text has `://`, but isn't a URL.
    #[error("it isn't a valid URL")]
    InvalidUrl,
    /// A part of the name is empty, `.` or `..`.
    #[error("a part between two `/` is empty, `.` or `..`")]
    InvalidNamePart,
    /// The path is relative, and there is no absolute folder to resolve it.
    #[error("there is no absolute folder to resolve a relative path")]
    NoBaseFolder,
}

impl ChannelError {
    pub(super) fn new(written: &str, reason: InvalidChannel) -> Self {
        Self { written: redact(written).into_owned(), reason, place: None }
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
            Self::UnsetVariable(_) => Code::ChannelVariable,
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
        vec![finding]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
