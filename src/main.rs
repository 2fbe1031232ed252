//! The command `echosim`.

fn main() {}
