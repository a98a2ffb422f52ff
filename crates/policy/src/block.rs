//! Reads one path block for all dialects. Errors that only some servers report are kept in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::capability::{Capabilities, Capability};
use super::dialect::{Dialect, DialectSet};
use super::error::{PolicyError, PolicyErrorKind};
use super::hcl_body::{HclBody, Identifier, Item, Value, ValueKind, integer};
use super::lowercase::lowered;
use super::{control_group, duration};
use envlock_text::Pos;

/// Parameter names in lower case, each with its values. An empty list means any value.
pub(crate) type Parameters = BTreeMap<String, Vec<Json>>;

/// One path block of a policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// The pattern, as the policy writes it.
    pub(crate) pattern: String,
    pub(crate) pos: Pos,
    /// Whether the pattern contains `{{…}}`.
    pub(crate) templated: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) allowed: Option<Parameters>,
    pub(crate) denied: Option<Parameters>,
    /// The parameters that one map writes in different letter case, with different values: a server
    /// keeps one of them at random.
    pub(crate) colliding: BTreeSet<String>,
    pub(crate) required: Vec<String>,
    /// In nanoseconds; 0 means no limit.
    pub(crate) min_wrapping_ttl: i64,
    /// In nanoseconds; 0 means no limit.
    pub(crate) max_wrapping_ttl: i64,
    pub(crate) mfa: Vec<String>,
    pub(crate) control_group: bool,
    /// The largest `limit` of a list; 0 means no limit.
    pub(crate) pagination_limit: i64,
    /// The time after which OpenBao ignores the block.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) dialect_errors: Vec<DialectError>,
}

impl Block {
    /// The pattern, as the policy writes it.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The capabilities that it lists.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether the pattern contains `{{…}}`, so that identities share the block.
    pub fn is_templated(&self) -> bool {
        self.templated
    }

    /// Whether it grants its capabilities without further conditions.
    pub fn is_unconditional(&self) -> bool {
        let none =
            |parameters: &Option<Parameters>| parameters.as_ref().is_none_or(BTreeMap::is_empty);
        none(&self.allowed)
            && none(&self.denied)
            && self.required.is_empty()
            && self.min_wrapping_ttl <= 0
            && self.max_wrapping_ttl <= 0
            && self.mfa.is_empty()
            && !self.control_group
    }
}

/// An error that some dialects report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DialectError {
    pub(crate) dialects: DialectSet,
    /// Whether the error is reported only before the block expires: OpenBao reads the date first.
    pub(crate) unless_expired: bool,
    pub(crate) error: PolicyError,
}

/// The keys of a path block, each with the servers that accept it.
const KEYS: [(&str, &[Dialect]); 14] = [
    ("comment", &Dialect::ALL),
    ("policy", &Dialect::ALL),
    ("capabilities", &Dialect::ALL),
    ("allowed_parameters", &Dialect::ALL),
    ("denied_parameters", &Dialect::ALL),
    ("required_parameters", &Dialect::ALL),
    ("min_wrapping_ttl", &Dialect::ALL),
    ("max_wrapping_ttl", &Dialect::ALL),
    ("mfa_methods", &Dialect::ALL),
    // OpenBao up to 2.6.2 rejects it.
    ("control_group", &[VAULT[0], VAULT[1], VAULT[2], Dialect::RustyVault]),
    ("pagination_limit", &OPENBAO),
    ("expiration", &OPENBAO),
    ("list_scan_response_keys_filter_path", &OPENBAO),
    ("subscribe_event_types", &VAULT),
];

const OPENBAO: [Dialect; 2] = [Dialect::OpenBao, Dialect::OpenBaoLegacy];
const VAULT: [Dialect; 3] = [Dialect::Vault, Dialect::Vault121, Dialect::VaultLegacy];

/// The capabilities that the shorthand `policy = "…"` means.
fn shorthand(word: &str) -> Option<&'static [Capability]> {
    use Capability::{Create, Delete, Deny, List, Read, Sudo, Update};
    match word {
        "deny" => Some(&[Deny]),
        "read" => Some(&[Read, List]),
        "write" => Some(&[Create, Read, Update, Delete, List]),
        "sudo" => Some(&[Create, Read, Update, Delete, List, Sudo]),
        _ => None,
    }
}

