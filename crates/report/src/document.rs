//! The envelope of every command's JSON: the same fields, whatever the command and however it
//! ended.
//!
//! A field is never renamed and never changes meaning within a version; new ones may come.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Exit, Finding,
    sink::{FinalReport, Summary},
};

/// The version of all JSON documents.
pub const VERSION: u32 = 2;

/// What `--format json` prints: one document on standard output.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Document<T> {
    /// The version of this format.
    pub version: u32,
    /// The command, such as `solve`; `solve --check` is `check`, as its schema is called.
    pub command: &'static str,
    /// How it ended.
    pub exit: Exit,
    /// The process's exit status.
    pub exit_code: u8,
    /// How many findings there are of each level.
    pub summary: Summary,
    /// All errors, warnings and notes.
    pub findings: Vec<Finding>,
    /// What was found or done; null when an error came before there was anything.
    pub result: Option<T>,
}

impl<T> Document<T> {
    /// The document of `command`.
    pub fn new(command: &'static str, closed: FinalReport, result: Option<T>) -> Self {
        let FinalReport { exit, summary, findings } = closed;
        Self { version: VERSION, command, exit, exit_code: exit.code(), summary, findings, result }
    }
}
