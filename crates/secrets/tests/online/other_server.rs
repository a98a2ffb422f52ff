//! The release of the server decides how the policies are read.

use envlock_secrets::facts::read_health;

use crate::scenario::{DB, Scenario, warning};

fn asked(declared: &str, version: &'static str, enterprise: Option<bool>) -> Scenario {
    let mut scenario = Scenario::with_needs(DB).with_facts(move |online| {
        version.clone_into(&mut online.server.version);
        let (product, has_namespaces) = read_health(version, enterprise);
        (online.server.product, online.server.has_namespaces) = (product, has_namespaces);
    });
    scenario.text = scenario.text.replace("server: {product: openbao}\n", declared);
    scenario
}

#[test]
fn a_server_that_reads_policies_as_declared_is_no_finding() {
    for (declared, version, enterprise) in [
        ("", "1.21.4", Some(false)),
        ("server: {dialect: portable}\n", "2.4.0", None),
        ("server: {product: openbao}\n", "2.6.2", None),
        ("server: {product: vault, version: \"1.21\"}\n", "1.21.1", Some(false)),
        ("server: {product: vault, version: 1.20}\n", "1.16.3", Some(false)),
        ("server: {dialect: vault}\n", "2.2.2", Some(true)),
        ("server: {dialect: vault}\n", "0.1.0", None),
    ] {
        asked(declared, version, enterprise).expect_no_findings();
    }
}

#[test]
fn a_server_that_reads_policies_differently_is_a_warning() {
    for (declared, version, enterprise, texts) in [
        (
            "server: {product: vault, version: \"1.21\"}\n",
            "1.20.0",
            Some(false),
            ["the server is Vault 1.20.0", "`server: {product: vault, version: \"1.20.0\"}`"],
        ),
        (
            "server: {dialect: openbao}\n",
            "2.4.0",
            None,
            ["the server is OpenBao 2.4.0", "reads policies as openbao-legacy"],
        ),
        (
            "server: {product: openbao}\n",
            "2.2.2",
            Some(false),
            ["the server is Vault 2.2.2", "the manifest is for openbao, openbao-legacy"],
        ),
    ] {
        let scenario = asked(declared, version, enterprise);
        scenario.expect_findings(&[warning("other-server")], 0, &texts);
    }
}
