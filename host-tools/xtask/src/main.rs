//! host-tools/xtask
fn main() {}
