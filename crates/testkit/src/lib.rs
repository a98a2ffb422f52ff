//! For tests: channels in one line, faults, projects
