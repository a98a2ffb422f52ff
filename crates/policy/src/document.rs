//! Reads a policy's text for all dialects.

use jiff::Timestamp;

use super::block::{self, Block, DialectError};
use super::dialect::{Dialect, DialectSet};
use super::error::{PolicyError, PolicyErrorKind, SERVER_BYTES};
use super::hcl_body::{HclBody, Item};
use super::json::JsonPitfall;
use super::{encoded, hcl, json, template};
use envlock_text::{Pos, limits::MANIFEST};

/// A policy: its name on the server, its file, and its blocks.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name that it is uploaded under.
    pub(crate) name: String,
    /// The file, as the user wrote it.
    pub(crate) file: String,
    /// The path of the namespace that it is uploaded to: `""` for the root namespace, else with a
    /// final slash. `None` if it is that of the token.
    pub(crate) namespace: Option<String>,
    /// Whether OpenBao is configured to allow `/` in the values of templates.
    pub(crate) slashes_in_templates: bool,
    /// Whether OpenBao is configured to allow `*` and `+` in the values of templates.
    pub(crate) wildcards_in_templates: bool,
    pub(crate) blocks: Vec<Block>,
    pub(crate) body: HclBody,
    pub(crate) json_pitfalls: Vec<JsonPitfall>,
    /// Errors about the text, that some servers report.
    pub(crate) dialect_errors: Vec<DialectError>,
}

/// A text, parsed.
struct Syntax {
    body: HclBody,
    json_pitfalls: Vec<JsonPitfall>,
    dialect_errors: Vec<DialectError>,
}

impl Syntax {
    fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let Some(bytes) = encoded::decoded(text) else { return Self::parse_plain(file, text) };
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(PolicyErrorKind::EncodedBytes.at(file, Pos::START));
        };
        let at_start = |error: PolicyError| error.kind.at(file, Pos::START);
        let mut syntax = Self::parse_plain(file, &text).map_err(at_start)?;
        encoded::move_to_start(&mut syntax.body, &mut syntax.json_pitfalls);
        for error in &mut syntax.dialect_errors {
            error.error.place = Pos::START.place(file);
        }
        Ok(syntax)
    }

    fn parse_plain(file: &str, text: &str) -> Result<Self, PolicyError> {
        let mut dialect_errors = Vec::new();
        let mut reject = |dialects, kind: PolicyErrorKind, pos| {
            let error = kind.at(file, pos);
            dialect_errors.push(DialectError { dialects, unless_expired: false, error });
        };
        if text.len() > SERVER_BYTES {
            let kind = PolicyErrorKind::TooLargeForServers(text.len());
            reject(DialectSet::of(|_| true), kind, Pos::START);
        }
        let (body, json_pitfalls) = if text.trim_start().starts_with('{') {
            json::parse(file, text)?
        } else {
            let (body, duplicate) = hcl::parse(file, text)?;
            if let Some(key) = duplicate {
                let dialects = DialectSet::of(Dialect::rejects_duplicate_attributes);
                reject(dialects, PolicyErrorKind::DuplicateAttribute(key.text), key.pos);
            }
            (body, Vec::new())
        };
        Ok(Self { body, json_pitfalls, dialect_errors })
    }
}

