//! A real server: its state, its files and its audit log.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use tempfile::TempDir;

use super::audit::{self, AuditEntry};
use super::authority::{CertificateAuthority, CertificateUsage};
use super::binary::binary;
use super::client::VaultClient;
use super::logins::text;
use super::process::{Process, free_port};

/// The longest time for the start of a server, which needs less than a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A real server on a free port of 127.0.0.1, with a separate home that has only its logs and
/// certificates. It dereferences to a [`VaultClient`] with the root token. It is killed on drop,
/// and when this process is killed.
#[derive(Debug)]
pub struct TestServer {
    // Dropped before the directory that it writes to.
    process: Process,
    operator: VaultClient,
    tls: Option<TlsState>,
    home: TempDir,
}

#[derive(Debug)]
struct TlsState {
    authority: CertificateAuthority,
    /// The unseal key, after the initialisation.
    key: Option<String>,
}

impl Deref for TestServer {
    type Target = VaultClient;

    fn deref(&self) -> &VaultClient {
        &self.operator
    }
}

impl TestServer {
    /// The prefix of every canary.
    pub const CANARY: &'static str = "envlock-canary-";

    /// The name in a server's certificate, in addition to `localhost` and 127.0.0.1.
    pub const SERVER_NAME: &'static str = "bao.envlock.test";

    /// Returns a random value for a secret, which tests search for in output.
    pub fn canary(label: &str) -> String {
        format!("{}{label}-{}", Self::CANARY, random())
    }

    /// Starts an unsealed server without TLS and without a secrets engine. `None` if no server is
    /// available; the test then calls [`skip_test`](crate::skip_test).
    pub fn dev() -> Option<Self> {
        let program = binary().ok()?;
        let home = home();
        let token = random();
        let config = write(&home, "server.hcl", "unsafe_allow_api_audit_creation = true\n");
        let start = |port| {
            let args = [
                "server".into(),
                "-dev".into(),
                format!("-dev-root-token-id={token}").into(),
                format!("-dev-listen-address=127.0.0.1:{port}").into(),
                option("-config=", &config),
            ];
            (args.into(), VaultClient::new(format!("http://127.0.0.1:{port}"), None, None))
        };
        // Another server on the same port doesn't know this token.
        let ready = |operator: &VaultClient| {
            status(&operator.with_token(&token), "auth/token/lookup-self") == Some(200)
        };
        let (process, operator) = start_on_free_port(program, &home, start, ready);
        let bao = Self { process, operator: operator.with_token(token), tls: None, home };
        // A development server has an engine; here each test enables its own. While the server
        // prepares the engine, it may close a connection.
        let unmounted = (0..10).any(|_| {
            let answer = bao.try_request("DELETE", "sys/mounts/secret", &[], None);
            answer.is_ok_and(|(status, _)| matches!(status, 200..300))
        });
        assert!(unmounted, "the mount of a development server can't be removed");
        bao.write_audit();
        Some(bao)
    }

    /// Starts an unsealed server with TLS by its own authority, as in production.
    pub fn tls() -> Option<Self> {
        let mut bao = Self::uninitialised()?;
        let answer = bao.put("sys/init", json!({ "secret_shares": 1, "secret_threshold": 1 }));
        let root = text(&answer["root_token"]);
        bao.operator = bao.operator.with_token(root);
        bao.tls.as_mut().expect("it has TLS").key = Some(text(&answer["keys_base64"][0]));
        bao.unseal();
        bao.write_audit();
        Some(bao)
    }

    /// Starts a server with TLS that isn't initialised.
    pub fn uninitialised() -> Option<Self> {
        let program = binary().ok()?;
        let home = home();
        let authority = CertificateAuthority::new("ca", home.path());
        let (cert, key) = authority
            .sign(CertificateUsage::Server, &[Self::SERVER_NAME, "localhost", "127.0.0.1"]);
        let start = |port| {
            let config = json!({
                "storage": { "inmem": {} },
                "listener": { "tcp": {
                    "address": format!("127.0.0.1:{port}"),
                    "tls_cert_file": cert,
                    "tls_key_file": key,
                    "tls_client_ca_file": authority.file(),
                }},
                "api_addr": format!("https://127.0.0.1:{port}"),
                "disable_mlock": true,
                "unsafe_allow_api_audit_creation": true,
            });
            let config = write(&home, "server.json", &config.to_string());
            let url = format!("https://127.0.0.1:{port}");
            let operator = VaultClient::new(url, Some(authority.pem()), None);
            (vec!["server".into(), option("-config=", &config)], operator)
        };
        // Another server has no certificate of this authority.
        let ready = |operator: &VaultClient| status(operator, "sys/health").is_some();
        let (process, operator) = start_on_free_port(program, &home, start, ready);
        Some(Self { process, operator, tls: Some(TlsState { authority, key: None }), home })
    }

