//! The shapes of the mappings and lists in a secrets manifest, for the help of a wrong type.

/// Returns what to write instead of a value of another type. `what` is the noun of the message.
/// `None` if the noun belongs to another file.
pub(crate) fn shape_of(what: &str) -> Option<&'static str> {
    SHAPES.iter().find(|(noun, _)| *noun == what).map(|(_, shape)| *shape)
}

const SHAPES: [(&str, &str); 22] = [
    ("a secrets manifest", "`version: 1` and `needs: {NAME: {engine: kv2, mount: …, path: …}}`"),
    ("`needs`", "`needs: {NAME: {engine: kv2, mount: …, path: …}}`"),
    ("a need", "`NAME: {engine: kv2, mount: secret, path: app/db, fields: {…}}`"),
    ("`fields`", "`fields: {FIELD: VARIABLE}`, such as `fields: {password: DB_PASSWORD}`"),
    ("a field", "`FIELD: VARIABLE` or `FIELD: {env: VARIABLE, as: file}`"),
    ("`ttl`", "`ttl: 1h` or `ttl: {min: 1h, renew: until 12h}`"),
    ("`capabilities`", "`capabilities: [read, list]`"),
    ("`operations`", "`operations: [decrypt]`"),
    ("`policies`", "`policies: {NAME: {file: vault/policies/NAME.hcl}}`"),
    ("a policy", "`NAME: {file: vault/policies/NAME.hcl}`"),
    ("`server`", "`server: {dialect: openbao}`"),
    ("`profiles`", "`profiles: {ci: {auth: {…}, attach: [POLICY]}}`"),
    ("a profile", "`ci: {auth: {method: jwt, role: …, jwt: {env: CI_JWT}}, attach: [POLICY]}`"),
    ("`auth`", "`auth: {method: jwt, role: …, jwt: {env: CI_JWT}}`"),
    ("`attach`", "`attach: [POLICY]`, with the names in `policies:`"),
    ("`token`", "`token: {ttl_min: 15m, forbid: [root]}`"),
    ("`forbid`", "`forbid: [root, non_expiring]`"),
    ("the `needs` of a profile", "`needs: {NAME: skip}`, or `required` or `optional`"),
    ("`override`", "`override: {NAME: {path: …}}`"),
    ("an override", "`NAME: {path: …}`, or `mount`, `role` or `key`"),
    ("`allow`", "`allow: [{finding: CODE, need: NAME, reason: …, until: 2027-01-31}]`"),
    ("an exception", "`{finding: CODE, need: NAME, reason: …, until: 2027-01-31}`"),
];
