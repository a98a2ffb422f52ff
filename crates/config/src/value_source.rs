//! A value and where it was set.

use std::fmt;

use envlock_model::lock_inputs::Priority;
use envlock_report::Place;
use envlock_text::redact::{redact, redact_url};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// A default of envlock.
    Default,
    /// A file.
    File(Place),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl ValueSource {
    /// Returns the place, if it is in a file.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::File(place) => Some(place),
            _ => None,
        }
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{}:{}", place.file, place.line),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A configured value and where it was set.
#[derive(Clone, PartialEq, Eq)]
pub struct Configured<T> {
    /// The value. Variables in a text are expanded where it is used.
    pub value: T,
    /// Where it was set.
    pub set_by: ValueSource,
}

impl<T: fmt::Debug> fmt::Debug for Configured<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", redact_url(&format!("{:?}", self.value)), self.set_by)
    }
}

/// A value that isn't a list or a mapping.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// True or false.
    Boolean(bool),
    /// A number that isn't negative.
    Number(f64),
    /// A text, as written.
    Text(String),
    /// A channel priority.
    Priority(Priority),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(on) => on.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) if text.contains("://") => f.write_str(&redact_url(text)),
            Self::Text(text) => f.write_str(&redact(text)),
            Self::Priority(priority) => f.write_str(priority.as_str()),
        }
    }
}
