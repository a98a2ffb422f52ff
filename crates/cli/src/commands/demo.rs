//! `envlock demo`.
