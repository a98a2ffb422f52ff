//! The JSON Schema of needs. It also describes the shorthands that the types don't have.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{Capability, Engine, TransitOperation};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::need::{CheckMode, Need, ReadOrUpdate, TargetVariable, Ttl};
use super::profile::NeedOverride;

/// A credential that an environment needs.
#[derive(JsonSchema)]
#[schemars(rename = "Need", deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes the schema")]
struct NeedKeys {
    /// The secrets engine.
    engine: Engine,
    /// The path that the engine is mounted at; may contain `/`.
    mount: String,
    /// The logical path (kv1, kv2, cubbyhole), without `data/`.
    #[schemars(default)]
    path: Option<String>,
    /// The role (engines that create credentials).
    #[schemars(default)]
    role: Option<String>,
    /// The key (transit, totp).
    #[schemars(default)]
    key: Option<String>,
    /// The operations that a transit key is used for.
    #[schemars(default)]
    operations: Vec<TransitOperation>,
    /// The operation of the request, for engines that take either.
    #[schemars(default)]
    operation: Option<ReadOrUpdate>,
    /// Capabilities in addition to those that the engine requires.
    #[schemars(default)]
    capabilities: BTreeSet<Capability>,
    /// The parameters that the job's requests have besides the mandatory ones: each with its value,
    /// or empty if only its name is known.
    #[schemars(default)]
    parameters: Option<BTreeMap<String, Parameter>>,
    /// The TTL with which the job asks for a wrapped response.
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    wrap_ttl: Option<String>,
    /// The variables that the fields are passed in, by the field's name.
    #[schemars(default)]
    fields: BTreeMap<String, Field>,
    /// Whether the environment requires it.
    #[schemars(default)]
    required: Requirement,
    /// The required lifetime of its lease.
    #[schemars(default)]
    ttl: Option<Lifetime>,
    /// Its purpose, for people.
    #[schemars(default)]
    why: Option<String>,
    /// How it is verified.
    #[schemars(default, rename = "verify")]
    check: CheckMode,
}

/// Another mount, path, role or key, or other parameters, for a need in one profile.
#[derive(JsonSchema)]
#[schemars(rename = "NeedOverride", deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes the schema")]
struct OverrideKeys {
    /// Another mount.
    #[schemars(default)]
    mount: Option<String>,
    /// Another path.
    #[schemars(default)]
    path: Option<String>,
    /// Another role.
    #[schemars(default)]
    role: Option<String>,
    /// Another key.
    #[schemars(default)]
    key: Option<String>,
    /// Other parameters of the requests, instead of the need's.
    #[schemars(default)]
    parameters: Option<BTreeMap<String, Parameter>>,
}

/// A field: a mapping, or only the variable's name.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only describes the schema")]
enum Field {
    Variable(String),
    Target(TargetVariable),
}

/// The value of a parameter; empty if it isn't known.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only describes the schema")]
enum Parameter {
    Unknown(()),
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Scalar>),
}

/// A part of the value of a parameter.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only describes the schema")]
enum Scalar {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// The required lifetime of a lease: the shortest one, or a mapping.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only describes the schema")]
enum Lifetime {
    Shortest(#[schemars(regex(pattern = r"^[0-9]+[smhd]$"))] String),
    Ttl(Ttl),
}

/// `true`, `false`, or a group.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only describes the schema")]
enum Requirement {
    Plain(bool),
    OneOf { one_of: String },
    AnyOf { any_of: String },
}

impl Default for Requirement {
    fn default() -> Self {
        Self::Plain(true)
    }
}

impl JsonSchema for Need {
    fn schema_name() -> Cow<'static, str> {
        NeedKeys::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        NeedKeys::json_schema(generator)
    }
}

impl JsonSchema for NeedOverride {
    fn schema_name() -> Cow<'static, str> {
        OverrideKeys::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OverrideKeys::json_schema(generator)
    }
}
