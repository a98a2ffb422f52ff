//! Creates tokens, and enables auth methods. Each method is mounted at its name.

use std::path::Path;

use serde_json::{Value, json};

use super::client::VaultClient;

impl VaultClient {
    /// Creates a token with these policies and, unless the options of `auth/token/create` contain
    /// `no_default_policy`, `default`.
    pub fn token(&self, policies: &[&str], options: Value) -> String {
        let request = with(json!({ "policies": policies }), options);
        text(&self.post("auth/token/create", request)["auth"]["client_token"])
    }

    /// Creates an AppRole with further options. Returns its role id and a secret id.
    pub fn approle(&self, role: &str, policies: &[&str], options: Value) -> (String, String) {
        self.enable_auth("approle", "approle");
        let path = format!("auth/approle/role/{role}");
        self.post(&path, with(json!({ "token_policies": policies }), options));
        let role_id = text(&self.get(&format!("{path}/role-id"))["data"]["role_id"]);
        (role_id, self.secret_id(role))
    }

    /// Creates another secret id of an AppRole.
    pub fn secret_id(&self, role: &str) -> String {
        let path = format!("auth/approle/role/{role}/secret-id");
        text(&self.post(&path, json!({}))["data"]["secret_id"])
    }

    /// Creates another secret id of an AppRole, wrapped for a TTL such as `120s`. Returns the wrapping
    /// token.
    pub fn wrapped_secret_id(&self, role: &str, ttl: &str) -> String {
        self.wrapped("POST", &format!("auth/approle/role/{role}/secret-id"), json!({}), ttl)
    }

    /// Sends any request, and wraps the answer for a TTL. Returns the wrapping token.
    pub fn wrapped(&self, method: &str, path: &str, body: Value, ttl: &str) -> String {
        let (status, answer) = self.request(method, path, &[("X-Vault-Wrap-TTL", ttl)], body);
        assert_eq!(status, 200, "{method} {path}: {}", answer["errors"]);
        text(&answer["wrap_info"]["token"])
    }

    /// Creates a user with a password.
    pub fn userpass(&self, user: &str, password: &str, policies: &[&str]) {
        self.enable_auth("userpass", "userpass");
        let request = json!({ "password": password, "token_policies": policies });
        self.post(&format!("auth/userpass/users/{user}"), request);
    }

    /// Enables the `cert` method for clients whose certificate this file signed or is: an authority's
    /// certificate, or a client's. The server must use TLS.
    pub fn cert(&self, name: &str, certificate: &Path, policies: &[&str]) {
        self.enable_auth("cert", "cert");
        let pem = fs_err::read_to_string(certificate).expect("the file can be read");
        let request = json!({ "certificate": pem, "token_policies": policies });
        self.post(&format!("auth/cert/certs/{name}"), request);
    }

    /// Enables an auth method at a mount, unless it is enabled.
    pub fn enable_auth(&self, mount: &str, method: &str) {
        if self.get("sys/auth")["data"].get(format!("{mount}/")).is_none() {
            self.post(&format!("sys/auth/{mount}"), json!({ "type": method }));
        }
    }
}

/// Merges the members of both objects.
pub(super) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("the answer has it").to_owned()
}
