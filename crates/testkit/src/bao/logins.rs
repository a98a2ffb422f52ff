//! Tokens, and ways to get one, in a line each. Each method is mounted under its own name.

use std::path::Path;

use serde_json::{Value, json};

use super::client::VaultClient;

impl VaultClient {
    /// A token with these policies and, unless `no_default_policy` is among the options of
    /// `auth/token/create`, `default`.
    pub fn token(&self, policies: &[&str], options: Value) -> String {
        let request = with(json!({ "policies": policies }), options);
        text(&self.post("auth/token/create", request)["auth"]["client_token"])
    }

    /// An AppRole with further options of its role: its id, and a secret id.
    pub fn approle(&self, role: &str, policies: &[&str], options: Value) -> (String, String) {
        self.enable_auth("approle", "approle");
        let path = format!("auth/approle/role/{role}");
        self.post(&path, with(json!({ "token_policies": policies }), options));
        let role_id = text(&self.get(&format!("{path}/role-id"))["data"]["role_id"]);
        (role_id, self.secret_id(role))
    }

    /// One more secret id of an AppRole.
    pub fn secret_id(&self, role: &str) -> String {
        let path = format!("auth/approle/role/{role}/secret-id");
        text(&self.post(&path, json!({}))["data"]["secret_id"])
    }

    /// One more secret id of an AppRole, wrapped for so long, as `120s`: the wrapping token.
    pub fn wrapped_secret_id(&self, role: &str, ttl: &str) -> String {
        self.wrapped("POST", &format!("auth/approle/role/{role}/secret-id"), json!({}), ttl)
    }

    /// The answer to any request, wrapped for so long: the wrapping token.
    pub fn wrapped(&self, method: &str, path: &str, body: Value, ttl: &str) -> String {
        let (status, answer) = self.request(method, path, &[("X-Vault-Wrap-TTL", ttl)], body);
        assert_eq!(status, 200, "{method} {path}: {}", answer["errors"]);
        text(&answer["wrap_info"]["token"])
    }

    /// A user with a password.
    pub fn userpass(&self, user: &str, password: &str, policies: &[&str]) {
        self.enable_auth("userpass", "userpass");
        let request = json!({ "password": password, "token_policies": policies });
        self.post(&format!("auth/userpass/users/{user}"), request);
    }

    /// Whoever shows a certificate that this one, a file, vouches for: an authority's, or a
    /// client's own. The server has TLS.
    pub fn cert(&self, name: &str, certificate: &Path, policies: &[&str]) {
        self.enable_auth("cert", "cert");
        let pem = fs_err::read_to_string(certificate).expect("the file can be read");
        let request = json!({ "certificate": pem, "token_policies": policies });
        self.post(&format!("auth/cert/certs/{name}"), request);
    }

    /// An auth method at a mount, where it isn't there yet.
    pub fn enable_auth(&self, mount: &str, method: &str) {
        if self.get("sys/auth")["data"].get(format!("{mount}/")).is_none() {
            self.post(&format!("sys/auth/{mount}"), json!({ "type": method }));
        }
    }
}

/// The members of both.
pub(super) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("the server gives it").to_owned()
}
