//! Properties of every input. `PROPTEST_CASES` sets the number of cases.

use std::collections::BTreeMap;

use envlock_model::needs::{self, LockedNeeds};
use envlock_policy::lint::LintContext;
use envlock_policy::suite::TestSuite;
use envlock_policy::{Acl, Dialect, EvaluationContext, Identity, Operation, Policy, Request};
use envlock_report::Finding;
use envlock_secrets::checks::{Input, check};
use envlock_secrets::generate;
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_text::{limits::LOCK, tree};
use jiff::Timestamp;
use proptest::prelude::*;

/// Text of fragments of policies and manifests, so that the readers accept a part of it.
fn arbitrary_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "path",
        "\"",
        "\"secret/data/a\"",
        "{",
        "}",
        "[",
        "]",
        "=",
        ",",
        "\n",
        " ",
        "capabilities",
        "\"read\"",
        "\"deny\"",
        "policy",
        "#",
        "//",
        "/*",
        "*/",
        "<<EOT\n",
        "EOT\n",
        "<<-X\n",
        "\\",
        "\\u0041",
        "${",
        "{{",
        "}}",
        "identity.entity.name",
        "+",
        "*",
        "+*",
        "1",
        "-1",
        "0x",
        "1.5e",
        "true",
        "密钥",
        "version: 1\n",
        "needs:\n",
        "  a: ",
        "- ",
        ": ",
        "&a ",
        "*a",
        "'",
        "|",
        ">",
        "? ",
        "!",
        "%",
        "\t",
        "\r\n",
        "{\"path\": ",
        "null",
        "profiles:\n",
        "hvs.CANARYCANARY0123",
        "\u{feff}",
        "\u{0}",
        "🗝",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,80}",
        1 => any::<Vec<u8>>().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

fn segment() -> impl Strategy<Value = String> {
    "[a-z密0-9_.-]{1,6}"
        .prop_filter("a segment isn't `.` or `..`", |text| !matches!(text.as_str(), "." | ".."))
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(segment(), 1..4).prop_map(|segments| segments.join("/"))
}

fn need() -> impl Strategy<Value = String> {
    let kv2 = (
        path(),
        path(),
        prop::sample::subsequence(vec!["list", "update", "patch", "create"], 0..3),
    )
        .prop_map(|(mount, path, more)| {
            let more = more.join(", ");
            format!("{{engine: kv2, mount: 'm{mount}', path: 'p{path}', capabilities: [{more}]}}")
        });
    let database = (path(), segment(), any::<bool>()).prop_map(|(mount, role, renew)| {
        let ttl = if renew { ", ttl: {min: 1h, renew: until 12h}" } else { "" };
        format!("{{engine: database, mount: 'm{mount}', role: 'r{role}'{ttl}}}")
    });
    let transit = (path(), segment()).prop_map(|(mount, key)| {
        format!(
            "{{engine: transit, mount: 'm{mount}', key: 'k{key}', operations: [encrypt, decrypt]}}"
        )
    });
    prop_oneof![kv2, database, transit]
}

fn manifest() -> impl Strategy<Value = String> {
    prop::collection::vec(need(), 1..6).prop_map(|needs| {
        let needs = needs.iter().enumerate().map(|(at, need)| format!("  n{at}: {need}\n"));
        format!(
            "version: 1\npolicies: {{job: {{file: job.hcl}}}}\nneeds:\n{}profiles: {{ci: {{attach: [job]}}}}\n",
            needs.collect::<String>()
        )
    })
}

fn read(text: &str) -> Manifest {
    let manifest = Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile);
    manifest.unwrap_or_else(|error| panic!("{error:?}\n{text}")).expect("a manifest with needs")
}

/// Policies with mistakes: rules that are written for the paths of needs, but not as they should be.
fn mistaken_rule(path: &str, kind: usize) -> String {
    let logical = path.replacen("/data/", "/", 1);
    let parent = path.rsplit_once('/').map_or("x", |(parent, _)| parent);
    let (pattern, words) = match kind % 14 {
        0 => (logical, "\"read\", \"list\", \"update\""),
        1 => (logical, "\"deny\""),
        2 => (path.to_owned(), "\"read\", \"list\""),
        3 => (format!("{parent}/*"), "\"read\", \"list\", \"update\", \"sudo\""),
        4 => (format!("v1/{path}"), "\"read\""),
        5 => (format!("https://h/v1/{path}"), "\"read\""),
        6 => (format!("/{path}"), "\"read\", \"update\""),
        7 => (format!("//{path}"), "\"read\""),
        8 => (format!("{parent}/**"), "\"read\""),
        9 => (format!("{parent}/{{a,b}}"), "\"read\""),
        10 => (format!("{parent}/.*"), "\"read\""),
        11 => (format!("{parent}/*/b"), "\"read\""),
        12 => (format!("{parent}/+/x/*"), "\"deny\""),
        _ => (format!("{logical}/*"), "\"deny\""),
    };
    format!("path \"{pattern}\" {{ capabilities = [{words}] }}\n")
}

