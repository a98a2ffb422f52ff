//! Several environment files as one question.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding};

use super::{Environment, InvalidEnvironment, Located};

/// The files as one: what they ask for together.
///
/// Requests and pip lines of all; the channels of the first, then what the others add; the
/// platforms that any names; variables of all, which must not contradict each other. The
/// name, the prefix and the manifest are those of the first file that has one.
pub fn merge(
    first: Environment,
    others: Vec<Environment>,
) -> Result<Environment, InvalidEnvironment> {
    let mut whole = first;
    let mut said_in: BTreeMap<String, String> =
        whole.variables.keys().map(|name| (name.clone(), whole.file.clone())).collect();
    for other in others {
        let mut problems = Vec::new();
        for (name, value) in &other.variables {
            if whole.variables.get(name).is_some_and(|known| known != value) {
                let before = said_in.get(name).map_or("", String::as_str);
                problems.push(
                    Finding::new(
                        Code::VariableContradicts,
                        format!("{} and {before} give {name} different values", other.file),
                    )
                    .with_help("give it one value, in one of the files"),
                );
            }
        }
        if !problems.is_empty() {
            return Err(InvalidEnvironment { file: other.file, findings: problems });
        }
        for name in other.variables.keys() {
            said_in.entry(name.clone()).or_insert_with(|| other.file.clone());
        }
        whole.variables.extend(other.variables);
        whole.channels = match (whole.channels, other.channels) {
            (Some(mine), Some(theirs)) => Some(union(mine, theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        whole.platforms = union(whole.platforms, other.platforms);
        whole.nodefaults |= other.nodefaults;
        whole.dependencies.extend(other.dependencies);
        whole.pip.extend(other.pip);
        whole.warnings.extend(other.warnings);
        whole.name = whole.name.or(other.name);
        whole.prefix = whole.prefix.or(other.prefix);
        whole.secrets = whole.secrets.or(other.secrets);
    }
    Ok(whole)
}

fn union<T: PartialEq>(mut mine: Vec<Located<T>>, theirs: Vec<Located<T>>) -> Vec<Located<T>> {
    for item in theirs {
        if !mine.iter().any(|known| known.value == item.value) {
            mine.push(item);
        }
    }
    mine
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse;

    fn file(name: &str, text: &str) -> Environment {
        parse(name, text).unwrap_or_else(|error| panic!("{name}: {:?}", error.findings))
    }

    #[test]
    fn two_files_ask_for_what_both_ask() {
        let base = file(
            "base.yml",
            "name: ml\nchannels: [conda-forge]\ndependencies: [python=3.10]\nvariables: {A: '1'}\n",
        );
        let dev = file(
            "dev.yml",
            "name: dev\nchannels: [pytorch, conda-forge]\nplatforms: [linux-64]\n\
             dependencies: [pytest]\nvariables: {A: '1', B: '2'}\n",
        );
        let whole = merge(base, vec![dev]).unwrap();
        assert_eq!(whole.name.unwrap().value, "ml");
        let channels: Vec<_> = whole.channels.unwrap().into_iter().map(|c| c.value).collect();
        assert_eq!(channels, ["conda-forge", "pytorch"]);
        let dependencies: Vec<_> =
            whole.dependencies.iter().map(|r| (r.text.as_str(), &*r.place.file)).collect();
        assert_eq!(dependencies, [("python=3.10", "base.yml"), ("pytest", "dev.yml")]);
        assert_eq!(whole.platforms.len(), 1);
        assert_eq!(whole.variables["B"], "2");
    }

    #[test]
    fn a_variable_with_two_values_is_refused() {
        let one = file("a.yml", "dependencies: [x]\nvariables: {A: '1'}\n");
        let two = file("b.yml", "dependencies: [y]\nvariables: {A: '2'}\n");
        let error = merge(one, vec![two]).unwrap_err();
        assert_eq!(error.findings[0].message, "b.yml and a.yml give A different values");
    }
}
