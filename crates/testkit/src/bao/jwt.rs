//! An issuer of JWTs with its own keys, such as a CI service.

use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::client::VaultClient;
use super::logins::with;

/// Signs tokens as a CI service does: ES256, valid for an hour, for one audience.
#[derive(Debug)]
pub struct JwtIssuer {
    key: EcdsaKeyPair,
    public: String,
}

impl JwtIssuer {
    /// The `aud` that a role requires.
    pub const AUDIENCE: &'static str = "https://bao.envlock.test";

    /// The `iss` that a mount requires.
    pub const ISSUER: &'static str = "https://ci.envlock.test";

    /// Creates an issuer that no server knows.
    pub fn new() -> Self {
        let pair = KeyPair::generate().expect("a key can be made");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.serialized_der())
            .expect("it is a key of this kind");
        Self { key, public: pair.public_key_pem() }
    }

    /// Signs a token with these claims, which add to or replace `iss`, `aud`, `sub`, `iat`, `nbf` and
    /// `exp`.
    pub fn token(&self, claims: Value) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.expect("it is after 1970").as_secs();
        let usual = json!({
            "iss": Self::ISSUER,
            "aud": Self::AUDIENCE,
            "sub": "repo:envlock/demo:ref:refs/heads/main",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        });
        let part = |json: &Value| BASE64.encode(json.to_string());
        let header = part(&json!({ "alg": "ES256", "typ": "JWT" }));
        let signed = format!("{header}.{}", part(&with(usual, claims)));
        let random = SystemRandom::new();
        let signature = self.key.sign(&random, signed.as_bytes()).expect("a key can sign");
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

impl Default for JwtIssuer {
    fn default() -> Self {
        Self::new()
    }
}

impl VaultClient {
    /// Enables a `jwt` method that trusts only the keys of a new issuer, and creates a role for its
    /// audience.
    pub fn jwt(&self, mount: &str, role: &str, policies: &[&str]) -> JwtIssuer {
        let issuer = JwtIssuer::new();
        self.enable_auth(mount, "jwt");
        let config = json!({
            "jwt_validation_pubkeys": [issuer.public],
            "bound_issuer": JwtIssuer::ISSUER,
        });
        self.post(&format!("auth/{mount}/config"), config);
        let role_is = json!({
            "role_type": "jwt",
            "bound_audiences": [JwtIssuer::AUDIENCE],
            "user_claim": "sub",
            "token_policies": policies,
        });
        self.post(&format!("auth/{mount}/role/{role}"), role_is);
        issuer
    }
}
