//! Merges layers as conda does ("Conflict merging strategy" and "The conda configuration engine
//! for power users"): lists are joined, mappings updated, single values replaced.

use std::collections::BTreeMap;

use crate::layer::{LayerValue, ListItem, MapEntry, MergeFlag, RawValue};
use crate::{Configured, Value};

/// Merges the values of one key, in rising priority.
pub(crate) fn merge(given: &[&LayerValue]) -> Option<Value> {
    // `#!final` on a key: values of a higher priority are ignored.
    let end = given.iter().position(|given| given.is_final).map_or(given.len(), |at| at + 1);
    let given = &given[..end];
    match given.last()?.raw {
        RawValue::Scalar(ref value) => Some(Value::Scalar(value.clone())),
        RawValue::List(_) => {
            let lists = given.iter().filter_map(|given| match &given.raw {
                RawValue::List(items) => Some(items.as_slice()),
                _ => None,
            });
            Some(Value::List(merge_lists(&lists.collect::<Vec<_>>())))
        }
        RawValue::Map(_) => {
            let maps = given.iter().filter_map(|given| match &given.raw {
                RawValue::Map(entries) => Some(entries),
                _ => None,
            });
            Some(Value::Map(merge_maps(&maps.collect::<Vec<_>>())))
        }
    }
}

/// Joins lists: the items of the higher layer first, each text once. Items marked `#!top` come
/// before all others, those marked `#!bottom` after them. Among marked items the lower layer has
/// the outer position, so that an administrator has the last word.
fn merge_lists(lists: &[&[ListItem]]) -> Vec<Configured<String>> {
    let marked = |list: &&[ListItem], flag: MergeFlag| -> Vec<Configured<String>> {
        let marked = list.iter().filter(|item| item.flag == Some(flag));
        marked.map(|item| item.text.clone()).collect()
    };
    let top = lists.iter().flat_map(|list| marked(list, MergeFlag::Top));
    let bottom: Vec<_> =
        lists.iter().rev().flat_map(|list| marked(list, MergeFlag::Bottom)).collect();
    let all = lists.iter().rev().flat_map(|list| list.iter().map(|item| item.text.clone()));
    let mut first: Vec<Configured<String>> = Vec::new();
    for text in top.chain(all) {
        if !has(&first, &text) && !has(&bottom, &text) {
            first.push(text);
        }
    }
    // An item that several layers mark `#!bottom` has the lowest of their positions.
    let mut last: Vec<Configured<String>> = Vec::new();
    for text in bottom.into_iter().rev() {
        if !has(&last, &text) {
            last.push(text);
        }
    }
    first.extend(last.into_iter().rev());
    first
}

fn has(texts: &[Configured<String>], text: &Configured<String>) -> bool {
    texts.iter().any(|known| known.value == text.value)
}

/// Merges maps: a name of the higher layer replaces that of the lower one, unless that is
/// `#!final`.
fn merge_maps(maps: &[&BTreeMap<String, MapEntry>]) -> BTreeMap<String, Vec<Configured<String>>> {
    let mut merged: BTreeMap<String, &MapEntry> = BTreeMap::new();
    for (name, entry) in maps.iter().flat_map(|map| map.iter()) {
        if !merged.get(name).is_some_and(|known| known.is_final) {
            merged.insert(name.clone(), entry);
        }
    }
    merged.into_iter().map(|(name, entry)| (name, entry.texts.clone())).collect()
}
