//! Requests to a server with an operator's rights, or with anybody else's.

use reqwest::{Certificate, Client, Identity, Method, redirect};
use serde_json::Value;

use crate::blocking;

/// Who asks a server: a token, a namespace, a client certificate. The requests block; they may
/// be made in a plain test and in an async one.
#[derive(Debug, Clone)]
pub struct VaultClient {
    http: Client,
    url: String,
    token: Option<String>,
    namespace: String,
}

impl VaultClient {
    /// Somebody without a token. `ca` is all that is trusted, and `identity` the certificate
    /// and key to show, as PEM.
    pub(crate) fn new(url: String, ca: Option<&str>, identity: Option<&str>) -> Self {
        let trusted = ca.map(|pem| Certificate::from_pem(pem.as_bytes()).expect("it is our CA"));
        let mut builder =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).tls_certs_only(trusted);
        if let Some(pem) = identity {
            let identity = Identity::from_pem(pem.as_bytes()).expect("it is our certificate");
            builder = builder.identity(identity);
        }
        let http = builder.build().expect("a client can be made");
        Self { http, url, token: None, namespace: String::new() }
    }

    /// `http://127.0.0.1:PORT`, or `https`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token that it sends: of a [`TestServer`](super::TestServer) itself, the root token.
    pub fn current_token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same in a namespace below the present one, as `team`.
    #[must_use]
    pub fn in_namespace(&self, name: &str) -> Self {
        let above = Some(self.namespace.as_str()).filter(|above| !above.is_empty());
        let namespace = above.into_iter().chain([name]).collect::<Vec<_>>().join("/");
        Self { namespace, ..self.clone() }
    }

    /// What the server answers: the status and the JSON, null where the body is none. The path
    /// is what follows `/v1/` in an address.
    ///
    /// # Panics
    /// Where the server can't be asked.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Option<Value>>,
    ) -> (u16, Value) {
        let answer = self.try_request(method, path, headers, body.into());
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    pub(crate) fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let method = Method::from_bytes(method.as_bytes()).expect("it is a method's name");
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token);
        }
        if !self.namespace.is_empty() {
            request = request.header("X-Vault-Namespace", &self.namespace);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        blocking::block_on(async move {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let body = response.bytes().await?;
            Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
        })
    }

    /// Reads; a panic with what the server said where it refuses, as of the following.
    pub fn get(&self, path: &str) -> Value {
        self.expect_success("GET", path, None)
    }

    /// Lists what is below a path.
    pub fn list(&self, path: &str) -> Value {
        self.expect_success("LIST", path, None)
    }

    /// Writes.
    pub fn post(&self, path: &str, body: Value) -> Value {
        self.expect_success("POST", path, Some(body))
    }

    /// Writes as well; some endpoints want it so.
    pub fn put(&self, path: &str, body: Value) -> Value {
        self.expect_success("PUT", path, Some(body))
    }

    /// Deletes.
    pub fn delete(&self, path: &str) -> Value {
        self.expect_success("DELETE", path, None)
    }

    fn expect_success(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.request(method, path, &[], body);
        assert!(matches!(status, 200..300), "{method} {path}: {status} {}", answer["errors"]);
        answer
    }
}
