//! The texts of progress events.

use std::path::Path;

use envlock_model::progress::{Installer, Notice, Outcome, Phase, Recovery, RequestedFile};
use envlock_report::{count, format_size};

/// Returns the title of a phase.
pub(super) fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Index => "index",
        Phase::Solve => "solve",
        Phase::Download => "download",
        Phase::Verify => "verify",
        Phase::Link => "link",
        Phase::Compile => "compile",
    }
}

/// Returns what a phase did, on one line.
pub(super) fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Indexes { indexes, bytes } => {
            let noun = if indexes == 1 { "index" } else { "indexes" };
            format!("{indexes} {noun}, {} fetched", format_size(bytes))
        }
        Outcome::Solved { packages } => count(packages, "package"),
        Outcome::Downloaded { packages, bytes } => {
            format!("{}, {}", count(packages, "package"), format_size(bytes))
        }
        Outcome::CacheVerified { packages, bytes } => {
            format!("{}, {}", count(packages, "cached package"), format_size(bytes))
        }
        Outcome::PrefixVerified { files, different, untracked } => {
            let verb = if different == 1 { "differs" } else { "differ" };
            let untracked = match untracked {
                0 => String::new(),
                number => format!(", {number} untracked"),
            };
            format!("{}, {different} {verb}{untracked}", count(files, "file"))
        }
        Outcome::Linked { packages, files } => {
            format!("{}, {}", count(packages, "package"), count(files, "file"))
        }
        Outcome::Compiled { compiled, sources } => {
            let noun = if sources == 1 { "file" } else { "files" };
            format!("{compiled} of {sources} Python {noun}")
        }
    }
}

/// Returns a notice as one sentence without a full stop.
pub(super) fn notice(notice: &Notice) -> String {
    match notice {
        Notice::SourceFailed { file, source, reason, next } => {
            let file = match file {
                RequestedFile::Index { channel, subdir } => format!("index of {channel}/{subdir}"),
                RequestedFile::Archive(name) => name.clone(),
            };
            format!("{file}: {source} failed: {reason}; trying {next}")
        }
        Notice::DamagedPackage { file, reason } => {
            format!("{file} in the cache is damaged and is fetched again: {reason}")
        }
        Notice::WaitingForInstaller { prefix, installer } => waiting(prefix, installer.as_ref()),
        Notice::NoFileLocks { folder } => format!(
            "the file system of `{}` has no file locks: make sure that no other install runs there",
            folder.display()
        ),
        Notice::PlannedAgain { prefix } => format!(
            "`{}` changed while packages were fetched: the install was planned again",
            prefix.display()
        ),
        Notice::Recovered { prefix, recovery } => {
            let done = match recovery {
                Recovery::Completed => "its last step is completed",
                Recovery::StagingRemoved => "its staging directory is removed",
                Recovery::PreviousRestored => {
                    "its post-link scripts were running, so the previous environment is restored"
                }
            };
            format!("an install into `{}` was killed: {done}", prefix.display())
        }
        Notice::NotRemoved { path, reason } => {
            format!("can't remove `{}`: {reason}", path.display())
        }
        Notice::ScriptMessage { package, text } => format!("{package}: {text}"),
        Notice::PreviousKept { from, to } => format!(
            "the previous environment at `{}` has files or changes that no lock has: it is kept as \
             `{}`",
            from.display(),
            to.display()
        ),
        Notice::UnfinishedKept { to } => format!(
            "the environment of that install has files that no package has: it is kept as `{}`",
            to.display()
        ),
        Notice::MovedAside { files, packages, previous } => format!(
            "{} that the lock doesn't have moved to `{}` with the previous environment",
            files_and_packages(*files, *packages),
            previous.display()
        ),
    }
}

fn waiting(prefix: &Path, installer: Option<&Installer>) -> String {
    let prefix = prefix.display();
    match installer {
        Some(Installer { pid, command, since }) => format!(
            "waiting for process {pid}, which has been installing into `{prefix}` since {since}: {command}"
        ),
        None => format!("waiting for another process, which is installing into `{prefix}`"),
    }
}

