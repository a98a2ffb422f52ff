//! Where credentials may be found on this machine.

use std::path::{Path, PathBuf};

use envlock_channel::CredentialStores;

use super::ProcessEnvironment;

/// The prefix of variables with a URL and its credential:
/// `ENVLOCK_AUTH_LAB=https://user:password@conda.lab.example/`.
const URL_VARIABLES: &str = "ENVLOCK_AUTH_";

/// Returns this user's credential stores: those of conda, rattler and curl.
pub(crate) fn stores(settings: &ProcessEnvironment) -> CredentialStores {
    let variable = |name: &str| settings.variables.get(name).filter(|value| !value.is_empty());
    let path = |name: &str| variable(name).map(|value| settings.absolute(Path::new(value)));
    let home = |below: &str| settings.home.as_ref().map(|home| home.join(below));
    let url_variables =
        settings.variables.iter().filter(|(name, _)| name.starts_with(URL_VARIABLES));
    // The folder of anaconda-client, and those of its older versions, which conda reads.
    let anaconda: [Option<PathBuf>; 5] = [
        path("BINSTAR_CONFIG_DIR").map(|folder| folder.join("data")),
        home(".continuum/anaconda-client/tokens"),
        path("XDG_CONFIG_HOME").or_else(|| home(".config")).map(|folder| folder.join("binstar")),
        path("XDG_DATA_HOME").or_else(|| home(".local/share")).map(|folder| folder.join("binstar")),
        home("Library/Application Support/binstar"),
    ];
    let rattler = [path("RATTLER_AUTH_FILE"), home(".rattler/credentials.json")];
    CredentialStores {
        url_variables: url_variables.map(|(name, value)| (name.clone(), value.clone())).collect(),
        anaconda_token: variable("ANACONDA_API_TOKEN").cloned(),
        netrc: path("NETRC").or_else(|| home(".netrc")),
        rattler: rattler.into_iter().flatten().collect(),
        anaconda: anaconda.into_iter().flatten().collect(),
    }
}
