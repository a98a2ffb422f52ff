//! The command to type next, with the flags of this one.

use std::{fmt, path::Path};

use envlock_pipeline::ENVIRONMENT_FILE;
use envlock_text::redact;

use crate::{
    flags::{FileArgs, NetworkArgs, PrefixArgs},
    ui::shell_word,
};

/// An `envlock` command to be typed into a shell. Only flags that were given are repeated.
pub(super) struct NextCommand(Vec<String>);

impl NextCommand {
    pub(super) fn new(command: &str) -> Self {
        Self(vec!["envlock".to_owned(), command.to_owned()])
    }

    /// Repeats the project's files.
    pub(super) fn files(self, files: &FileArgs) -> Self {
        let is_usual = files.file == [Path::new(ENVIRONMENT_FILE)];
        let named = files.file.iter().filter(|_| !is_usual);
        let command = named.fold(self, |command, file| command.path("-f", file));
        files.lock.iter().fold(command, |command, lock| command.path("--lock", lock))
    }

    /// Repeats the environment files only.
    pub(super) fn environment_files(self, files: &FileArgs) -> Self {
        self.files(&FileArgs { file: files.file.clone(), lock: None })
    }

    /// Repeats the prefix.
    pub(super) fn prefix(self, prefix: &PrefixArgs) -> Self {
        let command = prefix.name.iter().fold(self, |command, name| command.value("-n", name));
        prefix.prefix.iter().fold(command, |command, path| command.path("-p", path))
    }

    /// Repeats the sources. A credential in a mirror is hidden, and the user has to type it again.
    pub(super) fn network(self, network: &NetworkArgs) -> Self {
        let mirrors = network.mirror.iter();
        mirrors
            .fold(self, |command, mirror| command.value("--mirror", &redact(mirror)))
            .switch("--no-origin", network.no_origin)
            .switch("--offline", network.offline)
    }

    /// Adds a flag if it is on.
    pub(super) fn switch(mut self, flag: &str, is_on: bool) -> Self {
        self.0.extend(is_on.then(|| flag.to_owned()));
        self
    }

    /// Adds a flag with a path.
    pub(super) fn path(self, flag: &str, path: &Path) -> Self {
        self.value(flag, &path.display().to_string())
    }

    /// Adds a flag with a value.
    pub(super) fn value(mut self, flag: &str, value: &str) -> Self {
        self.0.extend([flag.to_owned(), value.to_owned()]);
        self
    }
}

impl fmt::Display for NextCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|word| shell_word(word)).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_that_were_given_are_repeated() {
        let mut files = FileArgs { file: vec!["environment.yml".into()], lock: None };
        let mut network = NetworkArgs::default();
        let mut prefix = PrefixArgs { prefix: None, name: None };
        let command = |files: &_, network: &_, prefix: &_| {
            NextCommand::new("install").files(files).prefix(prefix).network(network).to_string()
        };
        assert_eq!(command(&files, &network, &prefix), "envlock install");
        files.file = vec!["a b/环境.yml".into(), "x.yml".into()];
        files.lock = Some("x.lock".into());
        network.mirror = vec!["https://a/=http://u:geheim@h/?sig=geheim".into()];
        (network.no_origin, network.offline) = (true, true);
        prefix.name = Some("ml".to_owned());
        assert_eq!(
            command(&files, &network, &prefix),
            "envlock install -f 'a b/环境.yml' -f x.yml --lock x.lock -n ml \
             --mirror 'https://a/=http://u:***@h/?***' --no-origin --offline"
        );
        let command = NextCommand::new("install").environment_files(&files);
        assert_eq!(command.to_string(), "envlock install -f 'a b/环境.yml' -f x.yml");
        let prefix = PrefixArgs { prefix: Some("it's".into()), name: None };
        let command = NextCommand::new("run").prefix(&prefix).switch("--x", false);
        assert_eq!(command.to_string(), "envlock run -p \"it's\"");
    }
}
