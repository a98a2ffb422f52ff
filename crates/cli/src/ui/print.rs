//! Prints the answers of all commands, in all formats.

use std::{
    io::{self, BufRead as _, Read as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use envlock_pipeline::ENVIRONMENT_FILE;
use envlock_report::{
    Code, Exit, Finding, Level,
    document::Document,
    outcome::{Completion, DenySetting, Failure, FinalReport, LevelOverrides, apply_overrides},
    printable,
    render::{self, Layout},
};
use serde::Serialize;

use super::{CommandOutput, Progress, source_lines::sources};
use crate::{
    command_line::CommandLine,
    flags::{Colour, Format},
    settings::{ProcessEnvironment, VERSION},
};

/// Prints the answer of one command in the requested format.
pub(crate) struct Ui {
    command: &'static str,
    /// The file that the command is about, for services that need a place for every finding.
    subject_file: String,
    overrides: LevelOverrides,
    format: Format,
    quiet: bool,
    layout: Layout,
    /// The width of tables, in columns.
    table_width: usize,
    /// Whether a person can be asked.
    can_ask: bool,
    progress: Arc<Progress>,
}

/// The maximum width of prose, in columns, since longer lines are harder to read.
const MAX_WIDTH: usize = 100;

/// The maximum number of bytes of an answer that is typed.
const MAX_ANSWER: u64 = 4096;

/// The minimum width, in columns: below it, paragraphs have no room next to their indents.
const MIN_WIDTH: usize = 20;

impl Ui {
    pub(crate) fn new(command_line: &CommandLine, settings: &ProcessEnvironment) -> Self {
        let output = &command_line.output;
        let colour = match output.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => settings.terminal.is_some() && !settings.no_colour,
        };
        let columns = settings.variables.get("COLUMNS").and_then(|columns| columns.parse().ok());
        // A row that another program reads is one line.
        let table_width = columns.or(settings.output_terminal.map(usize::from));
        let table_width = table_width.map_or(usize::MAX, |width| width.max(MIN_WIDTH));
        let width = columns
            .or(settings.terminal.map(usize::from))
            .unwrap_or(80)
            .clamp(MIN_WIDTH, MAX_WIDTH);
        let layout = Layout { width, colour, whole: output.verbose };
        let progress =
            Progress::new(settings.drawable_terminal(), layout, output.quiet, output.format);
        let deny = output.deny.iter().copied().map(DenySetting::from_flag).collect();
        Self {
            command: command_line.command.name(),
            subject_file: command_line.command.subject_file(),
            overrides: LevelOverrides { accept: Vec::new(), deny },
            format: output.format,
            quiet: output.quiet,
            layout,
            table_width,
            can_ask: settings.can_ask && output.format == Format::Human,
            progress: Arc::new(progress),
        }
    }

    /// Adds the overrides of a file.
    pub(crate) fn add_overrides(&mut self, overrides: LevelOverrides) {
        self.overrides.extend(overrides);
    }

    /// Returns the observer that shows progress.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Applies the overrides of the run to the answer and prints it.
    pub(crate) fn finish<T: Serialize>(&self, answer: CommandOutput<T>) -> Exit {
        self.progress.end();
        let CommandOutput { completion, findings, overrides, result, text, next, is_check } =
            answer;
        let report = apply_overrides(findings, completion, &self.overrides_with(overrides));
        let exit = report.exit;
        let written = if self.format == Format::Human {
            let summary =
                if is_check { render::summary_line(report.summary) } else { String::new() };
            let next = if self.quiet { String::new() } else { next };
            self.print_findings(&report.findings);
            print_to_stdout(&printable(&format!("{text}{summary}{next}")))
        } else {
            print_to_stdout(&document(
                self.format,
                self.command,
                &self.subject_file,
                report,
                result,
            ))
        };
        self.exit_unless_write_failed(written, exit)
    }

    /// Prints findings as text before this process is replaced by another one. In other formats
    /// nothing is printed, since standard output is the other program's. Returns the failure that
    /// ends the command instead if a rule of the run makes one of the findings an error.
    pub(crate) fn print_before_exec(&self, findings: &[Finding]) -> Result<(), Failure> {
        let report = apply_overrides(findings.to_vec(), Completion::Complete, &self.overrides);
        if report.exit != Exit::Success {
            return Err(Failure::new(report.exit, findings.to_vec()));
        }
        if self.is_human() {
            self.progress.clear();
            self.print_findings(&report.findings);
        }
        Ok(())
    }

    fn overrides_with(&self, more: LevelOverrides) -> LevelOverrides {
        let mut overrides = self.overrides.clone();
        overrides.extend(more);
        overrides
    }

    /// Prints findings as text on standard error. With `-q`, notes are left out.
    fn print_findings(&self, findings: &[Finding]) {
        let is_printed = |finding: &&Finding| finding.level != Level::Note || !self.quiet;
        let findings: Vec<_> = findings.iter().filter(is_printed).cloned().collect();
        let _ = print_to_stderr(&render::human(&findings, &sources(&findings), self.layout));
    }

    /// Returns the width of a line of text, in columns.
    pub(crate) fn width(&self) -> usize {
        self.layout.width
    }

    /// Returns the width of a table on standard output: `COLUMNS`, else that of the terminal, and no
    /// limit if it isn't a terminal.
    pub(crate) fn table_width(&self) -> usize {
        self.table_width
    }

    /// Whether a person sees the output and can answer.
    pub(crate) fn can_ask(&self) -> bool {
        self.can_ask
    }

    /// Asks a question on the terminal, and returns the line that is typed; `default` if it is
    /// empty.
    ///
    /// # Errors
    /// The input ends or can't be read.
    pub(crate) fn ask(&self, question: &str, default: &str) -> io::Result<String> {
        self.progress.clear();
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        print_to_stderr(&format!("{question}{shown}: "))?;
        let mut line = String::new();
        if io::stdin().lock().take(MAX_ANSWER).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim();
        Ok(if line.is_empty() { default } else { line }.to_owned())
    }

    /// Prints a line about an answer of the user.
    pub(crate) fn say(&self, text: &str) {
        self.progress.clear();
        let _ = print_to_stderr(&format!("{text}\n"));
    }

    /// Returns the exit code, unless the answer couldn't be written. A reader that closes the
    /// pipe (`| head`) has read what it needs; a full disk is an error.
    fn exit_unless_write_failed(&self, written: io::Result<()>, exit: Exit) -> Exit {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = format!("standard output can't be written: {error}");
                let lost = Finding::new(Code::OutputFailed, message)
                    .with_note("the command did its work; only its answer is lost");
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

    /// Prints a line at once, in the human format only.
    pub(crate) fn print_line(&self, text: &str) {
        if self.is_human() {
            self.progress.clear();
            let _ = print_to_stdout(&format!("{text}\n"));
        }
    }

    /// Prints the output of activation scripts.
    pub(crate) fn print_script_output(&self, text: &str) {
        self.progress.clear();
        let _ = print_to_stderr(text);
    }

    /// Prints that the user interrupted the command, and returns its exit code.
    pub(crate) fn finish_interrupted(&self) -> Exit {
        self.finish(CommandOutput::<()>::from_failure(interrupted()))
    }

    /// Prints that the system can't start threads, and returns the exit code.
    pub(crate) fn finish_without_threads(&self, error: &io::Error) -> Exit {
        let finding = Finding::new(Code::NoThreads, format!("can't start: {error}"));
        self.finish(CommandOutput::<()>::from_failure(Failure::new(
            Exit::Undetermined,
            vec![finding],
        )))
    }
}

/// Returns the failure of a command that the user or the system interrupted.
pub(crate) fn interrupted() -> Failure {
    let finding = Finding::new(Code::Interrupted, "interrupted")
        .with_note("nothing that was incomplete is kept")
        .with_help("run the command again");
    Failure::new(Exit::Interrupted, vec![finding])
}

/// Prints a usage error as a document of this format.
pub(super) fn print_usage_error(format: Format, finding: Finding) -> ExitCode {
    let failure = Failure::new(Exit::Usage, vec![finding]);
    let report =
        apply_overrides(Vec::new(), Completion::Failed(failure), &LevelOverrides::default());
    let exit = report.exit;
    let _ = print_to_stdout(&document::<()>(format, "envlock", ENVIRONMENT_FILE, report, None));
    ExitCode::from(exit.code())
}

/// Formats findings and result for programs.
fn document<T: Serialize>(
    format: Format,
    command: &'static str,
    subject_file: &str,
    report: FinalReport,
    result: Option<T>,
) -> String {
    match format {
        Format::Human | Format::Json => render::json(&Document::new(command, report, result)),
        Format::Sarif => render::sarif(&report.findings, VERSION, subject_file),
        Format::Github => render::github(&report.findings),
        Format::Gitlab => render::gitlab(&report.findings, subject_file),
    }
}

fn print_to_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn print_to_stderr(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}