    /// Seals the server.
    pub fn seal(&self) {
        self.put("sys/seal", json!({}));
    }

    /// Unseals a server of [`TestServer::tls`].
    pub fn unseal(&self) {
        let key = self.tls_state().key.as_ref().expect("the server came from TestServer::tls");
        self.put("sys/unseal", json!({ "key": key }));
        let unsealed = || status(&self.operator, "sys/health") == Some(200);
        assert!(eventually(unsealed), "it isn't active:\n{}", self.process.log_tail());
    }

    /// The file of the authority's certificate of a server with TLS.
    pub fn ca_file(&self) -> PathBuf {
        self.tls_state().authority.file()
    }

    /// Returns the certificate of an unrelated authority.
    pub fn other_ca_file(&self) -> PathBuf {
        CertificateAuthority::new("other-ca", self.home.path()).file()
    }

    /// Creates a client certificate and its key, signed by the authority of a server with TLS.
    pub fn client_cert(&self, name: &str) -> (PathBuf, PathBuf) {
        self.tls_state().authority.sign(CertificateUsage::Client, &[name])
    }

    /// Returns a client with such a certificate, without a token.
    pub fn with_client_cert(&self, (cert, key): &(PathBuf, PathBuf)) -> VaultClient {
        let read = |path| fs_err::read_to_string(path).expect("the file can be read");
        let identity = read(cert) + &read(key);
        VaultClient::new(
            self.url().to_owned(),
            Some(self.tls_state().authority.pem()),
            Some(&identity),
        )
    }

    fn tls_state(&self) -> &TlsState {
        self.tls.as_ref().expect("the server has TLS")
    }

    /// The audit entries so far, in order. A server with TLS writes them after its first unsealing.
    pub fn audit(&self) -> Vec<AuditEntry> {
        audit::read(&fs_err::read_to_string(self.audit_file()).unwrap_or_default())
    }

    /// The file of the audit log: one JSON object per line.
    pub fn audit_file(&self) -> PathBuf {
        self.home.path().join("audit.log")
    }

    /// Whether the server has namespaces: OpenBao does, and of Vault only the Enterprise edition.
    pub fn has_namespaces(&self) -> bool {
        self.get("sys/health")["enterprise"] != false
    }

    /// The id of the server's process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    fn write_audit(&self) {
        let options = json!({ "file_path": self.audit_file() });
        self.put("sys/audit/file", json!({ "type": "file", "options": options }));
    }
}

/// Starts the server on a free port. Tries another one if the port is in use by then.
fn start_on_free_port(
    program: &Path,
    home: &TempDir,
    start: impl Fn(u16) -> (Vec<OsString>, VaultClient),
    ready: impl Fn(&VaultClient) -> bool,
) -> (Process, VaultClient) {
    let mut log = String::new();
    for _ in 0..5 {
        let port = free_port().expect("loopback has a free port");
        let (args, operator) = start(port);
        let mut process =
            Process::start(program, args, home.path()).expect("the server can be started");
        let mut ended = false;
        let settled = eventually(|| {
            ended = process.has_ended();
            ended || ready(&operator)
        });
        log = process.log_tail();
        assert!(settled, "{} isn't ready:\n{log}", program.display());
        if !ended {
            return (process, operator);
        }
    }
    panic!("{} doesn't start:\n{log}", program.display());
}

/// Waits until a condition is true. Returns false after [`PATIENCE`].
pub(super) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn status(operator: &VaultClient, path: &str) -> Option<u16> {
    operator.try_request("GET", path, &[], None).ok().map(|(status, _)| status)
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

fn write(home: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs_err::write(&path, text).expect("the file can be written");
    path
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

/// Fifteen random bytes in characters that are valid in a header and a URL.
fn random() -> String {
    let mut bytes = [0; 15];
    rand::fill(&mut bytes).expect("there is randomness");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_whose_port_is_in_use_is_started_on_another() {
        let home = home();
        let is_ready = home.path().join("ready");
        let program = "if mkdir first; then exit 1; fi; touch ready; exec sleep 600";
        let ports = std::cell::RefCell::new(Vec::new());
        let start = |port| {
            ports.borrow_mut().push(port);
            (vec!["-c".into(), program.into()], VaultClient::new(String::new(), None, None))
        };
        let (mut process, _) =
            start_on_free_port(Path::new("/bin/sh"), &home, start, |_| is_ready.exists());
        assert!(!process.has_ended());
        assert_eq!(ports.borrow().len(), 2);
    }
}
