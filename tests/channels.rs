//! What channels mean.
