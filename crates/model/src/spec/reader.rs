//! Reads the sections of an environment.yml.

use envlock_report::Code;
use std::collections::BTreeMap;

use envlock_report::{Finding, nearest, unknown_key_help, wrong_type};
use envlock_text::limits::ENVIRONMENT;
use envlock_text::tree::{self, Kind, Lines, Node, Tree};
use envlock_text::{
    Pos,
    redact::{holds_credential, redact_url},
};
use rattler_conda_types::Subdir;

use super::problem::FindingCollector;
use super::{Environment, InvalidEnvironment, Located, Selector, dependencies};
use crate::{OtherFormat, name, pip::IncludedFiles, platform};

const KEYS: [&str; 7] =
    ["name", "channels", "dependencies", "platforms", "variables", "prefix", "secrets"];

/// Reads an environment.yml. `file` is its name for messages, and `text` its text after
/// [`decode`](envlock_text::decode). It can't include requirements files.
///
/// # Errors
/// [`InvalidEnvironment`] has every error of the file with its place.
pub fn parse(file: &str, text: &str) -> Result<Environment, InvalidEnvironment> {
    parse_tree(file, text, &tree::read(file, text, &ENVIRONMENT), IncludedFiles::none())
}

/// Reads an environment.yml whose `text` is parsed already, within the limits
/// [`ENVIRONMENT`]. `included` reads the files that its `pip:` sections include.
///
/// # Errors
/// The same as for [`parse`], and the errors of the included files.
pub fn parse_tree(
    file: &str,
    text: &str,
    tree: &Tree,
    included: IncludedFiles<'_>,
) -> Result<Environment, InvalidEnvironment> {
    let mut reader = Reader { lines: Lines::new(text), problems: FindingCollector::new(file) };
    let mut environment = Environment {
        file: file.to_owned(),
        name: None,
        channels: None,
        nodefaults: false,
        platforms: Vec::new(),
        dependencies: Vec::new(),
        pip: Vec::new(),
        variables: BTreeMap::new(),
        prefix: None,
        secrets: None,
        warnings: Vec::new(),
    };
    let has_dependencies =
        tree.root.as_ref().is_some_and(|root| root.get("dependencies").is_some());
    if let Some(format) = OtherFormat::detect(text).filter(|_| !has_dependencies)
        && format != OtherFormat::Environment
    {
        reader.other_format(format);
        environment.warnings = reader.problems.finish()?;
        return Ok(environment);
    }
    let broken = !tree.errors.is_empty();
    for error in &tree.errors {
        reader.problems.add(Finding::from(error));
    }
    match &tree.root {
        Some(root) => reader.root(root, included, &mut environment),
        None if broken => {}
        None => reader.empty(),
    }
    environment.warnings = reader.problems.finish()?;
    Ok(environment)
}

/// The state while a file is read: its lines and the findings.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) problems: FindingCollector,
}

