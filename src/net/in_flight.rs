//! Packets under way between hosts.
//!
//! turmoil carries an id in their place: its datagrams are copied when they are sent and again when they are received,
//! and a packet need not be, as it stays the same on its way. Each datagram stands for the packets of one id. If turmoil
//! drops it, they stay here until the simulation is over.

use std::collections::BTreeMap;

use bytes::Bytes;

/// What a datagram holds: the id of the packets that it stands for.
pub(super) type DatagramId = [u8; 8];

#[derive(Default)]
pub(super) struct InFlight {
    next: u64,
    under_way: BTreeMap<DatagramId, Vec<Bytes>>,
}

impl InFlight {
    /// Hands packets over, in the order in which they are to arrive.
    pub(super) fn put(&mut self, packets: Vec<Bytes>) -> DatagramId {
        let id = self.next.to_be_bytes();
        self.next += 1;
        self.under_way.insert(id, packets);
        id
    }

    /// Takes the packets over that a datagram stands for; `None` if it is no id, or was used before.
    pub(super) fn take(&mut self, datagram: &[u8]) -> Option<Vec<Bytes>> {
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
    fn an_id_stands_for_its_own_packets_and_once() {
        let mut in_flight = InFlight::default();
        let (one, two) = (in_flight.put(vec![packet(1)]), in_flight.put(vec![packet(2), packet(3)]));
        assert_eq!(in_flight.take(&two), Some(vec![packet(2), packet(3)]));
        assert_eq!(in_flight.take(&two), None);
        assert_eq!(in_flight.take(&one), Some(vec![packet(1)]));
        assert_eq!(in_flight.take(b""), None);
    }
}
