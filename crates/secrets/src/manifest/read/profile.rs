//! Reads a profile.

use std::collections::BTreeMap;

use envlock_model::needs::{Need, read, validate};
use envlock_policy::Identity;
use envlock_report::{Code, Fields, Mistakes};
use envlock_text::Pos;
use envlock_text::tree::{Entry, Node};

use super::super::model::{Auth, AuthMethod, ForbiddenToken, Profile, RuntimeValue, TokenRules};

const KEYS: [&str; 10] = [
    "extends",
    "auth",
    "attach",
    "namespace",
    "identity",
    "token",
    "job",
    "allow_plaintext_loopback",
    "needs",
    "override",
];

/// Each auth method with its credentials; a `?` marks an optional one.
const METHODS: [(&str, AuthMethod, &[&str]); 8] = [
    ("token", AuthMethod::Token, &["token"]),
    ("jwt", AuthMethod::Jwt, &["jwt"]),
    ("kubernetes", AuthMethod::Kubernetes, &["jwt"]),
    ("approle", AuthMethod::Approle, &["role_id", "secret_id?"]),
    ("aws-iam", AuthMethod::AwsIam, &["server_id?"]),
    ("cert", AuthMethod::Cert, &["certificate", "key"]),
    ("userpass", AuthMethod::Userpass, &["username", "password"]),
    ("ldap", AuthMethod::Ldap, &["username", "password"]),
];

impl AuthMethod {
    /// The name, as manifests write it.
    pub fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method, _)| *method == self).map_or("", |(name, ..)| name)
    }

    /// Every method's name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        METHODS.iter().map(|(name, ..)| *name)
    }

    /// The method with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        METHODS.iter().find(|(known, ..)| *known == name).map(|(_, method, _)| *method)
    }

    /// Whether a person logs in, who can confirm a prompt.
    pub(crate) fn is_interactive(self) -> bool {
        matches!(self, Self::Token | Self::Userpass | Self::Ldap)
    }
}

/// Reads the profile of `entry`, which may change `needs`.
pub(super) fn read(
    file: &str,
    entry: &Entry,
    needs: &BTreeMap<String, Need>,
    mistakes: &mut Mistakes,
) -> Profile {
    let mut fields = Fields::new(file, &entry.value, "a profile", mistakes);
    fields.refuse_unknown_keys(&KEYS);
    let auth = fields.get("auth").and_then(|node| auth(&mut fields, node));
    let namespace = fields.get("namespace");
    let namespace = namespace.and_then(|node| credential(&mut fields, "namespace", node));
    let identity = fields.get("identity").map(|node| identity(&mut fields, node));
    let token = fields.get("token").map(|node| token(&mut fields, node));
    Profile {
        extends: fields.text("extends"),
        auth,
        attach: attach(&mut fields),
        namespace,
        identity,
        token,
        job: fields.text_matching("job", validate::duration),
        allow_plaintext_loopback: fields.boolean("allow_plaintext_loopback"),
        needs: read::read_uses(&mut fields),
        overrides: read::read_overrides(&mut fields, needs),
        pos: entry.pos(),
    }
}

fn attach(fields: &mut Fields<'_, '_>) -> Option<Vec<(String, Pos)>> {
    fields.get("attach")?;
    let mut attached = Vec::new();
    for node in fields.items_of("attach") {
        match node.text() {
            Some(name) => attached.push((name.to_owned(), node.start)),
            None => fields.add_wrong_type("attach", "a list of names of policies", node),
        }
    }
    Some(attached)
}

