//! Collects the findings of a file, and the error that has them.

use envlock_report::{AsFindings, Code, Exit, Finding, Level, Place};

use envlock_text::Pos;
use envlock_text::tree::Node;

/// An environment.yml with errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} isn't a valid environment: {}", summary(.findings))]
pub struct InvalidEnvironment {
    /// The file, as the user named it.
    pub file: String,
    /// The errors and warnings, in the order of the file.
    pub findings: Vec<Finding>,
}

fn summary(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|d| is_error(d));
    let first = errors.clone().next().map_or("", |d| d.message.as_str());
    match errors.count() {
        0 | 1 => first.to_owned(),
        n => format!("{first} (and {} more)", n - 1),
    }
}

fn is_error(finding: &Finding) -> bool {
    finding.level == Level::Error
}

impl AsFindings for InvalidEnvironment {
    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Collects findings while a file is read. Passwords are redacted.
#[derive(Debug)]
pub(super) struct FindingCollector {
    file: String,
    found: Vec<Finding>,
}

impl FindingCollector {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    pub(super) fn place(&self, pos: Pos) -> Place {
        pos.place(&self.file)
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Returns the place of a value, with its end.
    pub(super) fn place_of(&self, node: &Node) -> Place {
        node.place(&self.file)
    }

    /// Adds a finding that has its place.
    pub(super) fn add(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Whether there is a finding with this code at this position.
    pub(super) fn has(&self, code: Code, pos: Pos) -> bool {
        let place = self.place(pos);
        self.found.iter().any(|known| known.code == code && known.place.as_ref() == Some(&place))
    }

    fn push(&mut self, pos: Pos, finding: Finding) {
        let place = self.place(pos);
        self.found.push(finding.at(place));
    }

    pub(super) fn error(
        &mut self,
        pos: Pos,
        code: Code,
        message: impl AsRef<str>,
        help: Option<String>,
    ) {
        let mut finding = Finding::new(code, message);
        finding.help = help.map(|help| envlock_text::redact(&help).into_owned());
        self.push(pos, finding);
    }

    pub(super) fn warning(
        &mut self,
        pos: Pos,
        code: Code,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.push(pos, Finding::new(code, message).at_level(Level::Warning).with_help(help));
    }

    /// Returns the warnings, or an error if one of the findings is an error.
    pub(super) fn finish(mut self) -> Result<Vec<Finding>, InvalidEnvironment> {
        self.found.sort_by(|a, b| a.place.cmp(&b.place));
        if self.found.iter().any(is_error) {
            return Err(InvalidEnvironment { file: self.file, findings: self.found });
        }
        Ok(self.found)
    }
}