/// Reads the block of `item`. The caller has found its pattern.
pub(crate) fn read(
    file: &str,
    item: &Item,
    pattern: String,
    pos: Pos,
) -> Result<Block, PolicyError> {
    let ValueKind::Body(body) = &item.value.kind else {
        let kind =
            PolicyErrorKind::WrongType { key: "path", expected: "a block: path \"…\" { … }" };
        return Err(kind.at(file, item.value.pos));
    };
    let templated = pattern.contains("{{");
    let block = Block { pattern, pos, templated, ..Block::default() };
    let mut reader = Reader { file, body, block };
    reader.keys()?;
    reader.expiration();
    reader.values()?;
    Ok(reader.block)
}

struct Reader<'a> {
    file: &'a str,
    body: &'a HclBody,
    block: Block,
}

impl<'a> Reader<'a> {
    fn items(&self, key: &'static str) -> Vec<&'a Item> {
        let body: &'a HclBody = self.body;
        body.items.iter().filter(|item| item.name() == key).collect()
    }

    fn all(&self, key: &'static str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.items(key).into_iter().map(|item| &item.value)
    }

    fn last(&self, key: &'static str) -> Option<&'a Value> {
        self.all(key).last()
    }

    fn dialect_error(
        &mut self,
        dialects: DialectSet,
        unless_expired: bool,
        kind: PolicyErrorKind,
        pos: Pos,
    ) {
        // A second error for the same servers changes nothing; a hostile text has a million.
        let known = |error: &DialectError| {
            error.dialects == dialects && (unless_expired || !error.unless_expired)
        };
        if self.block.dialect_errors.iter().any(known) {
            return;
        }
        let error = kind.at(self.file, pos);
        self.block.dialect_errors.push(DialectError { dialects, unless_expired, error });
    }

    fn shape(&self, key: &'static str, expected: &'static str, at: &Value) -> PolicyError {
        PolicyErrorKind::WrongType { key, expected }.at(self.file, at.pos)
    }

    /// Checks the keys: unknown ones, and those of some servers only.
    fn keys(&mut self) -> Result<(), PolicyError> {
        for item in &self.body.items {
            let Some((_, known)) = KEYS.iter().find(|(key, _)| *key == item.name()) else {
                let key = item.name().to_owned();
                let nearest = envlock_report::nearest(&key, KEYS.iter().map(|(key, _)| *key));
                let kind = PolicyErrorKind::UnknownKey { key, within: "of a path block", nearest };
                return Err(kind.at(self.file, item.pos()));
            };
            if known.len() < Dialect::ALL.len() {
                let accepted: DialectSet = known.iter().copied().collect();
                let refused = Dialect::ALL.into_iter().filter(|d| !known.contains(d)).collect();
                let kind = PolicyErrorKind::OtherDialect { word: item.name().to_owned(), accepted };
                self.dialect_error(refused, false, kind, item.pos());
            }
        }
        Ok(())
    }

    fn expiration(&mut self) {
        let Some(value) = self.last("expiration") else { return };
        match value.as_text() {
            Some("") => {}
            text => match text.and_then(parse_timestamp) {
                Some(time) => self.block.expires = Some(time),
                None => self.dialect_error(
                    openbao_only(),
                    false,
                    PolicyErrorKind::BadExpiration,
                    value.pos,
                ),
            },
        }
    }

    fn values(&mut self) -> Result<(), PolicyError> {
        self.pagination();
        let words = self.capability_words()?;
        self.block.allowed = self.parameters("allowed_parameters")?;
        self.block.denied = self.parameters("denied_parameters")?;
        self.block.required = self.texts("required_parameters")?;
        self.block.mfa = self.texts("mfa_methods")?;
        self.block.control_group = self.last("control_group").is_some();
        self.types();
        let valid = self.capabilities(&words);
        if valid && !self.block.capabilities.contains_deny() {
            self.wrapping();
            self.listing();
            let words: Vec<_> = words.into_iter().map(|(word, _)| word).collect();
            let group = control_group::check_content(&self.items("control_group"), &words);
            self.group_error(group);
        }
        Ok(())
    }

    /// Checks the types of values that only some servers read, even in a block that denies.
    fn types(&mut self) {
        let key = "subscribe_event_types";
        if let Err(PolicyError { kind, place }) = self.texts(key) {
            let pos = Pos { line: place.line, column: place.column };
            self.dialect_error(VAULT.into_iter().collect(), false, kind, pos);
        }
        let key = "list_scan_response_keys_filter_path";
        if let Some(value) = self.all(key).find(|value| value.as_text().is_none()) {
            let kind = PolicyErrorKind::WrongType { key, expected: "a text" };
            self.dialect_error(openbao_only(), false, kind, value.pos);
        }
        let group = control_group::check_types(&self.items("control_group"));
        self.group_error(group);
    }

    fn group_error(&mut self, checked: Result<(), (Pos, PolicyErrorKind)>) {
        if let Err((pos, kind)) = checked {
            self.dialect_error(VAULT.into_iter().collect(), false, kind, pos);
        }
    }

    /// The words of `capabilities` and of the shorthand, in the order in which servers read them.
    fn capability_words(&mut self) -> Result<Vec<(String, Pos)>, PolicyError> {
        let mut words = Vec::new();
        for value in self.lists("capabilities", "a list: [\"read\", \"list\"]")?.concat() {
            let Some(word) = value.as_text() else {
                return Err(self.shape("capabilities", "a list of quoted words", value));
            };
            words.push((word.to_owned(), value.pos));
        }
        let Some(value) = self.last("policy") else { return Ok(words) };
        let Some(word) = value.as_text() else {
            return Err(self.shape(
                "policy",
                "one of \"deny\", \"read\", \"write\", \"sudo\"",
                value,
            ));
        };
        match shorthand(word) {
            _ if word.is_empty() => {}
            Some([Capability::Deny]) => words = vec![("deny".to_owned(), value.pos)],
            Some(more) => words.extend(more.iter().map(|c| (c.name().to_owned(), value.pos))),
            None => {
                let kind = PolicyErrorKind::UnknownShorthand(word.to_owned());
                self.dialect_error(all_dialects(), true, kind, value.pos);
            }
        }
        Ok(words)
    }

    /// Adds the capabilities up to the first `deny`, which discards the others and ends the list.
    /// Returns whether at least one server knows each of them.
    fn capabilities(&mut self, words: &[(String, Pos)]) -> bool {
        for (word, pos) in words {
            match word.parse::<Capability>() {
                Ok(Capability::Deny) => {
                    self.block.capabilities = [Capability::Deny].into_iter().collect();
                    return true;
                }
                Ok(capability) => {
                    let known = capability.dialects();
                    if known != all_dialects() {
                        let refused =
                            Dialect::ALL.into_iter().filter(|d| !known.contains(*d)).collect();
                        let kind =
                            PolicyErrorKind::OtherDialect { word: word.clone(), accepted: known };
                        self.dialect_error(refused, true, kind, *pos);
                    }
                    self.block.capabilities.insert(capability);
                }
                Err(()) => {
                    let names = Capability::ALL.map(Capability::name);
                    let nearest = envlock_report::nearest(word, names);
                    let kind = PolicyErrorKind::UnknownCapability { word: word.clone(), nearest };
                    self.dialect_error(all_dialects(), true, kind, *pos);
                    return false;
                }
            }
        }
        true
    }

    fn parameters(&mut self, key: &'static str) -> Result<Option<Parameters>, PolicyError> {
        let items = self.items(key);
        if items.is_empty() {
            return Ok(None);
        }
        // By the names as they are written: a server lowers them after it read the whole map.
        let mut written = Parameters::new();
        for item in items {
            self.read_parameters(key, item, &mut written)?;
        }
        let mut parameters = Parameters::new();
        for (name, values) in written {
            let lower = lowered(&name);
            match parameters.get(&lower) {
                Some(known) if *known == values => {}
                Some(_) => drop(self.block.colliding.insert(lower)),
                None => drop(parameters.insert(lower, values)),
            }
        }
        Ok(Some(parameters))
    }

    fn read_parameters(
        &self,
        key: &'static str,
        item: &Item,
        written: &mut Parameters,
    ) -> Result<(), PolicyError> {
        let shape = |at| self.shape(key, "a map of lists: { \"name\" = [] }", at);
        let ValueKind::Body(body) = &item.value.kind else { return Err(shape(&item.value)) };
        if let Some(pos) = item.value.unreadable_number() {
            return Err(PolicyErrorKind::BadNumber.at(self.file, pos));
        }
        let mut add = |name: &Identifier, values: &[Value]| {
            let known = written.entry(name.text.clone()).or_default();
            known.extend(values.iter().map(Value::to_json));
        };
        match item.keys.as_slice() {
            [_] => {}
            // A label is the name; the block is then its only value.
            [_, name] => {
                add(name, std::slice::from_ref(&item.value));
                return Ok(());
            }
            _ => return Err(shape(&item.value)),
        }
        for item in &body.items {
            let ([name], value) = (item.keys.as_slice(), &item.value) else {
                return Err(shape(&item.value));
            };
            match &value.kind {
                ValueKind::List(values) => add(name, values),
                // A single object means a list of that object.
                ValueKind::Body(_) => add(name, std::slice::from_ref(value)),
                _ => return Err(shape(value)),
            }
        }
        Ok(())
    }

    /// The lists that are the values of `key`.
    fn lists(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Vec<Vec<&'a Value>>, PolicyError> {
        let lists = self.items(key).into_iter().map(|item| {
            let list = item.value.as_list().filter(|_| item.keys.len() == 1);
            let list = list.ok_or_else(|| self.shape(key, expected, &item.value))?;
            Ok(list.iter().collect())
        });
        lists.collect()
    }

    fn texts(&self, key: &'static str) -> Result<Vec<String>, PolicyError> {
        let values = self.lists(key, "a list of quoted words")?.concat();
        let texts = values.into_iter().map(|value| {
            let text = value.as_text().map(str::to_owned);
            text.ok_or_else(|| self.shape(key, "a list of quoted words", value))
        });
        texts.collect()
    }

    fn wrapping(&mut self) {
        self.block.min_wrapping_ttl = self.duration("min_wrapping_ttl");
        self.block.max_wrapping_ttl = self.duration("max_wrapping_ttl");
        let (min, max) = (self.block.min_wrapping_ttl, self.block.max_wrapping_ttl);
        if min != 0 && max != 0 && max < min {
            let pos = self.last("max_wrapping_ttl").map_or(self.block.pos, |value| value.pos);
            self.dialect_error(all_dialects(), true, PolicyErrorKind::WrappingOrder, pos);
        }
    }

    fn duration(&mut self, key: &'static str) -> i64 {
        let Some(value) = self.last(key) else { return 0 };
        duration::nanoseconds(value).unwrap_or_else(|| {
            self.dialect_error(
                all_dialects(),
                true,
                PolicyErrorKind::BadDuration { key },
                value.pos,
            );
            0
        })
    }

    /// OpenBao requires a number, even in a block that has expired or that denies.
    fn pagination(&mut self) {
        let Some(value) = self.last("pagination_limit") else { return };
        if let Some(limit) = value.as_text().and_then(integer) {
            self.block.pagination_limit = limit;
        } else {
            let kind =
                PolicyErrorKind::WrongType { key: "pagination_limit", expected: "a whole number" };
            self.dialect_error(openbao_only(), false, kind, value.pos);
        }
    }

    /// Reads OpenBao's filter for lists.
    fn listing(&mut self) {
        let Some(value) = self.last("list_scan_response_keys_filter_path") else { return };
        let filters = value.as_text().is_some_and(|text| !text.is_empty());
        if filters && !self.block.capabilities.contains(Capability::List) {
            self.dialect_error(openbao_only(), true, PolicyErrorKind::FilterWithoutList, value.pos);
        }
    }
}

fn openbao_only() -> DialectSet {
    OPENBAO.into_iter().collect()
}

fn all_dialects() -> DialectSet {
    Dialect::ALL.into_iter().collect()
}

/// Parses RFC 3339, or seconds since 1970.
fn parse_timestamp(text: &str) -> Option<Timestamp> {
    rfc3339(text).or_else(|| Timestamp::from_second(text.parse().ok()?).ok())
}

/// Parses strict RFC 3339: the server rejects looser notations, which the library would accept.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let zone = bytes.len() >= 20
        && bytes[10] == b'T'
        && (text.ends_with('Z') || matches!(bytes[bytes.len() - 6], b'+' | b'-'));
    zone.then(|| text.parse().ok()).flatten()
}
