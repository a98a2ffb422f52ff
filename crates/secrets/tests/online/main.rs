//! Tests of the online checks: each rule and its opposite.

mod disagreement;
mod other_server;
mod output;
mod presence;
mod rights;
mod scenario;
mod time;
mod unknown;
