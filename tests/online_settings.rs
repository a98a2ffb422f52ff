//! `check-secrets` with an address, a variable or a credential that can't be used: each mistake is
//! reported before any request.

use std::net::TcpListener;

use envlock_testkit::{ScriptedAnswer, ScriptedServer};

use crate::support::vault::{ExpectedFailure, Job, assert_failure, check, project};

#[test]
fn another_program_and_an_unreachable_server_are_distinguished() {
    let lab = project();
    let job = |url: &str| Job::new("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", url);
    let fails = |url: &str, finding: &str, texts: &[&str]| {
        let job = job(url);
        let run = |args: &[&str]| check(&lab, &job, args).output().unwrap().into();
        assert_failure(&ExpectedFailure { exit: 3, finding, texts }, run);
    };
    // The port was free a moment ago, so no server listens on it.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(
        &format!("http://{free}"),
        "error unreachable",
        &[
            "can't be reached: ",
            "check VAULT_ADDR, and the network between this machine and the server",
        ],
    );
    let proxy = ScriptedServer::new("imitates a proxy's page").answer_on(
        "GET",
        "sys/health",
        ScriptedAnswer::html(404),
    );
    fails(&proxy.url(), "error not-a-vault", &["isn't Vault or OpenBao", "the path of a proxy"]);

    let other = ScriptedServer::new("imitates another server").with_healthy_answers();
    let elsewhere = format!("{}/v1/auth/token/lookup-self", other.url());
    let standby = ScriptedServer::new("imitates a standby behind another address")
        .with_healthy_answers()
        .answer_on("GET", "auth/token/lookup-self", ScriptedAnswer::redirect(307, &elsewhere));
    let words = [
        "redirects auth/token/lookup-self to http://127.0.0.1:",
        "a redirect to another server would give it the token",
        "if that server is the right one, set VAULT_ADDR to it",
    ];
    fails(&standby.url(), "error redirected", &words);
    assert_eq!(other.requests(), []);
}

#[test]
fn mistakes_of_the_user_are_reported_before_any_request() {
    let lab = project();
    let server =
        ScriptedServer::new("imitates a server that must get no request").with_healthy_answers();
    let job = || Job::new("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", server.url());
    let fails = |job: &Job, finding: &str, texts: &[&str]| {
        let run = |args: &[&str]| check(&lab, job, args).output().unwrap().into();
        assert_failure(&ExpectedFailure { exit: 2, finding, texts }, run);
    };
    let token = Job::new("token").with("VAULT_TOKEN", "s.x");
    fails(&token, "error no-address", &["set VAULT_ADDR (or BAO_ADDR)", "`--offline`"]);
    let two = job().with("BAO_ADDR", "https://bao.example.com");
    fails(&two, "error two-addresses", &["VAULT_ADDR and BAO_ADDR name two servers", "unset"]);
    for (address, words) in [
        (
            "http://vault.example.com:8200",
            "use https; set VAULT_CACERT for a private certificate authority",
        ),
        ("http://192.0.2.1", "without TLS the network can read the login and the token"),
    ] {
        fails(&job().with("VAULT_ADDR", address), "error plaintext", &[address, words]);
    }
    for address in ["vault.example.com:8200", "https://u:canary@vault.example.com", "ftp://a"] {
        let wrong = job().with("VAULT_ADDR", address);
        fails(&wrong, "error wrong-address", &["VAULT_ADDR isn't the address of a server"]);
        let output = check(&lab, &wrong, &[]).output().unwrap();
        assert!(!format!("{output:?}").contains("canary"));
    }
    for insecure in ["true", "1", "yes"] {
        let insecure = job().with("VAULT_SKIP_VERIFY", insecure);
        fails(
            &insecure,
            "error insecure-tls",
            &["certificates are always verified", "VAULT_CACERT=FILE"],
        );
    }
    let unset = Job::new("approle").with("VAULT_ADDR", server.url()).with("VAULT_ROLE_ID", "r");
    let words = ["`secret_id` is read from the variable VAULT_SECRET_ID, which isn't set"];
    fails(&unset, "error login-credential-missing", &words);
    let no_file = Job::new("kubernetes").with("VAULT_ADDR", server.url());
    let words =
        ["from the file ~/serviceaccount/token, which can't be read: the file doesn't exist"];
    fails(&no_file, "error login-credential-missing", &words);
    let token = job().with("VAULT_TOKEN", "s.canary\nX-Other: header");
    fails(
        &token,
        "error login-credential-malformed",
        &["from the variable VAULT_TOKEN is malformed"],
    );
    let output = check(&lab, &token, &[]).output().unwrap();
    assert!(!format!("{output:?}").contains("canary"));
    let namespace = job().with("VAULT_NAMESPACE", "team\nX-Other: header");
    fails(&namespace, "error server-variable-invalid", &["VAULT_NAMESPACE isn't a namespace"]);
    let half = job().with("VAULT_CLIENT_CERT", "secrets.yml");
    fails(&half, "error client-certificate-unusable", &["VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"]);
    let ca = job().with("VAULT_CACERT", "nowhere.pem");
    fails(&ca, "error tls-untrusted", &["VAULT_CACERT names nowhere.pem, which can't be used"]);
    let ca = job().with("VAULT_CACERT", "secrets.yml");
    fails(&ca, "error tls-untrusted", &["contains no certificate"]);
    let pipe = lab.project.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let ca = job().with("VAULT_CACERT", pipe.display().to_string());
    fails(&ca, "error tls-untrusted", &["it isn't a regular file"]);
    // The certificates of the machine would be read from the pipe.
    let machine = job().with("VAULT_ADDR", "https://127.0.0.1:1");
    let machine = machine.with("SSL_CERT_FILE", pipe.display().to_string());
    fails(&machine, "error tls-untrusted", &["SSL_CERT_FILE names", "it isn't a regular file"]);
    let timeout = job().with("VAULT_CLIENT_TIMEOUT", "soon");
    fails(
        &timeout,
        "error server-variable-invalid",
        &["VAULT_CLIENT_TIMEOUT isn't a number of seconds"],
    );

    let manifest = lab.project.read("secrets.yml");
    lab.project.write("secrets.yml", manifest.replace("    allow_plaintext_loopback: true\n", ""));
    fails(
        &job(),
        "error plaintext",
        &["`allow_plaintext_loopback: true` in the profile for a development"],
    );
    assert_eq!(server.requests(), []);
}
