//! The requests: all that can be asked of a server.
//!
//! The list is closed, and it is the proof that no secret is read: there is no request here
//! for a path that returns a value, and nothing else in this crate can send one. Three guards
//! go with it. A kv2 request needs a [`ConfirmedKv2`], which only a server's positive answer about the
//! mount makes: on kv1 the same path would be a secret. A role is asked for only below a
//! [`Engine`] that was seen at its mount. And what is unwrapped is a SecretID whose origin was
//! seen ([`CheckedWrappingToken`]), the one answer that holds a secret besides a login's own.
//!
//! They are vaultrs's requests where it has one without a secret in it; the others are
//! described here in the same way. vaultrs's logins aren't used: they can be printed, with
//! the password in them.

use envlock_policy::Engine;
use envlock_secrets::facts::Mount;
use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use serde::de::IgnoredAny;
use vaultrs::api::kv1::requests::ListSecretRequest;
use vaultrs::api::kv2::requests::ReadSecretMetadataRequest;
use vaultrs::api::sys::requests::{ReadHealthRequest, WrappingLookupRequest};
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use crate::Secret;
use crate::login::Login;
use crate::secret::object;
use crate::wrapping::CheckedWrappingToken;

/// One request.
pub(crate) enum VaultRequest<'a> {
    /// How the server is. Needs no token.
    Health,
    /// Whether it is sealed, of a server that doesn't know the first. Needs no token.
    SealStatus,
    /// Logs in.
    Login(&'a Login),
    /// What a wrapping token wraps: where from, and not what.
    LookupWrapping(&'a Secret),
    /// The SecretID behind a wrapping token.
    UnwrapSecretId(&'a CheckedWrappingToken),
    /// What the token is.
    Token,
    /// What the token may do at these paths.
    Capabilities(&'a [String]),
    /// Which engine serves a path.
    Mount(&'a str),
    /// Whether a secret is there, and its versions.
    Metadata(&'a ConfirmedKv2<'a>, &'a str),
    /// The names of a secret's fields.
    Fields(&'a ConfirmedKv2<'a>, &'a str),
    /// The names in a folder of kv1.
    ListNames(&'a ConfirmedKv1<'a>, &'a str),
    /// What is defined under a role, a key or a set: never what comes of it.
    ReadDefinition(&'a ConfirmedDefinition<'a>),
    /// Ends the token.
    Revoke,
}

/// A mount that was seen to be kv2.
pub(crate) struct ConfirmedKv2<'a>(&'a str);

/// A mount that was seen to be kv1.
pub(crate) struct ConfirmedKv1<'a>(&'a str);

/// A role, key or set of an engine that was seen at its mount.
pub(crate) struct ConfirmedDefinition<'a> {
    engine: Engine,
    mount: &'a str,
    name: &'a str,
}

impl<'a> ConfirmedKv2<'a> {
    /// `mount`, if the server says that it is kv2.
    pub(crate) fn confirm(mount: &'a Mount) -> Option<Self> {
        mount.serves(Engine::Kv2).then_some(Self(&mount.path))
    }
}

impl<'a> ConfirmedKv1<'a> {
    /// `mount`, if the server says that it is kv1.
    pub(crate) fn confirm(mount: &'a Mount) -> Option<Self> {
        mount.serves(Engine::Kv1).then_some(Self(&mount.path))
    }
}

impl<'a> ConfirmedDefinition<'a> {
    /// `name` of `engine`, if the server says that the engine is at `mount`. Of kv and
    /// cubbyhole nothing is defined anywhere: their paths are secrets.
    pub(crate) fn confirm(engine: Engine, mount: &'a Mount, name: &'a str) -> Option<Self> {
        let stored = matches!(engine, Engine::Kv1 | Engine::Kv2 | Engine::Cubbyhole);
        let fits = !stored && mount.serves(engine);
        fits.then_some(Self { engine, mount: &mount.path, name })
    }

    fn path(&self) -> String {
        let shown = self.engine.existence_requests(self.mount, self.name);
        shown.into_iter().next().map(|access| access.path).unwrap_or_default()
    }
}

impl VaultRequest<'_> {
    /// Whether a second try could find something used up by the first, whose answer was lost.
    pub(crate) fn is_single_use(&self) -> bool {
        match self {
            Self::Login(login) => login.is_single_use(),
            Self::UnwrapSecretId(_) => true,
            _ => false,
        }
    }

    /// The token that it goes with, whoever else has one.
    pub(crate) fn wrapping_token(&self) -> Option<&Secret> {
        match self {
            Self::UnwrapSecretId(origin) => Some(origin.token()),
            _ => None,
        }
    }

    /// Whether it is asked in the name of a token.
    pub(crate) fn needs_token(&self) -> bool {
        !matches!(self, Self::Health | Self::SealStatus | Self::Login(_) | Self::LookupWrapping(_))
    }

    /// Whether it is in the namespace of the profile: the server's health is everybody's.
    pub(crate) fn is_in_namespace(&self) -> bool {
        !matches!(self, Self::Health | Self::SealStatus)
    }

    /// What vaultrs knows of it.
    fn vaultrs_endpoint(&self) -> Option<(String, RequestMethod)> {
        fn of(endpoint: &impl Endpoint) -> (String, RequestMethod) {
            (endpoint.path(), endpoint.method())
        }
        Some(match self {
            Self::Health => of(&ReadHealthRequest::builder().build().ok()?),
            Self::LookupWrapping(_) => of(&WrappingLookupRequest::builder().build().ok()?),
            Self::Token => of(&LookupTokenSelfRequest::builder().build().ok()?),
            Self::Metadata(ConfirmedKv2(mount), path) => {
                of(&ReadSecretMetadataRequest::builder().mount(*mount).path(*path).build().ok()?)
            }
            Self::ListNames(ConfirmedKv1(mount), path) => {
                of(&ListSecretRequest::builder().mount(*mount).path(*path).build().ok()?)
            }
            _ => return None,
        })
    }

    /// The path below `/v1/`, as it is asked and told.
    pub(crate) fn display_path(&self) -> String {
        Endpoint::path(&self)
    }

    /// The secrets that are sent with it, so that they can be kept out of errors.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Login(login) => login.secrets(),
            Self::LookupWrapping(token) => vec![token],
            _ => Vec::new(),
        }
    }
}

// For a reference, because rustify takes its requests by value, and a login can't be copied.
impl Endpoint for &VaultRequest<'_> {
    // Answers are read by whoever asked, with types that pass over everything else.
    type Response = IgnoredAny;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        let path = match self {
            VaultRequest::SealStatus => "sys/seal-status".to_owned(),
            VaultRequest::Login(login) => login.path(),
            VaultRequest::UnwrapSecretId(_) => "sys/wrapping/unwrap".to_owned(),
            VaultRequest::Capabilities(_) => "sys/capabilities-self".to_owned(),
            VaultRequest::Mount(path) => format!("sys/internal/ui/mounts/{path}"),
            VaultRequest::Fields(ConfirmedKv2(mount), path) => format!("{mount}/subkeys/{path}"),
            VaultRequest::ReadDefinition(defined) => defined.path(),
            // vaultrs has it with a tab in front of its path.
            VaultRequest::Revoke => "auth/token/revoke-self".to_owned(),
            _ => self.vaultrs_endpoint().map(|(path, _)| path).unwrap_or_default(),
        };
        path.trim_start_matches('/').to_owned()
    }

    fn method(&self) -> RequestMethod {
        match self {
            VaultRequest::SealStatus
            | VaultRequest::Mount(_)
            | VaultRequest::Fields(..)
            | VaultRequest::ReadDefinition(_) => RequestMethod::GET,
            VaultRequest::Login(_)
            | VaultRequest::UnwrapSecretId(_)
            | VaultRequest::Capabilities(_)
            | VaultRequest::Revoke => RequestMethod::POST,
            _ => self.vaultrs_endpoint().map_or(RequestMethod::GET, |(_, method)| method),
        }
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        // Deeper keys are nobody's business: a field is a key of the first level.
        Ok(matches!(self, VaultRequest::Fields(..)).then(|| "depth=1".to_owned()))
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(match self {
            VaultRequest::Login(login) => Some(login.body()),
            VaultRequest::LookupWrapping(token) => Some(object(&[("token", token)])),
            VaultRequest::Capabilities(paths) => {
                Some(serde_json::json!({ "paths": paths }).to_string().into_bytes())
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(path: &str, kind: &str, kv_version: Option<u32>) -> Mount {
        let (path, kind) = (path.to_owned(), kind.to_owned());
        Mount { path, kind, kv_version, default_ttl: 0, max_ttl: 0 }
    }

    #[test]
    fn every_request_is_one_that_returns_no_value() {
        let (kv2, kv1) = (mount("secret", "kv", Some(2)), mount("old", "kv", Some(1)));
        let (kv2, kv1) =
            (ConfirmedKv2::confirm(&kv2).unwrap(), ConfirmedKv1::confirm(&kv1).unwrap());
        let token = Secret::new("t".to_owned());
        let paths = ["a".to_owned()];
        let requests = [
            (VaultRequest::Health, "GET sys/health"),
            (VaultRequest::SealStatus, "GET sys/seal-status"),
            (VaultRequest::LookupWrapping(&token), "POST sys/wrapping/lookup"),
            (VaultRequest::Token, "GET auth/token/lookup-self"),
            (VaultRequest::Capabilities(&paths), "POST sys/capabilities-self"),
            (VaultRequest::Mount("a/b"), "GET sys/internal/ui/mounts/a/b"),
            (VaultRequest::Metadata(&kv2, "ml/x"), "GET secret/metadata/ml/x"),
            (VaultRequest::Fields(&kv2, "ml/x"), "GET secret/subkeys/ml/x"),
            (VaultRequest::ListNames(&kv1, "ml/"), "LIST old/ml/"),
            (VaultRequest::Revoke, "POST auth/token/revoke-self"),
        ];
        for (request, wanted) in requests {
            let method: http::Method = (&request).method().into();
            assert_eq!(format!("{method} {}", request.display_path()), wanted);
        }
    }

    #[test]
    fn definitions_are_asked_for_and_never_what_comes_of_them() {
        const VALUES: [&str; 12] = [
            "creds/",
            "data/",
            "issue/",
            "sign/",
            "code/",
            "export/",
            "sts/",
            "check-out",
            "/token",
            "static-creds/",
            "static-cred/",
            "encrypt/",
        ];
        for engine in Engine::all() {
            let kind = Engine::mount_types(engine)[0];
            let version = match engine {
                Engine::Kv1 => Some(1),
                Engine::Kv2 => Some(2),
                _ => None,
            };
            let mount = mount("m", kind, version);
            let Some(defined) = ConfirmedDefinition::confirm(engine, &mount, "r") else {
                assert!(matches!(engine, Engine::Kv1 | Engine::Kv2 | Engine::Cubbyhole));
                continue;
            };
            let path = VaultRequest::ReadDefinition(&defined).display_path();
            assert!(VALUES.iter().all(|value| !path.contains(value)), "{engine}: {path}");
            let signing = [envlock_policy::TransitOperation::Sign].into_iter().collect();
            assert!(engine.secret_requests("m", "r", &signing)[0].path != path, "{path}");
        }
    }

    #[test]
    fn what_would_be_a_secret_on_another_engine_is_not_asked() {
        let (kv1, kv2) = (mount("secret", "kv", Some(1)), mount("secret", "kv", Some(2)));
        assert!(ConfirmedKv2::confirm(&kv1).is_none() && ConfirmedKv1::confirm(&kv2).is_none());
        assert!(ConfirmedKv2::confirm(&mount("secret", "kv", None)).is_none());
        assert!(ConfirmedDefinition::confirm(Engine::Database, &kv1, "ro").is_none());
        assert!(ConfirmedDefinition::confirm(Engine::Kv1, &kv1, "ro").is_none());
    }
}
