//! Requests one file of an index of PyPI packages: a page, the metadata of a wheel, or a range of
//! an archive.
//!
//! The sources of the file's origin are tried in order, as for conda's indexes and archives.

use std::io::Read as _;

use bytes::Bytes;
use envlock_model::channel::without_credentials;
use envlock_report::{AsFindings, Code, Exit, Finding, format_size};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::sync::mpsc;
use url::Url;

use crate::Client;
use crate::blocking::spawn_blocking;
use crate::body::Body;
use crate::body_reader::{ContentEncoding, describe_decompress_error};
use crate::source_error::{Attempt, SourceError, help_for, list_attempts, setting_errors};
use crate::transport::SourceResponse;

/// A request for a file.
#[derive(Debug, Clone)]
pub struct FileRequest {
    /// The URL of the file, of the origin or of a mirror.
    pub url: Url,
    /// Whether only the headers are requested.
    pub head: bool,
    /// Further headers, such as `Accept`, `Range` and those of a conditional request.
    pub headers: HeaderMap,
    /// Whether the file may be a web page. An index may have pages in HTML.
    pub may_be_html: bool,
    /// The number of bytes up to which the file is received at once, so that another source is
    /// tried if the body ends early. Without it the body is received while it is used.
    pub whole_up_to: Option<u64>,
}

/// A response.
pub struct FileResponse {
    /// A success, or 304.
    pub status: StatusCode,
    /// The headers of the source.
    pub headers: HeaderMap,
    /// The URL that was reached, without credentials. Relative URLs in the file are relative to it.
    pub url: Url,
    /// The content.
    pub body: FileBody,
}

/// The content of a file.
pub enum FileBody {
    /// All of it.
    Whole(Bytes),
    /// The content while it is received.
    Chunks(FileChunks),
}

/// A file while it is received.
pub struct FileChunks(Body);

impl FileChunks {
    /// Returns the next chunk, or `None` at the end. The error is the source's.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        self.0.chunk().await
    }
}

/// A file that no source delivered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url} can't be fetched")]
pub struct UnavailableFile {
    /// The origin's URL, without credentials.
    pub url: String,
    /// The requests and their errors; `None` if no source may be tried, offline.
    pub attempts: Option<Vec<Attempt>>,
}

impl UnavailableFile {
    /// Whether every source answered that it doesn't have the file.
    pub fn is_absent(&self) -> bool {
        self.attempts.as_ref().is_some_and(|attempts| {
            !attempts.is_empty() && attempts.iter().all(|attempt| attempt.error.is_absent())
        })
    }
}

impl AsFindings for UnavailableFile {
    fn findings(&self) -> Vec<Finding> {
        let Some(attempts) = &self.attempts else {
            let finding = Finding::new(
                Code::NotCached,
                format!("{} isn't in the cache, and `--offline` uses no network", self.url),
            );
            return vec![finding.with_help("run the command once without `--offline`")];
        };
        if attempts.is_empty() {
            let finding = Finding::new(Code::IndexUnavailable, self.to_string());
            return vec![
                finding
                    .with_note("`--no-origin` allows only mirrors, and none is declared for it")
                    .with_help(
                        "name a mirror with `--mirror PREFIX=URL`, or leave out `--no-origin`",
                    ),
            ];
        }
        let settings = setting_errors(attempts.iter());
        if !settings.is_empty() {
            return settings;
        }
        vec![
            Finding::new(Code::IndexUnavailable, self.to_string())
                .with_note(format!("tried:\n{}", list_attempts(attempts)))
                .with_help(help_for(attempts.iter())),
        ]
    }

    fn exit(&self) -> Exit {
        Exit::Undetermined
    }
}

