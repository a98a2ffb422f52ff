//! `envlock secrets`: init, list.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use envlock_pipeline::{
    check_secrets::SecretsError,
    secrets_init::{self, SecretsInitError, SecretsInitOptions},
};
use envlock_report::{Exit, output};
use envlock_secrets::{
    checks,
    init::{self, InvalidShorthand, NeedShorthand, ProfileShorthand},
    manifest::list,
};

use super::{
    App,
    app::{profile, project},
};
use crate::{
    flags::{FileArgs, ManifestArgs},
    ui::{CommandOutput, shell_word},
};

/// The subcommands of `secrets`.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Write secrets.yml with comments, and least-privilege policies. Asks, unless `--need` is given.
    Init(InitArgs),
    /// Print the needs as a table.
    List(ManifestArgs),
}

/// The arguments of `secrets init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Add this need, such as kv2:secret/db_creds:host,password. May be given several times.
    ///
    /// `NAME=` before it names the need. A mount with slashes ends with two: kv2:team/kv//app/db.
    #[arg(long, value_name = "ENGINE:MOUNT/PATH:FIELDS")]
    need: Vec<NeedShorthand>,
    /// Add this profile with its login, such as ci:jwt. May be given several times.
    #[arg(long, value_name = "NAME:METHOD")]
    profile: Vec<ProfileShorthand>,
}

impl InitArgs {
    /// Returns the manifest to write.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.files.first().with_file_name("secrets.yml")
    }
}

/// Writes a new manifest.
pub(crate) fn init(args: &InitArgs, app: &App<'_>) -> Exit {
    app.ui.finish(write_first(args, app))
}

fn write_first(args: &InitArgs, app: &App<'_>) -> CommandOutput<output::SecretsInit> {
    let manifest = args.manifest();
    let asked =
        if args.need.is_empty() && app.ui.can_ask() { ask(app, &manifest) } else { Ok(None) };
    let (needs, mut profiles) = match asked {
        Ok(Some(answers)) => answers,
        Ok(None) => (args.need.clone(), args.profile.clone()),
        Err(error) => return CommandOutput::failed(&error),
    };
    if profiles.is_empty() {
        profiles.extend("ci:jwt".parse::<ProfileShorthand>());
    }
    let project = project(&args.files, None);
    let request = SecretsInitOptions { manifest: manifest.clone(), needs, profiles };
    let files = match secrets_init::init(&project, &request) {
        Ok(files) => files,
        Err(error) => return CommandOutput::failed(&error),
    };
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let lines: Vec<_> = files.iter().map(|file| format!("wrote {file}\n")).collect();
    let manifest = shell_word(&manifest.display().to_string());
    let next = format!("next: envlock check-secrets --offline --manifest {manifest}\n");
    CommandOutput::done(output::SecretsInit { files }, lines.concat()).next(next)
}

/// The needs and the profiles that the user types.
type Answers = (Vec<NeedShorthand>, Vec<ProfileShorthand>);

/// Asks for the needs and the profile on the terminal.
fn ask(app: &App<'_>, manifest: &std::path::Path) -> Result<Option<Answers>, SecretsInitError> {
    // Nobody should answer questions in vain.
    if manifest.symlink_metadata().is_ok() {
        return Err(SecretsInitError::Exists(manifest.to_owned()));
    }
    let mut needs: Vec<NeedShorthand> = Vec::new();
    loop {
        let again = if needs.is_empty() { "" } else { "Another one? " };
        let path = format!("{again}Mount and path of the secret, such as secret/db_creds");
        let Some(path) = ask_until(app, &path, "", |path| match path {
            "" => Ok(None),
            path => init::mount_and_path(path).map(|_| Some(path.to_owned())),
        })?
        else {
            break;
        };
        let engine = ask_until(app, "Secrets engine", "kv2", init::engine_named)?;
        let fields = "Fields, such as host,username,password";
        let need = |fields: &str| format!("{engine}:{path}:{fields}").parse();
        needs.push(ask_until(app, fields, "", need)?);
    }
    if needs.is_empty() {
        return Ok(None);
    }
    let name =
        |name: &str| format!("{name}:jwt").parse().map(|_: ProfileShorthand| name.to_owned());
    let name = ask_until(app, "Name of the profile", "ci", name)?;
    let profile = |method: &str| format!("{name}:{method}").parse();
    let profile = ask_until(app, &format!("Auth method of profile {name}"), "jwt", profile)?;
    Ok(Some((needs, vec![profile])))
}

/// Asks until `read` accepts the answer. A wrong one is said to be wrong, and asked again.
///
/// # Errors
/// The terminal has no further answer.
fn ask_until<T>(
    app: &App<'_>,
    question: &str,
    default: &str,
    read: impl Fn(&str) -> Result<T, InvalidShorthand>,
) -> Result<T, SecretsInitError> {
    loop {
        let answer = app.ui.ask(question, default);
        let answer = answer.map_err(|error| SecretsInitError::Answer(error.to_string()))?;
        match read(&answer) {
            Ok(value) => return Ok(value),
            Err(wrong) => app.ui.say(&wrong.to_string()),
        }
    }
}

/// Lists the needs.
pub(crate) fn list(args: &ManifestArgs, app: &App<'_>) -> Exit {
    app.ui.finish(list_needs(args, app))
}

fn list_needs(args: &ManifestArgs, app: &App<'_>) -> CommandOutput<output::SecretsList> {
    let project = project(&args.files, args.manifest.as_deref());
    let manifest = match project.manifest() {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return CommandOutput::failed(&SecretsError::NoManifest),
        Err(error) => return CommandOutput::failed(&error),
    };
    let profile = profile(args, app).map(|name| (manifest.profile(&name), name));
    let profile = match profile {
        Some((None, name)) => {
            let known = manifest.profiles.keys().cloned().collect();
            return CommandOutput::failed(&checks::CheckError::NoProfile { name, known });
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
    CommandOutput::done(result, table.render(app.ui.table_width()))
        .with_overrides(manifest.level_overrides(app.settings.now))
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
