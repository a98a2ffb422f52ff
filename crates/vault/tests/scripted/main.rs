//! A server that is asked by the whole client, and that says what no real one can be brought to
//! say.
// An unwrap in a test is its assertion.
#![allow(clippy::unwrap_used)]

mod answers;
mod health;
mod interruption;
mod leases;
mod logins;
mod logout;
mod mounts;
mod redirects;
mod retries;
mod rights;
mod support;
mod tap;
mod tokens;
mod values;
mod wire;
