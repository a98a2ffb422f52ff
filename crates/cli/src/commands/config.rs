//! `envlock config`.

use std::path::Path;

use envlock_config::{ShownValue, ValueSource};
use envlock_report::{
    Exit,
    outcome::{Completion, Failure},
    output,
};
use unicode_width::UnicodeWidthStr as _;

use super::App;
use crate::{
    flags::ProjectArgs,
    settings::{channel_setup, missing_condarc},
    ui::CommandOutput,
};

/// The minimum width of the column of values, in columns of the terminal.
const NARROWEST: usize = 40;

/// Prints the configuration in force and where each value was set, also if a value can't be used.
pub(crate) fn config(args: &ProjectArgs, app: &App<'_>) -> Exit {
    let configuration = match app.configuration(&args.files, &args.network) {
        Ok(configuration) => configuration,
        Err(error) => return app.ui.finish(CommandOutput::<output::Config>::failed(&error)),
    };
    let mut findings: Vec<_> = missing_condarc(app.settings).into_iter().collect();
    let completion = match channel_setup(app.settings, &configuration) {
        Ok(reach) => {
            findings.extend(reach.warnings);
            match reach.settings.unusable_entries() {
                unusable if unusable.is_empty() => Completion::Complete,
                unusable => Completion::Failed(Failure::new(Exit::Usage, unusable)),
            }
        }
        Err(error) => Completion::Failed(Failure::from_error(&error)),
    };
    findings.extend(configuration.unused_keys_finding());
    let rows = configuration.shown_values();
    let text = table(&rows, app.settings.home.as_deref(), app.ui.width());
    let values = rows.into_iter().map(value).collect();
    let answer = CommandOutput::done(output::Config { values }, text);
    app.ui.finish(answer.with_completion(completion).with_findings(findings))
}

fn value(row: ShownValue) -> output::ConfigValue {
    let (set_by, name) = match &row.set_by {
        ValueSource::Default => ("default", None),
        ValueSource::File(_) => ("file", None),
        ValueSource::Variable(name) => ("variable", Some(name.clone())),
        ValueSource::Flag(flag) => ("flag", Some((*flag).to_owned())),
    };
    let place = row.set_by.place().cloned();
    output::ConfigValue { key: row.key, value: row.value, set_by, name, place }
}

/// Formats two columns. The origin of a value is on the next line if both don't fit.
fn table(rows: &[ShownValue], home: Option<&Path>, width: usize) -> String {
    let lines: Vec<(String, String)> = rows
        .iter()
        .map(|row| (format!("{}: {}", row.key, row.value), shown(&row.set_by, home)))
        .collect();
    let widest = lines.iter().map(|(_, by)| by.width()).max().unwrap_or(0);
    let room = width.saturating_sub(widest + 2).max(NARROWEST);
    let fitting = lines.iter().map(|(left, _)| left.width()).filter(|width| *width <= room);
    let column = fitting.max().unwrap_or(0);
    let mut text = String::new();
    for (left, by) in lines {
        text.push_str(&left);
        if left.width() > column {
            text.push('\n');
        }
        let from = if left.width() > column { 0 } else { left.width() };
        text.push_str(&" ".repeat(column + 2 - from));
        text.push_str(&by);
        text.push('\n');
    }
    text
}

/// Formats the origin of a value, with `~` for the home folder.
fn shown(by: &ValueSource, home: Option<&Path>) -> String {
    let ValueSource::File(place) = by else { return by.to_string() };
    match home.and_then(|home| Path::new(&place.file).strip_prefix(home).ok()) {
        Some(below) => format!("~/{}:{}", below.display(), place.line),
        None => by.to_string(),
    }
}
