//! The logins: the path and the fields of each auth method.

mod aws;

use envlock_secrets::manifest::{Auth, AuthMethod, RuntimeValue};

use crate::credential::{CredentialError, CredentialSources};
use crate::secret::object;
use crate::{ClientIdentity, CredentialFault, ProbeError, Secret};

/// A login, ready to be sent. It contains credentials, so it can't be printed.
pub(crate) struct Login {
    method: AuthMethod,
    mount: String,
    role: Option<String>,
    user: Option<String>,
    fields: Vec<(&'static str, Secret)>,
}

/// How the token is obtained.
pub(crate) enum TokenSource {
    /// The user supplied it.
    Given(Secret),
    /// By a login.
    Login(Login),
    /// By a login whose SecretID must be unwrapped first.
    WrappedLogin {
        /// The login without its SecretID.
        login: Login,
        /// The wrapping token.
        token: Secret,
        /// The role that the SecretID must belong to.
        role: Option<String>,
    },
}

impl Login {
    fn new(auth: &Auth, fields: Vec<(&'static str, Secret)>) -> Self {
        let mount = auth.mount.clone().unwrap_or_else(|| default_mount(auth.method).to_owned());
        Self { method: auth.method, mount, role: auth.role.clone(), user: None, fields }
    }

    /// The method's name.
    pub(crate) fn method(&self) -> &'static str {
        self.method.name()
    }

    /// The role, for messages.
    pub(crate) fn role(&self) -> Option<String> {
        self.role.clone()
    }

    /// The mount of the auth method.
    pub(crate) fn mount(&self) -> &str {
        &self.mount
    }

    /// The path below `/v1/`.
    pub(crate) fn path(&self) -> String {
        match &self.user {
            Some(user) => format!("auth/{}/login/{user}", self.mount),
            None => format!("auth/{}/login", self.mount),
        }
    }

    /// The body of the request.
    pub(crate) fn body(&self) -> Vec<u8> {
        let fields: Vec<_> = self.fields.iter().map(|(name, secret)| (*name, secret)).collect();
        object(&fields)
    }

    /// Whether the credential may be usable only once: a SecretID often is.
    pub(crate) fn is_single_use(&self) -> bool {
        self.fields.iter().any(|(name, _)| *name == "secret_id")
    }

    /// The secrets in the login, which are removed from error messages.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        let hidden = self.fields.iter().filter(|(name, _)| !matches!(*name, "role" | "name"));
        hidden.map(|(_, secret)| secret).collect()
    }

    /// Adds an unwrapped SecretID.
    pub(crate) fn with_secret_id(mut self, secret_id: Secret) -> Self {
        self.fields.push(("secret_id", secret_id));
        self
    }
}

/// The default mount of a method.
fn default_mount(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::AwsIam => "aws",
        other => other.name(),
    }
}

/// Reads the credentials of `auth` of the profile `profile`, and makes the login.
pub(crate) fn token_source(
    profile: &str,
    auth: Option<&Auth>,
    sources: CredentialSources<'_>,
    now: jiff::Timestamp,
) -> Result<TokenSource, ProbeError> {
    let no_auth = || ProbeError::from(CredentialError::NoAuth(profile.to_owned()));
    let auth = auth.ok_or_else(no_auth)?;
    refuse_wrapped(auth)?;
    let word = |name: &str| {
        auth.credentials
            .get(name)
            .map(|credential| sources.read_header_value(name, credential))
            .transpose()
    };
    let text = |name: &str| {
        auth.credentials.get(name).map(|credential| sources.read(name, credential)).transpose()
    };
    let mut fields = Vec::new();
    let mut push = |name: &'static str, secret: Option<Secret>| {
        fields.extend(secret.map(|secret| (name, secret)));
    };
    let role = auth.role.clone().map(Secret::new);
    let mut user = None;
    match auth.method {
        AuthMethod::Token => return word("token")?.map(TokenSource::Given).ok_or_else(no_auth),
        AuthMethod::Jwt | AuthMethod::Kubernetes => {
            push("role", role);
            push("jwt", word("jwt")?);
        }
        // The role_id selects the role; the manifest's role is for checking the origin of the wrapping.
        AuthMethod::Approle => {
            push("role_id", word("role_id")?);
            let secret_id = word("secret_id")?;
            match (auth.credentials.get("secret_id").is_some_and(is_wrapped), secret_id) {
                (true, Some(token)) => {
                    let role = auth.role.clone();
                    return Ok(TokenSource::WrappedLogin {
                        login: Login::new(auth, fields),
                        token,
                        role,
                    });
                }
                (_, secret_id) => push("secret_id", secret_id),
            }
        }
        AuthMethod::AwsIam => {
            push("role", role);
            for (name, secret) in
                aws::signed_request_fields(sources, word("server_id")?.as_ref(), now)?
            {
                push(name, Some(secret));
            }
        }
        // The client certificate of the connection is the credential.
        AuthMethod::Cert => push("name", role),
        AuthMethod::Userpass | AuthMethod::Ldap => {
            user = text("username")?.map(|name| name.reveal().to_owned());
            if user.as_ref().is_some_and(|user| user.contains('/') || user.contains("..")) {
                let (name, place) = ("username".to_owned(), "the profile".to_owned());
                let reason = CredentialFault::ChangesPath;
                return Err(CredentialError::Malformed { name, place, reason }.into());
            }
            push("password", text("password")?);
        }
    }
    Ok(TokenSource::Login(Login { user, ..Login::new(auth, fields) }))
}

