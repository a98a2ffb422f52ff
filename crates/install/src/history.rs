//! `conda-meta/history` in conda's own format, so that `conda list --revisions` and
//! `conda env export --from-history` understand an environment.
//!
//! The format is the one of conda's `history.py`: a header with the time, comments, then
//! `-` and `+` lines with `channel/subdir::name-version-build`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use envlock_model::channel::without_credentials;
use envlock_model::wheel::is_wheel;
use rattler_conda_types::RepoDataRecord;
use url::Url;

use crate::install_spec::InstallSpec;

/// Hosts whose channels conda calls by name alone.
const NAMED_HOSTS: [&str; 2] = ["conda.anaconda.org", "repo.anaconda.com"];

/// Formats the lines that this install appends.
pub(crate) fn revision(spec: &InstallSpec, before: &[RepoDataRecord]) -> String {
    let dists = |records: &mut dyn Iterator<Item = &RepoDataRecord>| -> BTreeSet<String> {
        // Wheels are pip's to conda.
        records.filter(|record| !is_wheel(record)).map(dist).collect()
    };
    let old = dists(&mut before.iter());
    let new = dists(&mut spec.records.iter());
    let mut text = format!("==> {} <==\n", spec.time.strftime("%Y-%m-%d %H:%M:%S"));
    // conda reads one comment a line.
    let _ = writeln!(text, "# cmd: {}", spec.command.replace(['\n', '\r'], " "));
    // Not `conda version`: conda would compare it with its own and refuse to work.
    let _ = writeln!(text, "# envlock version: {}", spec.envlock_version);
    for removed in old.difference(&new) {
        let _ = writeln!(text, "-{removed}");
    }
    for added in new.difference(&old) {
        let _ = writeln!(text, "+{added}");
    }
    let specs: Vec<String> = spec.requested.values().flatten().map(|spec| quoted(spec)).collect();
    let _ = writeln!(text, "# update specs: [{}]", specs.join(", "));
    text
}

/// Formats a Python string literal: conda reads the list with `ast.literal_eval`.
fn quoted(spec: &str) -> String {
    let escaped: String = spec
        .chars()
        .map(|c| match c {
            '\\' => "\\\\".to_owned(),
            '"' => "\\\"".to_owned(),
            c if c.is_control() => " ".to_owned(),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// Formats a record as in `conda-forge/linux-64::python-3.10.13-h_0`.
fn dist(record: &RepoDataRecord) -> String {
    let package = &record.package_record;
    format!(
        "{}/{}::{}-{}-{}",
        channel(record),
        package.subdir,
        package.name.as_normalized(),
        package.version,
        package.build
    )
}

/// Returns a channel as conda names it: `conda-forge`, `pkgs/main`, else its URL without
/// credentials.
pub(crate) fn channel(record: &RepoDataRecord) -> String {
    let Some(channel) = &record.channel else { return "<unknown>".into() };
    let Ok(url) = Url::parse(channel) else { return channel.clone() };
    let url = without_credentials(&url);
    let path = url.path().trim_matches('/');
    if url.host_str().is_some_and(|host| NAMED_HOSTS.contains(&host)) && !path.is_empty() {
        return path.to_owned();
    }
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_a_python_literal() {
        assert_eq!(quoted("a[version='>=1']"), "\"a[version='>=1']\"");
        assert_eq!(quoted("a\"\\"), "\"a\\\"\\\\\"");
    }
}
