//! A server that is asked by the whole client, and that says what no real one can be brought to
//! say.

mod answers;
mod health;
mod logins;
mod logout;
mod redirects;
mod retries;
mod support;
mod tokens;
