//! Secrets engines, secrets, roles and namespaces in a line each.

use serde_json::{Value, json};

use super::client::VaultClient;
use super::server::{TestServer, eventually};

impl VaultClient {
    /// A kv engine that keeps versions.
    pub fn kv2(&self, mount: &str) {
        self.post(&format!("sys/mounts/{mount}"), kv("2"));
        // A new mount refuses everything until it has prepared itself.
        let config = format!("{mount}/config");
        assert!(
            eventually(|| self.request("GET", &config, &[], None).0 == 200),
            "{mount} isn't ready"
        );
    }

    /// A kv engine without versions.
    pub fn kv1(&self, mount: &str) {
        self.post(&format!("sys/mounts/{mount}"), kv("1"));
    }

    /// A secret in a kv mount, of whichever version that is.
    pub fn secret(&self, mount: &str, path: &str, fields: Value) {
        let about = self.get(&format!("sys/internal/ui/mounts/{mount}"));
        if about["data"]["options"]["version"] == "2" {
            self.post(&format!("{mount}/data/{path}"), json!({ "data": fields }));
        } else {
            self.post(&format!("{mount}/{path}"), fields);
        }
    }

    /// A database engine. There is no database behind it, so that it has roles and can't
    /// issue a credential; the password that it would use is a canary.
    pub fn database(&self, mount: &str) {
        self.post(&format!("sys/mounts/{mount}"), json!({ "type": "database" }));
        let connection = json!({
            "plugin_name": "postgresql-database-plugin",
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/none",
            "username": "envlock",
            "password": TestServer::canary("database"),
            "verify_connection": false,
            "allowed_roles": "*",
        });
        self.post(&format!("{mount}/config/none"), connection);
    }

    /// A role of a database engine. The times are as `1h`, or `0` for the mount's own.
    pub fn role(&self, mount: &str, name: &str, default_ttl: &str, max_ttl: &str) {
        let role = json!({
            "db_name": "none",
            "creation_statements": "CREATE ROLE \"{{name}}\";",
            "default_ttl": default_ttl,
            "max_ttl": max_ttl,
        });
        self.post(&format!("{mount}/roles/{name}"), role);
    }

    /// An ACL policy.
    pub fn policy(&self, name: &str, hcl: &str) {
        self.put(&format!("sys/policies/acl/{name}"), json!({ "policy": hcl }));
    }

    /// A new namespace below the present one, and whoever asks in it. Not every server
    /// [has them](TestServer::has_namespaces).
    #[expect(clippy::return_self_not_must_use, reason = "it is made even so")]
    pub fn namespace(&self, name: &str) -> VaultClient {
        self.post(&format!("sys/namespaces/{name}"), json!({}));
        self.in_namespace(name)
    }
}

fn kv(version: &str) -> Value {
    json!({ "type": "kv", "options": { "version": version } })
}
