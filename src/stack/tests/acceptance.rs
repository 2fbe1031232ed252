//! Which segments are believed (RFC 5961), and how those that are not are answered.

use super::*;
use crate::packet::{Packet, Segment, Seq, TcpOptions};

/// An open connection, and the last segment that the client sent: what a forger knows something of.
struct Open {
    wire: Wire,
    client: SocketId,
    server: SocketId,
    last: Segment,
    /// Its timestamps.
    stamps: (u32, u32),
}

impl Open {
    fn new() -> Open {
        Open::under(linux())
    }

    fn under(profile: Profile) -> Open {
        let (mut wire, client, server) = Wire::connected(profile);
        wire.client.write(wire.now, client, b"hello\n").unwrap();
        let packet = wire.client.transmit().unwrap();
        let Ok(Packet::Tcp(last)) = crate::packet::parse(&packet) else { panic!("no segment") };
        let stamps = TcpOptions::read(&packet).timestamps.unwrap_or_default();
        wire.server.receive(wire.now, packet);
        assert_eq!(wire.server.read(wire.now, server, &mut [0; 100]), Ok(6));
        while wire.server.transmit().is_some() {}
        Open { wire, client, server, last, stamps }
    }

    /// What the client would send next, if it had these flags.
    fn forged(&self, flags: Flags, seq: Seq) -> Segment {
        let ack = self.last.ack.filter(|_| flags.has(Flags::ACK));
        Segment { flags, seq, ack, len: 0, ..self.last.clone() }
    }

    /// The flags of the server's answers to a segment.
    fn answers(&mut self, segment: &Segment, data: &[u8]) -> Vec<Flags> {
        self.wire.server.receive(self.wire.now, crate::packet::emit_segment(segment, data));
        let flags = |packet: Bytes| match crate::packet::parse(&packet) {
            Ok(Packet::Tcp(segment)) => segment.flags,
            other => panic!("no segment: {other:?}"),
        };
        std::iter::from_fn(|| self.wire.server.transmit()).map(flags).collect()
    }

    fn is_open(&self) -> bool {
        !self.wire.server.readiness(self.server).error
    }
}

/// RFC 5961, 3.2: only the number that is expected next resets; another one in the window is challenged.
#[test]
fn a_reset_that_is_not_next_is_challenged() {
    for system in System::ALL {
        let mut open = Open::under(Profile::of(system));
        let next = open.last.seq_end();
        assert_eq!(open.answers(&open.forged(Flags::RST, next + 1), b""), [Flags::ACK], "{system:?}");
        assert!(open.is_open(), "{system:?}");
        assert_eq!(open.answers(&open.forged(Flags::RST, next + 100_000), b""), [], "{system:?}");
        assert!(open.is_open(), "{system:?}");
        assert_eq!(open.answers(&open.forged(Flags::RST, next), b""), [], "{system:?}");
        assert!(!open.is_open(), "{system:?}");
    }
}

/// RFC 5961, 4.2.
#[test]
fn a_syn_for_an_open_connection_is_challenged() {
    for system in System::ALL {
        let mut open = Open::under(Profile::of(system));
        for seq in [open.last.seq, open.last.seq + 1_000, open.last.seq - 100_000] {
            open.wire.now += Duration::from_secs(1);
            assert_eq!(open.answers(&open.forged(Flags::SYN, seq), b""), [Flags::ACK], "{system:?}");
        }
        assert!(open.is_open(), "{system:?}");
    }
}

/// RFC 9293, 3.5.1: half-open connections are discovered. The old end is reset, and the new connection comes to be with the
/// SYN that is sent again.
#[test]
fn a_host_that_has_booted_connects_from_the_port_that_it_had() {
    for system in System::ALL {
        let Open { mut wire, server, last, .. } = Open::under(Profile::of(system));
        let recorder = wire.recorder.for_host("client");
        wire.client = stack(CLIENT, Profile::of(system), 99, &recorder);
        wire.in_flight.clear();
        let client = wire.client.socket();
        wire.client.bind(client, last.src).unwrap();
        let server_addr = wire.server_addr();
        assert_eq!(wire.client.connect(wire.now, client, server_addr), Err(Errno::EINPROGRESS));
        wire.run(Duration::from_secs(20));
        let ended = wire.server.read(wire.now, server, &mut [0; 10]);
        assert_eq!(ended, Err(Errno::ECONNRESET), "{system:?}");
        assert_eq!(wire.client.connect(wire.now, client, server_addr), Ok(()), "{system:?}");
    }
}

/// `tcp_invalid_ratelimit`: twice a second.
#[test]
fn challenges_are_few() {
    let mut open = Open::new();
    let syn = open.forged(Flags::SYN, open.last.seq);
    let mut answers = 0;
    for _ in 0..100 {
        answers += open.answers(&syn, b"").len();
        open.wire.now += Duration::from_millis(10);
    }
    assert_eq!(answers, 2);
}

/// `tcp_reset_check`: after its FIN a peer may have forgotten that it sent one.
#[test]
fn a_reset_one_below_the_next_number_is_believed_after_a_fin() {
    let mut open = Open::new();
    open.wire.client.shutdown(open.wire.now, open.client, How::Write).unwrap();
    let packet = open.wire.client.transmit().unwrap();
    let Ok(Packet::Tcp(fin)) = crate::packet::parse(&packet) else { panic!("no segment") };
    open.wire.server.receive(open.wire.now, packet);
    while open.wire.server.transmit().is_some() {}
    assert_eq!(open.answers(&open.forged(Flags::RST, fin.seq), b""), []);
    assert_eq!(open.wire.server.write(open.wire.now, open.server, b"x"), Err(Errno::EPIPE));
}

/// RFC 9293, 3.10.7.4: an acknowledgment of what was never sent makes the data beside it worthless, and is answered.
#[test]
fn what_acknowledges_the_future_is_challenged() {
    let mut open = Open::new();
    let next = open.last.seq_end();
    let ack = open.last.ack.map(|ack| ack + 1);
    let segment = Segment { ack, ..open.forged(Flags::ACK.with(Flags::PSH), next) };
    assert_eq!(open.answers(&segment, b"forged").len(), 1);
    assert_eq!(open.answers(&segment, b"forged"), [], "twice a second at most");
    assert_eq!(open.wire.server.read(open.wire.now, open.server, &mut [0; 10]), Err(Errno::EAGAIN));
}

/// RFC 7323, 5: a segment that is older than its connection's last one is not taken, whatever its number.
#[test]
fn an_old_timestamp_is_not_taken() {
    let mut open = Open::new();
    let next = open.last.seq_end();
    let segment = open.forged(Flags::ACK.with(Flags::PSH), next);
    let (value, echo) = open.stamps;
    for (value, is_taken) in [(value.wrapping_sub(1_000), false), (value, true)] {
        let options = TcpOptions { timestamps: Some((value, echo)), ..TcpOptions::default() };
        let packet = crate::packet::emit_with(&segment, &options, &[b"new"], true);
        open.wire.server.receive(open.wire.now, packet);
        let read = open.wire.server.read(open.wire.now, open.server, &mut [0; 10]);
        assert_eq!(read.is_ok(), is_taken, "{read:?}");
    }
}
