//! Reads requirement lines as pip does, through an environment.yml that includes a requirements
//! file.
//!
//! `lines.txt` has the lines and what they mean. Each was compared by hand with what
//! `pip._internal.req.req_file` and `constructors` of pip 26.3 make of it. Intended differences:
//! envlock refuses what pip accepts and then fails with (an address without a host, a page of a
//! repository, a digest of a wrong length, a renamed wheel) or ignores silently (a second `-e`);
//! reads extras in `#egg=name[extra]`, as pip 24 does; and reads `file:x` as a relative path, as pip
//! 24 does.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]
#![allow(clippy::needless_for_each, clippy::format_collect, reason = "short tests")]

mod includes;
mod meaning;
mod places;
mod properties;
mod real_files;
mod table;

use std::path::Path;

use envlock_model::pip::{IncludedFiles, PipInputs, Source, SourceError};
use envlock_model::spec::{Environment, InvalidEnvironment, parse_tree};
use envlock_report::Finding;
use envlock_text::{limits::ENVIRONMENT, tree};
use rattler_conda_types::Subdir;

/// Files by their path relative to the project.
type Files<'a> = &'a [(&'a str, &'a str)];

/// Reads an environment whose lines can include the files.
fn read(text: &str, files: Files<'_>) -> Result<Environment, InvalidEnvironment> {
    read_in("", text, files)
}

/// Reads an environment in a folder of the project.
fn read_in(folder: &str, text: &str, files: Files<'_>) -> Result<Environment, InvalidEnvironment> {
    let tree = tree::read("environment.yml", text, &ENVIRONMENT);
    let read = |path: &Path| {
        let file = path.to_str().unwrap().to_owned();
        match files.iter().find(|(known, _)| *known == file) {
            Some((_, text)) => Ok(Source { file, text: (*text).to_owned() }),
            None => Err(SourceError::Missing { file }),
        }
    };
    let included = IncludedFiles { folder: Path::new(folder), read: &read };
    parse_tree("environment.yml", text, &tree, included)
}

/// Reads an environment with one `pip:` section of these items.
fn section(items: &[&str], files: Files<'_>) -> Result<Environment, InvalidEnvironment> {
    let items: String = items.iter().map(|item| format!("    - {item}\n")).collect();
    read(&format!("dependencies:\n  - pip\n  - pip:\n{items}"), files)
}

/// Returns what is requested on linux-64, and the findings.
fn inputs(read: Result<Environment, InvalidEnvironment>) -> (PipInputs, Vec<Finding>) {
    match read {
        Ok(environment) => (environment.pip_for(Subdir::Linux64), environment.warnings),
        Err(invalid) => (PipInputs::default(), invalid.findings),
    }
}

/// Returns `file:line:column code` of each finding.
fn codes(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|one| format!("{} {}", one.place.as_ref().unwrap(), one.code)).collect()
}
