//! The transport beneath uv's client: the requests go through the sources, the credentials and the
//! limits of the channel client, and uv's own connections are never used.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use envlock_channel::{Client, FileBody, FileRequest, FileResponse, UnavailableFile};
use envlock_text::limits::PYPI_PAGE_BYTES;
use futures::stream;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    RANGE,
};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use rattler_digest::{Sha256, compute_bytes_digest};
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Error, Middleware, Next, Result};
use url::Url;

/// The start of an entity tag that is made here, for a server that sends none.
const OWN_TAG: &str = "\"envlock-";

/// Sends the requests of uv's client.
pub(crate) struct ChannelTransport {
    client: Arc<Client>,
    /// The pages that were received, so that each is requested once for all platforms.
    pages: Mutex<HashMap<Url, Page>>,
    /// The files that no source delivered.
    unavailable: Mutex<Vec<UnavailableFile>>,
}

/// A page that was received.
#[derive(Clone)]
struct Page {
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl ChannelTransport {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self { client, pages: Mutex::default(), unavailable: Mutex::default() }
    }

    /// Returns the files that no source delivered, each once.
    pub(crate) fn take_unavailable(&self) -> Vec<UnavailableFile> {
        let mut files = std::mem::take(&mut *lock(&self.unavailable));
        files.sort_by(|a, b| a.url.cmp(&b.url));
        files.dedup_by(|a, b| a.url == b.url);
        files
    }

    async fn send(&self, request: &Request) -> Result<Response> {
        let url = request.url();
        let is_page = request.method() == Method::GET && !is_archive(url);
        if is_page && let Some(page) = lock(&self.pages).get(url).cloned() {
            return respond(request, StatusCode::OK, page.url, page.headers, page.body.into());
        }
        let wanted = FileRequest {
            url: url.clone(),
            head: request.method() == Method::HEAD,
            headers: passed_on(request.headers()),
            may_be_html: is_page,
            whole_up_to: (is_page || request.headers().contains_key(RANGE))
                .then_some(PYPI_PAGE_BYTES),
        };
        let FileResponse { status, mut headers, url: reached, body } = match self
            .client
            .file(&wanted)
            .await
        {
            Ok(response) => response,
            Err(error) if error.is_absent() => {
                let absent = http::Response::builder().url(url.clone()).status(404);
                return absent.body(Body::from("")).map(Response::from).map_err(Error::middleware);
            }
            Err(error) => {
                lock(&self.unavailable).push(error.clone());
                return Err(Error::middleware(error));
            }
        };
        let body = match body {
            FileBody::Whole(bytes) if is_page && status == StatusCode::OK => {
                add_validators(&mut headers, &bytes);
                let page =
                    Page { url: reached.clone(), headers: headers.clone(), body: bytes.clone() };
                lock(&self.pages).insert(url.clone(), page);
                bytes.into()
            }
            FileBody::Whole(bytes) => bytes.into(),
            FileBody::Chunks(chunks) => {
                Body::wrap_stream(stream::try_unfold(chunks, |mut chunks| async move {
                    chunks.next().await.map(|chunk| chunk.map(|chunk| (chunk, chunks)))
                }))
            }
        };
        respond(request, status, reached, headers, body)
    }
}

#[async_trait]
impl Middleware for ChannelTransport {
    async fn handle(
        &self,
        request: Request,
        _extensions: &mut Extensions,
        _next: Next<'_>,
    ) -> Result<Response> {
        self.send(&request).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the headers that the source needs. A tag that was made here means nothing to it.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for name in [ACCEPT, RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        let value = headers.get(&name);
        if let Some(value) = value.filter(|value| !value.as_bytes().starts_with(OWN_TAG.as_bytes()))
        {
            passed.insert(name, value.clone());
        }
    }
    passed
}

/// Adds a tag to a page without validators, so that uv's cache can be used, and asks to compare it
/// at each use unless the server says otherwise.
fn add_validators(headers: &mut HeaderMap, body: &[u8]) {
    if !headers.contains_key(ETAG) && !headers.contains_key(LAST_MODIFIED) {
        let digest = hex::encode(compute_bytes_digest::<Sha256>(body));
        if let Ok(tag) = HeaderValue::from_str(&format!("{OWN_TAG}{digest}\"")) {
            headers.insert(ETAG, tag);
        }
    }
    // Without it uv's cache would guess how long a page is fresh.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
}

/// Creates a response: 304 if the requester has the page already.
fn respond(
    request: &Request,
    status: StatusCode,
    url: Url,
    mut headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let tag = headers.get(ETAG);
    let is_known =
        status == StatusCode::OK && tag.is_some() && request.headers().get(IF_NONE_MATCH) == tag;
    let (status, body) =
        if is_known { (StatusCode::NOT_MODIFIED, Body::from("")) } else { (status, body) };
    if is_known {
        headers.remove(CONTENT_LENGTH);
    }
    let mut response =
        http::Response::builder().url(url).status(status).body(body).map_err(Error::middleware)?;
    *response.headers_mut() = headers;
    Ok(Response::from(response))
}

/// Whether a URL is that of a wheel or of another archive.
fn is_archive(url: &Url) -> bool {
    let extension = Path::new(url.path()).extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("whl" | "gz" | "zip" | "bz2" | "xz" | "zst" | "tgz" | "tar" | "egg"))
}
