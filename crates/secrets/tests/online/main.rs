//! What a server said is judged: each rule and its opposite.

mod disagreement;
mod presence;
mod rights;
mod story;
mod time;
mod told;
mod unknown;
