//! Reads the `dependencies:` section: packages, `pip:` sections and selectors.

use std::collections::HashMap;

use envlock_report::{Code, nearest, wrong_type};
use envlock_text::tree::{Entry, Kind, Node};
use envlock_text::{Pos, redact, redact::redact_url};

use super::matchspec::{self, SpecError};
use super::reader::Reader;
use super::scalar::Scalar;
use super::selector::{Selector, SelectorError};
use super::{Dependency, Environment};
use crate::pip::{self, IncludedFiles, Origin, PipReader, logical_lines};

/// Reads the section into `environment`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Node,
    included: IncludedFiles<'_>,
    environment: &mut Environment,
) {
    let pip_lines = PipReader::new(included);
    let mut section = Section { reader, environment, pip: None, pip_lines };
    let items = section.reader.list(value, "dependencies", "- python=3.10");
    for item in items.unwrap_or_default() {
        section.entry(item);
    }
    section.finish_pip();
    section.check_pip();
    section.check_duplicates();
}

/// Returns a match spec to show, without the credentials of its channel.
fn shown(text: &str, channel: Option<&str>) -> String {
    let text = match channel {
        Some(channel) => text.replacen(channel, &redact_url(channel), 1),
        None => text.to_owned(),
    };
    redact(&text).into_owned()
}

struct Section<'r, 'l, 'i> {
    reader: &'r mut Reader<'l>,
    environment: &'r mut Environment,
    /// The position of the first `pip:` section that has a line.
    pip: Option<Pos>,
    pip_lines: PipReader<'i>,
}

