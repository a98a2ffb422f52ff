//! The errors of match specs.

use envlock_report::Code;

/// An error in the text of a match spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::spec) struct SpecError {
    pub(in crate::spec) reason: SpecErrorKind,
    /// The offset in the text, in characters.
    pub(in crate::spec) offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::spec) enum SpecErrorKind {
    #[error("this entry is empty")]
    Empty,
    #[error("this entry is longer than any match spec")]
    TooLong,
    #[error("`{0}` is a placeholder of a template that wasn't filled in")]
    Placeholder(String),
    #[error("this is an archive; write the name and version of the package")]
    ArchivePath { instead: Option<String> },
    #[error("this is a URL or a path; the name of a package is expected")]
    UrlWithoutName,
    #[error("the name of a package is missing")]
    NameMissing,
    #[error("`{0}` is a pattern; the whole name of a package is expected")]
    NameGlob(String),
    #[error("`{character}` can't be in the name of a package, as in `{name}`")]
    NameCharacter { name: String, character: char },
    #[error("a single `:` isn't valid in a match spec")]
    SingleColon,
    #[error("this entry has a password or token")]
    Credentials,
    #[error("there is no subdir `{subdir}`")]
    Subdir { subdir: String, nearest: Option<String> },
    #[error("the part in brackets isn't valid")]
    MalformedBrackets,
    #[error("`{key}` isn't a key of a match spec")]
    UnknownKey { key: String, nearest: Option<String> },
    #[error("the key `{key}` is a duplicate")]
    DuplicateKey { key: String },
    #[error("`{value}` isn't a valid {key}")]
    InvalidValue { key: String, value: String },
    #[error("`{file}` is not the name of an archive of {package}")]
    InvalidFileName { file: String, package: String },
    #[error("parentheses are allowed only in `[version='…']`")]
    Parentheses,
    #[error("there is no version after `{0}`")]
    NoVersion(String),
    #[error("`{0}` isn't an operator")]
    Operator(String),
    #[error("there is neither `,` (and) nor `|` (or) between the conditions of `{0}`")]
    MissingSeparator(String),
    #[error("`{0}` is a regular expression, which envlock doesn't support")]
    RegularExpression(String),
    #[error("`~=` needs a plain version of two or more parts, not `{0}`")]
    InvalidCompatible(String),
    #[error("`{0}` isn't a version")]
    Version(String),
    #[error("`{0}` isn't a build string")]
    Build(String),
}

impl SpecErrorKind {
    /// Returns the part of the text that is wrong. `None` if it is the whole text.
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Self::Operator(piece)
            | Self::MissingSeparator(piece)
            | Self::RegularExpression(piece)
            | Self::InvalidCompatible(piece)
            | Self::Version(piece)
            | Self::Build(piece)
            | Self::InvalidValue { value: piece, .. }
            | Self::InvalidFileName { file: piece, .. } => Some(piece),
            _ => None,
        }
    }

    pub(in crate::spec) fn code(&self) -> Code {
        match self {
            Self::Placeholder(_) => Code::TemplatePlaceholder,
            _ => Code::MatchSpec,
        }
    }

    pub(in crate::spec) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Empty => "remove the line, or write a package like `numpy`",
            Self::TooLong => return None,
            Self::Placeholder(_) => "replace it by the package, or remove the line",
            Self::ArchivePath { instead: None } | Self::UrlWithoutName => {
                "write `channel::name=version=build`; the channel can be a URL, as in \
                 `https://conda.anaconda.org/conda-forge::numpy=1.24.3`"
            }
            Self::ArchivePath { instead: Some(instead) } => {
                return Some(format!(
                    "write `{instead}`, with the channel before `::` if necessary"
                ));
            }
            Self::NameMissing => "begin with the name, as in `python >=3.11`",
            Self::NameGlob(_) => "write each package on a separate line",
            Self::NameCharacter { .. } => {
                "use letters, digits, `-`, `_` and `.`, as in `scikit-learn >=1.2`"
            }
            Self::SingleColon => "write two colons after a channel: `conda-forge::numpy`",
            Self::Credentials => {
                "remove it; write credentials for a channel into `channels:`, as a variable, as \
                 in `https://example.org/t/$TOKEN/channel`"
            }
            Self::Subdir { nearest: Some(word), .. }
            | Self::UnknownKey { nearest: Some(word), .. } => {
                return Some(format!("did you mean `{word}`?"));
            }
            Self::Subdir { nearest: None, .. } => "a subdir is like `linux-64` or `noarch`",
            Self::UnknownKey { nearest: None, .. } => {
                "the keys are version, build, build_number, channel, subdir, md5, sha256, url, \
                 fn, license, license_family and track_features"
            }
            Self::MalformedBrackets => "write them like `numpy[version='>=1.24',build=py310*]`",
            Self::DuplicateKey { .. } => "keep one of the two",
            Self::InvalidValue { key, .. } => {
                return Some(format!("write it like {}", example(key)));
            }
            Self::InvalidFileName { .. } => {
                "write it like `[fn='numpy-1.24.3-py310h8deb116_0.conda']`"
            }
            Self::Parentheses => "write it like `numpy[version='(>=1.24,<1.25)|>=2']`",
            Self::NoVersion(_) => {
                "write a version, as in `numpy>=1.24`, or only the name for any version"
            }
            Self::Operator(_) => "the operators are `=`, `==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`",
            Self::MissingSeparator(_) => "write `>=1,<2` for both at once and `<1|>=2` for either",
            Self::RegularExpression(_) => {
                "write a pattern with `*`, as in `3.10.*`, or bounds: `>=1,<2`"
            }
            Self::InvalidCompatible(_) => "write `~=1.4` (the same as `>=1.4,1.*`)",
            Self::Version(_) => "a version is like `1.24.3`; `=1.24` means any 1.24.x",
            Self::Build(_) => "a build string is like `py310_0`, or a pattern like `*_cpython`",
        };
        Some(help.to_owned())
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "md5" => "`[md5=<32 hexadecimal digits>]`",
        "sha256" => "`[sha256=<64 hexadecimal digits>]`",
        "build_number" => "`[build_number='>=1']`",
        "url" => "`[url='https://conda.anaconda.org/conda-forge/noarch/…']`",
        "build" => "`[build='py310*']`",
        _ => "`[version='>=1.24']`",
    }
}
