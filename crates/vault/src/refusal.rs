//! Why a login was refused, as far as the server's words tell.
//!
//! The texts are those of OpenBao 2.4 and Vault 1.21, in `builtin/credential/*` and
//! `vault/request_handling.go`.

/// A refused login.
pub(crate) struct Refusal<'a> {
    pub(crate) method: &'a str,
    /// The path of the login, such as `auth/jwt/login`.
    pub(crate) path: &'a str,
    pub(crate) role: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) messages: &'a [String],
    /// The server's program: `vault` or `bao`.
    pub(crate) program: &'a str,
}

/// The cause in one sentence, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) note: String,
    pub(crate) help: String,
}

impl Refusal<'_> {
    /// The cause. `None` if the server's words don't tell it.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let text = self.messages.join("\n").to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let role = self.read_role();
        let cause = |note: &str, help: String| Some(Cause { note: note.to_owned(), help });
        if has(&["cidr", "source address"]) {
            return cause(
                "the address of this machine isn't among those that the role or the credential allows",
                format!("compare it with the `bound_cidrs` of the role: {role}"),
            );
        }
        if has(&["missing client token", "no handler for route", "unsupported path"]) {
            let mount = self.mount();
            return cause(
                &format!("no auth method is mounted at {mount}"),
                format!("correct `mount:` in `auth:`; `{} auth list` has the mounts", self.program),
            );
        }
        match self.method {
            "jwt" => self.jwt(&text, &role),
            "kubernetes" if self.status == 403 && has(&["permission denied"]) => cause(
                "the service account, its Kubernetes namespace or the audience isn't the role's, or \
                 the server can't review tokens",
                format!("compare them with the `bound_*` keys of the role: {role}"),
            ),
            "approle" if has(&["invalid role", "invalid secret"]) => cause(
                "the RoleID is wrong, or the SecretID is wrong, has expired or is used up; the \
                 server doesn't tell which",
                "create a new SecretID, and check that it belongs to the RoleID".to_owned(),
            ),
            "approle" | "userpass" | "ldap"
                if self.status == 403 && has(&["permission denied"]) =>
            {
                cause(
                    "after several wrong passwords or SecretIDs a server locks the login out, for 15 \
                 minutes by default, and then refuses the right one too; an address outside of \
                 `token_bound_cidrs` has the same answer",
                    format!(
                        "wait, or let an operator unlock it: `{} write -f sys/locked-users/ACCESSOR/unlock/NAME`",
                        self.program
                    ),
                )
            }
            "userpass" | "ldap" if has(&["invalid username", "ldap operation failed"]) => cause(
                "the user doesn't exist, or the password is wrong; several wrong ones lock the user \
                 out",
                "check the sources of `username` and `password`".to_owned(),
            ),
            "cert" => cause(
                "the server doesn't accept the client certificate, for this name or at all",
                format!(
                    "compare it with the `certificate` and the `allowed_*` keys of the role: {role}"
                ),
            ),
            _ if has(&["could not be found", "invalid role name"]) => self.no_role(),
            _ => None,
        }
    }

    fn jwt(&self, text: &str, role: &str) -> Option<Cause> {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let cause = |note: String, help: String| Some(Cause { note, help });
        if has(&["audience"]) {
            return cause(
                "the token's audience isn't one that the role binds".to_owned(),
                format!("request the token for one of its `bound_audiences`: {role}"),
            );
        }
        if has(&["expired", "expiration time"]) {
            return cause(
                "the JWT has expired".to_owned(),
                "request it just before the check, and compare the clocks".to_owned(),
            );
        }
        if has(&["(nbf)", "(iat)"]) {
            return cause(
                "the JWT isn't valid yet for the server's clock".to_owned(),
                "compare the clocks of this machine, the CI service and the server".to_owned(),
            );
        }
        if has(&["claim"]) {
            let claim = text.split('"').nth(1).filter(|name| is_claim(name));
            let which = claim.map_or_else(String::new, |claim| format!(" `{claim}`"));
            return cause(
                format!("the token's claim{which} isn't what the role binds"),
                format!("compare the job with the `bound_claims` of the role: {role}"),
            );
        }
        if has(&["signature", "no known key"]) {
            return cause(
                "the JWT is signed by another issuer than the one that the mount trusts".to_owned(),
                format!("compare the issuer: `{} read {}/config`", self.program, self.mount()),
            );
        }
        if has(&["could not be found"]) { self.no_role() } else { None }
    }

    fn no_role(&self) -> Option<Cause> {
        let (role, mount) = (self.role.unwrap_or("of the login"), self.mount());
        Some(Cause {
            note: format!("the mount {mount} has no role {role}"),
            help: format!(
                "correct `role:` or `mount:` in `auth:`; `{} list {mount}/role` has the roles",
                self.program
            ),
        })
    }

    fn mount(&self) -> &str {
        self.path.split("/login").next().unwrap_or(self.path)
    }

    fn read_role(&self) -> String {
        format!("`{} read {}/role/{}`", self.program, self.mount(), self.role.unwrap_or("ROLE"))
    }
}

