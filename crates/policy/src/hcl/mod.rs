//! Parses HCL 1, as far as policies use it. HCL 2 isn't supported: there are no expressions, and
//! `${` is text.

mod lexer;
mod parser;
mod quoted;

pub(crate) use parser::parse;
