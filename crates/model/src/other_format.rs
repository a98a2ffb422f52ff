//! Recognises the files of other tools, so that a message can name them.

use std::fmt;

/// The format of a file that was given in place of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFormat {
    /// envlock.lock.
    EnvlockLock,
    /// pixi.lock.
    PixiLock,
    /// conda-lock.yml, also written by micromamba.
    CondaLock,
    /// A list of URLs, which `conda list --explicit` and conda-lock write.
    ExplicitList,
    /// environment.yml.
    Environment,
    /// pixi.toml, or pyproject.toml with pixi's tables.
    PixiManifest,
    /// pyproject.toml.
    Pyproject,
    /// uv.lock, poetry.lock and other locks in TOML.
    TomlLock,
    /// Pipfile.lock.
    PipfileLock,
    /// requirements.txt, or the output of `conda list --export`.
    Requirements,
}

impl OtherFormat {
    /// Recognises a format by the top level of the text; `None` if it isn't known.
    pub fn detect(text: &str) -> Option<Self> {
        let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        if lines().any(|line| line.trim_start().eq_ignore_ascii_case("@explicit"))
            || is_list_of_archives(text)
        {
            return Some(Self::ExplicitList);
        }
        if text.trim_start().starts_with('{') {
            let has = |key: &str| text.contains(&format!("\"{key}\""));
            return if has("_meta") {
                Some(Self::PipfileLock)
            } else {
                (has("metadata") && has("package")).then_some(Self::CondaLock)
            };
        }
        let has_table = |name: &str| lines().any(|line| line.starts_with(name));
        // pylock.toml of pip has `[[packages]]`.
        if has_table("[[package]]") || has_table("[[packages]]") {
            return Some(Self::TomlLock);
        }
        if has_table("[tool.pixi") || (has_table("[dependencies]") && has_channels(text)) {
            return Some(Self::PixiManifest);
        }
        if has_table("[project]") || has_table("[build-system]") || has_table("[tool.") {
            return Some(Self::Pyproject);
        }
        let has = |key: &str| {
            lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
        };
        if has("envlock") {
            Some(Self::EnvlockLock)
        // The last block of a truncated file is missing.
        } else if has("environments") && (has("version") || has("packages")) {
            Some(Self::PixiLock)
        } else if has("metadata") && (has("package") || has("version")) {
            Some(Self::CondaLock)
        } else if has("dependencies") {
            Some(Self::Environment)
        } else {
            is_requirements(text).then_some(Self::Requirements)
        }
    }
}

/// Whether every line is a comment or the URL of a conda archive.
fn is_list_of_archives(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_archive = |line: &str| {
        let url = line.split('#').next().unwrap_or(line);
        url.contains("://") && [".conda", ".tar.bz2"].iter().any(|end| url.ends_with(end))
    };
    lines.clone().next().is_some() && lines.all(is_archive)
}

fn has_channels(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("channels") && line.contains('='))
}

/// Whether every line is a comment, an option, or a package with a version.
fn is_requirements(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("--"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let has_version = |line: &str| {
        let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
        let rest = &line[end..];
        // `name = value` is TOML.
        let is_exact = rest.starts_with('=') && !rest.starts_with("= ");
        let operators = ["==", ">", "<", "~=", "!=", "[", "@ "];
        let rest = rest.trim_start();
        end > 0 && (is_exact || operators.iter().any(|operator| rest.starts_with(operator)))
    };
    lines.clone().next().is_some() && lines.all(has_version)
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EnvlockLock => "a lock file of envlock",
            Self::PixiLock => "a lock file of pixi",
            Self::CondaLock => "a lock file of conda-lock",
            Self::ExplicitList => "an explicit list of packages (`@EXPLICIT`)",
            Self::Environment => "an environment.yml",
            Self::PixiManifest => "a manifest of pixi",
            Self::Pyproject => "a pyproject.toml",
            Self::TomlLock => "a lock file of pip, uv or Poetry",
            Self::PipfileLock => "a lock file of Pipenv",
            Self::Requirements => "a list of requirements",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_recognised_by_its_top_level() {
        for (text, format) in [
            ("version: 6\nenvironments:\n  default: {}\npackages: []\n", OtherFormat::PixiLock),
            ("version: 6\nenvironments:\n  default:\n    cha", OtherFormat::PixiLock),
            ("version: 1\nmetadata:\n  content_hash:\n", OtherFormat::CondaLock),
            ("environments:\n  default: {}\npackages: []\n", OtherFormat::PixiLock),
            ("{\"metadata\": {\"content_hash\": {}}, \"package\": []}", OtherFormat::CondaLock),
            ("lock-version = \"1.0\"\n\n[[packages]]\nname = \"a\"\n", OtherFormat::TomlLock),
            ("# list\n  @explicit\nhttps://h/c/noarch/a-1-0.conda\n", OtherFormat::ExplicitList),
            (
                "# platform\nhttps://h/c/noarch/a-1-0.conda#0123\nfile:///c/noarch/b-1-0.tar.bz2\n",
                OtherFormat::ExplicitList,
            ),
            (
                "version: 1\nmetadata:\n  channels: []\npackage:\n- name: a\n",
                OtherFormat::CondaLock,
            ),
            (
                "# platform: linux-64\r\n@EXPLICIT\r\nhttps://h/a-1-0.conda\r\n",
                OtherFormat::ExplicitList,
            ),
            (
                "version: 7\nenvironments: {}\npackages: []\nenvlock:\n  version: 1\n",
                OtherFormat::EnvlockLock,
            ),
            ("name: a\ndependencies:\n- b\n", OtherFormat::Environment),
            (
                "[workspace]\nchannels = [\"a\"]\n[dependencies]\na = \"*\"\n",
                OtherFormat::PixiManifest,
            ),
            ("[project]\nname = \"a\"\n", OtherFormat::Pyproject),
            ("[[package]]\nname = \"a\"\n", OtherFormat::TomlLock),
            ("{\"_meta\": {}}", OtherFormat::PipfileLock),
            (
                "# made by pip\na==1.0\nb>=2; python_version < '3'\n--index-url https://h\n",
                OtherFormat::Requirements,
            ),
            ("a=1.0=0\nb=2=py_0\n", OtherFormat::Requirements),
        ] {
            assert_eq!(OtherFormat::detect(text), Some(format), "{text}");
        }
    }

    #[test]
    fn an_unknown_text_has_no_format() {
        for text in ["", "\n", "a", "hello world", "a: b", "- a", "{}", "key = 1", "密钥"] {
            assert_eq!(OtherFormat::detect(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn detecting_never_panics(text in "\\PC{0,40}|(@EXPLICIT|\\{|\\n|a==1|envlock:|\\[\\[package\\]\\]|密){0,8}") {
            let _ = OtherFormat::detect(&text);
        }
    }
}
