//! `policy test`: runs unit tests of policies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use envlock_policy::suite::{CaseFailure, TestSuite};

use super::{PolicyCommandError, files::read_cases};
use crate::check_secrets::read_texts;

/// The results of all files of test cases.
#[derive(Debug, Default)]
pub struct PolicyTests {
    /// How many cases passed.
    pub passed: usize,
    /// How many cases failed.
    pub failed: usize,
    /// Why each of them failed.
    pub failures: Vec<CaseFailure>,
}

/// Runs the cases of these files as of `now`.
pub fn test(files: &[PathBuf], now: jiff::Timestamp) -> Result<PolicyTests, PolicyCommandError> {
    let mut tests = PolicyTests::default();
    for (file, content) in &read_cases(files)? {
        let suite = TestSuite::parse(file, content)?;
        // Policy files are named relative to the file of cases.
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        let named: BTreeMap<String, String> = suite
            .files()
            .iter()
            .map(|name| (folder.join(name).display().to_string(), (*name).to_owned()))
            .collect();
        let found = read_texts(named.keys().cloned())?;
        let policies = found.into_iter().map(|(path, text)| (named[&path].clone(), text)).collect();
        let outcome = suite.run(&policies, now)?;
        tests.passed += outcome.passed;
        tests.failed += outcome.failed;
        tests.failures.extend(outcome.failures);
    }
    Ok(tests)
}
