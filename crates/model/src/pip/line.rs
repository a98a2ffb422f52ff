//! Reads one line: a requirement with its options, options, or a file to include.

use std::ops::Range;
use std::path::{Path, PathBuf};

use envlock_report::Code;

use super::VariableText;
use super::address;
use super::index_options::{IndexOption, Location, PackageChoice};
use super::named;
use super::options::{self, Flag, Given, Options};
use super::parse::{Parsed, RequirementParser, normalised, refuse_variables};
use super::problem::Problem;
use super::requirement::{Hash, HashAlgorithm, Marker, RequirementKind};
use super::words::options_start;

/// What a line says, with its problems.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// `None` if there is an error, or if the line has no effect.
    pub(super) content: Option<LineContent>,
    pub(super) problems: Vec<Problem>,
    /// Parts that pip ignores, and where they are.
    pub(super) ignored: Vec<(String, Range<usize>)>,
}

#[derive(Debug)]
pub(super) enum LineContent {
    Requirement {
        kind: RequirementKind,
        marker: Option<Marker>,
        hashes: Vec<Hash>,
        config_settings: Vec<(String, String)>,
    },
    Include {
        path: PathBuf,
        is_constraint: bool,
        at: Range<usize>,
    },
    Options(Vec<IndexOption>),
}

/// Where a line stands.
struct LineReader<'a> {
    text: &'a str,
    /// The folder of environment.yml, relative to the project.
    folder: &'a Path,
    /// The folder of the file that has the line, relative to the project.
    beside: &'a Path,
    line: Line,
}

impl Line {
    /// Reads a line. `folder` is the folder of environment.yml and `file` the included file that has
    /// the line, both relative to the project.
    pub(super) fn parse(
        text: &str,
        folder: &Path,
        file: Option<&Path>,
        is_constraint: bool,
    ) -> Self {
        let beside = file.and_then(Path::parent).unwrap_or(folder);
        let mut reader = LineReader { text, folder, beside, line: Line::default() };
        match reader.read(is_constraint) {
            Ok(content) => reader.line.content = content,
            Err(problem) => reader.line.problems.push(problem),
        }
        reader.line
    }
}

