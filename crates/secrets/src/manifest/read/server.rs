//! Reads `server:`: a dialect, or a product with its version.

use envlock_policy::{Product, Release, UnknownRelease};
use envlock_report::{Code, Fields};

use crate::manifest::TargetServers;

const DIALECTS: [(&str, TargetServers); 6] = [
    ("openbao", TargetServers::OpenBao),
    ("openbao-legacy", TargetServers::OpenBaoLegacy),
    ("vault", TargetServers::Vault),
    ("vault-1.21", TargetServers::Vault121),
    ("vault-legacy", TargetServers::VaultLegacy),
    ("portable", TargetServers::Portable),
];

/// Reads the key of a manifest. After a mistake the result is the default.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> TargetServers {
    let Some(node) = fields.get("server") else { return TargetServers::default() };
    let mut server = Fields::new(fields.file, node, "`server`", fields.mistakes);
    server.refuse_unknown_keys(&["dialect", "product", "version"]);
    let dialect = server.choice("dialect", &DIALECTS);
    let product = server.choice("product", &Product::ALL.map(|product| (product.name(), product)));
    let version = server.text("version");
    let (names_product, names_version) =
        (server.get("product").is_some(), server.get("version").is_some());
    if server.get("dialect").is_some() {
        if names_product || names_version {
            let message = "`server` has a `dialect`, or a `product` with its `version`, not both";
            let pos = server.pos("dialect");
            server.add_mistake(Code::InvalidText, message, pos);
        }
        return dialect.unwrap_or_default();
    }
    if names_version && !names_product {
        let pos = server.pos("version");
        let message = "a `version` of a server needs its `product`: openbao or vault";
        server.add_mistake(Code::MissingKey, message, pos);
    }
    let Some(product) = product else { return TargetServers::default() };
    match Release::new(product, version.as_deref()) {
        Ok(release) => TargetServers::Release(release),
        Err(error) => {
            let pos = server.pos("version");
            let (code, help) = match &error {
                UnknownRelease::NotAVersion(_) => (Code::InvalidText, None),
                UnknownRelease::Unknown { nearest, .. } => {
                    let help = format!("the nearest version that it knows is `{nearest}`");
                    (Code::UnknownValue, Some(help))
                }
            };
            let mut mistake = server.finding(code, error.to_string(), pos);
            mistake.help = help;
            server.mistakes.push(mistake);
            TargetServers::default()
        }
    }
}
