//! Compares the evaluator with a real server: policies are uploaded and attached to tokens, and the
//! server must decide as the evaluator does.

mod bodies;
mod counts;
mod entity;
mod generate;
mod generated;
mod notation;
mod policies;
mod release;
mod request;
mod uploads;
mod values;
mod vectors;
mod wrapping;
