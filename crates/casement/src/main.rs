//! The server: settings, command line, wiring, shutdown.
fn main() {}
