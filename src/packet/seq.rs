//! Sequence numbers (RFC 9293, 3.4).

use std::ops::{Add, AddAssign, Sub};

/// A sequence number as it is on the wire: arithmetic is modulo 2³².
///
/// There is no order of all numbers, and so no `Ord`: a number is only before or after another one, within half
/// of the number space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seq(u32);

impl Seq {
    /// The number that the header's field holds.
    pub const fn new(field: u32) -> Seq {
        Seq(field)
    }

    /// What the header's field is to hold.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether this number comes before `other`.
    pub const fn before(self, other: Seq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// Whether this number is `other` or comes before it.
    pub const fn at_or_before(self, other: Seq) -> bool {
        !other.before(self)
    }

    /// The later of the two.
    pub const fn later(self, other: Seq) -> Seq {
        if self.before(other) { other } else { self }
    }
}

impl Add<u32> for Seq {
    type Output = Seq;

    fn add(self, octets: u32) -> Seq {
        Seq(self.0.wrapping_add(octets))
    }
}

impl AddAssign<u32> for Seq {
    fn add_assign(&mut self, octets: u32) {
        *self = *self + octets;
    }
}

impl Sub<u32> for Seq {
    type Output = Seq;

    fn sub(self, octets: u32) -> Seq {
        Seq(self.0.wrapping_sub(octets))
    }
}

/// How far the number lies behind `start`.
impl Sub for Seq {
    type Output = u32;

    fn sub(self, start: Seq) -> u32 {
        self.0.wrapping_sub(start.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9293, 3.4: the number after 2³² − 1 is 0.
    #[test]
    fn numbers_are_compared_and_counted_across_the_wrap() {
        let (last, first) = (Seq::new(u32::MAX), Seq::new(0));
        assert_eq!((last + 1, first - 1, first - last), (first, last, 1));
        assert!(last.before(first) && !first.before(last) && !first.before(first));
        assert!(last.at_or_before(first) && first.at_or_before(first) && !first.at_or_before(last));
        assert_eq!((last.later(first), first.later(last)), (first, first));
    }

    #[test]
    fn half_the_number_space_lies_ahead() {
        let start = Seq::new(7);
        assert!(start.before(start + 0x7fff_ffff) && (start + 0x8000_0001).before(start));
    }
}
