//! Indexes and archives of channels, through mirrors, into a cache
