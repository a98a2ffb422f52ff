//! What variables of the environment set: conda's own, and those of the network libraries.

use envlock_report::Code;
use std::collections::BTreeMap;

use crate::given::{Layer, scalar};
use crate::problem::Problems;
use crate::{Invalid, Scalar, Setter, Shape, key};

/// `CONDA_<KEY>`, for every key of `.condarc` that isn't a mapping.
///
/// "Configuring conda", "Precedence": they win over every file. A list is separated by
/// commas, one of folders by colons.
///
/// # Errors
/// [`Invalid`] where a value isn't what the key takes.
pub fn variables(variables: &BTreeMap<String, String>) -> Result<Layer, Invalid> {
    let mut layer = Layer::default();
    let mut problems = Problems::default();
    for (name, value) in variables {
        let Some(written) = name.strip_prefix("CONDA_") else { continue };
        let Some(key) = key::of_condarc(&written.to_ascii_lowercase()) else { continue };
        let by = Setter::Variable(name.clone());
        match key.shape {
            Shape::List(separator) => {
                let items = value.split(separator).map(str::trim).filter(|item| !item.is_empty());
                layer.many(key, items.map(str::to_owned), &by);
            }
            Shape::Texts | Shape::Lists => {
                let message = format!("`{}` is a mapping, which no variable can hold", key.name);
                problems.add(&by, Code::WrongType, &message, Some("set it in `~/.condarc`"));
            }
            _ if value.trim().is_empty() => {}
            shape => match scalar(shape, value.trim()) {
                Ok(value) => layer.one(key, value, by),
                Err(expected) => {
                    let message = format!("`{name}` must be {expected}, and it is `{value}`");
                    problems.add(&by, Code::WrongType, &message, None);
                }
            },
        }
    }
    problems.finish(layer)
}

/// What curl and Python's requests take from the environment: proxies and a bundle of
/// certificates. conda's own keys win ("Configure conda for use behind a proxy server").
pub fn network_variables(variables: &BTreeMap<String, String>) -> Layer {
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
            layer.named(&key::PROXY_SERVERS, scheme, value, Setter::Variable(name));
        }
    }
    if let Some((name, value)) = first(["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]) {
        layer.one(&key::SSL_VERIFY, Scalar::Text(value), Setter::Variable(name));
    }
    layer
}
