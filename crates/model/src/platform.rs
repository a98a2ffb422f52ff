//! Names of platforms as people write them.

use envlock_report::{AsFindings, Code, Exit, Finding, nearest};
use rattler_conda_types::Subdir;

/// What other tools and people call a platform.
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

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no platform `{text}`")]
pub struct UnknownPlatform {
    text: String,
}

/// Reads the platform that a set is for: any subdir but `noarch`, which is for all of them.
pub fn parse(text: &str) -> Result<Subdir, UnknownPlatform> {
    let subdir = text.parse().ok().filter(|subdir| *subdir != Subdir::NoArch);
    subdir.ok_or_else(|| UnknownPlatform { text: text.to_owned() })
}

impl UnknownPlatform {
    /// The platform that was probably meant.
    pub fn help(&self) -> String {
        if self.text == Subdir::NoArch.as_str() {
            return "what is noarch comes along with every platform: name one like linux-64".into();
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
    fn what_people_call_a_platform_leads_to_the_usual_one() {
        for (text, meant) in [
            ("linux", "linux-64"),
            ("win", "win-64"),
            ("Linux-ARM64", "linux-aarch64"),
            ("macOS", "osx-arm64"),
            ("linux64", "linux-64"),
            ("osx-arm46", "osx-arm64"),
        ] {
            let unknown = parse(text).expect_err(text);
            assert_eq!(unknown.help(), format!("did you mean `{meant}`?"), "{text}");
        }
        for (_, known) in OTHER_NAMES {
            assert!(parse(known).is_ok(), "{known}");
        }
    }

    #[test]
    fn noarch_is_no_platform_and_is_not_offered_for_itself() {
        let unknown = parse("noarch").expect_err("noarch");
        assert!(unknown.help().starts_with("what is noarch comes along"), "{}", unknown.help());
        assert!(parse("amiga").expect_err("amiga").help().starts_with("the usual ones"));
    }
}
