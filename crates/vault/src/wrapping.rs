//! Unwraps a SecretID after checking where it was created.

use serde::Deserialize;

use crate::answer::VaultResponse;
use crate::connection::Connection;
use crate::login::Login;
use crate::request::VaultRequest;
use crate::{ProbeError, Secret};

const NAME: &str = "secret_id";

/// A wrapping token that is known to contain a SecretID of the right role.
pub(crate) struct CheckedWrappingToken {
    token: Secret,
}

impl CheckedWrappingToken {
    /// The wrapping token.
    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }
}

#[derive(Deserialize)]
struct Lookup {
    creation_path: String,
}

#[derive(Deserialize)]
struct Unwrapped {
    secret_id: Secret,
}

/// Adds the SecretID that `token` wraps to the login.
pub(crate) async fn unwrap_secret_id(
    connection: &Connection<'_>,
    login: Login,
    token: Secret,
    role: Option<&str>,
) -> Result<Login, ProbeError> {
    let seen = connection.send(&VaultRequest::LookupWrapping(&token), None).await?;
    let found = check_status(connection, seen)?.data::<Lookup>()?.creation_path;
    let found = connection.without_namespace(&found);
    if !is_secret_id_path(found, login.mount(), role) {
        let role = role.unwrap_or("ROLE");
        return Err(ProbeError::WrappingTokenMismatch {
            credential: NAME,
            found: found.to_owned(),
            wanted: format!("auth/{}/role/{role}/secret-id", login.mount()),
        });
    }
    let origin = CheckedWrappingToken { token };
    let given = connection.send(&VaultRequest::UnwrapSecretId(&origin), None).await?;
    let unwrapped: Unwrapped = check_status(connection, given)?.data()?;
    Ok(login.with_secret_id(unwrapped.secret_id))
}

/// Checks the status. Servers answer 400, 403 or 404 for a token that was used or has expired.
fn check_status(
    connection: &Connection<'_>,
    answer: VaultResponse,
) -> Result<VaultResponse, ProbeError> {
    match answer.status {
        200 => Ok(answer),
        400 | 403 | 404 => {
            connection.refuse_namespace(&answer)?;
            Err(ProbeError::WrappingTokenUsed { credential: NAME })
        }
        _ => Err(answer.unexpected_status()),
    }
}

/// Whether `path` is the endpoint that creates SecretIDs of `role` (without one, of any role).
fn is_secret_id_path(path: &str, mount: &str, role: Option<&str>) -> bool {
    let made = path
        .strip_prefix("auth/")
        .and_then(|rest| rest.strip_prefix(mount))
        .and_then(|rest| rest.strip_prefix("/role/"))
        .and_then(|rest| rest.strip_suffix("/secret-id"));
    made.is_some_and(|made| !made.contains('/') && role.is_none_or(|role| role == made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_endpoint_that_creates_the_roles_secret_ids_is_accepted() {
        assert!(is_secret_id_path("auth/approle/role/ml/secret-id", "approle", Some("ml")));
        assert!(is_secret_id_path("auth/a/b/role/ml/secret-id", "a/b", None));
        for (path, role) in [
            ("auth/approle/role/other/secret-id", Some("ml")),
            ("auth/approle/role/ml/secret-id-accessor", Some("ml")),
            ("auth/approle2/role/ml/secret-id", Some("ml")),
            ("auth/approle/role/a/b/secret-id", None),
            ("secret/data/auth/approle/role/ml/secret-id", None),
            ("cubbyhole/response", None),
        ] {
            assert!(!is_secret_id_path(path, "approle", role), "{path}");
        }
    }
}