impl LineReader<'_> {
    fn read(&mut self, is_constraint: bool) -> Result<Option<LineContent>, Problem> {
        let start = options_start(self.text);
        let requirement = self.text[..start].trim_end();
        let options = options::read(self.text, start)?;
        if !requirement.is_empty() {
            let mut parser = RequirementParser { folder: self.folder, warnings: Vec::new() };
            let parsed = parser.requirement(requirement);
            self.line.problems.append(&mut parser.warnings);
            return self
                .requirement(parsed?, 0..requirement.len(), &options, is_constraint)
                .map(Some);
        }
        self.ignore(&options.rest);
        let mut editables = options.given.iter().filter(|given| given.flag == Flag::Editable);
        if let Some(editable) = editables.next() {
            if let Some(second) = editables.next() {
                let help = "write the second one on a line of its own";
                let message = "a line can have one `-e`";
                return Err(Problem::error(Code::PipOption, second.at.clone(), message, help));
            }
            return self.editable(editable, &options, is_constraint).map(Some);
        }
        self.options(&options)
    }

    fn requirement(
        &mut self,
        (kind, marker): Parsed,
        at: Range<usize>,
        options: &Options,
        is_constraint: bool,
    ) -> Result<LineContent, Problem> {
        let (mut hashes, mut config_settings) = (Vec::new(), Vec::new());
        for given in &options.given {
            match given.flag {
                Flag::Hash => hashes.push(hash(given)?),
                Flag::ConfigSettings => config_settings.push(config_setting(given)?),
                _ => self.ignore(std::slice::from_ref(&given.at)),
            }
        }
        self.ignore(&options.rest);
        if is_constraint {
            check_constraint(&kind, at)?;
        }
        Ok(LineContent::Requirement { kind, marker, hashes, config_settings })
    }

    fn editable(
        &mut self,
        given: &Given,
        options: &Options,
        is_constraint: bool,
    ) -> Result<LineContent, Problem> {
        let mut parser = RequirementParser { folder: self.folder, warnings: Vec::new() };
        let parsed = parser.editable(given.value.trim());
        let warnings = std::mem::take(&mut parser.warnings);
        self.line.problems.extend(warnings.into_iter().map(|problem| in_value(problem, given)));
        let (kind, marker) = parsed.map_err(|problem| in_value(problem, given))?;
        let mut config_settings = Vec::new();
        for other in &options.given {
            match other.flag {
                Flag::Editable => {}
                Flag::ConfigSettings => config_settings.push(config_setting(other)?),
                _ => self.ignore(std::slice::from_ref(&other.at)),
            }
        }
        if is_constraint {
            check_constraint(&kind, given.value_at.clone())?;
        }
        Ok(LineContent::Requirement { kind, marker, hashes: Vec::new(), config_settings })
    }

    /// Reads a line without a requirement.
    fn options(&mut self, options: &Options) -> Result<Option<LineContent>, Problem> {
        let is_include =
            |given: &&Given| matches!(given.flag, Flag::Requirement | Flag::Constraint);
        // pip reads only one of them, and ignores the others.
        let included = options.given.iter().find(|given| given.flag == Flag::Requirement);
        let included = included.or_else(|| options.given.iter().find(is_include));
        if let Some(given) = included {
            let others = options.given.iter().filter(|other| *other != given);
            let others: Vec<_> = others.map(|other| other.at.clone()).collect();
            self.ignore(&others);
            return self.include(given).map(Some);
        }
        let mut found = Vec::new();
        for given in &options.given {
            found.extend(self.index_option(given)?);
        }
        Ok((!found.is_empty()).then_some(LineContent::Options(found)))
    }

    fn index_option(&mut self, given: &Given) -> Result<Option<IndexOption>, Problem> {
        Ok(Some(match given.flag {
            Flag::IndexUrl => IndexOption::IndexUrl(self.location(given)?),
            Flag::ExtraIndexUrl => IndexOption::ExtraIndexUrl(self.location(given)?),
            Flag::FindLinks => IndexOption::FindLinks(self.location(given)?),
            Flag::NoIndex => IndexOption::NoIndex,
            Flag::NoBinary => IndexOption::NoBinary(choices(given)?),
            Flag::OnlyBinary => IndexOption::OnlyBinary(choices(given)?),
            Flag::PreferBinary => IndexOption::PreferBinary,
            Flag::Pre => IndexOption::AllReleases(vec![PackageChoice::All]),
            Flag::AllReleases => IndexOption::AllReleases(choices(given)?),
            Flag::OnlyFinal => IndexOption::OnlyFinal(choices(given)?),
            Flag::TrustedHost => {
                let message = "`--trusted-host` has no effect: certificates are always checked";
                let help = "remove it; name your own authority with `ssl_verify: FILE` in .condarc";
                self.warn(given, message, help);
                IndexOption::TrustedHost(given.value.clone())
            }
            Flag::RequireHashes => IndexOption::RequireHashes,
            Flag::NoRequireHashes => {
                let message = "`--no-require-hashes` has no effect: a lock always has hashes";
                self.warn(given, message, "remove it");
                return Ok(None);
            }
            Flag::UseFeature => {
                let message = "`--use-feature` has no effect: envlock doesn't run pip";
                self.warn(given, message, "remove it");
                return Ok(None);
            }
            Flag::Hash | Flag::ConfigSettings => {
                self.ignore(std::slice::from_ref(&given.at));
                return Ok(None);
            }
            Flag::Requirement | Flag::Constraint | Flag::Editable => return Ok(None),
        }))
    }

    fn warn(&mut self, given: &Given, message: &str, help: &str) {
        let at = given.at.clone();
        self.line.problems.push(Problem::warning(Code::PipOptionUnused, at, message, help));
    }

    fn ignore(&mut self, parts: &[Range<usize>]) {
        let parts = parts.iter().map(|at| (self.text[at.clone()].to_owned(), at.clone()));
        self.line.ignored.extend(parts);
    }

    fn include(&self, given: &Given) -> Result<LineContent, Problem> {
        let written = value(given)?;
        let error = |message: &str, help: &str| {
            Problem::error(Code::PipInclude, given.value_at.clone(), message, help)
        };
        refuse_variables(written, "the name of a file")
            .map_err(|problem| in_value(problem, given))?;
        let path = match address::scheme(written).map(str::to_ascii_lowercase).as_deref() {
            Some("file") => {
                address::file_path(written).map_err(|problem| in_value(problem, given))?
            }
            Some(_) => {
                let message =
                    "a file from the network can't be included: it can change at any time";
                let help = "download it into the project, and write `-r FILE`";
                return Err(error(message, help));
            }
            None => PathBuf::from(written),
        };
        if path.extension().is_some_and(|extension| extension == "toml") {
            let message = "a TOML file isn't a requirements file";
            let help = "write the requirements here; a project with pyproject.toml is `-e .`";
            return Err(error(message, help));
        }
        let is_constraint = given.flag == Flag::Constraint;
        let at = given.value_at.clone();
        Ok(LineContent::Include { path: self.beside.join(path), is_constraint, at })
    }

    fn location(&mut self, given: &Given) -> Result<Location, Problem> {
        let written = value(given)?;
        let scheme = address::scheme(written).map(str::to_ascii_lowercase);
        let path = match scheme.as_deref() {
            Some("http" | "https") => {
                let (url, mut warnings) =
                    address::index(written).map_err(|p| in_value(p, given))?;
                warnings = warnings.into_iter().map(|problem| in_value(problem, given)).collect();
                self.line.problems.append(&mut warnings);
                return Ok(Location::Url(VariableText::new(url)));
            }
            Some("file") => {
                address::file_path(written).map_err(|problem| in_value(problem, given))?
            }
            Some(scheme) => {
                let message = format!("`{scheme}:` isn't a scheme of an index");
                let help = format!("write it like `{}`", options::example(given.flag));
                let at = given.value_at.clone();
                return Err(Problem::error(Code::PipOption, at, message, help));
            }
            None => PathBuf::from(written),
        };
        if scheme.is_none() && written.starts_with('$') {
            // The whole address is a variable.
            return Ok(Location::Url(VariableText::new(written)));
        }
        refuse_variables(written, "a path").map_err(|problem| in_value(problem, given))?;
        let mut paths = vec![normalised(&self.beside.join(&path))];
        let from_environment = normalised(&self.folder.join(&path));
        if !paths.contains(&from_environment) {
            paths.push(from_environment);
        }
        Ok(Location::Path(paths))
    }
}