impl Reader<'_> {
    fn empty(&mut self) {
        let help = "it needs at least `dependencies:` with a list of packages".to_owned();
        let start = Pos::START;
        self.problems.error(start, Code::EmptyEnvironment, "this file is empty", Some(help));
    }

    fn other_format(&mut self, format: OtherFormat) {
        let help = match format {
            OtherFormat::EnvlockLock => "name it with `--lock`, and name environment.yml with `-f`",
            OtherFormat::PixiLock | OtherFormat::CondaLock | OtherFormat::ExplicitList => {
                "name the environment.yml that it was made from: `-f environment.yml`"
            }
            _ => "list the packages in an environment.yml, and name that: `-f environment.yml`",
        };
        let message = format!("{} is {format}, and not an environment.yml", self.problems.file());
        self.problems.error(Pos::START, Code::OtherFormat, message, Some(help.to_owned()));
    }

    fn root(&mut self, root: &Node, included: IncludedFiles<'_>, environment: &mut Environment) {
        let entries = match &root.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar { .. } if root.is_null() => return self.empty(),
            _ => {
                let help = "write `name:`, `channels:` and `dependencies:` at the beginning of \
                            their lines";
                let message =
                    format!("an environment must be a mapping, and this is {}", root.type_name());
                return self.problems.error(
                    root.start,
                    Code::WrongType,
                    message,
                    Some(help.into()),
                );
            }
        };
        let mut has_dependencies = false;
        let mut misspelt = None;
        let mut misspelt_channels = None;
        let has_channels = root.get("channels").is_some();
        for tree::Entry { key, value } in entries {
            let name = key.text().unwrap_or_default();
            self.warn_ignored_selector(key);
            match name {
                "name" => environment.name = self.name(value),
                "channels" => self.channels(value, environment),
                "platforms" => environment.platforms = self.platforms(value),
                "dependencies" => {
                    has_dependencies = true;
                    if value.is_null() {
                        self.no_dependencies(key.start, "`dependencies` has no value");
                    }
                    dependencies::read(self, value, included, environment);
                }
                "variables" => environment.variables = self.variables(value),
                "prefix" => environment.prefix = self.prefix(key, value),
                "secrets" => environment.secrets = Some(self.problems.place_of(key)),
                "pip" => self.misplaced_pip(key.start),
                _ if nearest(name, ["dependencies"]).is_some() => {
                    misspelt = Some((key.start, name));
                }
                _ if !has_channels && nearest(name, ["channels"]).is_some() => {
                    misspelt_channels = Some((key.start, name));
                }
                _ => self.unknown_key(key.start, name),
            }
        }
        // Without its channels other ones would be searched.
        if let Some((at, name)) = misspelt_channels {
            let message = format!("the key `{name}` isn't known: is it `channels`?");
            let help = "write `channels:` with a list of channels".to_owned();
            self.problems.error(at, Code::UnknownKey, message, Some(help));
        }
        match misspelt {
            Some((at, name)) if has_dependencies => self.unknown_key(at, name),
            Some((at, name)) => {
                let message = format!("the key `{name}` isn't known: is it `dependencies`?");
                self.no_dependencies(at, &message);
            }
            None if has_dependencies => {}
            None => self.no_dependencies(root.start, "there is no key `dependencies`"),
        }
    }

    fn no_dependencies(&mut self, at: Pos, message: &str) {
        let help = "write `dependencies:` with a list of packages, or `dependencies: []` for an \
                    environment without any";
        self.problems.error(at, Code::NoDependencies, message, Some(help.to_owned()));
    }

    fn misplaced_pip(&mut self, at: Pos) {
        let message = "`pip` is a key at the top of the file, where its lines have no effect";
        let help = "move it into the list of `dependencies`, as `- pip:` with its lines below it";
        self.problems.error(at, Code::MisplacedPip, message, Some(help.to_owned()));
    }

    fn unknown_key(&mut self, at: Pos, key: &str) {
        let help = unknown_key_help(key, &KEYS);
        let message = format!("the key `{key}` is unknown and is ignored");
        self.problems.warning(at, Code::UnknownKey, message, help);
    }

    fn name(&mut self, value: &Node) -> Option<Located<String>> {
        let name = self.scalar(value, "name", "name: my-env")?;
        if let Err(invalid) = name::check(&name.value) {
            let (message, help) = (invalid.to_string(), Some(name::HELP.to_owned()));
            self.problems.error(value.start, Code::EnvironmentNameInvalid, message, help);
        }
        Some(name)
    }

    fn prefix(&mut self, key: &Node, value: &Node) -> Option<Located<String>> {
        let message = "`prefix` is ignored: it is a path on the machine that wrote the file";
        let help = "remove it; to install into another prefix, use `envlock install -p PREFIX`";
        self.problems.warning(key.start, Code::PrefixKeyIgnored, message, help);
        self.scalar(value, "prefix", "prefix: /opt/my-env")
    }

    /// Reads one line of text. An empty value is allowed.
    fn scalar(&mut self, value: &Node, key: &str, example: &str) -> Option<Located<String>> {
        if value.is_null() {
            return None;
        }
        let Some(text) = value.text() else {
            self.wrong_type(value, &format!("`{key}`"), "text", example);
            return None;
        };
        let place = self.problems.place_of(value);
        Some(Located { value: text.trim().to_owned(), place })
    }

    fn channels(&mut self, value: &Node, environment: &mut Environment) {
        let Some(items) = self.list(value, "channels", "- conda-forge") else { return };
        let mut channels: Vec<Located<String>> = Vec::new();
        for item in items {
            self.warn_ignored_selector(item);
            let Some(text) = item.string().map(str::trim).filter(|text| !text.is_empty()) else {
                self.wrong_type(item, "a channel", "a name or a URL", "- conda-forge");
                continue;
            };
            if text == "nodefaults" {
                environment.nodefaults = true;
            } else if let Some(first) = channels.iter().find(|known| known.value == text) {
                let message = format!(
                    "the channel `{}` is a duplicate; the first one is on line {}",
                    redact_url(text),
                    first.place.line
                );
                self.problems.warning(
                    item.start,
                    Code::DuplicateChannel,
                    message,
                    "remove this line",
                );
            } else {
                let place = self.problems.place_of(item);
                channels.push(Located { value: text.to_owned(), place });
            }
        }
        environment.channels = Some(channels);
    }

    fn platforms(&mut self, value: &Node) -> Vec<Located<Subdir>> {
        let mut platforms: Vec<Located<Subdir>> = Vec::new();
        for item in self.list(value, "platforms", "- linux-64").unwrap_or_default() {
            self.warn_ignored_selector(item);
            let Some(text) = item.string().map(str::trim) else {
                self.wrong_type(item, "a platform", "its name", "- linux-64");
                continue;
            };
            match platform::parse(text) {
                Err(error) => {
                    let (message, help) = (error.to_string(), Some(error.help()));
                    self.problems.error(item.start, Code::UnknownPlatform, message, help);
                }
                Ok(subdir) if platforms.iter().any(|known| known.value == subdir) => {
                    let message = format!("the platform `{subdir}` is a duplicate");
                    self.problems.warning(
                        item.start,
                        Code::DuplicatePlatform,
                        message,
                        "remove this line",
                    );
                }
                Ok(subdir) => {
                    let place = self.problems.place_of(item);
                    platforms.push(Located { value: subdir, place });
                }
            }
        }
        platforms
    }

    fn variables(&mut self, value: &Node) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        let entries = match &value.kind {
            Kind::Map(entries) => entries.as_slice(),
            _ if value.is_null() => &[],
            _ => {
                self.wrong_type(
                    value,
                    "`variables`",
                    "a mapping",
                    "variables: {OMP_NUM_THREADS: 4}",
                );
                &[]
            }
        };
        for tree::Entry { key, value } in entries {
            self.warn_ignored_selector(value);
            let name = key.text().unwrap_or_default();
            let first = |c: char| c.is_ascii_alphabetic() || c == '_';
            if !name.starts_with(first) || !name.chars().all(|c| first(c) || c.is_ascii_digit()) {
                let message = format!("`{name}` can't be the name of a variable");
                let help = "use letters, digits and `_`, and no digit at the start";
                self.problems.error(
                    key.start,
                    Code::VariableNameInvalid,
                    message,
                    Some(help.to_owned()),
                );
            }
            match value.text() {
                Some(text) if text.contains('\0') => {
                    let message = format!("the variable `{name}` has a NUL character");
                    let help = "remove it: an environment variable can't have one".to_owned();
                    self.problems.error(
                        value.start,
                        Code::VariableValueInvalid,
                        message,
                        Some(help),
                    );
                }
                Some(text) => {
                    if holds_credential(text) {
                        self.variable_credential(value.start, name);
                    }
                    variables.insert(name.to_owned(), text.to_owned());
                }
                None => self.wrong_type(value, "a variable", "text or a number", "NAME: \"\""),
            }
        }
        variables
    }

    /// Adds an error for a variable with a credential. Variables are written into the lock and
    /// into every prefix.
    fn variable_credential(&mut self, at: Pos, name: &str) {
        let message = format!("the variable `{name}` has a URL with a credential");
        let help = "remove it, because the lock would contain it; set the variable where the job \
                    runs, and declare a need in secrets.yml"
            .to_owned();
        self.problems.error(at, Code::VariableCredential, message, Some(help));
    }

    /// Returns the items of a list. `None` if the value is empty.
    pub(super) fn list<'n>(
        &mut self,
        value: &'n Node,
        key: &str,
        example: &str,
    ) -> Option<&'n [Node]> {
        match &value.kind {
            Kind::List(items) => return Some(items),
            _ if value.is_null() => {}
            _ => self.wrong_type(value, &format!("`{key}`"), "a list", example),
        }
        None
    }

    pub(super) fn wrong_type(&mut self, value: &Node, what: &str, expected: &str, example: &str) {
        let finding = wrong_type(self.problems.file(), what, expected, value);
        self.problems.add(finding.with_help(format!("write it like `{example}`")));
    }

    /// Warns about a selector on a line where selectors have no effect.
    fn warn_ignored_selector(&mut self, node: &Node) {
        let code = Code::SelectorIgnored;
        let Some((at, comment)) = self.lines.comment(node.end) else { return };
        if let Ok(Some(selector)) = Selector::in_comment(comment)
            && !self.problems.has(code, at)
        {
            let message = format!("the selector `[{selector}]` has no effect on this line");
            let help = "selectors have an effect only after packages and pip lines";
            self.problems.warning(at, code, message, help);
        }
    }
}
