//! Comparing sequence numbers, which wrap (RFC 9293, 3.4).

/// Whether `a` comes before `b`.
pub(super) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Whether `a` is `b` or comes before it.
pub(super) fn at_or_before(a: u32, b: u32) -> bool {
    !before(b, a)
}