/// Returns the value of an option, which can't be empty.
fn value(given: &Given) -> Result<&str, Problem> {
    match given.value.trim() {
        "" => {
            let message = format!("`{}` has no value", given.flag.name());
            let help = format!("write it like `{}`", options::example(given.flag));
            Err(Problem::error(Code::PipOption, given.at.clone(), message, help))
        }
        value => Ok(value),
    }
}

/// Moves a problem from the trimmed value of an option to the line.
fn in_value(problem: Problem, given: &Given) -> Problem {
    let blank = given.value.len() - given.value.trim_start().len();
    if given.is_literal {
        problem.moved(given.value_at.start + blank)
    } else {
        Problem { at: given.value_at.clone(), ..problem }
    }
}

fn hash(given: &Given) -> Result<Hash, Problem> {
    let help = "write it like `--hash=sha256:<64 hexadecimal digits>`";
    let error =
        |message: String| Problem::error(Code::PipHash, given.value_at.clone(), message, help);
    let Some((name, digits)) = given.value.split_once(':') else {
        return Err(error("a hash has the form ALGORITHM:DIGITS".to_owned()));
    };
    let algorithm = HashAlgorithm::ALL.into_iter().find(|known| known.as_str() == name);
    match algorithm.filter(|algorithm| algorithm.is_strong()) {
        Some(algorithm) => address::digest(algorithm, digits).map_err(|problem| {
            let offset = given.value.len() - digits.len();
            in_value(problem.moved(offset), given)
        }),
        None => Err(error(format!("`{name}` isn't sha256, sha384 or sha512, which pip accepts"))),
    }
}

fn config_setting(given: &Given) -> Result<(String, String), Problem> {
    let help = "write it like `--config-settings=KEY=VALUE`";
    match given.value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Problem::error(
            Code::PipOption,
            given.value_at.clone(),
            "a setting has the form KEY=VALUE",
            help,
        )),
    }
}

fn choices(given: &Given) -> Result<Vec<PackageChoice>, Problem> {
    let written = value(given)?;
    let mut at = 0;
    let mut choices = Vec::new();
    for part in written.split(',') {
        let name = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        choices.push(match name {
            ":all:" => PackageChoice::All,
            ":none:" => PackageChoice::None,
            name => PackageChoice::Name(named::package_name(name).map_err(|problem| {
                let help = "write names with commas between them, `:all:` or `:none:`".to_owned();
                in_value(Problem { code: Code::PipOption, help, ..problem }.moved(start), given)
            })?),
        });
    }
    Ok(choices)
}

fn check_constraint(kind: &RequirementKind, at: Range<usize>) -> Result<(), Problem> {
    let (name, extras, editable) = match kind {
        RequirementKind::Named { name, extras, .. } => (Some(name), extras, false),
        RequirementKind::Url { name, extras, .. } => (name.as_ref(), extras, false),
        RequirementKind::Path { name, extras, editable, .. }
        | RequirementKind::Git { name, extras, editable, .. } => (name.as_ref(), extras, *editable),
    };
    let message = if editable {
        "a constraint can't be editable"
    } else if name.is_none() {
        "a constraint needs the name of a package"
    } else if !extras.is_empty() {
        "a constraint can't have extras"
    } else {
        return Ok(());
    };
    let help = "write it like `numpy<2`; what is to be installed belongs into a file of `-r`";
    Err(Problem::syntax(at, message, help))
}