impl Client {
    /// Requests a file from the sources of its origin, in order.
    pub async fn file(&self, request: &FileRequest) -> Result<FileResponse, UnavailableFile> {
        let origin = self.current_sources().origin_of(&request.url);
        let origin = origin.unwrap_or_else(|| request.url.clone());
        let unavailable =
            |attempts| UnavailableFile { url: without_credentials(&origin).to_string(), attempts };
        let sources = self.sources(&origin);
        if sources.is_empty() && self.settings.offline {
            return Err(unavailable(None));
        }
        let mut headers = request.headers.clone();
        // The body is passed on as it is received.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let method = if request.head { Method::HEAD } else { Method::GET };
        let mut failover = self.failover(&sources);
        while let Some(scheduled) = failover.next().await {
            let url = &scheduled.source.url;
            let sent =
                self.transport.send(url, method.clone(), headers.clone(), scheduled.force).await;
            let result = match sent {
                Ok(response) => received(response, request).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(response) => {
                    failover.note_success(scheduled);
                    return Ok(response);
                }
                Err(error) => {
                    let url = without_credentials(url).to_string();
                    failover.note_failure(scheduled, Attempt { url, error });
                }
            }
        }
        Err(unavailable(Some(failover.attempts())))
    }
}

/// Receives the body, as far as the request wants it at once.
async fn received(
    response: SourceResponse,
    request: &FileRequest,
) -> Result<FileResponse, SourceError> {
    let SourceResponse { status, url, mut headers, mut body } = response;
    body.may_be_html = request.may_be_html;
    let encoding = body.encoding;
    let body = if request.head {
        FileBody::Whole(Bytes::new())
    } else if let Some(limit) = request.whole_up_to {
        let mut all = Vec::new();
        let too_large =
            || SourceError::Unreadable(format!("it is larger than {}", format_size(limit)));
        if body.length.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        while let Some(chunk) = body.chunk().await? {
            all.extend_from_slice(&chunk);
            if all.len() as u64 > limit {
                return Err(too_large());
            }
        }
        if encoding != ContentEncoding::None {
            all = decoded(all.into(), encoding, limit).await?;
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        if request.may_be_html && status == StatusCode::OK && !is_index_page(&all) {
            return Err(SourceError::WebPage);
        }
        FileBody::Whole(all.into())
    } else if encoding == ContentEncoding::None {
        FileBody::Chunks(FileChunks(body))
    } else {
        return Err(SourceError::Unreadable("an archive with a Content-Encoding".to_owned()));
    };
    Ok(FileResponse { status, headers, url, body })
}

/// Whether a page can be one of an index. If it is in HTML, it lists files or says so, and it asks for
/// nothing, as login pages do.
fn is_index_page(page: &[u8]) -> bool {
    if !page.trim_ascii_start().starts_with(b"<") {
        return true;
    }
    let text = String::from_utf8_lossy(page).to_ascii_lowercase();
    let has = |part: &str| text.contains(part);
    let says_so = has("pypi:repository-version") || has("links for") || has("simple index");
    let lists_files = has("<a ") || has("<a\n");
    (says_so || lists_files) && !has("<form") && !has("<input") && !has("<script")
}

/// Decodes a body that a source compressed although it wasn't asked to.
async fn decoded(
    body: Bytes,
    encoding: ContentEncoding,
    limit: u64,
) -> Result<Vec<u8>, SourceError> {
    let (chunks, receiver) = mpsc::channel(1);
    let decoding = spawn_blocking(move || {
        let mut decoded = Vec::new();
        let mut reader = encoding.reader(receiver).file.take(limit + 1);
        reader.read_to_end(&mut decoded).map(|_| decoded)
    });
    // The thread may have ended with an error, which is returned below.
    let _ = chunks.send(body).await;
    drop(chunks);
    match decoding.await {
        Ok(decoded) if decoded.len() as u64 <= limit => Ok(decoded),
        Ok(_) => Err(SourceError::Unreadable(format!("it is larger than {}", format_size(limit)))),
        Err(error) => Err(SourceError::Unreadable(describe_decompress_error(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_page_is_not_a_page_of_an_index() {
        let files =
            b"<!DOCTYPE html><html><body><a href='a-1.0.tar.gz'>a-1.0.tar.gz</a></body></html>";
        let empty = b"<html><head><title>Links for a</title></head><body></body></html>";
        assert!(is_index_page(files) && is_index_page(empty) && is_index_page(b"{\"files\": []}"));
        let login =
            b"<html><body><form action='/login'><a href='/help'>Help</a></form></body></html>";
        let other =
            b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in</body></html>";
        assert!(!is_index_page(login) && !is_index_page(other));
    }
}