/// Returns `3 files and 1 package`, without a part whose number is 0.
fn files_and_packages(files: usize, packages: usize) -> String {
    [(files, "file"), (packages, "package")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect::<Vec<_>>()
        .join(" and ")
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::Subdir;

    use super::*;

    #[test]
    fn an_outcome_has_its_numbers_with_the_right_plural() {
        let cases = [
            (Outcome::Indexes { indexes: 1, bytes: 0 }, "1 index, 0 B fetched"),
            (Outcome::Indexes { indexes: 3, bytes: 4_120_000 }, "3 indexes, 4.1 MB fetched"),
            (Outcome::Solved { packages: 1 }, "1 package"),
            (Outcome::Downloaded { packages: 2, bytes: 1_500 }, "2 packages, 1.5 kB"),
            (Outcome::CacheVerified { packages: 1, bytes: 10 }, "1 cached package, 10 B"),
            (
                Outcome::PrefixVerified { files: 9, different: 1, untracked: 0 },
                "9 files, 1 differs",
            ),
            (
                Outcome::PrefixVerified { files: 1, different: 0, untracked: 2 },
                "1 file, 0 differ, 2 untracked",
            ),
            (Outcome::Linked { packages: 1, files: 2 }, "1 package, 2 files"),
            (Outcome::Compiled { compiled: 0, sources: 1 }, "0 of 1 Python file"),
            (Outcome::Compiled { compiled: 3, sources: 4 }, "3 of 4 Python files"),
        ];
        for (of, words) in cases {
            assert_eq!(outcome(of), words);
        }
    }

    #[test]
    fn a_source_that_failed_is_named_with_the_reason_and_the_next_one() {
        let failed = |file| Notice::SourceFailed {
            file,
            source: "a.example:8443".into(),
            reason: "403 forbidden".into(),
            next: "b.example".into(),
        };
        let index = RequestedFile::Index { channel: "ml".into(), subdir: Subdir::NoArch };
        assert_eq!(
            notice(&failed(index)),
            "index of ml/noarch: a.example:8443 failed: 403 forbidden; trying b.example"
        );
        assert_eq!(
            notice(&failed(RequestedFile::Archive("a-1-0.conda".into()))),
            "a-1-0.conda: a.example:8443 failed: 403 forbidden; trying b.example"
        );
    }

    #[test]
    fn a_waiting_install_names_the_process_it_waits_for() {
        let prefix = "/envs/ml".into();
        let installer = Installer {
            pid: 4242,
            command: "envlock install -n 环境".into(),
            since: "2026-11-23T18:30:12Z".into(),
        };
        assert_eq!(
            notice(&Notice::WaitingForInstaller { prefix, installer: Some(installer) }),
            "waiting for process 4242, which has been installing into `/envs/ml` since \
             2026-11-23T18:30:12Z: envlock install -n 环境"
        );
        assert_eq!(
            notice(&Notice::WaitingForInstaller { prefix: "/envs/ml".into(), installer: None }),
            "waiting for another process, which is installing into `/envs/ml`"
        );
    }

    #[test]
    fn a_notice_says_what_happened_to_files() {
        let prefix = || "/envs/ml".into();
        let recovered = |recovery| Notice::Recovered { prefix: prefix(), recovery };
        let moved = |files, packages| Notice::MovedAside { files, packages, previous: "/p".into() };
        let cases = [
            (
                Notice::DamagedPackage { file: "a-1-0.conda".into(), reason: "x differs".into() },
                "a-1-0.conda in the cache is damaged and is fetched again: x differs",
            ),
            (
                Notice::NoFileLocks { folder: "/envs".into() },
                "the file system of `/envs` has no file locks: make sure that no other install runs \
                 there",
            ),
            (
                Notice::PlannedAgain { prefix: prefix() },
                "`/envs/ml` changed while packages were fetched: the install was planned again",
            ),
            (
                recovered(Recovery::Completed),
                "an install into `/envs/ml` was killed: its last step is completed",
            ),
            (
                recovered(Recovery::StagingRemoved),
                "an install into `/envs/ml` was killed: its staging directory is removed",
            ),
            (
                recovered(Recovery::PreviousRestored),
                "an install into `/envs/ml` was killed: its post-link scripts were running, so \
                 the previous environment is restored",
            ),
            (
                Notice::UnfinishedKept { to: "/envs/ml~previous-2".into() },
                "the environment of that install has files that no package has: it is kept as \
                 `/envs/ml~previous-2`",
            ),
            (
                Notice::NotRemoved { path: "/x".into(), reason: "busy".into() },
                "can't remove `/x`: busy",
            ),
            (
                Notice::ScriptMessage { package: "a".into(), text: "read the licence".into() },
                "a: read the licence",
            ),
            (
                moved(1, 0),
                "1 file that the lock doesn't have moved to `/p` with the previous environment",
            ),
            (
                moved(2, 1),
                "2 files and 1 package that the lock doesn't have moved to `/p` with the \
                 previous environment",
            ),
        ];
        for (of, words) in cases {
            assert_eq!(notice(&of), words);
        }
    }
}