/// Applies the fix of `finding` to the lines of job.hcl. Returns the line that it replaces, and the
/// lines of the fix.
fn apply(
    finding: &Finding,
    lines: &mut Vec<String>,
) -> Option<(Option<usize>, std::ops::Range<usize>)> {
    let fix: Vec<String> = finding.fix.as_ref()?.lines().map(str::to_owned).collect();
    let place = finding.place.as_ref().filter(|place| place.file == "job.hcl");
    let named = finding.related.first().map(|related| &related.place);
    let replaces = finding.help.as_ref().is_some_and(|help| help.contains("the rule at job.hcl"));
    let line = place.or(named.filter(|_| replaces)).map(|place| place.line as usize);
    let (start, end) = line.map_or((lines.len(), lines.len()), |line| (line - 1, line));
    let fixed = start + 1..start + 1 + fix.len();
    lines.splice(start..end, fix);
    Some((line, fixed))
}

proptest! {
    #[test]
    fn no_fix_has_a_finding_of_its_own(
        text in manifest(),
        kinds in prop::collection::vec((0..6_usize, 0..14_usize), 1..5),
    ) {
        let manifest = read(&text);
        let profile = manifest.profile("ci").expect("the profile exists");
        let requests = envlock_secrets::need_request::job_requests_of_profile(&profile);
        let judge = |lines: &[String]| {
            let files = BTreeMap::from([("job.hcl".to_owned(), lines.join("\n"))]);
            let input = Input {
                manifest: &manifest, files: &files, profile: None, dialect: None,
                now: Timestamp::UNIX_EPOCH, horizon_days: 30, online: None,
            };
            check(&input).expect("the policy exists").findings
        };
        let rules = kinds.iter().map(|(request, kind)| {
            mistaken_rule(&requests[request % requests.len()].request.path, *kind)
        });
        let rules: String = rules.collect();
        let lines: Vec<String> = rules.lines().map(str::to_owned).collect();
        let line_of = |finding: &Finding| {
            let place = finding.place.as_ref().filter(|place| place.file == "job.hcl");
            place.map(|place| place.line as usize)
        };
        let before = judge(&lines);
        for finding in &before {
            let mut lines = lines.clone();
            let Some((replaced, fixed)) = apply(finding, &mut lines) else { continue };
            // A denied capability is added to a rule that may already grant too much.
            let kept: Vec<_> = before
                .iter()
                .filter(|known| finding.code == "request-denied" && replaced.is_some() && line_of(known) == replaced)
                .map(|known| known.code)
                .collect();
            for after in judge(&lines) {
                let own = line_of(&after).is_some_and(|line| fixed.contains(&line));
                let own = own && !kept.contains(&after.code);
                prop_assert!(!own, "{:?}\n{:?}\n{}", finding, after, lines.join("\n"));
            }
        }
    }

    #[test]
    fn no_fix_of_a_lint_has_a_lint(
        text in manifest(),
        kinds in prop::collection::vec((0..6_usize, 0..14_usize), 1..5),
        knows_mounts in any::<bool>(),
    ) {
        let manifest = read(&text);
        let profile = manifest.profile("ci").expect("the profile exists");
        let requests = envlock_secrets::need_request::job_requests_of_profile(&profile);
        let mut context = LintContext::portable(Timestamp::UNIX_EPOCH);
        if knows_mounts {
            context.mounts = manifest.mounts();
        }
        let lint = |text: &str| envlock_policy::lint::lint("p", "job.hcl", text, &context);
        for (request, kind) in kinds {
            let rule = mistaken_rule(&requests[request % requests.len()].request.path, kind);
            for fix in lint(&rule).into_iter().filter_map(|finding| finding.fix) {
                prop_assert_eq!(lint(&fix), vec![], "{}", rule);
            }
        }
    }

    #[test]
    fn no_reader_panics_and_every_parsed_policy_can_be_evaluated(text in arbitrary_text(), path in path()) {
        let _ = Manifest::parse("a.yml", &text, ManifestLocation::OwnFile);
        let _ = Manifest::parse("a.yml", &text, ManifestLocation::EnvironmentFile);
        let _ = TestSuite::parse("a.yml", &text);
        let _ = tree::read_yaml("l", &text, &LOCK).root.map(|node| LockedNeeds::read("l", &node));
        let _ = envlock_policy::lint::lint("p", "p", &text, &LintContext::portable(Timestamp::UNIX_EPOCH));
        if let Ok(policy) = Policy::parse("p", "p", &text) {
            let identity = Identity::default();
            for dialect in Dialect::ALL {
                let context = EvaluationContext { dialect, now: Timestamp::UNIX_EPOCH, identity: Some(&identity), token_namespace: "" };
                if let Ok(acl) = Acl::new(&[&policy], &context) {
                    for operation in [Operation::Read, Operation::List] {
                        acl.decide(&Request::new(operation, &path));
                    }
                }
            }
        }
    }

    #[test]
    fn a_generated_policy_allows_the_needs_and_nothing_in_excess(text in manifest()) {
        let manifest = read(&text);
        let profile = manifest.profile("ci").expect("the profile exists");
        let files = BTreeMap::from([("job.hcl".to_owned(), generate::job_policy(&profile, ""))]);
        let input = Input {
            manifest: &manifest, files: &files, profile: None, dialect: None,
            now: Timestamp::UNIX_EPOCH, horizon_days: 30, online: None,
        };
        let outcome = check(&input).expect("the policy exists");
        prop_assert_eq!(outcome.findings, vec![], "{}", files["job.hcl"]);
    }

    #[test]
    fn a_generated_presence_policy_allows_no_request_for_a_value(text in manifest()) {
        let manifest = read(&text);
        let profile = manifest.profile("ci").expect("the profile exists");
        let text = generate::presence_policy(&profile, "");
        let policy = Policy::parse("presence", "v.hcl", &text).expect("the written text can be read");
        let identity = Identity::default();
        let context = EvaluationContext { dialect: Dialect::Vault, now: Timestamp::UNIX_EPOCH, identity: Some(&identity), token_namespace: "" };
        let acl = Acl::new(&[&policy], &context).expect("the server accepts it");
        for need_request in envlock_secrets::need_request::job_requests_of_profile(&profile) {
            let request = Request::new(need_request.request.operation, &need_request.request.path);
            prop_assert!(!acl.decide(&request).allowed, "{:?}", need_request);
        }
        for need_request in envlock_secrets::need_request::presence_requests_of_profile(&profile) {
            let request = Request::new(need_request.request.operation, &need_request.request.path);
            prop_assert!(acl.decide(&request).allowed, "{:?}", need_request);
        }
    }

    #[test]
    fn the_needs_of_a_lock_are_read_and_written_byte_for_byte_and_are_not_stale(text in manifest()) {
        let manifest = read(&text);
        let locked = manifest.locked();
        let written = serde_yaml::to_string(&locked).expect("serialisable");
        let tree = tree::read_yaml("l", &written, &LOCK).root.expect("valid YAML");
        let back = LockedNeeds::read("l", &tree).expect("the written text can be read");
        prop_assert_eq!(serde_yaml::to_string(&back).expect("serialisable"), written);
        prop_assert_eq!(needs::changes(Some(&back), Some(&locked)), vec![]);
    }

    #[test]
    fn the_suggested_rule_mends_the_denial(text in manifest(), other in path()) {
        let manifest = read(&text);
        let mut files = BTreeMap::from([(
            "job.hcl".to_owned(),
            format!("path \"x/{other}\" {{ capabilities = [\"read\"] }}\n"),
        )]);
        let judge = |files: &BTreeMap<String, String>| {
            let input = Input {
                manifest: &manifest, files, profile: None, dialect: None,
                now: Timestamp::UNIX_EPOCH, horizon_days: 30, online: None,
            };
            check(&input).expect("the policy exists").findings
        };
        let denied: Vec<_> = judge(&files).into_iter().filter(|f| f.code == "request-denied").collect();
        prop_assert!(!denied.is_empty());
        for finding in denied {
            files.get_mut("job.hcl").expect("the policy exists").push_str(&finding.fix.unwrap_or_default());
        }
        prop_assert!(judge(&files).iter().all(|finding| finding.code != "request-denied"));
    }
}
