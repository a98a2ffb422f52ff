//! `envlock secrets list`.

use clap::Subcommand;
use envlock_pipeline::secrets::SecretsError;
use envlock_report::{Exit, output};
use envlock_secrets::{checks, manifest::list};

use super::{
    App,
    app::{profile, project},
};
use crate::{flags::ManifestArgs, ui::Answer};

/// The subcommands of `secrets`.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Print the needs as a table.
    List(ManifestArgs),
}

/// Lists the needs.
pub(crate) fn list(args: &ManifestArgs, app: &App<'_>) -> Exit {
    app.ui.finish(list_needs(args, app))
}

fn list_needs(args: &ManifestArgs, app: &App<'_>) -> Answer<output::SecretsList> {
    let project = project(&args.files, args.manifest.as_deref());
    let manifest = match project.manifest() {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Answer::failed(&SecretsError::NoManifest),
        Err(error) => return Answer::failed(&error),
    };
    let profile = profile(args, app).map(|name| (manifest.profile(&name), name));
    let profile = match profile {
        Some((None, name)) => {
            let known = manifest.profiles.keys().cloned().collect();
            return Answer::failed(&checks::CheckError::NoProfile { name, known });
        }
        Some((found, _)) => found,
        None => None,
    };
    let table = match &profile {
        Some(profile) => list::profile_table(profile),
        None => list::manifest_table(manifest),
    };
    let needs: Vec<_> = match &profile {
        Some(profile) => profile.needs.iter().map(|n| need(&n.name, &n.need)).collect(),
        None => manifest.needs.iter().map(|(name, n)| need(name, n)).collect(),
    };
    let result = output::SecretsList { profile: profile.map(|p| p.name), needs };
    Answer::done(result, table.render(app.ui.width())).with_rules(manifest.rules(app.settings.now))
}

fn need(name: &str, need: &envlock_model::needs::Need) -> output::Need {
    output::Need {
        name: name.to_owned(),
        engine: need.engine.to_string(),
        mount: need.mount.clone(),
        locator: need.locator.name().to_owned(),
        variables: need.fields.values().map(|target| target.env.clone()).collect(),
        why: need.why.clone(),
    }
}
