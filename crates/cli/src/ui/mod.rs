//! The one place that writes to a terminal: standard output is data, standard error is talk.

mod progress;
mod usage;
mod words;

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
};

use envlock_report::{
    Code, Exit, Finding, Level,
    human::{self, Layout},
    output::{Asked, CheckSecrets, Report},
    printable, render,
};
use envlock_secrets::checks::{self, Right};
use serde::Serialize;

use crate::{
    args::{Colour, Format, Talk},
    settings::{Settings, VERSION},
};

pub(crate) use progress::Progress;
pub(crate) use usage::usage;
pub(crate) use words::{shell_word, table};

/// What a command answers.
pub(crate) struct Answer<T> {
    /// How it ended.
    pub(crate) exit: Exit,
    /// What is to be said.
    pub(crate) diagnostics: Vec<Finding>,
    /// What it found, for JSON.
    pub(crate) result: Option<T>,
    /// What it found, for a person; ends in a newline unless empty.
    pub(crate) text: String,
}

impl<T> Answer<T> {
    /// There is none, because of an error.
    pub(crate) fn failed(error: &dyn envlock_report::Explain) -> Self {
        Self {
            exit: error.exit(),
            diagnostics: error.findings(),
            result: None,
            text: String::new(),
        }
    }

    /// The same, with what has to be said before it.
    pub(crate) fn after(mut self, warnings: Vec<Finding>) -> Self {
        self.diagnostics.splice(0..0, warnings);
        self
    }
}

/// Speaks in the form that was asked for.
pub(crate) struct Ui {
    format: Format,
    quiet: bool,
    layout: Layout,
    progress: Arc<Progress>,
}

/// Wider lines of prose are harder to read, whatever the terminal has.
const WIDEST: usize = 100;

impl Ui {
    pub(crate) fn new(talk: &Talk, settings: &Settings) -> Self {
        let colour = match talk.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => settings.terminal.is_some() && !settings.no_colour,
        };
        let columns = settings.variables.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = columns.or(settings.terminal.map(usize::from)).unwrap_or(80).clamp(40, WIDEST);
        let layout = Layout { width, colour };
        let progress = Progress::new(settings.terminal, layout, talk.quiet, talk.format);
        Self { format: talk.format, quiet: talk.quiet, layout, progress: Arc::new(progress) }
    }

    /// Who is told what goes on.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Says what came of a command.
    pub(crate) fn finish<T: Serialize>(&self, command: &'static str, answer: Answer<T>) -> Exit {
        self.progress.end();
        let exit = answer.exit;
        let written = match self.format {
            Format::Human | Format::Sarif | Format::Github | Format::Gitlab => {
                self.say_all(&answer.diagnostics);
                out(&printable(&answer.text))
            }
            Format::Json => {
                let report = Report::new(command, exit, answer.diagnostics, answer.result);
                let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
                text.push('\n');
                out(&text)
            }
        };
        self.unless_lost(written, exit)
    }

    /// Says what a check found.
    pub(crate) fn findings(&self, command: &'static str, findings: &[Finding], exit: Exit) -> Exit {
        self.checked(command, findings, None, Vec::new(), exit)
    }

    /// Says whom check-secrets asked, what it was answered, and what it found in that.
    pub(crate) fn judged(
        &self,
        findings: &[Finding],
        asked: Option<Asked>,
        answers: Vec<Right>,
        exit: Exit,
    ) -> Exit {
        self.checked("check-secrets", findings, asked, answers, exit)
    }

    fn checked(
        &self,
        command: &'static str,
        findings: &[Finding],
        asked: Option<Asked>,
        answers: Vec<Right>,
        exit: Exit,
    ) -> Exit {
        self.progress.clear();
        let text = match self.format {
            Format::Human => {
                let asked = asked.map_or_else(String::new, |a| render::sentence(&a.to_string()));
                let table = match answers.as_slice() {
                    [] => String::new(),
                    answers => format!("{}\n", checks::table(answers).render(render::WIDTH)),
                };
                printable(&format!("{asked}{table}{}", render::human(findings))).into_owned()
            }
            Format::Json => {
                let result =
                    (command == "check-secrets").then_some(CheckSecrets { asked, answers });
                render::json(&Report::new(command, exit, findings.to_vec(), result))
            }
            Format::Sarif => render::sarif(findings, VERSION),
            Format::Github => render::github(findings),
            Format::Gitlab => render::gitlab(findings, "secrets.yml"),
        };
        self.unless_lost(out(&text), exit)
    }

    /// Says what an interrupted check leaves behind: a login that couldn't be ended.
    pub(crate) fn left_behind(&self, findings: &[Finding]) {
        let left = findings.iter().filter(|finding| finding.code == Code::LogoutFailed);
        self.say_all(&left.cloned().collect::<Vec<_>>());
    }

    /// A reader that went away (`| head`) has seen what it wanted; a full disk has not.
    fn unless_lost(&self, written: io::Result<()>, exit: Exit) -> Exit {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = format!("standard output can't be written: {error}");
                let lost = Finding::new(Code::OutputLost, message)
                    .with_note("what the command did is done; only its answer is lost");
                let _ = err(&human::diagnostic(&lost, self.layout));
                Exit::Unknown
            }
            _ => exit,
        }
    }

    /// Whether standard output holds one JSON document and nothing else.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints data at once, in the human form only.
    pub(crate) fn line(&self, text: &str) {
        if self.format == Format::Human {
            self.progress.clear();
            let _ = out(&format!("{text}\n"));
        }
    }

    /// Passes on what activation scripts said.
    pub(crate) fn script_output(&self, text: &str) {
        self.progress.clear();
        let _ = err(text);
    }

    fn say_all(&self, diagnostics: &[Finding]) {
        let mut text = String::new();
        for diagnostic in diagnostics {
            if diagnostic.level != Level::Note || !self.quiet {
                text.push_str(&human::diagnostic(diagnostic, self.layout));
            }
        }
        let _ = err(&text);
    }

    /// The user pressed Ctrl-C: the shell's own code for it.
    pub(crate) fn interrupted(&self) -> ExitCode {
        self.progress.end();
        let _ = err("interrupted: what was not yet in place is left out; run it again\n");
        ExitCode::from(130)
    }

    /// The system gives us no threads.
    pub(crate) fn no_runtime(&self, error: &io::Error) -> ExitCode {
        let diagnostic = Finding::new(Code::NoThreads, format!("can't start: {error}"));
        let _ = err(&human::diagnostic(&diagnostic, self.layout));
        ExitCode::from(Exit::Unknown.code())
    }
}

fn out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn err(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}
