//! Shortens the explanation of the solver, and says it in our words: equal siblings become one line.

/// Returns the explanation with runs of versions of one package merged.
pub(super) fn merge_siblings(message: &str) -> String {
    let mut merged: Vec<Run<'_>> = Vec::new();
    for line in message.trim_end().lines() {
        let run = Run::new(line);
        match merged.last_mut() {
            Some(last) if last.continues(&run) => {
                last.branch = run.branch;
                last.versions.extend(run.versions);
            }
            _ => merged.push(run),
        }
    }
    let lines: Vec<_> = merged.iter().map(|run| in_our_words(&run.text())).collect();
    lines.join("\n")
}

/// The solver's phrases, and the same in the words of the other explanations.
const PHRASES: [(&str, &str); 13] = [
    ("The following packages are incompatible", "what was tried:"),
    (", which cannot be installed because there are no viable options:", ", which needs:"),
    (" cannot be installed because there are no viable options:", " needs:"),
    (", which can be installed with any of the following options:", ", which is one of:"),
    (" can be installed with any of the following options:", " is one of:"),
    (", for which no candidates were found.", ", which no channel has"),
    (", for which no candidates were found", ", which no channel has"),
    (" would require", " needs"),
    (" would constrain", " allows only"),
    (
        ", which conflicts with any installable versions previously reported",
        ", which none of the versions above is",
    ),
    (
        " is locked, but another version is required as reported above",
        " is locked at another version",
    ),
    (" cannot be fulfilled", " can't be met"),
    (" is excluded because ", " isn't used: "),
];

fn in_our_words(line: &str) -> String {
    PHRASES.iter().fold(line.to_owned(), |line, (theirs, ours)| line.replace(theirs, ours))
}

/// Lines of the same depth about versions of one package, with the same end.
struct Run<'a> {
    branch: &'a str,
    name: &'a str,
    versions: Vec<&'a str>,
    end: &'a str,
}

/// The end of a line about a version that has no reason of its own.
const CONFLICTS: &str = ", which conflicts with the versions reported above.";

impl<'a> Run<'a> {
    fn new(line: &'a str) -> Self {
        let words = line.trim_start_matches([' ', '│', '├', '└', '─']);
        let branch = &line[..line.len() - words.len()];
        match words.strip_suffix(CONFLICTS).and_then(|package| package.split_once(' ')) {
            Some((name, version)) => Self { branch, name, versions: vec![version], end: CONFLICTS },
            None => Self { branch, name: words, versions: Vec::new(), end: "" },
        }
    }

    fn continues(&self, next: &Self) -> bool {
        let depth = |branch: &str| branch.chars().count();
        !self.versions.is_empty()
            && !next.versions.is_empty()
            && self.name == next.name
            && depth(self.branch) == depth(next.branch)
    }

    fn text(&self) -> String {
        let Self { branch, name, versions, end } = self;
        let end = if *end == CONFLICTS { ", which conflicts with other requirements" } else { "" };
        match versions.as_slice() {
            [] => format!("{branch}{name}"),
            [only] => format!("{branch}{name} {only}{end}"),
            [first, .., last] if first == last => {
                format!("{branch}{name} {first} ({} builds){end}", versions.len())
            }
            [first, .., last] => {
                format!("{branch}{name} {last} to {first} ({} builds){end}", versions.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_phrase_of_the_solver_is_left() {
        for (theirs, ours) in PHRASES {
            assert_eq!(in_our_words(&format!("│  a 1{theirs}")), format!("│  a 1{ours}"));
        }
    }

    #[test]
    fn equal_siblings_are_one_line() {
        let message = "The following packages are incompatible\n\
            ├─ python 3.12.* cannot be installed because there are no viable options:\n\
            │  ├─ python 3.12.9, which conflicts with the versions reported above.\n\
            │  ├─ python 3.12.9, which conflicts with the versions reported above.\n\
            │  └─ python 3.12.0, which conflicts with the versions reported above.\n\
            └─ x * can be installed with any of the following options:\n\
            \u{20}  └─ x 1 would require\n\
            \u{20}     └─ y 1, which conflicts with the versions reported above.\n";
        assert_eq!(
            merge_siblings(message),
            "what was tried:\n\
            ├─ python 3.12.* needs:\n\
            │  └─ python 3.12.0 to 3.12.9 (3 builds), which conflicts with other requirements\n\
            └─ x * is one of:\n\
            \u{20}  └─ x 1 needs\n\
            \u{20}     └─ y 1, which conflicts with other requirements"
        );
    }
}
