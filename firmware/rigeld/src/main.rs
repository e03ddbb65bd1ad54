//! firmware/rigeld
fn main() {}