impl Section<'_, '_, '_> {
    fn entry(&mut self, item: &Node) {
        match &item.kind {
            Kind::Map(entries) => {
                for Entry { key, value } in entries {
                    self.mapping_entry(key, value);
                }
            }
            _ => self.package(item, None),
        }
    }

    /// Reads `pip: […]` or `sel(linux): package`.
    fn mapping_entry(&mut self, key: &Node, value: &Node) {
        let name = key.text().unwrap_or_default();
        if name == "pip" {
            let selector = self.selector(key.end, None);
            return self.pip_section(key, value, selector.as_ref());
        }
        if let Some(inner) = name.strip_prefix("sel(").and_then(|rest| rest.strip_suffix(')')) {
            return match Selector::parse(inner.trim()) {
                Ok(selector) => self.selector_entry(value, &selector),
                Err(error) => self.selector_error(key.start, &error),
            };
        }
        let help = match nearest(name, ["pip", "sel(linux)", "sel(osx)", "sel(win)", "sel(unix)"]) {
            Some(known) => format!("did you mean `{known}:`?"),
            None => "write a package as text, as in `- numpy=1.24`; the keys of a mapping are \
                     `pip:` and `sel(linux):`"
                .to_owned(),
        };
        let message = format!("`{name}:` isn't a key of `dependencies`");
        self.reader.problems.error(key.start, Code::UnknownSection, message, Some(help));
    }

    fn selector_entry(&mut self, value: &Node, selector: &Selector) {
        match &value.kind {
            Kind::List(items) => {
                for item in items {
                    self.package(item, Some(selector));
                }
            }
            _ => self.package(value, Some(selector)),
        }
    }

    fn package(&mut self, item: &Node, outer: Option<&Selector>) {
        let Some(written) = item.string() else {
            let example = "- python=3.10";
            return self.reader.wrong_type(item, "a dependency", "a package", example);
        };
        // In conda a `#` inside quotes starts a comment, too.
        let (text, quoted) = written.split_at(written.find('#').unwrap_or(written.len()));
        let inner = self.in_comment(item.start, quoted, outer);
        let selector = self.selector(item.end, inner.as_ref());
        let place = self.reader.problems.place_of(item);
        match matchspec::parse(text) {
            Ok(parts) => self.environment.dependencies.push(Dependency {
                text: shown(text.trim(), parts.channel.as_deref()),
                text_without_channel: redact(&parts.rest).into_owned(),
                place,
                selector,
                channel: parts.channel,
                subdir: parts.subdir,
                spec: parts.spec,
                conditions: parts.conditions,
            }),
            Err(error) => self.spec_error(item, text.trim_end(), &error),
        }
    }

    fn pip_section(&mut self, key: &Node, value: &Node, outer: Option<&Selector>) {
        let items = self.reader.list(value, "pip", "- requests>=2.31").unwrap_or_default();
        for item in items {
            let Some(text) = item.text().filter(|text| !text.trim().is_empty()) else {
                self.not_a_pip_line(item);
                continue;
            };
            let outer = self.selector(item.end, outer);
            let file = self.reader.problems.file().to_owned();
            let origin = Scalar::new(&file, item, text, &self.reader.lines);
            for line in logical_lines(text) {
                let selector = match &line.comment {
                    // A comment in quotes, or in a block of lines.
                    Some((at, comment)) => {
                        let at = origin.place(*at..*at);
                        let at = Pos { line: at.line, column: at.column };
                        self.in_comment(at, comment, outer.as_ref())
                    }
                    None => outer.clone(),
                };
                self.pip_lines.line_of_section(&line, &origin, selector);
            }
            self.pip.get_or_insert(key.start);
        }
    }

    fn not_a_pip_line(&mut self, item: &Node) {
        let finding =
            wrong_type(self.reader.problems.file(), "a line of `pip:`", "a requirement", item);
        // YAML reads `--only-binary :all:` as a mapping.
        let key = item.entries().and_then(|entries| entries.first()).map(Entry::name);
        let help = match key.filter(|key| key.starts_with('-') && key.contains(" :")) {
            Some(key) => format!("write it in quotes, because of the `:` at its end: `\"{key}:\"`"),
            None => "write it like `- requests>=2.31`".to_owned(),
        };
        self.reader.problems.add(finding.with_help(help));
    }

    /// Adds the lines of all sections, and their findings.
    fn finish_pip(&mut self) {
        let none = PipReader::new(IncludedFiles::none());
        let (lines, findings) = std::mem::replace(&mut self.pip_lines, none).finish();
        let findings = findings.into_iter().chain(pip::check(&lines));
        findings.for_each(|finding| self.reader.problems.add(finding));
        self.environment.pip = lines;
    }

    /// Returns the selector after a value, combined with the selector of the enclosing mapping.
    fn selector(&mut self, end: Pos, outer: Option<&Selector>) -> Option<Selector> {
        let (at, comment) = self.reader.lines.comment(end).unwrap_or((end, ""));
        self.in_comment(at, comment, outer)
    }

    fn in_comment(&mut self, at: Pos, comment: &str, outer: Option<&Selector>) -> Option<Selector> {
        let own = match Selector::in_comment(comment) {
            Ok(Some(own)) => Some(own),
            Ok(None) => {
                self.warn_ignored_selector(at, comment);
                None
            }
            Err(error) => {
                self.selector_error(at, &error);
                None
            }
        };
        match (own, outer) {
            (Some(own), Some(outer)) => Some(outer.clone().and(own)),
            (own, outer) => own.or_else(|| outer.cloned()),
        }
    }

    /// Warns about a comment that looks like a selector but isn't one.
    fn warn_ignored_selector(&mut self, at: Pos, comment: &str) {
        let problems = &mut self.reader.problems;
        if let Some(later) = Selector::later_in_comment(comment) {
            let message =
                format!("`[{later}]` has no effect, because it isn't first in its comment");
            let help = format!("if it is a selector, put it first: `# [{later}]`");
            problems.warning(at, Code::SelectorNotFirst, message, help);
        } else if let Some(unknown) = Selector::unknown_in_comment(comment) {
            let message =
                format!("`[{unknown}]` isn't a platform: the line applies to all of them");
            let help = "write a selector like `# [linux]` or `# [not win]`, and other comments \
                        without brackets";
            problems.warning(at, Code::SelectorUnknown, message, help);
        }
    }

    fn selector_error(&mut self, at: Pos, error: &SelectorError) {
        let problems = &mut self.reader.problems;
        problems.error(at, Code::InvalidSelector, error.to_string(), Some(error.help()));
    }

    fn spec_error(&mut self, item: &Node, text: &str, error: &SpecError) {
        let mut at = item.start;
        for quote in [0, 1] {
            let start = Pos { column: item.start.column + quote, ..item.start };
            if self.reader.lines.is_at(start, text) {
                let offset = u32::try_from(error.offset).unwrap_or_default();
                at = Pos { column: start.column + offset, ..start };
                break;
            }
        }
        let (message, help) = (error.reason.to_string(), error.reason.help());
        self.reader.problems.error(at, error.reason.code(), message, help);
    }

    fn check_pip(&mut self) {
        let has_pip =
            |r: &Dependency| r.spec.name.as_exact().is_some_and(|n| n.as_normalized() == "pip");
        let Some(at) = self.pip.filter(|_| !self.environment.dependencies.iter().any(has_pip))
        else {
            return;
        };
        let message = "there is a `pip:` section, but `pip` isn't a dependency";
        self.reader.problems.warning(at, Code::PipMissing, message, "add `- pip` above it");
    }

    fn check_duplicates(&mut self) {
        let mut first: HashMap<(&str, Option<String>), u32> = HashMap::new();
        for request in &self.environment.dependencies {
            let selector = request.selector.as_ref().map(ToString::to_string);
            let line = request.place.line;
            let known = *first.entry((&request.text, selector)).or_insert(line);
            if known != line {
                let message =
                    format!("`{}` is a duplicate; the first one is on line {known}", request.text);
                let at = Pos { line, column: request.place.column };
                self.reader.problems.warning(
                    at,
                    Code::DuplicateDependency,
                    message,
                    "remove this line",
                );
            }
        }
    }
}
