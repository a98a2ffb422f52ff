//! The initial manifest of a project, and least-privilege policies for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::str::FromStr;

use envlock_model::needs::validate;
use envlock_policy::{Engine, LocatorKind};
use envlock_report::nearest;

use crate::generate;
use crate::manifest::{AuthMethod, Manifest, ManifestError, ManifestLocation};

/// A need in short: `kv2:secret/app/db:host,password`, or `NAME=…` before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedShorthand {
    name: String,
    engine: Engine,
    mount: String,
    /// The path, role or key.
    locator: String,
    /// The fields; for transit, the operations.
    fields: Vec<String>,
}

/// A profile in short: `ci:jwt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileShorthand {
    name: String,
    method: AuthMethod,
}

/// Why a need or a profile in short can't be read: a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidShorthand(String);

impl FromStr for NeedShorthand {
    type Err = InvalidShorthand;

    fn from_str(text: &str) -> Result<Self, InvalidShorthand> {
        let invalid = |why: String| InvalidShorthand(format!("`{text}`: {why}"));
        let (name, rest) = match text.split_once('=') {
            Some((name, rest)) => (Some(name), rest),
            None => (None, text),
        };
        let mut parts = rest.splitn(3, ':');
        let (Some(engine), Some(location)) = (parts.next(), parts.next()) else {
            return Err(invalid("it must be ENGINE:MOUNT/PATH:FIELD,FIELD".to_owned()));
        };
        let engine = engine_named(engine).map_err(|why| invalid(why.0))?;
        let (mount, locator) = mount_and_path(location).map_err(|why| invalid(why.0))?;
        let fields = parts.next().unwrap_or_default().split(',').map(str::trim);
        let fields: Vec<_> = fields.filter(|field| !field.is_empty()).map(str::to_owned).collect();
        let own = locator.rsplit('/').next().unwrap_or(locator);
        let name = name.map_or_else(|| in_name(own), str::to_owned);
        validate::name(&name).map_err(|shape| invalid(format!("`{name}` must be {shape}")))?;
        Ok(Self { name, engine, mount: mount.to_owned(), locator: locator.to_owned(), fields })
    }
}

/// Returns the engine with this name.
///
/// # Errors
/// There is none. The sentence says which one is near.
pub fn engine_named(name: &str) -> Result<Engine, InvalidShorthand> {
    let known = || Engine::all().map(Engine::name);
    name.parse().map_err(|()| {
        InvalidShorthand(match nearest(name, known()) {
            Some(near) => format!("no engine is named {name}; did you mean {near}?"),
            None => format!("no engine is named {name}; they are {}", join(known())),
        })
    })
}

/// Splits a mount from the path below it, as in `secret/app/db`. A mount with slashes ends with two:
/// `team/kv//app/db`.
///
/// # Errors
/// One of them is missing or has the wrong form.
pub fn mount_and_path(location: &str) -> Result<(&str, &str), InvalidShorthand> {
    // The need of a token has a mount with a slash.
    let token = location.starts_with("auth/token/").then(|| location.split_at("auth/token".len()));
    let token = token.map(|(mount, path)| (mount, path.trim_start_matches('/')));
    let split = location.split_once("//").or(token).or_else(|| location.split_once('/'));
    let (mount, path) = split.ok_or_else(|| {
        InvalidShorthand(format!("`{location}` must be a mount and a path below it"))
    })?;
    for part in [mount, path] {
        let wrong = |shape| InvalidShorthand(format!("`{part}` must be {shape}"));
        validate::path(part).map_err(wrong)?;
    }
    Ok((mount, path))
}

impl FromStr for ProfileShorthand {
    type Err = InvalidShorthand;

    fn from_str(text: &str) -> Result<Self, InvalidShorthand> {
        let invalid = |why: String| InvalidShorthand(format!("`{text}`: {why}"));
        let Some((name, method)) = text.split_once(':') else {
            return Err(invalid("it must be NAME:METHOD, such as ci:jwt".to_owned()));
        };
        validate::name(name).map_err(|shape| invalid(format!("`{name}` must be {shape}")))?;
        let method = AuthMethod::from_name(method).ok_or_else(|| {
            invalid(format!(
                "no auth method is named {method}; they are {}",
                join(AuthMethod::names())
            ))
        })?;
        Ok(Self { name: name.to_owned(), method })
    }
}

/// The files of a project's secrets: names and texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialFiles {
    /// The text of secrets.yml.
    pub manifest: String,
    /// The policies, by their path relative to secrets.yml.
    pub policies: BTreeMap<String, String>,
}

/// Writes the manifest for these needs and profiles, with comments, and for each profile the policy
/// that grants the needs and lets the same login check that the secrets exist.
///
/// # Errors
/// The needs don't fit together or to their engines: the mistakes, with their places in `file`.
pub fn initial_files(
    file: &str,
    needs: &[NeedShorthand],
    profiles: &[ProfileShorthand],
) -> Result<InitialFiles, ManifestError> {
    let text = manifest(needs, profiles);
    let parsed = Manifest::parse(file, &text, ManifestLocation::OwnFile)?;
    let resolved = parsed
        .iter()
        .flat_map(|manifest| profiles.iter().filter_map(|profile| manifest.profile(&profile.name)));
    let policies = resolved.map(|profile| {
        let job = generate::job_policy(&profile, "");
        let presence = generate::presence_policy(&profile, "");
        (policy_file(&profile.name), format!("{job}\n{presence}"))
    });
    Ok(InitialFiles { policies: policies.collect(), manifest: text })
}

