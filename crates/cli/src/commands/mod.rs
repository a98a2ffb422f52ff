//! The commands, one per file: its arguments, and how they become an answer.

mod app;
mod check_secrets;
mod config;
mod demo;
mod dispatch;
mod doctor;
mod explain;
mod fetch;
mod install;
mod next_command;
mod past_time;
mod policy;
mod run;
mod secrets;
mod solve;
mod verify;

pub(crate) use app::App;
pub(crate) use check_secrets::CheckSecretsArgs;
pub(crate) use demo::DemoArgs;
pub(crate) use dispatch::run_command;
pub(crate) use explain::ExplainArgs;
pub(crate) use fetch::{BundleArgs, FetchArgs};
pub(crate) use install::InstallArgs;
pub(crate) use policy::PolicyCommand;
pub(crate) use run::RunArgs;
pub(crate) use secrets::SecretsCommand;
pub(crate) use solve::SolveArgs;
pub(crate) use verify::VerifyArgs;
