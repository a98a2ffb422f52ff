//! Post-link scripts. They run only with `--link-scripts`.
//!
//! They run after the new prefix is in place, not before: they write `$PREFIX` into files
//! and run programs that have the final path in them, which would name or find the wrong
//! directory while the prefix is staged. Until they have all ended the prefix says that it
//! isn't complete; if one fails, or the process dies, the environment before is put back.

use std::path::Path;

use envlock_model::progress::{Event, Notice, Observer};
use rattler::install::link_script::LinkScriptType;
use rattler_conda_types::{PrefixRecord, Subdir};

use crate::activate::run_script;
use crate::error::{InstallError, IoContext};
use crate::install_spec::InstallSpec;
use crate::meta::FileList;
use crate::state::InstallRecord;
use crate::untracked::find_untracked;

/// The number of last lines of a failed script that are shown.
const MAX_OUTPUT_LINES: usize = 20;

/// Returns the names of the packages that have a post-link script in `prefix`, in the order of
/// linking.
pub(crate) fn packages_with_scripts(
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

/// Returns the path where conda looks for a package's script.
fn script(record: &PrefixRecord, platform: Subdir) -> String {
    LinkScriptType::PostLink.get_path(&record.repodata_record.package_record, &platform)
}

/// Runs the scripts of `names` in the prefix, which is in place, and completes it: notes
/// what the scripts made, and that the environment is ready.
pub(crate) fn run(
    names: &[String],
    records: &[PrefixRecord],
    spec: &InstallSpec,
    observer: &dyn Observer,
) -> Result<(), InstallError> {
    for record in records
        .iter()
        .filter(|record| names.iter().any(|name| name == record.name().as_normalized()))
    {
        run_one(record, spec)?;
        report_message(record, &spec.prefix, observer)
            .while_doing("read a post-link script's message")?;
    }
    let prefix = &spec.prefix;
    let mut files = FileList::read(prefix).while_doing("read the list of files")?;
    files.update(prefix, records).while_doing("list the files after the scripts")?;
    files.made_by_scripts = find_untracked(prefix, records, &[])
        .all()
        .while_doing("list what post-link scripts made")?;
    files.write(prefix).while_doing("write the list of files")?;
    InstallRecord::new(&spec.lock_digest, prefix, prefix)
        .and_then(|record| record.write(prefix))
        .while_doing("write the record of the install")
}

/// Reports the message of a script; conda shows that file and removes it.
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

fn run_one(record: &PrefixRecord, spec: &InstallSpec) -> Result<(), InstallError> {
    let package = &record.repodata_record.package_record;
    let path = spec.prefix.join(script(record, spec.platform));
    let variables = [
        ("PREFIX", spec.prefix.display().to_string()),
        ("PKG_NAME", package.name.as_normalized().to_owned()),
        ("PKG_VERSION", package.version.to_string()),
        ("PKG_BUILDNUM", package.build_number.to_string()),
    ];
    let failed = |status: String, output: &[u8]| {
        let text = String::from_utf8_lossy(output);
        let lines: Vec<&str> = text.lines().collect();
        let output = lines[lines.len().saturating_sub(MAX_OUTPUT_LINES)..].join("\n");
        let package = package.name.as_normalized().to_owned();
        Err(InstallError::PostLinkScript { package, status, output })
    };
    match run_script(&spec.prefix, spec.platform, &path, &variables) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            failed(output.status.to_string(), &text)
        }
        Err(error) => failed(error.to_string(), b""),
    }
}
