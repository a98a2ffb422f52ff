//! HCL 1, as far as policies use it. Not HCL 2: there are no expressions, and `${` is text.

mod lexer;
mod parser;
mod quoted;

pub(crate) use parser::parse;
