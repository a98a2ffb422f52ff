//! `envlock secrets`: init, list.

use std::{io, path::PathBuf};

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
    questions(&Questions {
        ask: &|question, default| app.ui.ask(question, default),
        say: &|text| app.ui.say(text),
    })
}

/// The terminal where questions are asked.
struct Questions<'a> {
    /// Asks a question, and returns the answer or the default.
    ask: &'a dyn Fn(&str, &str) -> io::Result<String>,
    /// Says what is wrong with an answer.
    say: &'a dyn Fn(&str),
}

impl Questions<'_> {
    /// Asks until `read` accepts the answer. A wrong one is said to be wrong, and asked again.
    ///
    /// # Errors
    /// There is no further answer.
    fn until<T>(
        &self,
        question: &str,
        default: &str,
        read: impl Fn(&str) -> Result<T, InvalidShorthand>,
    ) -> Result<T, SecretsInitError> {
        loop {
            let answer = (self.ask)(question, default);
            let answer = answer.map_err(|error| SecretsInitError::Answer(error.to_string()))?;
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(wrong) => (self.say)(&wrong.to_string()),
            }
        }
    }
}

/// Asks for the needs and the profile. `None` if no need is named.
fn questions(terminal: &Questions<'_>) -> Result<Option<Answers>, SecretsInitError> {
    let mut needs: Vec<NeedShorthand> = Vec::new();
    loop {
        let again = if needs.is_empty() { "" } else { "Another one? " };
        let path = format!("{again}Mount and path of the secret, such as secret/db_creds");
        let path = terminal.until(&path, "", |path| match path {
            "" => Ok(None),
            path => init::mount_and_path(path).map(|_| Some(path.to_owned())),
        })?;
        let Some(path) = path else { break };
        let engine = terminal.until("Secrets engine", "kv2", init::engine_named)?;
        let fields = "Fields, such as host,username,password";
        let need = |fields: &str| format!("{engine}:{path}:{fields}").parse();
        needs.push(terminal.until(fields, "", need)?);
    }
    if needs.is_empty() {
        return Ok(None);
    }
    let name =
        |name: &str| format!("{name}:jwt").parse().map(|_: ProfileShorthand| name.to_owned());
    let name = terminal.until("Name of the profile", "ci", name)?;
    let profile = |method: &str| format!("{name}:{method}").parse();
    let profile = terminal.until(&format!("Auth method of profile {name}"), "jwt", profile)?;
    Ok(Some((needs, vec![profile])))
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use envlock_report::AsFindings as _;

    use super::*;

    /// The result for these lines, and what was said about them. An empty line is the default.
    fn answers(lines: &[&str]) -> (Result<Option<Answers>, SecretsInitError>, Vec<String>) {
        let (next, said) = (Cell::new(0), RefCell::new(Vec::new()));
        let ask = |_: &str, default: &str| match lines.get(next.replace(next.get() + 1)) {
            Some(line) => Ok(if line.is_empty() { default } else { line }.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let result = questions(&Questions { ask: &ask, say: &say });
        (result, said.into_inner())
    }

    #[test]
    fn a_wrong_answer_is_asked_again() {
        let wrong = ["secret", "secret/db", "kv3", "kv2", "host", "", "a b/c", "ci", "jwd", ""];
        let (asked, said) = answers(&wrong);
        let right = (
            vec!["kv2:secret/db:host".parse().unwrap()],
            vec!["ci:jwt".parse::<ProfileShorthand>().unwrap()],
        );
        assert_eq!(asked.unwrap(), Some(right), "{said:?}");
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[1].starts_with("no engine is named kv3; they are kv1, kv2"), "{said:?}");
        assert_eq!(answers(&[""]).0.unwrap(), None);
    }

    #[test]
    fn an_input_that_ends_ends_the_command_with_2() {
        for lines in [&[][..], &["secret/db"], &["secret/db", "kv2", "host", "", "ci"]] {
            let (asked, _) = answers(lines);
            assert_eq!(asked.unwrap_err().exit(), Exit::Usage, "{lines:?}");
        }
    }
}