/// Reads the client certificate of a profile with the method `cert`.
pub(crate) fn client_identity(
    auth: Option<&Auth>,
    sources: CredentialSources<'_>,
) -> Result<Option<ClientIdentity>, ProbeError> {
    let Some(auth) = auth.filter(|auth| auth.method == AuthMethod::Cert) else { return Ok(None) };
    let read = |name: &str| {
        auth.credentials.get(name).map(|credential| sources.read(name, credential)).transpose()
    };
    Ok(match (read("certificate")?, read("key")?) {
        (Some(certificate), Some(key)) => {
            Some(ClientIdentity { certificate: certificate.reveal().as_bytes().to_vec(), key })
        }
        _ => None,
    })
}

fn is_wrapped(credential: &RuntimeValue) -> bool {
    match credential {
        RuntimeValue::Env { wrapped, .. } | RuntimeValue::File { wrapped, .. } => *wrapped,
    }
}

/// Refuses a wrapped credential other than a SecretID, whose origin can be checked.
fn refuse_wrapped(auth: &Auth) -> Result<(), CredentialError> {
    let mut wrapped = auth.credentials.iter().filter(|(_, credential)| is_wrapped(credential));
    let other = wrapped
        .find(|(name, _)| auth.method != AuthMethod::Approle || name.as_str() != "secret_id");
    other.map_or(Ok(()), |(name, _)| {
        Err(CredentialError::Malformed {
            name: name.clone(),
            place: format!("auth method {}", auth.method.name()),
            reason: CredentialFault::NotWrappable,
        })
    })
}

#[cfg(test)]
mod tests {
    use envlock_secrets::manifest::{Manifest, ManifestLocation};

    use super::*;

    fn token_source_of(auth: &str) -> Result<TokenSource, ProbeError> {
        let text = format!("version: 1\nneeds: {{}}\nprofiles:\n  ci: {{auth: {auth}}}\n");
        let manifest = Manifest::parse("s.yml", &text, ManifestLocation::OwnFile).unwrap().unwrap();
        let profile = manifest.profile("ci").unwrap();
        let variable = |name: &str| match name {
            "EMPTY" => Some("  ".to_owned()),
            "TWO" => Some("a\nb".to_owned()),
            "USER" => Some("../sys".to_owned()),
            name => name.strip_prefix("X_").map(|rest| format!("{rest}\n")),
        };
        let sources = CredentialSources { variable: &variable, home: None };
        token_source("ci", profile.auth.as_ref(), sources, jiff::Timestamp::UNIX_EPOCH)
    }

    fn login_of(auth: &str) -> Login {
        match token_source_of(auth) {
            Ok(TokenSource::Login(login)) => login,
            Ok(_) => panic!("not a login: {auth}"),
            Err(failure) => panic!("{failure}"),
        }
    }

    fn sent(auth: &str) -> (String, String) {
        let login = login_of(auth);
        (login.path(), String::from_utf8(login.body()).unwrap())
    }

    #[test]
    fn each_method_sends_the_fields_of_its_endpoint() {
        let jwt = sent("{method: jwt, mount: jwt-ci, role: r, jwt: {env: X_j}}");
        assert_eq!(jwt, ("auth/jwt-ci/login".into(), r#"{"role":"r","jwt":"j"}"#.into()));
        let approle =
            sent("{method: approle, role_id: {env: X_a}, secret_id: {env: X_s}, role: named}");
        let body = r#"{"role_id":"a","secret_id":"s"}"#;
        assert_eq!(approle, ("auth/approle/login".into(), body.into()));
        let user = sent("{method: userpass, username: {env: X_me}, password: {env: X_p}}");
        assert_eq!(user, ("auth/userpass/login/me".into(), r#"{"password":"p"}"#.into()));
        let kubernetes = sent("{method: kubernetes, role: r, jwt: {env: X_k}}");
        assert_eq!(kubernetes.0, "auth/kubernetes/login");
    }

    #[test]
    fn a_missing_or_malformed_credential_is_named_and_not_shown() {
        for (auth, words) in [
            ("{method: jwt, jwt: {env: NONE}}", "isn't set"),
            ("{method: jwt, jwt: {env: EMPTY}}", "isn't set"),
            ("{method: token, token: {env: TWO}}", "line breaks"),
            ("{method: token, token: {file: /nowhere/密}}", "the file doesn't exist"),
            ("{method: token, token: {file: /dev/zero}}", "it isn't a regular file"),
            ("{method: userpass, username: {env: USER}, password: {env: X_p}}", "change the path"),
            ("{method: jwt, jwt: {env: X_w, wrapped: true}}", "only the secret_id"),
        ] {
            let Err(failure) = token_source_of(auth) else { panic!("{auth}") };
            assert!(failure.to_string().contains(words), "{auth}: {failure}");
        }
    }

    #[test]
    fn only_a_login_with_a_secret_id_is_single_use() {
        let once = |auth| login_of(auth).is_single_use();
        assert!(once("{method: approle, role_id: {env: X_a}, secret_id: {env: X_s}}"));
        assert!(!once("{method: approle, role_id: {env: X_a}}"));
        assert!(!once("{method: jwt, jwt: {env: X_j}}"));
    }
}
