//! From requests and records to a pinned set, or to the reason why there is none
