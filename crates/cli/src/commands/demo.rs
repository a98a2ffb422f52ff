//! `envlock demo`: creates a small project and runs the main commands in it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use envlock_pipeline::demo::{self, DemoOptions, DemoProject};
use envlock_report::{
    AsFindings, Code, Exit, Finding,
    outcome::{Completion, Failure},
    output,
};
use rattler_conda_types::Subdir;

use super::{App, app::SetupError};
use crate::{
    settings,
    ui::{CommandOutput, shell_word},
};

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Write the project into this folder.
    #[arg(long, value_name = "FOLDER", default_value = "envlock-demo")]
    folder: PathBuf,
}

/// Creates the demo project and runs its commands.
pub(crate) fn demo(args: &DemoArgs, app: &App<'_>) -> Exit {
    let answer = match create_project(args, app) {
        Ok(project) => run_commands(args, app, &project),
        Err(error) => CommandOutput::failed(error.as_ref()),
    };
    app.ui.finish(answer)
}

fn create_project(args: &DemoArgs, app: &App<'_>) -> Result<DemoProject, Box<dyn AsFindings>> {
    let host = Subdir::current().ok_or(SetupError::UnknownHost)?;
    let request = DemoOptions {
        folder: app.settings.absolute(&args.folder),
        search_path: app.settings.search_path(),
        home: app.settings.home.clone(),
        host,
    };
    let python = demo::find_python(&request)?;
    app.ui.print_line(&format!(
        "creating a channel in {}/mirror:\nPython {} from {},\nand three small packages",
        args.folder.display(),
        python.version,
        python.executable.display()
    ));
    if !python.is_requested_version {
        app.ui.print_line("(this machine has no usable Python 3.10)");
    }
    Ok(demo::create_project(&request, python)?)
}

fn run_commands(
    args: &DemoArgs,
    app: &App<'_>,
    project: &DemoProject,
) -> CommandOutput<output::Demo> {
    let folder = app.settings.absolute(&args.folder);
    let mut result = output::Demo {
        directory: folder.display().to_string(),
        python: project.python.executable.display().to_string(),
        commands: Vec::new(),
        output: String::new(),
    };
    app.ui.print_line(&format!("\n$ cd {}", shell_word(&args.folder.display().to_string())));
    let mut completion = Completion::Complete;
    let mut findings = Vec::new();
    for words in &project.commands {
        let shown = shell_line(words);
        app.ui.print_line(&format!("\n$ {shown}"));
        result.commands.push(shown.clone());
        match run_step(&folder, words, app) {
            Ok((true, output)) => result.output.push_str(&output),
            Ok((false, output)) => {
                result.output.push_str(&output);
                findings.push(
                    Finding::new(Code::DemoStep, "this command of the demo failed")
                        .with_note(shown),
                );
                break;
            }
            Err(error) => {
                let finding = Finding::new(Code::DemoStep, format!("can't run it: {error}"));
                completion = Completion::Failed(Failure::new(Exit::Undetermined, vec![finding]));
                break;
            }
        }
    }
    let is_done = completion == Completion::Complete && findings.is_empty();
    let text = if is_done { closing_text(args, project) } else { String::new() };
    CommandOutput::done(result, text).with_completion(completion).with_findings(findings)
}

/// Runs this program. Its output goes to the user, or is collected if the answer is a document.
fn run_step(folder: &Path, words: &[String], app: &App<'_>) -> std::io::Result<(bool, String)> {
    let mut command = Command::new(settings::program()?);
    command.args(words).current_dir(folder).stdin(Stdio::null());
    if !app.ui.is_human() {
        let output = command.output()?;
        return Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    Ok((command.status()?.success(), String::new()))
}

/// Formats a command line for a shell.
fn shell_line(words: &[String]) -> String {
    let quoted = words.iter().map(|word| shell_word(word));
    std::iter::once("envlock".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

fn closing_text(args: &DemoArgs, project: &DemoProject) -> String {
    format!(
        "\neverything is in {0}:\n\
         environment.yml, envlock.lock, the channel in mirror and the prefix in .envlock/demo;\n\
         `envlock install` there reports that it is up to date\n\
         \nthe channel's server has stopped; its folder can be used instead, with\n$ {1}\n",
        args.folder.display(),
        shell_line(&project.solve_from_folder)
    )
}