fn auth(fields: &mut Fields<'_, '_>, node: &Node) -> Option<Auth> {
    let mut auth = Fields::new(fields.file, node, "`auth`", fields.mistakes);
    let methods: Vec<_> = METHODS.iter().map(|row| (row.0, row)).collect();
    auth.required_text("method");
    auth.get("method")?.text()?;
    let (_, method, wanted) = *auth.choice("method", &methods)?;
    let names = wanted.iter().map(|name| name.trim_end_matches('?'));
    let keys: Vec<_> = ["method", "mount", "role"].into_iter().chain(names.clone()).collect();
    auth.refuse_unknown_keys(&keys);
    let mut credentials = BTreeMap::new();
    for name in names {
        match auth.get(name) {
            Some(node) => {
                let credential = credential(&mut auth, name, node);
                credentials.extend(credential.map(|credential| (name.to_owned(), credential)));
            }
            None if wanted.contains(&name) => {
                let message =
                    format!("auth method {} needs `{name}: {{env: NAME}}`", method.name());
                auth.add_mistake(Code::MissingKey, message, node.start);
            }
            None => {}
        }
    }
    Some(Auth {
        method,
        mount: auth.text_matching("mount", validate::path),
        role: auth.text_matching("role", validate::path),
        credentials,
        pos: node.start,
    })
}

/// Reads `{env: NAME}` or `{file: PATH}`. A plain text would be the credential itself.
fn credential(fields: &mut Fields<'_, '_>, key: &str, node: &Node) -> Option<RuntimeValue> {
    if node.entries().is_none() {
        let message = format!("`{key}` must name the source of the value, not the value");
        let finding = fields.finding(Code::ValueInManifest, message, node.start);
        fields.mistakes.push(finding.with_help(format!(
            "write `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`; if the file contained the value, \
             it may be in git: revoke it"
        )));
        return None;
    }
    let mut source = Fields::new(fields.file, node, "a credential", fields.mistakes);
    source.refuse_unknown_keys(&["env", "file", "wrapped"]);
    let wrapped = source.boolean("wrapped").unwrap_or(false);
    match (
        source.text_matching("env", validate::variable),
        source.text_matching("file", validate::file_path),
    ) {
        (Some(env), None) => Some(RuntimeValue::Env { env, wrapped }),
        (None, Some(file)) => Some(RuntimeValue::File { file, wrapped }),
        _ => {
            let message = format!("`{key}` is either `{{env: NAME}}` or `{{file: PATH}}`");
            source.add_mistake(Code::WrongType, message, node.start);
            None
        }
    }
}

fn identity(fields: &mut Fields<'_, '_>, node: &Node) -> Identity {
    let mut identity = Fields::new(fields.file, node, "`identity`", fields.mistakes);
    identity.refuse_unknown_keys(&["entity", "groups"]);
    if let Some(node) = identity.get("entity") {
        let mut entity = Fields::new(fields.file, node, "an entity", identity.mistakes);
        entity.refuse_unknown_keys(&["id", "name", "metadata", "aliases"]);
        for entry in entity.entries_of("aliases", "`aliases`") {
            let mut alias = Fields::new(fields.file, &entry.value, "an alias", entity.mistakes);
            alias.refuse_unknown_keys(&["id", "name", "metadata", "custom_metadata"]);
        }
    }
    for node in identity.items_of("groups") {
        let mut group = Fields::new(fields.file, node, "a group", identity.mistakes);
        group.refuse_unknown_keys(&["id", "name", "namespace", "metadata"]);
    }
    let mut read = Identity::read(node);
    for group in read.groups.iter_mut().filter(|group| group.namespace.is_empty()) {
        "root".clone_into(&mut group.namespace);
    }
    read
}

fn token(fields: &mut Fields<'_, '_>, node: &Node) -> TokenRules {
    let mut token = Fields::new(fields.file, node, "`token`", fields.mistakes);
    token.refuse_unknown_keys(&["ttl_min", "forbid"]);
    let mut forbid = Vec::new();
    for node in token.items_of("forbid") {
        match node.text() {
            Some("root") => forbid.push(ForbiddenToken::Root),
            Some("non_expiring") => forbid.push(ForbiddenToken::NonExpiring),
            _ => {
                let message = "`forbid` accepts `root` and `non_expiring`".to_owned();
                token.add_mistake(Code::UnknownValue, message, node.start);
            }
        }
    }
    TokenRules { ttl_min: token.text_matching("ttl_min", validate::duration), forbid }
}
