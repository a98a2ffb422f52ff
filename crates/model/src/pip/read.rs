//! Reads the lines of `pip:` sections and of the files that they include.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use envlock_report::{Code, Finding, Place};
use envlock_text::limits::{PIP_INCLUDE_DEPTH, PIP_INCLUDES, PIP_LINE_BYTES, PIP_LINES};
use envlock_text::{one_line, redact::holds_credential};

use super::index_options::IndexOption;
use super::line::{Line, LineContent};
use super::lines::{LogicalLine, logical_lines};
use super::origin::{Origin, WholeFile};
use super::parse::normalised;
use super::problem::Problem;
use super::{Requirement, VariableText};
use crate::spec::{Selector, placeholder};

/// How the files of `-r` and `-c` are read.
#[derive(Clone, Copy)]
pub struct IncludedFiles<'a> {
    /// The folder of environment.yml, relative to the project's folder.
    pub folder: &'a Path,
    /// Reads a file by its path relative to the project's folder.
    pub read: &'a dyn Fn(&Path) -> Result<Source, SourceError>,
}

/// The text of an included file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name of the file for messages.
    pub file: String,
    /// The text after [`decode`](envlock_text::decode).
    pub text: String,
}

/// Why an included file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceError {
    /// There is no such file.
    Missing {
        /// The name of the file for messages.
        file: String,
    },
    /// The findings say why.
    Unreadable(Vec<Finding>),
}

/// A line with a requirement, a constraint or options. Lines that include a file are replaced by the
/// lines of that file.
#[derive(Debug, Clone, PartialEq)]
pub struct PipLine {
    /// The line as written, without a comment and continuations, with single blanks.
    pub text: VariableText,
    /// The place in the file where it stands.
    pub place: Place,
    /// The places of the lines that include that file, the outermost first. Empty for a line of
    /// environment.yml.
    pub included_at: Vec<Place>,
    /// The included file, relative to the project's folder. `None` for a line of environment.yml.
    pub file: Option<PathBuf>,
    /// The platforms that it applies to. `None` for all.
    pub selector: Option<Selector>,
    /// What it says.
    pub content: PipContent,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum PipContent {
    /// A requirement.
    Requirement(Requirement),
    /// A line of a file of `-c`: it restricts a package that something else requires.
    Constraint(Requirement),
    /// Options for all packages, in the order of the line.
    Options(Vec<IndexOption>),
}

impl IncludedFiles<'_> {
    /// No file exists.
    pub fn none() -> Self {
        fn missing(path: &Path) -> Result<Source, SourceError> {
            Err(SourceError::Missing { file: path.display().to_string() })
        }
        Self { folder: Path::new(""), read: &missing }
    }
}

/// The file of a line, and how it was included.
#[derive(Debug, Clone, Default)]
struct Context {
    file: Option<PathBuf>,
    included_at: Vec<Place>,
    /// The names of the files, for messages.
    chain: Vec<String>,
    is_constraint: bool,
    selector: Option<Selector>,
}

/// Reads lines, and collects their findings.
pub(crate) struct PipReader<'a> {
    files: IncludedFiles<'a>,
    cache: HashMap<PathBuf, Rc<Result<Source, SourceError>>>,
    lines: Vec<PipLine>,
    findings: Vec<Finding>,
    includes: usize,
    /// Whether a limit was exceeded: nothing more is read.
    is_stopped: bool,
}

impl<'a> PipReader<'a> {
    pub(crate) fn new(files: IncludedFiles<'a>) -> Self {
        Self {
            files,
            cache: HashMap::new(),
            lines: Vec::new(),
            findings: Vec::new(),
            includes: 0,
            is_stopped: false,
        }
    }

    /// Returns the lines and the findings.
    pub(crate) fn finish(self) -> (Vec<PipLine>, Vec<Finding>) {
        (self.lines, self.findings)
    }

    /// Reads a line of environment.yml.
    pub(crate) fn line_of_section(
        &mut self,
        line: &LogicalLine,
        origin: &dyn Origin,
        selector: Option<Selector>,
    ) {
        self.line(line, origin, &Context { selector, ..Context::default() });
    }

