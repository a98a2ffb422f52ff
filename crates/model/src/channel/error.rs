//! Why what was written names no channel.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};

use envlock_text::redact;

/// A text that names no channel that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` can't be used as a channel: {reason}")]
pub struct ChannelError {
    /// What was written, with `***` for a password.
    pub written: String,
    /// What is wrong with it.
    pub reason: InvalidChannel,
    /// Where it was written, once the caller has said so.
    pub place: Option<Place>,
}

/// What is wrong with a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChannel {
    /// Nothing was written, or nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// `$NAME` where no such variable is set.
    #[error("the variable `{0}` isn't set")]
    UnsetVariable(String),
    /// `${` without `}`, or `$` without a name.
    #[error("a `$` isn't followed by the name of a variable")]
    MalformedVariable,
    /// conda's `local`: what conda-build built on this machine.
    #[error("`local` means the packages that conda-build made on one machine")]
    LocalChannel,
    /// `?…` or `#…` in an address.
    #[error("an address of a channel has no `?` or `#`")]
    QueryOrFragment,
    /// A scheme other than http, https and file.
    #[error("`{0}:` isn't a way to reach a channel")]
    UnsupportedScheme(String),
    /// A character that neither a name nor an address has.
    #[error("it has the character `{0}`")]
    InvalidCharacter(String),
    /// Not an address in spite of its `://`.
    #[error("it isn't a valid address")]
    InvalidUrl,
    /// A name with an empty part, or with `.` or `..` as a part.
    #[error("a part between two `/` is empty, `.` or `..`")]
    InvalidNamePart,
    /// A relative path, and no absolute folder to start from.
    #[error("a relative path needs a folder to start from")]
    NoBaseFolder,
}

impl ChannelError {
    pub(super) fn new(written: &str, reason: InvalidChannel) -> Self {
        Self { written: redact(written).into_owned(), reason, place: None }
    }

    /// The same, at a place.
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
                format!("set it, as in `export {name}=…`, or write its value")
            }
            Self::MalformedVariable => "write `$NAME` or `${NAME}`".to_owned(),
            Self::LocalChannel => {
                "write the folder that they are in, as in `file:///home/me/conda-bld`".to_owned()
            }
            Self::QueryOrFragment => "write it up to the channel's folder only".to_owned(),
            Self::NoBaseFolder => "write an absolute path, or `file:///…`".to_owned(),
            Self::UnsupportedScheme(_) => "use `https://…`, `http://…` or `file:///…`".to_owned(),
            Self::Empty | Self::InvalidCharacter(_) | Self::InvalidUrl | Self::InvalidNamePart => {
                "a channel is a name like `conda-forge`, an address like \
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
