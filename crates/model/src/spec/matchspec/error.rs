//! The errors of a match spec, with their help.

use envlock_report::Code;

/// An error in the text of a match spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::spec) struct SpecError {
    pub(in crate::spec) reason: SpecErrorKind,
    /// The position in the text, in characters from its beginning.
    pub(in crate::spec) offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::spec) enum SpecErrorKind {
    #[error("this entry is empty")]
    Empty,
    #[error("this entry is too long for a match spec")]
    TooLong,
    #[error("the brackets of this entry are nested too deeply")]
    TooDeep,
    #[error("this entry has too many `,` and `|`")]
    TooManyOperators,
    #[error("`{0}` is a placeholder of a template without a value")]
    Placeholder(String),
    #[error("this is the path of an archive; a package is requested by its name and version")]
    ArchivePath { instead: Option<String> },
    #[error("this is a URL; a package is requested by its name")]
    UrlWithoutName,
    #[error("the name of a package is missing")]
    NameMissing,
    #[error("`{regex}` is a regular expression, and the {of} of a package can't be one")]
    Regex { regex: String, of: &'static str },
    #[error("`{0}` is a pattern; a package is requested by its whole name")]
    NameGlob(String),
    #[error("the package name `{}` contains `{}`, which isn't allowed", visible(.name), visible_char(*.character))]
    NameCharacter { name: String, character: char },
    #[error("a single `:` has no meaning in a match spec")]
    SingleColon,
    #[error("this entry contains a password or a token")]
    Credentials,
    #[error("there is no subdir `{subdir}`")]
    Subdir { subdir: String, nearest: Option<String> },
    #[error("the brackets are malformed")]
    MalformedBrackets,
    #[error("`{key}` isn't a key of a match spec")]
    UnknownKey { key: String, nearest: Option<String> },
    #[error("the key `{key}` occurs twice")]
    DuplicateKey { key: String },
    #[error("`{value}` isn't a valid {key}")]
    InvalidValue { key: String, value: String },
    #[error("`{file}` isn't the name of an archive of {package}")]
    InvalidFileName { file: String, package: String },
    #[error("parentheses are allowed only in `[version='…']`")]
    Parentheses,
    #[error("no version follows `{0}`")]
    NoVersion(String),
    #[error("`{0}` isn't an operator")]
    Operator(String),
    #[error("`,` (and) or `|` (or) is missing between the conditions of `{0}`")]
    MissingSeparator(String),
    #[error("`~=` requires a plain version of two or more parts, not `{0}`")]
    InvalidCompatible(String),
    #[error("`{0}` isn't a version")]
    Version(String),
    #[error("`{0}` isn't a build string")]
    Build(String),
}

impl SpecErrorKind {
    /// Returns the wrong part of the text. `None` if it is the whole text.
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Self::Operator(piece)
            | Self::MissingSeparator(piece)
            | Self::InvalidCompatible(piece)
            | Self::Version(piece)
            | Self::Build(piece)
            | Self::Regex { regex: piece, .. }
            | Self::InvalidValue { value: piece, .. }
            | Self::InvalidFileName { file: piece, .. } => Some(piece),
            _ => None,
        }
    }

    pub(in crate::spec) fn code(&self) -> Code {
        match self {
            Self::Placeholder(_) => Code::PlaceholderInEnvironment,
            _ => Code::MatchSpecInvalid,
        }
    }

    pub(in crate::spec) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Empty => "remove the line, or write a package like `numpy`",
            Self::TooLong | Self::TooDeep | Self::TooManyOperators => return None,
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
            Self::NameMissing => "start with the name, as in `python >=3.11`",
            Self::Regex { of: "name", .. } | Self::NameGlob(_) => "write one line for each package",
            Self::Regex { .. } => "write a pattern like `1.7.*`, or bounds: `>=1.7,<1.8`",
            Self::NameCharacter { character: '/', .. } => {
                "write `::` after a channel and `=` before a version: `conda-forge::numpy=1.24`"
            }
            Self::NameCharacter { .. } => {
                "use letters, digits, `-`, `_` and `.`, as in `scikit-learn >=1.2`"
            }
            Self::SingleColon => "write two after a channel: `conda-forge::numpy`",
            Self::Credentials => {
                "remove it here; set the credentials of a channel in `channels:` through a \
                 variable, as in `https://example.org/t/$TOKEN/channel`"
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
            Self::DuplicateKey { .. } => "remove one of the two",
            Self::InvalidValue { key, .. } => {
                return Some(format!("write it like {}", example(key)));
            }
            Self::InvalidFileName { .. } => {
                "write it like `[fn='numpy-1.24.3-py310h8deb116_0.conda']`"
            }
            Self::Parentheses => "write it like `numpy[version='(>=1.24,<1.25)|>=2']`",
            Self::NoVersion(_) => {
                "write one, as in `numpy>=1.24`, or only the name for any version"
            }
            Self::Operator(_) => "the operators are `=`, `==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`",
            Self::MissingSeparator(_) => {
                "write `>=1,<2` for both conditions, or `<1|>=2` for either"
            }
            Self::InvalidCompatible(_) => "write `~=1.4` (the same as `>=1.4,1.*`)",
            Self::Version(_) => "write a version like `1.24.3`; `=1.24` means any 1.24.x",
            Self::Build(_) => "write a build string like `py310_0`, or a pattern like `*_cpython`",
        };
        Some(help.to_owned())
    }
}

/// Returns the text with its control characters as escapes.
fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> String {
    if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
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