    fn line(&mut self, line: &LogicalLine, origin: &dyn Origin, context: &Context) {
        let whole = origin.place(line.in_source(&(0..line.text.len())));
        if self.is_stopped || self.is_too_large(line, &whole) {
            return;
        }
        if line.is_unfinished {
            let end = line.text.len();
            let message = "nothing follows the `\\` at the end of this line";
            let help = "remove it, or write the rest of the line in the same item";
            let problem = Problem::syntax(0..end, message, help);
            self.findings.push(problem.finding(whole));
            return;
        }
        if let Some((placeholder, at)) = placeholder(&line.text) {
            let range = at..at + placeholder.len();
            let message = format!("`{placeholder}` is a placeholder of a template without a value");
            let help = "replace it by the package, or remove the line";
            let problem = Problem::error(Code::PlaceholderInEnvironment, range, message, help);
            self.add(&problem, line, origin, context);
            return;
        }
        if holds_credential(&line.text) {
            let message = format!("`{}` has a URL with a credential", one_line(&line.text));
            let help = "write a variable such as `${TOKEN}` instead, because the lock would \
                        contain the credential; or let pip read it from its keyring or from \
                        ~/.netrc";
            let problem = Problem::error(Code::PipCredential, 0..line.text.len(), message, help);
            self.add(&problem, line, origin, context);
            return;
        }
        let mut parsed = Line::parse(
            &line.text,
            self.files.folder,
            context.file.as_deref(),
            context.is_constraint,
        );
        for problem in std::mem::take(&mut parsed.problems) {
            self.add(&problem, line, origin, context);
        }
        for (text, at) in std::mem::take(&mut parsed.ignored) {
            let message = format!("`{text}` has no effect: pip ignores it on this line");
            let help = "write it on a line of its own, or remove it";
            let problem = Problem::warning(Code::PipOptionUnused, at, message, help);
            self.add(&problem, line, origin, context);
        }
        let text = VariableText::new(single_blanks(&line.text));
        let place = whole;
        let said = match parsed.content {
            None => return,
            Some(LineContent::Include { path, is_constraint, at }) => {
                let at = origin.place(line.in_source(&at));
                self.include(&path, is_constraint, at, place, context);
                return;
            }
            Some(LineContent::Options(options)) => PipContent::Options(options),
            Some(LineContent::Requirement { kind, marker, hashes, config_settings }) => {
                let requirement = Requirement {
                    text: text.clone(),
                    place: place.clone(),
                    included_at: context.included_at.clone(),
                    selector: context.selector.clone(),
                    kind,
                    marker,
                    hashes,
                    config_settings,
                };
                if context.is_constraint {
                    PipContent::Constraint(requirement)
                } else {
                    PipContent::Requirement(requirement)
                }
            }
        };
        self.lines.push(PipLine {
            text,
            place,
            included_at: context.included_at.clone(),
            file: context.file.clone(),
            selector: context.selector.clone(),
            content: said,
        });
    }

    /// Adds the finding of a problem, with the lines that include its file.
    fn add(&mut self, problem: &Problem, line: &LogicalLine, origin: &dyn Origin, by: &Context) {
        let finding = problem.finding(origin.place(line.in_source(&problem.at)));
        self.push(finding, by);
    }

    fn push(&mut self, finding: Finding, context: &Context) {
        let included = context.included_at.iter().rev();
        let finding = included.fold(finding, |finding, place| {
            finding.with_related(place.clone(), "the file is included here")
        });
        self.findings.push(finding);
    }

    fn is_too_large(&mut self, line: &LogicalLine, place: &Place) -> bool {
        let message = if line.text.len() > PIP_LINE_BYTES {
            format!("this line has more than {PIP_LINE_BYTES} bytes")
        } else if self.lines.len() >= PIP_LINES {
            self.is_stopped = true;
            format!("there are more than {PIP_LINES} lines for pip")
        } else {
            return false;
        };
        self.findings.push(limit(message, place.clone()));
        true
    }

    fn include(
        &mut self,
        path: &Path,
        is_constraint: bool,
        at: Place,
        line: Place,
        context: &Context,
    ) {
        let path = normalised(path);
        self.includes += 1;
        if self.includes > PIP_INCLUDES {
            self.is_stopped = true;
            self.push(limit(format!("more than {PIP_INCLUDES} files are included"), at), context);
            return;
        }
        let source = self.source(&path);
        let source = match &*source {
            Ok(source) => source,
            Err(error) => return self.unreadable(error, at, context),
        };
        if let Some(first) = context.chain.iter().position(|file| *file == source.file) {
            let mut chain = context.chain[first..].to_vec();
            chain.push(source.file.clone());
            let message = format!("{} includes itself: {}", source.file, chain.join(" > "));
            let finding = Finding::new(Code::PipInclude, message).at(at);
            self.push(finding.with_help("remove one of these lines"), context);
            return;
        }
        if context.chain.len() >= PIP_INCLUDE_DEPTH {
            let message = format!("files are included {PIP_INCLUDE_DEPTH} levels deep");
            self.push(limit(message, at), context);
            return;
        }
        let mut inner = Context {
            file: Some(path),
            is_constraint,
            selector: context.selector.clone(),
            ..context.clone()
        };
        inner.included_at.push(line);
        inner.chain.push(source.file.clone());
        let origin = WholeFile::new(&source.file, &source.text);
        for line in logical_lines(&source.text) {
            // pip reads a `\` at the end of a file as if it weren't there.
            let mut line = line;
            line.is_unfinished = false;
            if !line.text.is_empty() {
                self.line(&line, &origin, &inner);
            }
        }
    }

    fn source(&mut self, path: &Path) -> Rc<Result<Source, SourceError>> {
        if let Some(known) = self.cache.get(path) {
            return Rc::clone(known);
        }
        let source = Rc::new((self.files.read)(path));
        self.cache.insert(path.to_owned(), Rc::clone(&source));
        source
    }

    fn unreadable(&mut self, error: &SourceError, at: Place, context: &Context) {
        match error {
            SourceError::Missing { file } => {
                let finding = Finding::new(Code::PipInclude, format!("there is no file {file}"));
                let help = "write the path relative to the file that has this line";
                self.push(finding.at(at).with_help(help), context);
            }
            SourceError::Unreadable(findings) => {
                for finding in findings {
                    let finding = match finding.place {
                        Some(_) => {
                            let message = "the file is included here";
                            finding.clone().with_related(at.clone(), message)
                        }
                        None => finding.clone().at(at.clone()),
                    };
                    self.push(finding, context);
                }
            }
        }
    }
}

fn limit(message: String, place: Place) -> Finding {
    Finding::new(Code::InputLimit, message)
        .at(place)
        .with_help("check that it is the right file, or split it")
}

/// Replaces each run of blanks outside of quotes by one blank, so that the text doesn't depend on
/// how a line is continued.
fn single_blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    for c in text.chars() {
        let is_blank = quote.is_none() && c.is_whitespace();
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        if !is_blank {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}
