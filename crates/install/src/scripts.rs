//! Post-link scripts. They run only with `--link-scripts`.
//!
//! They run after the new prefix is in place, not before: they write `$PREFIX` into files
//! and run programs that have the final path in them, which would name or find the wrong
//! directory while the prefix is staged. Until they have all ended the prefix says that it
//! isn't complete; if one fails, or the process dies, the environment before is put back.

use std::collections::HashMap;
use std::path::Path;

use envlock_model::progress::{Event, Notice, Observer};
use rattler::install::link_script::LinkScriptType;
use rattler_conda_types::{PrefixRecord, Subdir};
use rattler_shell::shell::{Bash, CmdExe, ShellEnum};

use crate::error::{Attempting, InstallError};
use crate::meta::Files;
use crate::state::Stamp;
use crate::untracked::untracked_files;
use crate::wanted::Wanted;

/// How many of the last lines of a failed script are shown.
const MAX_LINES: usize = 20;

/// The names of the packages that have a post-link script in `prefix`, in the order of linking.
pub(crate) fn with_scripts(
    records: &[PrefixRecord],
    prefix: &Path,
    platform: Subdir,
) -> Vec<String> {
    records
        .iter()
        .filter(|record| prefix.join(script(record, platform)).is_file())
        .map(|record| record.name().as_normalized().to_owned())
        .collect()
}

/// Where conda looks for a package's script.
fn script(record: &PrefixRecord, platform: Subdir) -> String {
    LinkScriptType::PostLink.get_path(&record.repodata_record.package_record, &platform)
}

/// Runs the scripts of `names` in the prefix, which is in place, and completes it: notes
/// what the scripts made, and that the environment is ready.
pub(crate) fn run(
    names: &[String],
    records: &[PrefixRecord],
    wanted: &Wanted,
    observer: &dyn Observer,
) -> Result<(), InstallError> {
    for record in records
        .iter()
        .filter(|record| names.iter().any(|name| name == record.name().as_normalized()))
    {
        run_one(record, wanted)?;
        report_message(record, &wanted.prefix, observer)
            .attempting("read a post-link script's message")?;
    }
    let prefix = &wanted.prefix;
    let mut files = Files::read(prefix).attempting("read the list of files")?;
    files.sizes = Files::of(prefix, records).attempting("list the files after the scripts")?.sizes;
    files.made = untracked_files(prefix, records, &[])
        .all()
        .attempting("list what post-link scripts made")?;
    files.write(prefix).attempting("write the list of files")?;
    Stamp::of(&wanted.stamp, prefix, prefix)
        .and_then(|stamp| stamp.write(prefix))
        .attempting("write the environment's stamp")
}

/// What a script wants the user to read; conda shows that file and removes it.
fn report_message(
    record: &PrefixRecord,
    prefix: &Path,
    observer: &dyn Observer,
) -> std::io::Result<()> {
    let path = prefix.join(".messages.txt");
    if path.is_file() {
        let text = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
        let package = record.name().as_normalized().to_owned();
        let text = text.trim().to_owned();
        observer.observe(Event::Notice(Notice::ScriptMessage { package, text }));
        fs_err::remove_file(path)?;
    }
    Ok(())
}

fn run_one(record: &PrefixRecord, wanted: &Wanted) -> Result<(), InstallError> {
    let package = &record.repodata_record.package_record;
    let path = wanted.prefix.join(script(record, wanted.platform));
    let variables = HashMap::from([
        ("PREFIX".to_owned(), wanted.prefix.display().to_string()),
        ("PKG_NAME".to_owned(), package.name.as_normalized().to_owned()),
        ("PKG_VERSION".to_owned(), package.version.to_string()),
        ("PKG_BUILDNUM".to_owned(), package.build_number.to_string()),
    ]);
    let shell = if wanted.platform.is_windows() {
        ShellEnum::CmdExe(CmdExe)
    } else {
        ShellEnum::Bash(Bash::default())
    };
    let failed = |status: String, output: &[u8]| {
        let said = String::from_utf8_lossy(output);
        let lines: Vec<&str> = said.lines().collect();
        let output = lines[lines.len().saturating_sub(MAX_LINES)..].join("\n");
        let package = package.name.as_normalized().to_owned();
        Err(InstallError::Script { package, status, output })
    };
    match rattler_shell::run_in_environment(&wanted.prefix, &path, shell, &variables) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            failed(output.status.to_string(), &said)
        }
        Err(error) => failed(error.to_string(), b""),
    }
}