/// Whether a text from a server is the name of a claim.
fn is_claim(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    !text.is_empty() && text.len() <= 80 && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(method: &str, status: u16, message: &str) -> Option<String> {
        let messages = [message.to_owned()];
        let refusal = Refusal {
            method,
            path: &format!("auth/{method}-ci/login"),
            role: Some("ml"),
            status,
            messages: &messages,
            program: "bao",
        };
        refusal.cause().map(|cause| format!("{}; {}", cause.note, cause.help))
    }

    #[test]
    fn the_words_of_a_server_tell_the_cause() {
        for (method, status, message, expected) in [
            (
                "jwt",
                400,
                "error validating token: invalid audience (aud) claim: audience claim does not match any expected audience",
                "`bound_audiences`: `bao read auth/jwt-ci/role/ml`",
            ),
            (
                "jwt",
                400,
                "audience claim found in JWT but no audiences bound to the role",
                "audience",
            ),
            (
                "jwt",
                400,
                "error validating claims: claim \"repository\" does not match any associated bound claim values",
                "claim `repository`",
            ),
            ("jwt", 400, "error validating claims: claim \"ref\" is missing", "claim `ref`"),
            (
                "jwt",
                400,
                "error validating token: invalid expiration time (exp) claim: token is expired",
                "has expired",
            ),
            (
                "jwt",
                400,
                "error validating token: error verifying token signature: no known key successfully validated the token signature",
                "`bao read auth/jwt-ci/config`",
            ),
            (
                "jwt",
                400,
                "error validating token: invalid not before (nbf) claim: token not yet valid",
                "compare the clocks",
            ),
            ("jwt", 400, "role \"ml\" could not be found", "has no role ml"),
            ("kubernetes", 403, "permission denied", "service account"),
            ("kubernetes", 400, "invalid role name \"ml\"", "has no role ml"),
            ("approle", 400, "invalid role or secret ID", "has expired or is used up"),
            (
                "approle",
                400,
                "source address \"10.0.0.1:1\" unauthorized through CIDR restrictions on the secret ID",
                "address of this machine",
            ),
            ("approle", 403, "permission denied", "locks the login out"),
            ("userpass", 400, "invalid username or password", "the password is wrong"),
            ("userpass", 403, "permission denied", "`bao write -f sys/locked-users"),
            ("ldap", 400, "ldap operation failed: failed to bind as user", "the password is wrong"),
            (
                "cert",
                400,
                "invalid certificate or no client certificate supplied",
                "client certificate",
            ),
            ("jwt", 400, "missing client token", "no auth method is mounted at auth/jwt-ci"),
        ] {
            let found = cause(method, status, message).unwrap_or_default();
            assert!(found.contains(expected), "{method} {message}: {found}");
        }
    }

    #[test]
    fn without_known_words_no_cause_is_guessed() {
        for (method, status, message) in [
            ("jwt", 400, "something else"),
            ("userpass", 400, ""),
            ("userpass", 403, "(an HTML page, probably of a proxy)"),
            ("aws-iam", 400, "no"),
        ] {
            assert_eq!(cause(method, status, message), None, "{method} {message}");
        }
        let hostile = cause("jwt", 400, "claim \"a b`; rm\" is missing").unwrap();
        assert!(!hostile.contains("rm"), "{hostile}");
    }
}
