//! host-tools/rigel
fn main() {}
