//! A session: a token that is obtained, used, and revoked.

use envlock_report::{Code, Finding, Level};
use envlock_secrets::facts::{Token, program};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::answer::VaultResponse;
use crate::connection::Connection;
use crate::login::{Login, TokenSource};
use crate::request::VaultRequest;
use crate::{AnswerFault, NotRevoked, ProbeError, Secret, wrapping};

/// A token with its connection.
pub(crate) struct Session<'a> {
    connection: &'a Connection<'a>,
    token: Secret,
    accessor: Option<String>,
    /// The properties that the login returned; `None` for a token that the user supplied.
    pub(crate) granted: Option<Token>,
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Option<Granted>,
    #[serde(default)]
    wrap_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Granted {
    client_token: Secret,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    policies: Option<Vec<String>>,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    num_uses: u64,
    #[serde(default)]
    mfa_requirement: Option<IgnoredAny>,
}

impl<'a> Session<'a> {
    /// Obtains a token. `clock_ahead` is the difference of the server's clock, in seconds, for the
    /// error: logins often fail because of a wrong clock.
    pub(crate) async fn open(
        connection: &'a Connection<'a>,
        token_source: TokenSource,
        clock_ahead: Option<i64>,
    ) -> Result<Self, ProbeError> {
        let login = match token_source {
            TokenSource::Given(token) => {
                return Ok(Self { connection, token, accessor: None, granted: None });
            }
            TokenSource::Login(login) => login,
            TokenSource::WrappedLogin { login, token, role } => {
                wrapping::unwrap_secret_id(connection, login, token, role.as_deref()).await?
            }
        };
        let answer = connection.send(&VaultRequest::Login(&login), None).await?;
        connection.refuse_namespace(&answer)?;
        match answer.status {
            200 => {}
            400..=499 => return Err(refused(connection, &login, &answer, clock_ahead)),
            _ => return Err(answer.unexpected_status()),
        }
        let LoggedIn { auth: granted, wrap_info } = answer.read()?;
        if granted.is_none() && wrap_info.is_some() {
            return Err(answer.unreadable(AnswerFault::Wrapped));
        }
        let granted = granted.ok_or_else(|| answer.unreadable(AnswerFault::NoAuth))?;
        if granted.mfa_requirement.is_some() || granted.client_token.reveal().is_empty() {
            return Err(ProbeError::MfaRequired { method: login.method() });
        }
        if !granted.client_token.is_header_value() {
            return Err(answer.unreadable(AnswerFault::BadToken));
        }
        let expires = expiry(connection.settings().now, granted.lease_duration);
        let facts = Token {
            logged_in: true,
            policies: granted.policies.unwrap_or_default(),
            ttl: granted.lease_duration,
            expires,
            renewable: granted.renewable,
            period: 0,
            explicit_max_ttl: 0,
            mount_max_ttl: 0,
            uses_left: Some(granted.num_uses).filter(|uses| *uses > 0),
            batch: granted.token_type == "batch",
        };
        let accessor = Some(granted.accessor);
        Ok(Self { connection, token: granted.client_token, accessor, granted: Some(facts) })
    }

    /// Sends a request with the token.
    pub(crate) async fn send(
        &self,
        request: &VaultRequest<'_>,
    ) -> Result<VaultResponse, ProbeError> {
        let answer = self.connection.send(request, Some(&self.token)).await?;
        self.connection.refuse_namespace(&answer)?;
        Ok(answer)
    }

    /// Revokes the token if this run created it. Returns a finding if that fails.
    pub(crate) async fn revoke(self) -> Option<Finding> {
        let granted = self.granted.as_ref()?;
        if granted.batch {
            let message =
                format!("a batch token can't be revoked: this one expires in {} s", granted.ttl);
            return Some(Finding::new(Code::LogoutFailed, message).at_level(Level::Note));
        }
        let reason = match self.connection.send(&VaultRequest::Revoke, Some(&self.token)).await {
            Ok(answer) if matches!(answer.status, 200..=299) => return None,
            Ok(answer) => NotRevoked::Status(answer.status),
            Err(error) => NotRevoked::Error(error),
        };
        self.not_revoked(&reason)
    }

    /// The finding that the token stays valid; `None` for a token that the user supplied.
    pub(crate) fn not_revoked(&self, reason: &NotRevoked) -> Option<Finding> {
        let granted = self.granted.as_ref()?;
        let message = format!("the token of the login wasn't revoked: {reason}");
        let mut finding = Finding::new(Code::LogoutFailed, message)
            .with_note(format!("the token expires in {} s", granted.ttl));
        finding.help =
            self.accessor.as_ref().filter(|accessor| is_word(accessor)).map(|accessor| {
                let program = program(self.connection.product());
                format!("revoke it: `{program} token revoke -accessor {accessor}`")
            });
        Some(finding)
    }
}

/// Whether a text from a server is safe in a command that a user copies.
fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
}

fn refused(
    connection: &Connection<'_>,
    login: &Login,
    answer: &VaultResponse,
    clock_ahead: Option<i64>,
) -> ProbeError {
    ProbeError::LoginRefused {
        method: login.method(),
        path: login.path(),
        role: login.role(),
        status: answer.status,
        messages: answer.errors(&login.secrets()),
        clock: clock_ahead.filter(|seconds| seconds.abs() > 60),
        product: connection.product(),
    }
}

/// The time that is `seconds` after `now`; `None` for 0, which means that it never expires.
pub(crate) fn expiry(now: jiff::Timestamp, seconds: u64) -> Option<jiff::Timestamp> {
    let lives = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    now.checked_add(jiff::SignedDuration::from_secs(lives)).ok()
}
