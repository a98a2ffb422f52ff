//! `envlock explain`: a page for every code.

use envlock_report::{Code, Exit, Finding, output};

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

fn page(name: &str) -> Answer<output::Explain> {
    let Ok(code) = name.parse::<Code>() else {
        let near = Code::nearest(name).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "`envlock explain` lists them all".to_owned());
        return Answer {
            exit: Exit::Usage,
            diagnostics: vec![
                Finding::new(Code::UnknownCode, format!("there is no page for `{name}`"))
                    .with_help(help),
            ],
            result: None,
            text: String::new(),
        };
    };
    answer(&[code], code.page().to_owned())
}

fn list() -> Answer<output::Explain> {
    let rows: Vec<_> =
        Code::ALL.iter().map(|code| [code.to_string(), code.title().to_owned()]).collect();
    answer(Code::ALL, table(&rows))
}

fn answer(codes: &[Code], text: String) -> Answer<output::Explain> {
    let pages = codes.iter().map(|code| output::Page {
        code: *code,
        title: code.title().to_owned(),
        text: code.page().to_owned(),
    });
    Answer {
        exit: Exit::Yes,
        diagnostics: Vec::new(),
        result: Some(output::Explain { pages: pages.collect() }),
        text,
    }
}
