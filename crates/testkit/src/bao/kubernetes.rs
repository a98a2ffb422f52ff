//! A fake Kubernetes cluster.

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::client::VaultClient;
use super::jwt::JwtIssuer;
use crate::{ScriptedAnswer, ScriptedServer};

const ACCOUNT: &str = "demo";
const NAMESPACE: &str = "ci";
const UID: &str = "d77f89bc-0000-4000-8000-000000000000";

/// A fake TokenReview API, the only request that a server sends to a cluster. It accepts one
/// token, of the service account `demo` in the namespace `ci`, and rejects all others. It doesn't
/// check the caller.
#[derive(Debug)]
pub struct FakeKubernetes {
    issuer: JwtIssuer,
    jwt: String,
    api: ScriptedServer,
}

impl FakeKubernetes {
    fn new() -> Self {
        let issuer = JwtIssuer::new();
        let jwt = issuer.token(account());
        let known = jwt.clone();
        let review = ScriptedAnswer::computed(move |request| review(&request.body["spec"], &known));
        let api =
            ScriptedServer::new("imitates TokenReview of a cluster's API for one service account")
                .answer_on("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review);
        Self { issuer, jwt, api }
    }

    /// Returns the service account's token, as in the file of a pod.
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// Returns a token with the same claims that the cluster rejects, such as one of a deleted
    /// pod.
    pub fn unknown_jwt(&self) -> String {
        let mut claims = account();
        claims["jti"] = "another".into();
        self.issuer.token(claims)
    }

    /// Returns the number of review requests.
    pub fn reviews(&self) -> usize {
        self.api.requests().len()
    }
}

fn account() -> Value {
    json!({
        "iss": "https://kubernetes.default.svc",
        "aud": [JwtIssuer::AUDIENCE],
        "sub": format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"),
        "kubernetes.io": {
            "namespace": NAMESPACE,
            "serviceaccount": { "name": ACCOUNT, "uid": UID },
        },
    })
}

fn review(spec: &Value, known: &str) -> ScriptedAnswer {
    let status = if spec["token"] == known {
        json!({
            "authenticated": true,
            "audiences": spec["audiences"],
            "user": {
                "username": format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"),
                "uid": UID,
                "groups": ["system:serviceaccounts", "system:authenticated"],
            },
        })
    } else {
        json!({ "authenticated": false })
    };
    let kind = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": spec,
        "status": status,
    });
    ScriptedAnswer::json(201, kind)
}

impl VaultClient {
    /// Enables a `kubernetes` method with a new fake cluster, and creates a role for its service
    /// account.
    pub fn kubernetes(&self, role: &str, policies: &[&str]) -> FakeKubernetes {
        let cluster = FakeKubernetes::new();
        self.enable_auth("kubernetes", "kubernetes");
        let config = json!({
            "kubernetes_host": cluster.api.url(),
            // Required, and never used: the fake cluster uses plain HTTP.
            "kubernetes_ca_cert": some_certificate(),
            "disable_local_ca_jwt": true,
        });
        self.post("auth/kubernetes/config", config);
        let account = json!({
            "bound_service_account_names": ACCOUNT,
            "bound_service_account_namespaces": NAMESPACE,
            "audience": JwtIssuer::AUDIENCE,
            "token_policies": policies,
        });
        self.post(&format!("auth/kubernetes/role/{role}"), account);
        cluster
    }
}

fn some_certificate() -> String {
    let key = KeyPair::generate().expect("a key can be made");
    CertificateParams::default().self_signed(&key).expect("the parameters are right").pem()
}
