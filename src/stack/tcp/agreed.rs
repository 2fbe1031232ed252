//! What both SYNs agreed on.

/// The options that a connection has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreed {
    /// Selective acknowledgments (RFC 2018).
    pub(super) sack: bool,
    pub(super) timestamps: bool,
    /// By how many bits the peer's windows are shifted.
    pub(super) scale: u8,
}

impl Agreed {
    /// Octets of the options that every segment has (RFC 7323, appendix A).
    pub(super) fn octets(&self) -> usize {
        if self.timestamps { 12 } else { 0 }
    }
}
