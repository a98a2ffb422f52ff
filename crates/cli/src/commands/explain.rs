//! `envlock explain`: a page for every code.

use envlock_report::{Diagnostic, Exit, output};
use envlock_secrets::codes;

use super::App;
use crate::{
    args,
    ui::{Answer, table},
};

/// Prints the page of a code, or the list of all.
pub(crate) fn explain(args: &args::Explain, app: &App<'_>) -> Exit {
    let answer = match &args.code {
        None => list(),
        Some(code) => page(code),
    };
    app.ui.finish("explain", answer)
}

fn page(code: &str) -> Answer<output::Explain> {
    let Some(page) = codes::page(code) else {
        let near = codes::nearest_code(code).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "`envlock explain` lists them all".to_owned());
        return Answer {
            exit: Exit::Usage,
            diagnostics: vec![
                Diagnostic::error("unknown-code", format!("there is no page for `{code}`"))
                    .with_help(help),
            ],
            result: None,
            text: String::new(),
        };
    };
    answer(vec![page], page.text.to_owned())
}

fn list() -> Answer<output::Explain> {
    let rows: Vec<_> =
        codes::all().map(|page| [page.code.to_owned(), page.title().to_owned()]).collect();
    answer(codes::all().collect(), table(&rows))
}

fn answer(pages: Vec<&codes::Page>, text: String) -> Answer<output::Explain> {
    let pages = pages.into_iter().map(|page| output::Page {
        code: page.code.to_owned(),
        title: page.title().to_owned(),
        text: page.text.to_owned(),
    });
    Answer {
        exit: Exit::Yes,
        diagnostics: Vec::new(),
        result: Some(output::Explain { pages: pages.collect() }),
        text,
    }
}
