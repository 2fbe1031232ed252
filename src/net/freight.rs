//! Packets under way between hosts.
//!
//! What turmoil carries is a waybill: its datagrams are copied when they are sent and again when they are received,
//! and a packet need not be, for nobody changes it on its way. Each datagram stands for the packets of one waybill
//! and shares its fate; those of a datagram that turmoil drops stay here until the simulation is over.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The datagram that stands for some packets.
pub(super) type Waybill = [u8; 8];

#[derive(Default)]
pub(super) struct Freight {
    waybills: u64,
    under_way: BTreeMap<Waybill, Vec<Bytes>>,
}

impl Freight {
    /// Hands packets over, in the order in which they are to arrive.
    pub(super) fn load(&mut self, packets: Vec<Bytes>) -> Waybill {
        let waybill = self.waybills.to_be_bytes();
        self.waybills += 1;
        self.under_way.insert(waybill, packets);
        waybill
    }

    /// Takes the packets over that a datagram stands for; `None` if it is no waybill, or was used before.
    pub(super) fn unload(&mut self, datagram: &[u8]) -> Option<Vec<Bytes>> {
        self.under_way.remove(datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(len: usize) -> Bytes {
        vec![0; len].into()
    }

    #[test]
    fn a_waybill_is_good_for_its_own_packets_and_once() {
        let mut freight = Freight::default();
        let (one, two) = (freight.load(vec![packet(1)]), freight.load(vec![packet(2), packet(3)]));
        assert_eq!(freight.unload(&two), Some(vec![packet(2), packet(3)]));
        assert_eq!(freight.unload(&two), None);
        assert_eq!(freight.unload(&one), Some(vec![packet(1)]));
        assert_eq!(freight.unload(b""), None);
    }
}
