//! Merges several environment files.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding, Level};

use super::{Environment, InvalidEnvironment, Located};
use crate::pip;

/// Merges several environment files into one.
///
/// The result has the dependencies and pip lines of all files; the channels of the first file,
/// then those that the others add; the platforms of all; and the variables of all, which must
/// not contradict each other. Name, prefix and manifest are from the first file that has one.
pub fn merge(
    first: Environment,
    others: Vec<Environment>,
) -> Result<Environment, InvalidEnvironment> {
    let mut whole = first;
    let mut set_in: BTreeMap<String, String> =
        whole.variables.keys().map(|name| (name.clone(), whole.file.clone())).collect();
    for other in others {
        let mut problems = Vec::new();
        for (name, value) in &other.variables {
            if whole.variables.get(name).is_some_and(|known| known != value) {
                let before = set_in.get(name).map_or("", String::as_str);
                problems.push(
                    Finding::new(
                        Code::VariableContradicts,
                        format!("{} and {before} give {name} different values", other.file),
                    )
                    .with_help("set the variable in one of the files only"),
                );
            }
        }
        if !problems.is_empty() {
            return Err(InvalidEnvironment { file: other.file, findings: problems });
        }
        for name in other.variables.keys() {
            set_in.entry(name.clone()).or_insert_with(|| other.file.clone());
        }
        whole.variables.extend(other.variables);
        whole.channels = match (whole.channels, other.channels) {
            (Some(first), Some(other)) => Some(union(first, other)),
            (first, other) => first.or(other),
        };
        whole.platforms = union(whole.platforms, other.platforms);
        whole.nodefaults |= other.nodefaults;
        whole.dependencies.extend(other.dependencies);
        let pip_of_both = !whole.pip.is_empty() && !other.pip.is_empty();
        whole.pip.extend(other.pip);
        if pip_of_both {
            check_pip(&whole, &other.file)?;
        }
        whole.warnings.extend(other.warnings);
        whole.name = whole.name.or(other.name);
        whole.prefix = whole.prefix.or(other.prefix);
        whole.secrets = whole.secrets.or(other.secrets);
    }
    Ok(whole)
}

/// Refuses lines for pip that contradict those of another file.
fn check_pip(whole: &Environment, file: &str) -> Result<(), InvalidEnvironment> {
    let is_error = |finding: &Finding| finding.level == Level::Error;
    let findings: Vec<_> = pip::check(&whole.pip).into_iter().filter(is_error).collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(InvalidEnvironment { file: file.to_owned(), findings })
}

fn union<T: PartialEq>(mut first: Vec<Located<T>>, other: Vec<Located<T>>) -> Vec<Located<T>> {
    for item in other {
        if !first.iter().any(|known| known.value == item.value) {
            first.push(item);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse;

    fn file(name: &str, text: &str) -> Environment {
        parse(name, text).unwrap_or_else(|error| panic!("{name}: {:?}", error.findings))
    }

    #[test]
    fn the_merged_file_has_the_contents_of_both_files() {
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
    fn a_variable_with_two_values_is_an_error() {
        let one = file("a.yml", "dependencies: [x]\nvariables: {A: '1'}\n");
        let two = file("b.yml", "dependencies: [y]\nvariables: {A: '2'}\n");
        let error = merge(one, vec![two]).unwrap_err();
        assert_eq!(error.findings[0].message, "b.yml and a.yml give A different values");
    }
}
