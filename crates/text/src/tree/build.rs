//! Checks the keys of mappings in YAML and JSON, and collects errors.

use std::collections::HashMap;

use super::node::{Entry, Kind, Node};
use crate::error::{Fault, ReadError};

/// The number of errors that are kept per text.
const MAX_ERRORS: usize = 100;

/// Mappings with fewer keys are searched linearly.
const LINEAR_SEARCH: usize = 16;

/// The keys of one mapping, to find duplicates.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<String, u32>);

impl Keys {
    /// Checks that a key is text and isn't a duplicate, and remembers it.
    pub(super) fn check(&mut self, entries: &[Entry], key: &Node) -> Result<(), Fault> {
        let name = key.text().ok_or_else(|| Fault::KeyNotText(key.type_name()))?;
        let line = |first: u32| Fault::DuplicateKey { key: name.to_owned(), first };
        if entries.len() < LINEAR_SEARCH {
            let known = entries.iter().find(|entry| entry.name() == name);
            return known.map_or(Ok(()), |known| Err(line(known.pos().line)));
        }
        if self.0.is_empty() {
            let known = entries.iter().map(|entry| (entry.name().to_owned(), entry.pos().line));
            self.0.extend(known);
        }
        if let Some(first) = self.0.get(name) {
            return Err(line(*first));
        }
        self.0.insert(name.to_owned(), key.start.line);
        Ok(())
    }
}

/// Adds an error. Only the first hundred are kept.
pub(super) fn add_error(errors: &mut Vec<ReadError>, error: ReadError) {
    if errors.len() < MAX_ERRORS {
        errors.push(error);
    }
}

/// Removes all but the first of duplicate keys, and adds an error for each of the others.
pub(super) fn without_duplicates(file: &str, node: Node, errors: &mut Vec<ReadError>) -> Node {
    let kind = match node.kind {
        Kind::List(items) => Kind::List(
            items.into_iter().map(|item| without_duplicates(file, item, errors)).collect(),
        ),
        Kind::Map(all) => {
            let (mut keys, mut entries) = (Keys::default(), Vec::with_capacity(all.len()));
            for entry in all {
                match keys.check(&entries, &entry.key) {
                    Ok(()) => entries.push(Entry {
                        value: without_duplicates(file, entry.value, errors),
                        key: entry.key,
                    }),
                    Err(fault) => add_error(errors, fault.at(entry.key.place(file))),
                }
            }
            Kind::Map(entries)
        }
        scalar @ Kind::Scalar { .. } => scalar,
    };
    Node { kind, ..node }
}
