//! Compares the evaluator with a real server: policies are uploaded and attached to tokens, and the
//! server must decide as the evaluator does.

mod request;
mod entity;
mod random;
mod generate;
mod generated;
mod policies;
mod release;
mod counts;
mod notation;
mod uploads;
mod values;
mod vectors;
mod wrapping;
