//! Reads variables of the environment: conda's own, and those of network libraries.

use envlock_report::Code;
use std::collections::BTreeMap;

use crate::layer::{Layer, scalar};
use crate::problem::Problems;
use crate::{InvalidConfiguration, Scalar, ValueSource, ValueType, key};

/// Reads `CONDA_<KEY>` for every key of `.condarc` that isn't a mapping.
///
/// "Configuring conda", "Precedence": variables have priority over files. The items of a list are
/// separated by commas, those of a list of folders by colons.
///
/// # Errors
/// [`InvalidConfiguration`] if a value has the wrong type for its key.
pub fn parse_conda_variables(
    variables: &BTreeMap<String, String>,
) -> Result<Layer, InvalidConfiguration> {
    let mut layer = Layer::default();
    let mut problems = Problems::default();
    for (name, value) in variables {
        let Some(suffix) = name.strip_prefix("CONDA_") else { continue };
        let Some(key) = key::by_condarc_name(&suffix.to_ascii_lowercase()) else { continue };
        let set_by = ValueSource::Variable(name.clone());
        match key.value_type {
            ValueType::List(separator) => {
                let items = value.split(separator).map(str::trim).filter(|item| !item.is_empty());
                layer.set_list(key, items.map(str::to_owned), &set_by);
            }
            ValueType::TextMap | ValueType::ListMap => {
                let message = format!("`{}` is a mapping, so a variable can't set it", key.name);
                problems.add(&set_by, Code::WrongType, &message, Some("set it in `~/.condarc`"));
            }
            _ if value.trim().is_empty() => {}
            value_type => match scalar(value_type, value.trim()) {
                Ok(value) => layer.set_scalar(key, value, set_by),
                Err(expected) => {
                    let message = format!("`{name}` must be {expected}, and it is `{value}`");
                    problems.add(&set_by, Code::WrongType, &message, None);
                }
            },
        }
    }
    problems.finish(layer)
}

/// Reads the variables that curl and Python's requests use: proxies and a bundle of certificates.
/// conda's own keys have priority ("Configure conda for use behind a proxy server").
pub fn parse_network_variables(variables: &BTreeMap<String, String>) -> Layer {
    let mut layer = Layer::default();
    let first = |names: [&str; 2]| {
        names.into_iter().find_map(|name| {
            let value = variables.get(name).filter(|value| !value.trim().is_empty())?;
            Some((name.to_owned(), value.clone()))
        })
    };
    for (scheme, names) in [
        ("all", ["all_proxy", "ALL_PROXY"]),
        ("http", ["http_proxy", "HTTP_PROXY"]),
        ("https", ["https_proxy", "HTTPS_PROXY"]),
    ] {
        if let Some((name, value)) = first(names) {
            layer.set_map_entry(&key::PROXY_SERVERS, scheme, value, ValueSource::Variable(name));
        }
    }
    if let Some((name, value)) = first(["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]) {
        layer.set_scalar(&key::SSL_VERIFY, Scalar::Text(value), ValueSource::Variable(name));
    }
    layer
}
