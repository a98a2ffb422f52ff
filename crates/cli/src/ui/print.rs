//! One way out for every command, in every format.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
};

use envlock_report::{
    Code, Exit, Finding, Level,
    document::Document,
    printable,
    render::{self, Layout},
    sink::{Completion, DenyRule, Failure, FinalReport, Rules, apply_rules},
};
use serde::Serialize;

use super::{Answer, Progress, sources::sources};
use crate::{
    command_line::CommandLine,
    flags::{Colour, Format},
    settings::{Settings, VERSION},
};

/// Prints the answer of one command in the format that was asked for.
pub(crate) struct Ui {
    command: &'static str,
    /// The file that the command is about, for services that need a place for every finding.
    subject_file: String,
    rules: Rules,
    format: Format,
    quiet: bool,
    layout: Layout,
    progress: Arc<Progress>,
}

/// Wider lines of prose are harder to read, whatever the terminal has.
const WIDEST: usize = 100;

impl Ui {
    pub(crate) fn new(command_line: &CommandLine, settings: &Settings) -> Self {
        let output = &command_line.output;
        let colour = match output.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => settings.terminal.is_some() && !settings.no_colour,
        };
        let columns = settings.variables.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = columns.or(settings.terminal.map(usize::from)).unwrap_or(80).clamp(40, WIDEST);
        let layout = Layout { width, colour };
        let progress = Progress::new(settings.terminal, layout, output.quiet, output.format);
        let deny = output.deny.iter().copied().map(DenyRule::from_flag).collect();
        Self {
            command: command_line.command.name(),
            subject_file: command_line.command.subject_file(),
            rules: Rules { allow: Vec::new(), deny },
            format: output.format,
            quiet: output.quiet,
            layout,
            progress: Arc::new(progress),
        }
    }

    /// Adds the rules of a file.
    pub(crate) fn add_rules(&mut self, rules: Rules) {
        self.rules.extend(rules);
    }

    /// Where progress is shown.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Applies the rules of the run to the answer and prints it.
    pub(crate) fn finish<T: Serialize>(&self, answer: Answer<T>) -> Exit {
        self.progress.end();
        let Answer { ended, findings, rules, result, text, next, is_check } = answer;
        let mut all_rules = self.rules.clone();
        all_rules.extend(rules);
        let closed = apply_rules(findings, ended, &all_rules);
        let exit = closed.exit;
        let written = match self.format {
            Format::Human => {
                let summary =
                    if is_check { render::summary_line(closed.summary) } else { String::new() };
                let next = if self.quiet { String::new() } else { next };
                self.print_findings(&closed.findings);
                out(&printable(&format!("{text}{summary}{next}")))
            }
            Format::Json => out(&render::json(&Document::new(self.command, closed, result))),
            Format::Sarif => out(&render::sarif(&closed.findings, VERSION, &self.subject_file)),
            Format::Github => out(&render::github(&closed.findings)),
            Format::Gitlab => out(&render::gitlab(&closed.findings, &self.subject_file)),
        };
        self.exit_unless_write_failed(written, exit)
    }

    /// Prints findings for people; quietly without notes.
    fn print_findings(&self, findings: &[Finding]) {
        let is_said = |finding: &&Finding| finding.level != Level::Note || !self.quiet;
        let findings: Vec<_> = findings.iter().filter(is_said).cloned().collect();
        let _ = err(&render::human(&findings, &sources(&findings), self.layout));
    }

    /// The columns of a line of text for people.
    pub(crate) fn width(&self) -> usize {
        self.layout.width
    }

    /// A reader that went away (`| head`) has seen what it wanted; a full disk has not.
    fn exit_unless_write_failed(&self, written: io::Result<()>, exit: Exit) -> Exit {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = format!("standard output can't be written: {error}");
                let lost = Finding::new(Code::OutputFailed, message)
                    .with_note("what the command did is done; only its answer is lost");
                self.print_findings(&[lost]);
                Exit::Undetermined
            }
            _ => exit,
        }
    }

    /// Whether standard output is text for people.
    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Prints data at once, in the human form only.
    pub(crate) fn print_line(&self, text: &str) {
        if self.is_human() {
            self.progress.clear();
            let _ = out(&format!("{text}\n"));
        }
    }

    /// Passes on what activation scripts printed.
    pub(crate) fn script_output(&self, text: &str) {
        self.progress.clear();
        let _ = err(text);
    }

    /// Prints that the user pressed Ctrl-C.
    pub(crate) fn interrupted(&self) -> Exit {
        self.finish(Answer::<()>::from_failure(interrupted()))
    }

    /// Prints that the system gives us no threads.
    pub(crate) fn no_runtime(&self, error: &io::Error) -> Exit {
        let finding = Finding::new(Code::NoThreads, format!("can't start: {error}"));
        self.finish(Answer::<()>::from_failure(Failure::new(Exit::Undetermined, vec![finding])))
    }
}

/// The failure of a command that Ctrl-C, or the system, ended.
pub(crate) fn interrupted() -> Failure {
    let finding = Finding::new(Code::Interrupted, "interrupted")
        .with_note("nothing that was incomplete is kept")
        .with_help("run the command again");
    Failure::new(Exit::Interrupted, vec![finding])
}

/// Prints a command line that can't be understood as a JSON document.
pub(super) fn usage_document(finding: Finding) -> ExitCode {
    let failure = Failure::new(Exit::Usage, vec![finding]);
    let closed: FinalReport =
        apply_rules(Vec::new(), Completion::Failed(failure), &Rules::default());
    let exit = closed.exit;
    let _ = out(&render::json(&Document::<()>::new("envlock", closed, None)));
    ExitCode::from(exit.code())
}

fn out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn err(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}
