//! Sends requests to a server with an operator's token or another one.

use reqwest::{Certificate, Client, Identity, Method, redirect};
use serde_json::Value;

use crate::blocking;

/// A Vault API client: a token, a namespace, a client certificate. Its requests block, and work in
/// plain and in async tests.
#[derive(Debug, Clone)]
pub struct VaultClient {
    http: Client,
    url: String,
    token: Option<String>,
    namespace: String,
}

impl VaultClient {
    /// Creates a client without a token. `ca` is the only trusted certificate; `identity` is the
    /// client certificate and key, as PEM.
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

    /// Returns the token that it sends. A [`TestServer`](super::TestServer) sends the root token.
    pub fn current_token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Returns a client with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Returns a client for a namespace in the current one, such as `team`.
    #[must_use]
    pub fn in_namespace(&self, name: &str) -> Self {
        let above = Some(self.namespace.as_str()).filter(|above| !above.is_empty());
        let namespace = above.into_iter().chain([name]).collect::<Vec<_>>().join("/");
        Self { namespace, ..self.clone() }
    }

    /// Sends a request. Returns the status and the JSON, null without a JSON body. The path is the
    /// part after `/v1/` of the URL.
    ///
    /// # Panics
    /// Panics if the server can't be reached.
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

    /// Reads a path. Panics if the server returns an error, as do the following.
    pub fn get(&self, path: &str) -> Value {
        self.expect_success("GET", path, None)
    }

    /// Lists the names below a path.
    pub fn list(&self, path: &str) -> Value {
        self.expect_success("LIST", path, None)
    }

    /// Writes with POST.
    pub fn post(&self, path: &str, body: Value) -> Value {
        self.expect_success("POST", path, Some(body))
    }

    /// Writes with PUT, which some endpoints require.
    pub fn put(&self, path: &str, body: Value) -> Value {
        self.expect_success("PUT", path, Some(body))
    }

    /// Deletes a path.
    pub fn delete(&self, path: &str) -> Value {
        self.expect_success("DELETE", path, None)
    }

    fn expect_success(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.request(method, path, &[], body);
        assert!(matches!(status, 200..300), "{method} {path}: {status} {}", answer["errors"]);
        answer
    }
}
