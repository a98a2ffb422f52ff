//! `envlock verify`.

use envlock_install::{Difference, DifferenceKind, Verified};
use envlock_report::{Exit, count, output};

use super::App;
use crate::{
    args,
    ui::{Answer, table},
};

/// So many differences are listed for a person; JSON has all.
const LISTED: usize = 40;

/// Compares a prefix with its records.
pub(crate) fn verify(args: &args::Verify, app: &App<'_>) -> Exit {
    let answer = match app.prefix(&args.at, &args.files) {
        Ok(prefix) => {
            let project = app.project(&args.files, None);
            let (jobs, observer) = (app.settings.jobs, app.ui.progress());
            match envlock_pipeline::verify(&project, prefix, jobs, observer) {
                Ok((prefix, verified)) => answer(prefix.display().to_string(), verified),
                Err(error) => Answer::failed(&error),
            }
        }
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish("verify", answer)
}

fn answer(prefix: String, verified: Verified) -> Answer<output::Verify> {
    let Verified { packages, files, differences } = verified;
    let differences: Vec<_> = differences.into_iter().map(difference).collect();
    let text = if differences.is_empty() {
        format!(
            "{prefix} is as recorded: {}, {}\n",
            count(packages, "package"),
            count(files, "file")
        )
    } else {
        let rows: Vec<_> = differences
            .iter()
            .take(LISTED)
            .map(|d| {
                [d.path.clone(), d.package.clone().unwrap_or_else(|| "-".into()), d.message.clone()]
            })
            .collect();
        let mut text = table(&rows);
        if let Some(more) = differences.len().checked_sub(LISTED).filter(|more| *more > 0) {
            text.push_str(&format!("and {more} more\n"));
        }
        text.push_str(&format!(
            "{} in {prefix}\nnext: envlock install --replace, which builds it anew\n",
            count(differences.len(), "difference")
        ));
        text
    };
    Answer {
        exit: if differences.is_empty() { Exit::Yes } else { Exit::Findings },
        diagnostics: Vec::new(),
        result: Some(output::Verify { prefix, packages, files, differences }),
        text,
    }
}

fn difference(difference: Difference) -> output::FileDifference {
    let (kind, message) = match &difference.kind {
        DifferenceKind::Missing => ("missing", "is missing".to_owned()),
        DifferenceKind::Changed => ("changed", "has other bytes".to_owned()),
        DifferenceKind::Size { expected, found } => {
            ("size", format!("has {found} bytes, recorded are {expected}"))
        }
        DifferenceKind::Type => ("type", "is another kind of thing".to_owned()),
        DifferenceKind::Target { expected, found } => {
            ("target", format!("links to {}, recorded is {}", found.display(), expected.display()))
        }
        DifferenceKind::Mode { executable: true } => ("mode", "may be executed".to_owned()),
        DifferenceKind::Mode { executable: false } => ("mode", "may not be executed".to_owned()),
        DifferenceKind::Extra => ("extra", "is of no package".to_owned()),
        DifferenceKind::Unreadable { reason } => ("unreadable", format!("can't be read: {reason}")),
    };
    output::FileDifference {
        path: difference.path.display().to_string(),
        package: difference.package,
        kind: kind.to_owned(),
        message,
    }
}
