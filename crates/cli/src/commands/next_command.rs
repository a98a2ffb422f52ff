//! The next command to type, with what was chosen for this one.

use std::path::Path;

use envlock_pipeline::ENVIRONMENT_FILE;
use envlock_text::redact;

use crate::{
    flags::{FileArgs, NetworkArgs},
    ui::shell_word,
};

/// `envlock COMMAND` for the same files from the same sources, to be typed into a shell. A
/// credential among them is hidden: whoever typed it knows it.
pub(super) fn next_command(command: &str, files: &FileArgs, network: &NetworkArgs) -> String {
    let mut words = vec!["envlock".to_owned(), command.to_owned()];
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if files.file != [Path::new(ENVIRONMENT_FILE)] {
        files.file.iter().for_each(|file| flag("-f", file.display().to_string()));
    }
    files.lock.iter().for_each(|lock| flag("--lock", lock.display().to_string()));
    network.mirror.iter().for_each(|mirror| flag("--mirror", redact(mirror).into_owned()));
    let switches = [("--no-origin", network.no_origin), ("--offline", network.offline)];
    words.extend(switches.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (*name).to_owned()));
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chosen_flags_are_repeated() {
        let mut files = FileArgs { file: vec!["environment.yml".into()], lock: None };
        let mut network = NetworkArgs::default();
        assert_eq!(next_command("install", &files, &network), "envlock install");
        files.file = vec!["a b/环境.yml".into(), "x.yml".into()];
        files.lock = Some("x.lock".into());
        network.mirror = vec!["https://a/=http://u:geheim@h/?sig=geheim".into()];
        (network.no_origin, network.offline) = (true, true);
        assert_eq!(
            next_command("install", &files, &network),
            "envlock install -f 'a b/环境.yml' -f x.yml --lock x.lock \
             --mirror 'https://a/=http://u:***@h/?***' --no-origin --offline"
        );
    }
}
