use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

fn segment(src: &str, dst: &str, flags: Flags, seq: u32, ack: Option<u32>) -> Segment {
    let (seq, ack) = (Seq::new(seq), ack.map(Seq::new));
    let (src, dst): (SocketAddr, SocketAddr) = (src.parse().unwrap(), dst.parse().unwrap());
    Segment { src, dst, flags, seq, ack, win: 4096, len: 0, hop_limit: 64 }
}

const V4: (&str, &str) = ("192.0.2.1:40000", "192.0.2.2:7");
const V6: (&str, &str) = ("[2001:db8::1]:40000", "[2001:db8::2]:7");

#[test]
fn a_written_segment_reads_back_the_same() {
    for (src, dst) in [V4, V6] {
        let wrote = Segment { len: 6, ..segment(src, dst, Flags::PSH.with(Flags::ACK), 7, Some(9)) };
        assert_eq!(parse(&emit_segment(&wrote, b"hello\n")), Ok(Packet::Tcp(wrote)));
    }
}

#[test]
fn flags_are_written_as_tcpdump_writes_them() {
    let shown = |flags: &[Flags]| flags.iter().fold(Flags::default(), |a, b| a.with(*b)).to_string();
    assert_eq!(shown(&[Flags::SYN, Flags::ACK]), "S.");
    assert_eq!(shown(&[Flags::FIN, Flags::ACK]), "F.");
    assert_eq!(shown(&[Flags::RST]), "R");
    assert_eq!(Flags::from_letters("P."), Some(Flags::PSH.with(Flags::ACK)));
    assert_eq!(Flags::from_letters("Q"), None);
}

/// RFC 9293, 3.10.7.1: sequence from the ACK field if there is one; otherwise 0, acknowledging what came.
#[test]
fn a_reset_takes_its_numbers_from_the_segment_it_answers() {
    let data = segment(V4.0, V4.1, Flags::PSH.with(Flags::ACK), 7, Some(9)).reset().unwrap();
    assert_eq!((data.flags, data.seq, data.ack), (Flags::RST, Seq::new(9), None));
    let syn = segment(V4.0, V4.1, Flags::SYN, 7, None).reset().unwrap();
    assert_eq!((syn.flags, syn.seq, syn.ack), (Flags::RST.with(Flags::ACK), Seq::new(0), Some(Seq::new(8))));
    assert_eq!(syn.reset(), None, "a reset is not answered");
}

#[test]
fn an_icmp_error_quotes_the_segment_it_is_about() {
    let all = [
        Unreachable::Net,
        Unreachable::Host,
        Unreachable::Protocol,
        Unreachable::Port,
        Unreachable::FragmentationNeeded { mtu: 576 },
        Unreachable::Prohibited,
        Unreachable::TimeExceeded,
    ];
    for ((src, dst), router) in [(V4, "192.0.2.254"), (V6, "2001:db8::fe")] {
        let sent = segment(src, dst, Flags::PSH.with(Flags::ACK), 7, Some(9));
        for what in all {
            let packet = emit_icmp(router.parse().unwrap(), what, &emit_segment(&sent, b"world\n")).unwrap();
            let Ok(Packet::Icmp(error)) = parse(&packet) else { panic!("{what} does not read back") };
            assert_eq!((error.what, error.dst), (what, sent.src.ip()));
            assert_eq!(error.about, Quoted { src: sent.src, dst: sent.dst, seq: Seq::new(7) });
        }
    }
}

#[test]
fn a_hop_takes_one_off_and_leaves_the_packet_sound() {
    for (src, dst) in [V4, V6] {
        let mut packet = emit_segment(&segment(src, dst, Flags::SYN, 1, None), b"").to_vec();
        assert_eq!(decrement_hop_limit(&mut packet), Ok(63));
        let Ok(Packet::Tcp(read)) = parse(&packet) else { panic!("not sound after a hop") };
        assert_eq!(read.hop_limit, 63);
    }
}

#[test]
fn a_flipped_bit_is_found_by_the_checksums() {
    let packet = emit_segment(&segment(V4.0, V4.1, Flags::PSH.with(Flags::ACK), 7, Some(9)), b"hello\n");
    for bit in 0..packet.len() * 8 {
        let mut flipped = packet.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(parse(&flipped).is_err(), "bit {bit} flipped and not noticed");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _ = parse(&bytes);
        let _ = addresses(&bytes);
        let _ = emit_icmp("192.0.2.254".parse().unwrap(), Unreachable::Host, &bytes);
        let _ = decrement_hop_limit(&mut bytes);
    }
}
