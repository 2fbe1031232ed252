//! How a host's C compiler lays out a `long` (UNP 5.18).

/// Which octet of a number comes first in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant one, as on Intel's processors.
    Little,
    /// The most significant one, as on a SPARC, and as on the network.
    Big,
}

/// What a program that writes its structures to the wire as they are in memory shows its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The order of octets.
    pub byte_order: ByteOrder,
    /// Octets of a `long`: 4 or 8.
    pub long: usize,
}

impl Abi {
    /// That of the machine this program was compiled for.
    pub const NATIVE: Abi = Abi {
        byte_order: if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little },
        long: size_of::<std::ffi::c_long>(),
    };

    /// Most Unix machines of today: little-endian, LP64.
    pub const TODAY: Abi = Abi { byte_order: ByteOrder::Little, long: 8 };

    /// A `long` as it is in memory; of a number too large for it the low octets.
    pub fn encode(self, number: i64) -> Vec<u8> {
        match self.byte_order {
            ByteOrder::Little => number.to_le_bytes()[..self.long].to_vec(),
            ByteOrder::Big => number.to_be_bytes()[8 - self.long..].to_vec(),
        }
    }

    /// The number that these octets are as a `long`. There have to be [`long`](Abi::long) of them.
    pub fn decode(self, octets: &[u8]) -> i64 {
        assert_eq!(octets.len(), self.long, "a long has its length");
        let most_significant_first: Vec<u8> = match self.byte_order {
            ByteOrder::Little => octets.iter().rev().copied().collect(),
            ByteOrder::Big => octets.to_vec(),
        };
        let sign = most_significant_first[0] as i8 >> 7;
        most_significant_first.iter().fold(sign.into(), |number, octet| number << 8 | i64::from(*octet))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LITTLE_32: Abi = Abi { byte_order: ByteOrder::Little, long: 4 };
    const BIG_32: Abi = Abi { byte_order: ByteOrder::Big, long: 4 };

    #[test]
    fn a_long_is_laid_out_as_the_machine_has_it() {
        assert_eq!(LITTLE_32.encode(1), [1, 0, 0, 0]);
        assert_eq!(BIG_32.encode(-22), [0xff, 0xff, 0xff, 0xea]);
        assert_eq!(Abi::TODAY.encode(258), [2, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_other_byte_order_makes_16777216_of_1() {
        assert_eq!(BIG_32.decode(&LITTLE_32.encode(1)), 16_777_216);
        assert_eq!(BIG_32.decode(&LITTLE_32.encode(-22)), -352_321_537);
    }

    proptest! {
        #[test]
        fn what_fits_comes_back(number: i64, big: bool) {
            let byte_order = if big { ByteOrder::Big } else { ByteOrder::Little };
            let (wide, narrow) = (Abi { byte_order, long: 8 }, Abi { byte_order, long: 4 });
            prop_assert_eq!(wide.decode(&wide.encode(number)), number);
            prop_assert_eq!(narrow.decode(&narrow.encode(number)), i64::from(number as i32));
        }
    }
}
