//! Runs the 152 cases that were checked against the servers' own code, if the file is available.

use std::collections::BTreeMap;
use std::path::Path;

use envlock_policy::suite::TestSuite;

#[test]
fn every_case_has_the_result_of_the_servers() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/acl-vectors/vectors.json");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let suite = TestSuite::parse("vectors.json", &text).expect("the cases are readable");
    let now = "2026-11-23T00:00:00Z".parse().expect("it is a time");
    let result = suite.run(&BTreeMap::new(), now).expect("they need no files");
    assert_eq!(result.failed, 0, "{}", result.to_text());
    assert_eq!(result.passed, suite.cases.len());
}
