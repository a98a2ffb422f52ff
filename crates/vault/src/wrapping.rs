//! A SecretID that comes wrapped: where it comes from is seen before it is unwrapped.

use serde::Deserialize;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::connection::Connection;
use crate::login::Login;
use crate::{Failure, Secret};

const NAME: &str = "secret_id";

/// A wrapping token whose content was seen to be a SecretID of the right role.
pub(crate) struct Origin {
    token: Secret,
}

impl Origin {
    /// The token to unwrap with.
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

/// The login with the SecretID that `token` wraps.
pub(crate) async fn unwrapped(
    connection: &Connection<'_>,
    login: Login,
    token: Secret,
    role: Option<&str>,
) -> Result<Login, Failure> {
    let seen = connection.send(&Ask::Wrapping(&token), None).await?;
    let found = usable(connection, seen)?.data::<Lookup>()?.creation_path;
    let found = connection.below_namespace(&found);
    if !fits(found, login.mount(), role) {
        let role = role.unwrap_or("ROLE");
        return Err(Failure::WrappedElsewhere {
            credential: NAME,
            found: found.to_owned(),
            wanted: format!("auth/{}/role/{role}/secret-id", login.mount()),
        });
    }
    let origin = Origin { token };
    let given = connection.send(&Ask::SecretId(&origin), None).await?;
    let unwrapped: Unwrapped = usable(connection, given)?.data()?;
    Ok(login.with_secret_id(unwrapped.secret_id))
}

/// Servers call a token that was used or has expired a bad request, or a forbidden one.
fn usable(connection: &Connection<'_>, answer: Answer) -> Result<Answer, Failure> {
    match answer.status {
        200 => Ok(answer),
        400 | 403 | 404 => {
            connection.refuse_namespace(&answer)?;
            Err(Failure::WrappedUsed { credential: NAME })
        }
        _ => Err(answer.unexpected_status()),
    }
}

/// Whether `path` is where SecretIDs of `role` (of any role without one) are made.
fn fits(path: &str, mount: &str, role: Option<&str>) -> bool {
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
    fn only_the_place_where_the_roles_secret_ids_are_made_fits() {
        assert!(fits("auth/approle/role/ml/secret-id", "approle", Some("ml")));
        assert!(fits("auth/a/b/role/ml/secret-id", "a/b", None));
        for (path, role) in [
            ("auth/approle/role/other/secret-id", Some("ml")),
            ("auth/approle/role/ml/secret-id-accessor", Some("ml")),
            ("auth/approle2/role/ml/secret-id", Some("ml")),
            ("auth/approle/role/a/b/secret-id", None),
            ("secret/data/auth/approle/role/ml/secret-id", None),
            ("cubbyhole/response", None),
        ] {
            assert!(!fits(path, "approle", role), "{path}");
        }
    }
}