impl Policy {
    /// Reads `text`, the content of `file`, as the policy `name`.
    ///
    /// # Errors
    /// Returns the first error for which every server rejects the text. [`Self::error_for`] returns
    /// the errors of one server.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, PolicyError> {
        if text.len() > MANIFEST.bytes {
            return Err(PolicyErrorKind::TooLarge(text.len()).at(file, Pos::START));
        }
        // The policy `root` has no text: it isn't uploaded.
        if text.is_empty() && name != "root" {
            return Err(PolicyErrorKind::Empty.at(file, Pos::START));
        }
        let Syntax { body, json_pitfalls, dialect_errors } = Syntax::parse(file, text)?;
        let mut policy = Self {
            name: name.to_owned(),
            file: file.to_owned(),
            namespace: None,
            slashes_in_templates: false,
            wildcards_in_templates: false,
            blocks: Vec::new(),
            body,
            json_pitfalls,
            dialect_errors,
        };
        policy.blocks = policy.read_blocks()?;
        if policy.name.is_empty() {
            policy.name = policy.written_name().unwrap_or_default().to_owned();
        }
        Ok(policy)
    }

    /// Sets the namespace that the policy is uploaded to. Without it, that is the token's.
    #[must_use]
    pub fn in_namespace(mut self, path: &str) -> Self {
        self.namespace = Some(canonical_namespace(path));
        self
    }

    /// Sets which characters OpenBao is configured to allow in the values of identity templates:
    /// slashes, and wildcards.
    #[must_use]
    pub(crate) fn allowing_in_templates(mut self, slashes: bool, wildcards: bool) -> Self {
        (self.slashes_in_templates, self.wildcards_in_templates) = (slashes, wildcards);
        self
    }

    /// The name that it is uploaded under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, as the user wrote it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The number of its path blocks.
    pub fn number_of_blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Returns the error for which `dialect` rejects the policy at `now`.
    pub fn error_for(&self, dialect: Dialect, now: Timestamp) -> Option<&PolicyError> {
        let of_text = self.dialect_errors.iter().find(|error| error.dialects.contains(dialect));
        let mut blocks = self.blocks.iter();
        of_text.map(|error| &error.error).or_else(|| {
            blocks.find_map(|block| {
                let expired = dialect.is_openbao() && block.expires.is_some_and(|end| now > end);
                let error = block.dialect_errors.iter().find(|error| {
                    error.dialects.contains(dialect) && !(error.unless_expired && expired)
                });
                error.map(|error| &error.error)
            })
        })
    }

    /// Whether one of its blocks expires after `start` and not after `end`.
    pub fn has_block_expiring_between(&self, start: Timestamp, end: Timestamp) -> bool {
        let ends = self.blocks.iter().filter_map(|block| block.expires);
        ends.into_iter().any(|expires| start <= expires && expires <= end)
    }

    /// The `name = "…"` in the text. The servers read it, and use the name of the upload.
    fn written_name(&self) -> Option<&str> {
        self.body.items.iter().rev().find(|item| item.name() == "name")?.value.as_text()
    }

    /// The items that contain the blocks, in the same order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Item> {
        self.body.items.iter().filter(|item| item.name() == "path")
    }

    fn read_blocks(&self) -> Result<Vec<Block>, PolicyError> {
        for item in &self.body.items {
            self.check_top_level(item)?;
        }
        for item in self.paths() {
            let (pattern, pos) = pattern_of(item);
            if template::is_templated(pattern).is_err() {
                return Err(PolicyErrorKind::TemplateBraces(pattern.to_owned()).at(&self.file, pos));
            }
        }
        self.paths()
            .map(|item| {
                let (pattern, pos) = pattern_of(item);
                block::read(&self.file, item, pattern.to_owned(), pos)
            })
            .collect()
    }

    fn check_top_level(&self, item: &Item) -> Result<(), PolicyError> {
        match item.name() {
            "path" => Ok(()),
            "name" if item.value.as_text().is_some() => Ok(()),
            "name" => {
                let kind = PolicyErrorKind::WrongType { key: "name", expected: "a text" };
                Err(kind.at(&self.file, item.value.pos))
            }
            key => {
                let nearest = envlock_report::nearest(key, ["name", "path"]);
                let within = "at the top of a policy";
                let kind = PolicyErrorKind::UnknownKey { key: key.to_owned(), within, nearest };
                Err(kind.at(&self.file, item.pos()))
            }
        }
    }
}

/// The label of a path block. Without a label the servers use the word `path` itself.
fn pattern_of(item: &Item) -> (&str, Pos) {
    let word = item.keys.get(1).unwrap_or(&item.keys[0]);
    (&word.text, word.pos)
}

/// Normalises a namespace: `""` for the root namespace, else a final slash and no leading one.
pub fn canonical_namespace(path: &str) -> String {
    match path.trim_matches('/') {
        "" | "root" => String::new(),
        bare => format!("{bare}/"),
    }
}
