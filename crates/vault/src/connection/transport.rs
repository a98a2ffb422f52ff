//! The way to the server: rustify's client, with the traps of the usual one closed.
//!
//! No redirect is followed but one that has the same asked of the same server; certificates are
//! always checked; an answer has an end; headers come back with errors too, because
//! `Retry-After` is one.

use std::net::SocketAddr;
use std::str::FromStr as _;

use async_trait::async_trait;
use envlock_report::connection::root_cause;
use http::{Request, Response, Uri};
use percent_encoding::percent_decode_str;
use reqwest::header::LOCATION;
use reqwest::{Certificate, redirect};
use rustify::client::Client;
use rustify::errors::ClientError;
use url::Url;
use zeroize::Zeroizing;

use crate::{Address, ProbeError, Settings};

/// The most bytes of an answer: names and times take a few thousand.
const MAX_BYTES: usize = 1 << 20;

/// The connections to one server.
pub(super) struct Transport {
    http: reqwest::Client,
    address: Address,
    origin: String,
}

/// What an answer can't be.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnacceptableAnswer {
    /// It is a redirect to another place, which isn't asked: its origin, or what it is.
    #[error("it sends on to {0}")]
    Redirect(String),
    /// It has no end.
    #[error("it is longer than a megabyte")]
    TooLarge,
}

impl Transport {
    /// Opens no connection yet.
    pub(super) async fn new(settings: &Settings) -> Result<Self, ProbeError> {
        let mut address = settings.address.clone();
        let mut builder = reqwest::Client::builder()
            .user_agent(&settings.user_agent)
            .timeout(settings.timeout)
            .referer(false)
            .redirect(redirect::Policy::none());
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &settings.authorities {
            let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(ProbeError::InvalidAuthorities);
            }
            builder = builder.tls_certs_only(certificates);
        } else if !address.is_https() {
            // A machine without any trusted certificate can ask itself all the same.
            builder = builder.tls_certs_only([]);
        }
        if let Some(identity) = &settings.identity {
            let mut pem = Zeroizing::new(identity.certificate.clone());
            pem.push(b'\n');
            pem.extend_from_slice(identity.key.reveal().as_bytes());
            let identity =
                reqwest::Identity::from_pem(&pem).map_err(|_| ProbeError::InvalidClientIdentity)?;
            // Whether the two fit together shows only when a client is made of them.
            let alone = reqwest::Client::builder().tls_certs_only([]).identity(identity.clone());
            alone.build().map_err(|_| ProbeError::InvalidClientIdentity)?;
            builder = builder.identity(identity);
        }
        if let Some(name) = &settings.server_name {
            let (host, port) = settings.address.host();
            let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
            let found: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
            address = address.with_host(name)?;
            builder = builder.resolve_to_addrs(name, &found);
        }
        let http = builder.build().map_err(|error| ProbeError::Tls(root_cause(&error)))?;
        let origin = address.origin();
        Ok(Self { http, address, origin })
    }

    async fn send_once(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let failed = |source: reqwest::Error| ClientError::RequestError {
            source: source.without_url().into(),
            url: uri.path().to_owned(),
            method: method.to_string(),
        };
        let unacceptable =
            |source: UnacceptableAnswer| ClientError::ResponseError { source: source.into() };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.http.execute(request).await.map_err(failed)?;
        let mut whole = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            whole = whole.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(unacceptable(UnacceptableAnswer::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        whole.body(body).map_err(|error| ClientError::ResponseError { source: error.into() })
    }

    /// Where a redirect leads: to the same path of the same server, or an error. Another path
    /// could be a secret's, and it wouldn't be one of the requests that can be made.
    fn target(&self, answer: &Response<Vec<u8>>, from: &Uri) -> Result<Option<Uri>, ClientError> {
        let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location.filter(|_| is_redirect) else { return Ok(None) };
        let elsewhere = |place: String| ClientError::ResponseError {
            source: UnacceptableAnswer::Redirect(place).into(),
        };
        let target = self.address.resolve(from.path(), location);
        let Some(target) = target else { return Err(elsewhere("a place without a name".into())) };
        if !self.address.is_origin_of(&target) {
            return Err(elsewhere(shown(&target)));
        }
        let same_path = percent_decode_str(target.path()).eq(percent_decode_str(from.path()));
        if !same_path || target.query() != from.query() {
            return Err(elsewhere("another path of its own".into()));
        }
        Uri::from_str(target.as_str()).map(Some).map_err(|_| elsewhere(shown(&target)))
    }
}

/// A URL without what may be a credential in it.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[async_trait]
impl Client for Transport {
    fn base(&self) -> &str {
        &self.origin
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let (mut parts, body) = request.into_parts();
        // vaultrs puts `/v1` before the whole path, that of the address included.
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let whole = format!("{}{}{path}", self.origin, self.address.prefix());
        parts.uri =
            Uri::from_str(&whole).map_err(|source| ClientError::UrlBuildError { source })?;
        let mut again = Request::from_parts(parts.clone(), body.clone());
        let answer = self.send_once(Request::from_parts(parts, body)).await?;
        let Some(target) = self.target(&answer, again.uri())? else { return Ok(answer) };
        *again.uri_mut() = target;
        let from = again.uri().clone();
        let answer = self.send_once(again).await?;
        match self.target(&answer, &from)? {
            None => Ok(answer),
            Some(_) => Err(ClientError::ResponseError {
                source: UnacceptableAnswer::Redirect("one place after another".into()).into(),
            }),
        }
    }

    /// What isn't 200 is an answer, too, and its headers matter.
    async fn execute(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.send(request).await
    }
}
