//! An HTTP client for rustify that follows only safe redirects and limits the size of answers.
//!
//! A redirect is followed only to the same path of the same server; certificates are always
//! verified; headers are returned with errors too, because of `Retry-After`.

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

use crate::{Address, ProbeError, RedirectTarget, Settings};

/// The maximum number of bytes of an answer. Names and times have a few thousand.
const MAX_BYTES: usize = 1 << 20;

/// The HTTP client of one server.
pub(super) struct Transport {
    http: reqwest::Client,
    address: Address,
    origin: String,
}

/// An answer that isn't accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnacceptableAnswer {
    /// A redirect that isn't followed.
    #[error("it redirects to {0}")]
    Redirect(RedirectTarget),
    /// It exceeds the limit.
    #[error("it is larger than a megabyte")]
    TooLarge,
}

impl Transport {
    /// Prepares the client. No connection is opened.
    pub(super) async fn new(settings: &Settings) -> Result<Self, ProbeError> {
        let mut address = settings.address.clone();
        let mut builder = reqwest::Client::builder()
            .user_agent(&settings.user_agent)
            // A compressed chunk could unpack to far more than the limit.
            .no_gzip()
            .no_deflate()
            .no_brotli()
            .no_zstd()
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
            // A machine without trusted certificates can still connect to itself.
            builder = builder.tls_certs_only([]);
        }
        if let Some(identity) = &settings.client_certificate {
            let mut pem = Zeroizing::new(identity.certificate.clone());
            pem.push(b'\n');
            pem.extend_from_slice(identity.key.reveal().as_bytes());
            let identity =
                reqwest::Identity::from_pem(&pem).map_err(|_| ProbeError::InvalidClientIdentity)?;
            // A mismatch of the two is reported only when a client is built.
            let alone = reqwest::Client::builder().tls_certs_only([]).identity(identity.clone());
            alone.build().map_err(|_| ProbeError::InvalidClientIdentity)?;
            builder = builder.identity(identity);
        }
        if let Some(name) = &settings.server_name {
            let (host, port) = settings.address.host();
            let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
            let found: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
            address = address.with_certificate_name(name)?;
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

    /// The target of a redirect: the same path of the same server, or an error. Another path could
    /// be a secret's, and isn't in the list of requests.
    fn target(&self, answer: &Response<Vec<u8>>, from: &Uri) -> Result<Option<Uri>, ClientError> {
        let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location.filter(|_| is_redirect) else { return Ok(None) };
        let refuse = |target: RedirectTarget| ClientError::ResponseError {
            source: UnacceptableAnswer::Redirect(target).into(),
        };
        let target = self.address.resolve(from.path(), location);
        let Some(target) = target else { return Err(refuse(RedirectTarget::NotAUrl)) };
        if !self.address.is_origin_of(&target) {
            return Err(refuse(origin(&target)));
        }
        let same_path = percent_decode_str(target.path()).eq(percent_decode_str(from.path()));
        if !same_path || target.query() != from.query() {
            return Err(refuse(RedirectTarget::OtherPath));
        }
        Uri::from_str(target.as_str()).map(Some).map_err(|_| refuse(origin(&target)))
    }
}

/// The origin of a redirect target, which can't contain a credential.
fn origin(url: &Url) -> RedirectTarget {
    RedirectTarget::Origin(url.origin().ascii_serialization())
}

#[async_trait]
impl Client for Transport {
    fn base(&self) -> &str {
        &self.origin
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let (mut parts, body) = request.into_parts();
        // vaultrs prepends `/v1` to the whole path, including that of the address.
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
                source: UnacceptableAnswer::Redirect(RedirectTarget::Second).into(),
            }),
        }
    }

    /// Other statuses than 200 are answers too, and their headers are needed.
    async fn execute(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.send(request).await
    }
}
