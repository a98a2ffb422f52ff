//! Tests of the client against a scripted server, which also gives answers that a real server
//! can't be made to give.
// An unwrap in a test is its assertion.
#![allow(clippy::unwrap_used)]

mod answers;
mod health;
mod interruption;
mod leases;
mod logins;
mod logout;
mod mounts;
mod recording_proxy;
mod redirects;
mod retries;
mod rights;
mod support;
mod tokens;
mod values;
mod wire;
