//! Makes conda packages and serves them over loopback: the demo and the tests stand on it
