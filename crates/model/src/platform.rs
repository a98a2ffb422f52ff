//! Parses the names of platforms.

use envlock_report::{AsFindings, Code, Exit, Finding, nearest};
use rattler_conda_types::Subdir;

/// Names that other tools use for platforms.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("linux", "linux-64"),
    ("linux-x86_64", "linux-64"),
    ("linux-amd64", "linux-64"),
    ("linux-arm64", "linux-aarch64"),
    ("win", "win-64"),
    ("windows", "win-64"),
    ("win-x86_64", "win-64"),
    ("win-amd64", "win-64"),
    ("osx", "osx-arm64"),
    ("mac", "osx-arm64"),
    ("macos", "osx-arm64"),
    ("darwin", "osx-arm64"),
    ("macos-arm64", "osx-arm64"),
    ("osx-aarch64", "osx-arm64"),
    ("osx-x86_64", "osx-64"),
    ("macos-x86_64", "osx-64"),
];

/// A text that isn't the name of a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no platform `{text}`")]
pub struct UnknownPlatform {
    text: String,
}

/// Parses a platform. Every subdir is one except `noarch`.
pub fn parse(text: &str) -> Result<Subdir, UnknownPlatform> {
    let subdir = text.parse().ok().filter(|subdir| *subdir != Subdir::NoArch);
    subdir.ok_or_else(|| UnknownPlatform { text: text.to_owned() })
}

impl UnknownPlatform {
    /// Returns the help: the nearest platform, or the usual ones.
    pub fn help(&self) -> String {
        if self.text == Subdir::NoArch.as_str() {
            return "noarch packages are included in every platform: write one like linux-64"
                .into();
        }
        let text = self.text.to_ascii_lowercase();
        let known = Subdir::all().filter(|s| *s != Subdir::NoArch).map(Subdir::as_str);
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == text).map(|(_, known)| *known);
        match other.or_else(|| nearest(&text, known)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                "the usual ones are linux-64, linux-aarch64, osx-64, osx-arm64 and win-64".into()
            }
        }
    }
}

impl AsFindings for UnknownPlatform {
    fn findings(&self) -> Vec<Finding> {
        vec![Finding::new(Code::UnknownPlatform, self.to_string()).with_help(self.help())]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_of_a_platform_lead_to_condas_name() {
        for (text, expected) in [
            ("linux", "linux-64"),
            ("win", "win-64"),
            ("Linux-ARM64", "linux-aarch64"),
            ("macOS", "osx-arm64"),
            ("linux64", "linux-64"),
            ("osx-arm46", "osx-arm64"),
        ] {
            let unknown = parse(text).expect_err(text);
            assert_eq!(unknown.help(), format!("did you mean `{expected}`?"), "{text}");
        }
        for (_, known) in OTHER_NAMES {
            assert!(parse(known).is_ok(), "{known}");
        }
    }

    #[test]
    fn noarch_is_no_platform_and_is_never_suggested() {
        let unknown = parse("noarch").expect_err("noarch");
        assert!(unknown.help().starts_with("noarch packages are included"), "{}", unknown.help());
        assert!(parse("amiga").expect_err("amiga").help().starts_with("the usual ones"));
    }
}
