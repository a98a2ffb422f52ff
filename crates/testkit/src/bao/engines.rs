//! Creates secrets engines, secrets, roles and namespaces.

use serde_json::{Value, json};

use super::client::VaultClient;
use super::server::{TestServer, eventually};

impl VaultClient {
    /// Enables a kv2 engine.
    pub fn kv2(&self, mount: &str) {
        self.post(&format!("sys/mounts/{mount}"), kv("2"));
        // A new mount refuses every request until it is ready.
        let config = format!("{mount}/config");
        assert!(
            eventually(|| self.request("GET", &config, &[], None).0 == 200),
            "{mount} isn't ready"
        );
    }

    /// Enables a kv1 engine.
    pub fn kv1(&self, mount: &str) {
        self.post(&format!("sys/mounts/{mount}"), kv("1"));
    }

    /// Writes a secret into a kv mount of any version.
    pub fn secret(&self, mount: &str, path: &str, fields: Value) {
        let about = self.get(&format!("sys/internal/ui/mounts/{mount}"));
        if about["data"]["options"]["version"] == "2" {
            self.post(&format!("{mount}/data/{path}"), json!({ "data": fields }));
        } else {
            self.post(&format!("{mount}/{path}"), fields);
        }
    }

    /// Enables a database engine without a database: it has roles, and can't issue a credential. Its
    /// password is a canary.
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

    /// Creates a role of a database engine. A TTL is such as `1h`, or `0` for the mount's.
    pub fn role(&self, mount: &str, name: &str, default_ttl: &str, max_ttl: &str) {
        let role = json!({
            "db_name": "none",
            "creation_statements": "CREATE ROLE \"{{name}}\";",
            "default_ttl": default_ttl,
            "max_ttl": max_ttl,
        });
        self.post(&format!("{mount}/roles/{name}"), role);
    }

    /// Writes an ACL policy.
    pub fn policy(&self, name: &str, hcl: &str) {
        self.put(&format!("sys/policies/acl/{name}"), json!({ "policy": hcl }));
    }

    /// Creates a namespace below the current one, and returns its client. Not every server
    /// [has namespaces](TestServer::has_namespaces).
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the namespace is created even if the client isn't used"
    )]
    pub fn namespace(&self, name: &str) -> VaultClient {
        self.post(&format!("sys/namespaces/{name}"), json!({}));
        self.in_namespace(name)
    }
}

fn kv(version: &str) -> Value {
    json!({ "type": "kv", "options": { "version": version } })
}
