//! What became of a fault.

/// What a fault did when it struck.
#[derive(Clone, Copy, Debug)]
pub(super) enum Struck {
    /// It did something there and then.
    Met,
    /// It lasts; so many packets had its host's link met before.
    Lasting(usize, u64),
}
