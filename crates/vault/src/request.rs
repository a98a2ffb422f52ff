//! The closed list of requests to a server.
//!
//! The list proves that no secret is read: it has no request for a path that returns a value,
//! and nothing else in this crate can send one. Three types guard it. A kv2 request needs a
//! [`ConfirmedKv2`], which only the server's answer about the mount makes: on kv1 the same path
//! would be a secret. A role is read only with a [`ConfirmedDefinition`], below a mount that is
//! known to serve the [`Engine`]. And only a [`CheckedWrappingToken`], whose origin is known to be
//! a SecretID, is unwrapped; its answer and a login's are the only ones that contain a secret.
//!
//! vaultrs's requests are used if they contain no secret; the others are described here in the
//! same way. vaultrs's logins aren't used: they can be printed, with the password.

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

/// A request to the server. This list is complete, and none of them returns a secret value.
pub(crate) enum VaultRequest<'a> {
    /// The health of the server. Needs no token.
    Health,
    /// The seal status, for a server without a health endpoint. Needs no token.
    SealStatus,
    /// Logs in.
    Login(&'a Login),
    /// The origin of what a wrapping token wraps, without the content.
    LookupWrapping(&'a Secret),
    /// Unwraps a SecretID.
    UnwrapSecretId(&'a CheckedWrappingToken),
    /// The properties of the token.
    Token,
    /// The capabilities of the token on these paths.
    Capabilities(&'a [String]),
    /// The engine that serves a path.
    Mount(&'a str),
    /// The metadata of a secret: whether it exists, and its versions.
    Metadata(&'a ConfirmedKv2<'a>, &'a str),
    /// The names of a secret's fields.
    Fields(&'a ConfirmedKv2<'a>, &'a str),
    /// The names in a directory of kv1.
    ListNames(&'a ConfirmedKv1<'a>, &'a str),
    /// The definition of a role, a key or a set, never a credential that it issues.
    ReadDefinition(&'a ConfirmedDefinition<'a>),
    /// Revokes the token.
    Revoke,
}

/// A mount that the server reports as kv2.
pub(crate) struct ConfirmedKv2<'a>(&'a str);

/// A mount that the server reports as kv1.
pub(crate) struct ConfirmedKv1<'a>(&'a str);

/// A role, key or set below a mount that the server reports as the engine's.
pub(crate) struct ConfirmedDefinition<'a> {
    engine: Engine,
    mount: &'a str,
    name: &'a str,
}

impl<'a> ConfirmedKv2<'a> {
    /// Confirms `mount` if the server reports it as kv2.
    pub(crate) fn confirm(mount: &'a Mount) -> Option<Self> {
        mount.serves(Engine::Kv2).then_some(Self(&mount.path))
    }
}

impl<'a> ConfirmedKv1<'a> {
    /// Confirms `mount` if the server reports it as kv1.
    pub(crate) fn confirm(mount: &'a Mount) -> Option<Self> {
        mount.serves(Engine::Kv1).then_some(Self(&mount.path))
    }
}

impl<'a> ConfirmedDefinition<'a> {
    /// Confirms `name` of `engine` if the server reports the engine at `mount`. kv has no definitions:
    /// its paths are secrets. Nor have engines without a request that shows a secret's presence.
    pub(crate) fn confirm(engine: Engine, mount: &'a Mount, name: &'a str) -> Option<Self> {
        let stored = matches!(engine, Engine::Kv1 | Engine::Kv2);
        let defined = !engine.existence_requests(&mount.path, name).is_empty();
        let fits = !stored && defined && mount.serves(engine);
        fits.then_some(Self { engine, mount: &mount.path, name })
    }

    fn path(&self) -> String {
        let shown = self.engine.existence_requests(self.mount, self.name);
        shown.into_iter().next().map(|request| request.path).unwrap_or_default()
    }
}

impl VaultRequest<'_> {
    /// Whether the request may consume a credential, so that it can't be repeated if the answer is lost.
    pub(crate) fn is_single_use(&self) -> bool {
        match self {
            Self::Login(login) => login.is_single_use(),
            Self::UnwrapSecretId(_) => true,
            _ => false,
        }
    }

    /// The token of the request itself, which replaces the session's.
    pub(crate) fn wrapping_token(&self) -> Option<&Secret> {
        match self {
            Self::UnwrapSecretId(origin) => Some(origin.token()),
            _ => None,
        }
    }

    /// Whether the request needs a token.
    pub(crate) fn needs_token(&self) -> bool {
        !matches!(self, Self::Health | Self::SealStatus | Self::Login(_) | Self::LookupWrapping(_))
    }

    /// Whether the request is sent in the profile's namespace. The server's health has no namespace.
    pub(crate) fn is_in_namespace(&self) -> bool {
        !matches!(self, Self::Health | Self::SealStatus)
    }

    /// The path and method in vaultrs.
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

    /// The path below `/v1/`, for the request and for messages.
    pub(crate) fn display_path(&self) -> String {
        Endpoint::path(&self)
    }

    /// The secrets in the request, which are removed from error messages.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Login(login) => login.secrets(),
            Self::LookupWrapping(token) => vec![token],
            _ => Vec::new(),
        }
    }
}

// Implemented for a reference, because rustify consumes its requests, and a login can't be copied.
impl Endpoint for &VaultRequest<'_> {
    // The caller parses the answer, with types that ignore everything else.
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
            // vaultrs has a tab in front of this path.
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
        // A field is a key of the first level; deeper keys aren't needed.
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
    fn no_request_returns_a_secret_value() {
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
    fn definitions_are_read_and_never_the_credentials_that_they_issue() {
        const VALUES: [&str; 14] = [
            "creds/",
            "data/",
            "create",
            "oidc/token/",
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
                let none = [Engine::Kv1, Engine::Kv2, Engine::Cubbyhole, Engine::Token];
                assert!(none.contains(&engine));
                continue;
            };
            let path = VaultRequest::ReadDefinition(&defined).display_path();
            assert!(VALUES.iter().all(|value| !path.contains(value)), "{engine}: {path}");
            let signing = [envlock_policy::TransitOperation::Sign].into_iter().collect();
            assert!(engine.secret_requests("m", "r", &signing)[0].path != path, "{path}");
        }
    }

    #[test]
    fn a_path_that_is_a_secret_on_another_engine_is_not_requested() {
        let (kv1, kv2) = (mount("secret", "kv", Some(1)), mount("secret", "kv", Some(2)));
        assert!(ConfirmedKv2::confirm(&kv1).is_none() && ConfirmedKv1::confirm(&kv2).is_none());
        assert!(ConfirmedKv2::confirm(&mount("secret", "kv", None)).is_none());
        assert!(ConfirmedDefinition::confirm(Engine::Database, &kv1, "ro").is_none());
        assert!(ConfirmedDefinition::confirm(Engine::Kv1, &kv1, "ro").is_none());
    }
}
