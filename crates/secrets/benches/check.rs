//! 100 needs against 50 policies of 200 rules each: texts in, findings out, for all dialects.
//!
//! `cargo bench -p envlock-secrets` prints the median of 21 runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use envlock_secrets::checks::{Input, check};
use envlock_secrets::manifest::{Manifest, ManifestLocation};

const NEEDS: usize = 100;
const POLICIES: usize = 50;
const RULES: usize = 200;

fn manifest() -> String {
    let mut text = "version: 1\npolicies:\n".to_owned();
    let mut attach = Vec::new();
    for policy in 0..POLICIES {
        let _ = writeln!(text, "  p{policy}: {{file: p{policy}.hcl}}");
        attach.push(format!("p{policy}"));
    }
    text.push_str("needs:\n");
    for need in 0..NEEDS {
        let path = format!("team{need}/app/db");
        let _ = writeln!(
            text,
            "  n{need}: {{engine: kv2, mount: secret, path: {path}, fields: {{x: V{need}}}}}"
        );
    }
    let _ = writeln!(text, "profiles: {{ci: {{attach: [{}]}}}}", attach.join(", "));
    text
}

/// A third each of exact rules, prefixes and patterns of segments.
fn policy(number: usize) -> String {
    let mut text = String::new();
    for rule in 0..RULES {
        let team = (number * RULES + rule) % 4000;
        let pattern = match rule % 3 {
            0 => format!("secret/data/team{team}/app/db"),
            1 => format!("secret/data/team{team}/app{number}/*"),
            _ => format!("secret/+/team{team}/+/x{number}"),
        };
        let _ = writeln!(text, "path \"{pattern}\" {{\n  capabilities = [\"read\"]\n}}");
    }
    text
}

#[expect(clippy::print_stdout, reason = "a program run by hand")]
fn main() {
    let text = manifest();
    let files: BTreeMap<_, _> =
        (0..POLICIES).map(|number| (format!("p{number}.hcl"), policy(number))).collect();
    let mut times: Vec<Duration> = Vec::new();
    let mut findings = 0;
    for _ in 0..21 {
        let start = Instant::now();
        let manifest = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile)
            .expect("the manifest is right")
            .expect("it has needs");
        let input = Input {
            manifest: &manifest,
            files: &files,
            profile: None,
            dialect: None,
            now: jiff::Timestamp::UNIX_EPOCH,
            horizon_days: 30,
            online: None,
        };
        findings = black_box(check(&input)).expect("the policies are there").findings.len();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let bytes: usize = files.values().map(String::len).sum();
    println!(
        "{NEEDS} needs, {POLICIES} policies of {RULES} rules ({} KiB), 3 dialects: median {:?}, \
         best {:?}, worst {:?}; {findings} findings",
        bytes / 1024,
        times[times.len() / 2],
        times[0],
        times[times.len() - 1],
    );
}
