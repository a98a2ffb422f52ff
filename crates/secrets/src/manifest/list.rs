//! Writes needs as a table, for `envlock secrets list`.

use envlock_model::needs::{LockedNeeds, Need, Required, VariableContent};
use envlock_report::render::Table;

use super::model::Manifest;
use super::resolve::ResolvedProfile;

/// The table of a profile's needs.
pub fn profile_table(profile: &ResolvedProfile) -> Table {
    rows(profile.needs.iter().map(|resolved| (resolved.name.as_str(), &resolved.need)))
}

/// The table of all needs of a manifest, without a profile.
pub fn manifest_table(manifest: &Manifest) -> Table {
    rows(manifest.needs.iter().map(|(name, need)| (name.as_str(), need)))
}

/// The table of all needs of a lock.
pub fn lock_table(locked: &LockedNeeds) -> Table {
    rows(locked.needs.iter().map(|(name, need)| (name.as_str(), need)))
}

fn rows<'n>(needs: impl Iterator<Item = (&'n str, &'n Need)>) -> Table {
    let mut table = Table::new(["NEED", "ENGINE", "WHERE", "VARIABLES", "REQUIRED"]);
    for (name, need) in needs {
        table.add_row([
            name.to_owned(),
            need.engine.to_string(),
            need.location(),
            variables(need),
            required(need),
        ]);
    }
    table
}

fn variables(need: &Need) -> String {
    let names = need.fields.values().map(|target| match target.content {
        VariableContent::Value => target.env.clone(),
        VariableContent::FilePath => format!("{} (file)", target.env),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn required(need: &Need) -> String {
    match &need.required {
        Required::Flag(true) => "yes".to_owned(),
        Required::Flag(false) => "no".to_owned(),
        Required::OneOf { one_of } => format!("one of {one_of}"),
        Required::AnyOf { any_of } => format!("any of {any_of}"),
    }
}
