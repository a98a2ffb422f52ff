//! The AWS IAM login: a signed `GetCallerIdentity` request, which the server forwards to AWS.
//!
//! The keys are read from the variables that every AWS program reads. They sign the request and
//! aren't sent.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::credential::{CredentialError, CredentialSources};
use crate::{CredentialFault, ProbeError, Secret};

const URL: &str = "https://sts.amazonaws.com/";
const HOST: &str = "sts.amazonaws.com";
/// The region of the global endpoint.
const REGION: &str = "us-east-1";
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const SERVER_ID: &str = "X-Vault-AWS-IAM-Server-ID";

/// Signs a `GetCallerIdentity` request and returns it as the fields of the login. `server_id` binds the request to one server, so that another can't
/// use it.
pub(super) fn signed_request_fields(
    sources: CredentialSources<'_>,
    server_id: Option<&Secret>,
    now: jiff::Timestamp,
) -> Result<[(&'static str, Secret); 4], ProbeError> {
    let key = |name: &'static str| {
        sources.variable_if_set(name).ok_or_else(|| CredentialError::NoVariable {
            name: "the AWS identity".to_owned(),
            variable: name.to_owned(),
        })
    };
    // The library's type hides its secrets in `Debug` output.
    let credentials = Credentials::new(
        key("AWS_ACCESS_KEY_ID")?,
        key("AWS_SECRET_ACCESS_KEY")?,
        sources.variable_if_set("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let mut headers = vec![("Host".to_owned(), HOST.to_owned())];
    headers.push(("Content-Type".to_owned(), FORM.to_owned()));
    if let Some(id) = server_id {
        headers.push((SERVER_ID.to_owned(), id.reveal().to_owned()));
    }
    let signed = signed(credentials, &headers, now).ok_or(CredentialError::Malformed {
        name: "the AWS identity".to_owned(),
        place: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
        reason: CredentialFault::CannotSign,
    })?;
    headers.extend(signed);
    let headers: serde_json::Map<String, serde_json::Value> = headers
        .into_iter()
        .map(|(name, value)| (name, serde_json::Value::Array(vec![value.into()])))
        .collect();
    let headers = serde_json::to_string(&headers).unwrap_or_default();
    Ok([
        ("iam_http_request_method", Secret::new("POST".to_owned())),
        ("iam_request_url", Secret::new(STANDARD.encode(URL))),
        ("iam_request_body", Secret::new(STANDARD.encode(BODY))),
        ("iam_request_headers", Secret::new(STANDARD.encode(headers))),
    ])
}

/// Signs the request, and returns the added headers.
fn signed(
    credentials: Credentials,
    headers: &[(String, String)],
    now: jiff::Timestamp,
) -> Option<Vec<(String, String)>> {
    let identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("sts")
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new("POST", URL, given, SignableBody::Bytes(BODY.as_bytes())).ok()?;
    let (instructions, _) = sign(request, &parameters).ok()?.into_parts();
    let added = instructions.headers();
    Some(added.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_signed_for_one_server_and_contains_no_key() {
        let variable = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("canary-secret-key".to_owned()),
            "AWS_SESSION_TOKEN" => Some("session".to_owned()),
            _ => None,
        };
        let sources = CredentialSources { variable: &variable, home: None };
        let id = Secret::new("vault.example.com".to_owned());
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let fields = signed_request_fields(sources, Some(&id), now)
            .unwrap_or_else(|failure| panic!("{failure}"));
        let decoded =
            |at: usize| String::from_utf8(STANDARD.decode(fields[at].1.reveal()).unwrap()).unwrap();
        assert_eq!((decoded(1), decoded(2)), (URL.to_owned(), BODY.to_owned()));
        let headers = decoded(3);
        assert!(!headers.contains("canary"), "{headers}");
        let headers: serde_json::Value = serde_json::from_str(&headers).unwrap();
        let authorization = headers["authorization"][0].as_str().unwrap();
        for part in [
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/sts/aws4_request",
            "x-vault-aws-iam-server-id",
            "x-amz-security-token",
            "host",
        ] {
            assert!(authorization.contains(part), "{part}: {authorization}");
        }
        assert_eq!(headers[SERVER_ID][0], "vault.example.com");
        assert_eq!(headers["x-amz-date"][0], "20261123T120000Z");
    }

    #[test]
    fn a_missing_key_is_named() {
        let sources = CredentialSources { variable: &|_| None, home: None };
        let Err(failure) = signed_request_fields(sources, None, jiff::Timestamp::UNIX_EPOCH) else {
            panic!()
        };
        assert!(failure.to_string().contains("AWS_ACCESS_KEY_ID"), "{failure}");
    }
}
