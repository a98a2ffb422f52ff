//! Translates the dependencies that rattler reads in another way than conda.

use std::collections::HashMap;

use envlock_model::spec::RecordSpec;
use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord};

use crate::pool::Candidates;

/// The records that the solver gets with other texts than the index has, by URL.
#[derive(Default)]
pub(crate) struct Translated<'a> {
    records: HashMap<&'a str, (&'a RepoDataRecord, RepoDataRecord)>,
}

impl<'a> Translated<'a> {
    /// Translates the usable records. A pattern is replaced by the versions that it matches.
    pub(crate) fn new<'p>(
        names: impl Fn(&str) -> Option<&'p Candidates<'a>>,
        usable: impl Iterator<Item = &'a RepoDataRecord>,
        assumed: &[GenericVirtualPackage],
    ) -> Self
    where
        'a: 'p,
    {
        let mut by_text: HashMap<&str, Option<String>> = HashMap::new();
        let mut translate = |text: &'a str| {
            if RecordSpec::rattler_agrees(text) && !text.starts_with("__archspec") {
                return None;
            }
            by_text.entry(text).or_insert_with(|| translation(text, &names, assumed)).clone()
        };
        let mut translated = Self::default();
        for record in usable {
            let package = &record.package_record;
            let [depends, constrains] = [&package.depends, &package.constrains].map(|list| {
                let texts = list.iter().map(|text| (text, translate(text)));
                texts.collect::<Vec<_>>()
            });
            let is_unchanged = |list: &[(&String, Option<String>)]| {
                list.iter().all(|(_, translation)| translation.is_none())
            };
            if is_unchanged(&depends) && is_unchanged(&constrains) {
                continue;
            }
            let [depends, constrains] = [depends, constrains].map(|list| {
                let texts = list.into_iter();
                texts.map(|(text, other)| other.unwrap_or_else(|| text.clone())).collect()
            });
            let mut other = record.clone();
            other.package_record.depends = depends;
            other.package_record.constrains = constrains;
            translated.records.insert(record.url.as_str(), (record, other));
        }
        translated
    }

    /// Returns the record as the solver gets it.
    pub(crate) fn for_solver<'s>(&'s self, record: &'s RepoDataRecord) -> &'s RepoDataRecord {
        self.records.get(record.url.as_str()).map_or(record, |(_, translated)| translated)
    }

    /// Returns the record as the index has it.
    pub(crate) fn original(&self, record: RepoDataRecord) -> RepoDataRecord {
        match self.records.get(record.url.as_str()) {
            Some((original, _)) => (*original).clone(),
            None => record,
        }
    }
}

fn translation<'a: 'p, 'p>(
    text: &str,
    names: impl Fn(&str) -> Option<&'p Candidates<'a>>,
    assumed: &[GenericVirtualPackage],
) -> Option<String> {
    let spec = RecordSpec::parse(text)?;
    if spec.package() == "__archspec" {
        // The solver compares only the exact microarchitecture.
        return assumed.iter().any(|p| spec.matches_virtual(p)).then(|| "__archspec".to_owned());
    }
    let candidates = names(spec.package()).into_iter().flat_map(|found| &found.usable);
    let versions: Vec<_> =
        candidates.map(|(_, record)| record.package_record.version.as_str().into_owned()).collect();
    spec.translate_for_rattler(versions.iter().map(String::as_str))
}
