//! The envelope of the JSON that each command prints. All commands have the same fields, also
//! if they fail.
//!
//! Within a version no field is renamed or changes its meaning. New fields can be added.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Exit, Finding,
    outcome::{FinalReport, Summary},
};

/// The version of all JSON documents.
pub const VERSION: u32 = 2;

/// The document that `--format json` prints on standard output.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Document<T> {
    /// The version of this format.
    pub version: u32,
    /// The command, such as `solve`. For `solve --check` it is `check`, as in the schema's name.
    pub command: &'static str,
    /// How the command ended.
    pub exit: Exit,
    /// The process's exit status.
    pub exit_code: u8,
    /// The number of findings of each level.
    pub summary: Summary,
    /// All errors, warnings and notes.
    pub findings: Vec<Finding>,
    /// The result. Null if an error prevented it.
    pub result: Option<T>,
}

impl<T> Document<T> {
    /// Creates the document of `command`.
    pub fn new(command: &'static str, report: FinalReport, result: Option<T>) -> Self {
        let FinalReport { exit, summary, findings } = report;
        Self { version: VERSION, command, exit, exit_code: exit.code(), summary, findings, result }
    }
}
