//! Reads a manifest, and reports every mistake with its place in one run.

mod profile;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::needs::{read, validate};
use envlock_report::{AsFindings, Code, Exit, Fields, Finding, Mistakes};
use envlock_text::Pos;
use envlock_text::limits::{self, MANIFEST};
use envlock_text::tree::{self, Node, Tree};

use super::model::{Exception, Manifest, Namespaces, PolicyFile};

/// The location of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestLocation {
    /// A separate file, `secrets.yml`.
    OwnFile,
    /// The key `secrets:` inside environment.yml (or a lock).
    EnvironmentFile,
}

/// Why a manifest can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// It isn't valid: each mistake with its place.
    #[error("the secrets manifest has mistakes")]
    Mistakes(Vec<Finding>),
}

impl AsFindings for ManifestError {
    fn findings(&self) -> Vec<Finding> {
        let Self::Mistakes(mistakes) = self;
        mistakes.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Manifest {
    /// Reads `text`, the content of `file`. Returns `None` for an environment.yml without
    /// `secrets:`.
    pub fn parse(
        file: &str,
        text: &str,
        location: ManifestLocation,
    ) -> Result<Option<Self>, ManifestError> {
        Self::parse_tree(file, &tree::read(file, text, &MANIFEST), location)
    }

    /// Reads the content of `file`, which is parsed already. Returns `None` for an
    /// environment.yml without `secrets:`.
    pub fn parse_tree(
        file: &str,
        tree: &Tree,
        location: ManifestLocation,
    ) -> Result<Option<Self>, ManifestError> {
        let Tree { root, errors } = tree;
        let mut mistakes = Mistakes::default();
        for error in errors {
            mistakes.push(error.into());
        }
        let node = match (root, location) {
            (Some(root), ManifestLocation::OwnFile) => root,
            (Some(root), ManifestLocation::EnvironmentFile) => match root.get("secrets") {
                Some(node) => node,
                // Other mistakes of an environment.yml are reported by its reader.
                None => return Ok(None),
            },
            (None, ManifestLocation::EnvironmentFile) if mistakes.is_empty() => return Ok(None),
            (None, _) => {
                return Err(ManifestError::Mistakes(mistakes.into_findings_or(|| empty(file))));
            }
        };
        let manifest = read(file, node, &mut mistakes);
        refuse_too_many(&manifest, node, &mut mistakes);
        if mistakes.is_empty() {
            manifest.check_references(&mut mistakes);
        }
        if mistakes.is_empty() {
            Ok(Some(manifest))
        } else {
            Err(ManifestError::Mistakes(mistakes.into_findings()))
        }
    }
}

/// The finding about a manifest without a value.
fn empty(file: &str) -> Finding {
    let message = "a secrets manifest must be a mapping, and this file is empty";
    Finding::new(Code::WrongType, message).at(Pos::START.place(file))
}

/// Checks the numbers of needs, profiles and policies. Every need is checked in every profile, so
/// their product is limited too.
fn refuse_too_many(manifest: &Manifest, node: &Node, mistakes: &mut Mistakes) {
    let profiles = manifest.profiles.len();
    let attached = manifest.profiles.values().flat_map(|profile| &profile.attach);
    let numbers = [
        ("needs", manifest.needs.len(), limits::NEEDS),
        ("profiles", profiles, limits::PROFILES),
        ("policies", manifest.policies.len(), limits::POLICIES),
        ("exceptions", manifest.accept.len(), limits::POLICIES),
        ("needs in all profiles", manifest.needs.len() * profiles, limits::NEEDS_OF_PROFILES),
        ("attached policies", attached.map(Vec::len).sum(), limits::NEEDS_OF_PROFILES),
    ];
    for (what, number, limit) in numbers {
        if number > limit {
            let message = format!("the manifest has {number} {what}; the limit is {limit}");
            mistakes.push(Finding::new(Code::InputLimit, message).at(manifest.place(node.start)));
        }
    }
}

fn read(file: &str, node: &Node, mistakes: &mut Mistakes) -> Manifest {
    let mut fields = Fields::new(file, node, "a secrets manifest", mistakes);
    fields.refuse_unknown_keys(&[
        "version", "server", "policies", "needs", "default", "profiles", "allow", "deny",
    ]);
    let version = version(&mut fields);
    let mut needs = BTreeMap::new();
    for entry in fields.entries_of("needs", "`needs`") {
        fields.check_key(entry, "the name of a need", validate::name);
        needs.insert(entry.name().to_owned(), read::read_need(file, entry, fields.mistakes));
    }
    if needs.is_empty() && fields.get("needs").is_none() {
        fields.add_missing_key("needs");
    }
    let mut profiles = BTreeMap::new();
    for entry in fields.entries_of("profiles", "`profiles`") {
        fields.check_key(entry, "the name of a profile", validate::name);
        let profile = profile::read(file, entry, &needs, fields.mistakes);
        profiles.insert(entry.name().to_owned(), profile);
    }
    Manifest {
        file: file.to_owned(),
        version,
        server: server::read(&mut fields),
        policies: policies(&mut fields),
        needs,
        default: fields.text("default"),
        profiles,
        accept: exceptions(&mut fields),
        deny: denied_codes(&mut fields),
        namespaces: Namespaces::default(),
    }
}

fn version(fields: &mut Fields<'_, '_>) -> u32 {
    let text = fields.required_text("version");
    if let Some(text) = text.filter(|text| text != "1") {
        let pos = fields.pos("version");
        let message = format!("this envlock reads version 1 of the manifest, not {text}");
        fields.add_mistake(Code::UnknownVersion, message, pos);
    }
    1
}

fn policies(fields: &mut Fields<'_, '_>) -> BTreeMap<String, PolicyFile> {
    let mut policies = BTreeMap::new();
    for entry in fields.entries_of("policies", "`policies`") {
        fields.check_key(entry, "the name of a policy", validate::name);
        let mut policy = Fields::new(fields.file, &entry.value, "a policy", fields.mistakes);
        policy.refuse_unknown_keys(&["file", "namespace"]);
        policy.required_text("file");
        let file = policy.text_matching("file", validate::file_path).unwrap_or_default();
        let namespace = policy.text_matching("namespace", validate::namespace);
        let read = PolicyFile { file, namespace, pos: entry.pos() };
        policies.insert(entry.name().to_owned(), read);
    }
    policies
}

fn exceptions(fields: &mut Fields<'_, '_>) -> Vec<Exception> {
    let mut exceptions = Vec::new();
    for node in fields.items_of("allow") {
        let mut exception = Fields::new(fields.file, node, "an exception", fields.mistakes);
        exception.refuse_unknown_keys(&["finding", "need", "policy", "reason", "until"]);
        let name = exception.required_text("finding").unwrap_or_default();
        let code = code(&mut exception, &name, node.start);
        let (need, policy) = (exception.text("need"), exception.text("policy"));
        if need.is_some() == policy.is_some() {
            let message = "an exception is for one `need` or for one `policy`".to_owned();
            exception.add_mistake(Code::MissingKey, message, node.start);
        }
        exception.required_text("reason");
        let reason = exception.text_matching("reason", validate::free_text).unwrap_or_default();
        let until = exception.required_text("until").and_then(|text| text.parse().ok());
        if until.is_none() && exception.get("until").is_some() {
            let pos = exception.pos("until");
            exception.add_mistake(
                Code::InvalidText,
                "`until` must be a day such as 2027-01-31",
                pos,
            );
        }
        let until = until.unwrap_or_default();
        let Some(code) = code else { continue };
        exceptions.push(Exception { code, need, policy, reason, until, pos: node.start });
    }
    exceptions
}

fn denied_codes(fields: &mut Fields<'_, '_>) -> BTreeSet<Code> {
    let mut codes = BTreeSet::new();
    for node in fields.items_of("deny") {
        codes.extend(code(fields, node.text().unwrap_or_default(), node.start));
    }
    codes
}

/// Parses a code. An unknown one is a mistake.
fn code(fields: &mut Fields<'_, '_>, name: &str, pos: Pos) -> Option<Code> {
    let code = name.parse().ok();
    if code.is_none() {
        let message = format!("`{name}` isn't a finding's code");
        let mut mistake = fields.finding(Code::UnknownValue, message, pos);
        mistake.help = Code::nearest(name).map(|near| format!("did you mean `{near}`?"));
        fields.mistakes.push(mistake);
    }
    code
}
