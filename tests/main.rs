//! End to end: the program in projects of its own, against channels on loopback.
#![allow(clippy::unwrap_used)] // An unwrap in a test is its assertion.

mod architecture;
mod channels;
mod ci;
mod ci_online;
mod condarc;
mod config;
mod conflicts;
mod credentials;
mod demo;
mod docs;
mod docs_shown;
mod doctor;
mod files;
mod formats;
mod git;
mod install;
mod install_refused;
mod kills;
mod lock;
mod lock_edited;
mod mirrors;
mod moves;
mod next_commands;
mod offline;
mod online;
mod online_failures;
mod online_leaks;
mod output;
mod python;
mod reading;
mod rules;
mod run;
mod schemas;
mod secrets;
mod shared;
mod shared_cache;
#[cfg(target_os = "linux")]
mod signals;
mod solve;
mod solve_reports;
mod support;
mod verify;
mod virtual_packages;
