//! Runs the cases that were measured on servers or checked against their code, and compares them
//! with each other.

use std::collections::BTreeMap;
use std::path::Path;

use envlock_policy::suite::{SuiteResult, TestSuite};

/// Our own cases.
const CASES: [(&str, &str); 5] = [
    ("lists.yml", include_str!("servers/lists.yml")),
    ("duplicates.yml", include_str!("servers/duplicates.yml")),
    ("control-groups.yml", include_str!("servers/control-groups.yml")),
    ("texts.yml", include_str!("servers/texts.yml")),
    ("parameters.yml", include_str!("servers/parameters.yml")),
];

fn run(file: &str, text: &str) -> SuiteResult {
    let suite = match TestSuite::parse(file, text) {
        Ok(suite) => suite,
        Err(error) => panic!("{file}: {error:?}"),
    };
    let now = "2026-11-23T00:00:00Z".parse().expect("it is a time");
    let result = suite.run(&BTreeMap::new(), now).expect("they need no files");
    assert_eq!(result.passed + result.failed, suite.cases.len());
    result
}

#[test]
fn every_case_has_the_result_of_the_servers() {
    for (file, text) in CASES {
        let result = run(file, text);
        assert_eq!(result.failed, 0, "{}", result.to_text());
        assert!(result.passed >= 5, "{file}");
    }
}

/// The cases that are shared between projects, if the files are available.
#[test]
fn every_shared_case_has_the_result_of_the_servers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/acl-vectors");
    for file in ["vectors.json", "measured.json"] {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
        let result = run(file, &text);
        assert_eq!(result.failed, 0, "{}", result.to_text());
    }
}
