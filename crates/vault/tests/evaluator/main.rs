//! The evaluator against the server itself: policies are uploaded, tokens get them, and what
//! the server says and does is what the evaluator says.

mod ask;
mod bot;
mod dice;
mod generate;
mod generated;
mod judge;
mod release;
mod tally;
mod text;
mod uploads;
mod values;
mod vectors;
mod wrapping;