fn policy_file(profile: &str) -> String {
    format!("vault/policies/{profile}.hcl")
}

fn manifest(needs: &[NeedShorthand], profiles: &[ProfileShorthand]) -> String {
    let mut out = String::from(
        "# Which secrets this environment needs: names and paths, never a value, never an address.\n\
         # Every key: docs/secrets.md of envlock.\n\
         version: 1\n\
         \n\
         # The policies in this repository, by the names under which they are uploaded.\n\
         policies:\n",
    );
    for ProfileShorthand { name, .. } in profiles {
        write_line(&mut out, &format!("  {}: {{file: {}}}", yaml(name), yaml(&policy_file(name))));
    }
    out.push_str("\nneeds:\n");
    let mut names = BTreeSet::new();
    let mut comments = true;
    for need in needs {
        let name = unique(&need.name, &mut names);
        write_need(&mut out, &name, need, comments);
        comments = false;
    }
    out.push_str(
        "\n# Where the environment is used: how the job logs in there, and its policies.\n",
    );
    if let [first, ..] = profiles {
        write_line(&mut out, &format!("default: {}", yaml(&first.name)));
    }
    out.push_str("profiles:\n");
    for ProfileShorthand { name, method } in profiles {
        let name = yaml(name);
        write_line(&mut out, &format!("  {name}:"));
        write_line(&mut out, &format!("    auth: {}", auth(*method, &name)));
        write_line(&mut out, &format!("    attach: [{name}]"));
        out.push_str("    # job: 15m   # how long the job takes, which its token must last\n");
    }
    out
}

fn write_need(out: &mut String, name: &str, need: &NeedShorthand, comments: bool) {
    let NeedShorthand { engine, mount, locator, fields, .. } = need;
    let comment = |text: &'static str| if comments { text } else { "" };
    write_line(out, &format!("  {}:", yaml(name)));
    write_line(out, &format!("    engine: {engine}"));
    write_line(out, &format!("    mount: {}", yaml(mount)));
    let key = engine.locator().key();
    let below = match engine.locator() {
        LocatorKind::Path => comment("   # below the mount, without data/"),
        LocatorKind::Role | LocatorKind::Key => "",
    };
    write_line(out, &format!("    {key}: {}{below}", yaml(locator)));
    if *engine == Engine::Transit {
        let operations = if fields.is_empty() { "decrypt".to_owned() } else { fields.join(", ") };
        write_line(out, &format!("    operations: [{operations}]"));
    } else if !fields.is_empty() {
        let head = comment("   # each field, and the variable in which the process gets it");
        write_line(out, &format!("    fields:{head}"));
        for field in fields {
            let variable = variable(&format!("{name}_{field}"));
            write_line(out, &format!("      {}: {variable}", yaml(field)));
        }
    }
    if comments {
        out.push_str("    # required: false   # if the secret may be missing\n");
        out.push_str("    # why: …            # shown in every message about the need\n");
    }
}

/// The login of a method. The values are read from these variables and files at run time.
fn auth(method: AuthMethod, profile: &str) -> String {
    let rest = match method {
        AuthMethod::Token => "token: {env: VAULT_TOKEN}".to_owned(),
        AuthMethod::Jwt => format!("role: {profile}, jwt: {{env: CI_JWT}}"),
        AuthMethod::Kubernetes => format!(
            "role: {profile}, jwt: {{file: /var/run/secrets/kubernetes.io/serviceaccount/token}}"
        ),
        AuthMethod::Approle => {
            "role_id: {env: VAULT_ROLE_ID}, secret_id: {env: VAULT_SECRET_ID}".to_owned()
        }
        AuthMethod::AwsIam => format!("role: {profile}"),
        AuthMethod::Cert => {
            format!("role: {profile}, certificate: {{file: client.pem}}, key: {{file: client.key}}")
        }
        AuthMethod::Userpass | AuthMethod::Ldap => {
            "username: {env: VAULT_USERNAME}, password: {env: VAULT_PASSWORD}".to_owned()
        }
    };
    format!("{{method: {}, {rest}}}", method.name())
}

fn write_line(out: &mut String, line: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(out, "{line}");
}

fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut free = std::iter::once(name.to_owned()).chain(numbered);
    // The numbers have no end, so one is free.
    let free = free.find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(free.clone());
    free
}

/// A text of YAML: as it is, or in quotes if it would mean something else.
fn yaml(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let starts = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '/'));
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    if starts && !word && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// The name of a need: a path's last part, with `_` for what a name can't have.
fn in_name(text: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.chars().map(|c| if fits(c) { c } else { '_' }).take(128).collect()
}

fn variable(text: &str) -> String {
    let upper =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    let upper: String = upper.take(250).collect();
    if upper.starts_with(|c: char| c.is_ascii_digit()) { format!("_{upper}") } else { upper }
}

fn join(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
