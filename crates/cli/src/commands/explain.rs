//! `envlock explain`: prints the page of a code.

use clap::Args;
use envlock_report::{Code, Exit, Finding, outcome::Failure, output, render::Table};

use super::App;
use crate::ui::CommandOutput;

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Explain this code, as findings show it; list all codes if not given.
    code: Option<String>,
}

/// Prints the page of a code, or the list of all.
pub(crate) fn explain(args: &ExplainArgs, app: &App<'_>) -> Exit {
    let answer = match &args.code {
        None => list(app.ui.width()),
        Some(code) => page(code),
    };
    app.ui.finish(answer)
}

fn page(name: &str) -> CommandOutput<output::Explain> {
    let Ok(code) = name.parse::<Code>() else {
        let near = Code::nearest(name).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "`envlock explain` lists them all".to_owned());
        let finding = Finding::new(Code::UnknownCode, format!("there is no page for `{name}`"));
        return CommandOutput::from_failure(Failure::new(
            Exit::Usage,
            vec![finding.with_help(help)],
        ));
    };
    answer(&[code], code.page().to_owned())
}

fn list(width: usize) -> CommandOutput<output::Explain> {
    let rows = Code::ALL.iter().map(|code| [code.to_string(), code.title().to_owned()]);
    answer(Code::ALL, Table::from_rows(rows).render(width))
}

fn answer(codes: &[Code], text: String) -> CommandOutput<output::Explain> {
    let pages = codes.iter().map(|code| output::Page {
        code: *code,
        title: code.title().to_owned(),
        text: code.page().to_owned(),
    });
    CommandOutput::done(output::Explain { pages: pages.collect() }, text)
}
