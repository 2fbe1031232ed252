//! Timelines made by hand, for the tests of every format.

use std::net::SocketAddr;
use std::time::Duration;

use crate::errno::Errno;
use crate::packet::{Flags, Unreachable};
use crate::report::RunInfo;
use crate::time::SimTime;
use crate::timeline::{
    Call, ConnectionId, Direction, Event, FaultKind, Icmp, Kind, Line, LostPacket, LostReason, Octets,
    Process, ProcessChange, Retransmission, SegmentEvent, SignalChange, Stream, SystemCall, TcpState,
};

pub(super) const CLIENT: &str = "10.0.0.1:49152";
pub(super) const SERVER: &str = "10.0.0.2:7";
pub(super) const ROUTER: &str = "10.0.0.254";

/// When the book's hosts send data again, in seconds after it was first sent (behaviour of 4.4BSD's timers).
pub(super) const BOOK_SCHEDULE: [f64; 12] =
    [1.5, 4.5, 10.5, 22.5, 46.5, 94.5, 158.5, 222.5, 286.5, 350.5, 414.5, 478.5];

pub(super) fn secs(secs: f64) -> SimTime {
    SimTime::from_nanos((secs * 1e9).round() as u64)
}

pub(super) fn run() -> RunInfo {
    RunInfo {
        scenario: "crash".into(),
        sentence: "The server host crashes; then the client sends a line (UNP 5.14)".into(),
        stack: "book".into(),
        seed: 1,
        ..RunInfo::default()
    }
}

/// A segment from `src` to `dst`; a bare acknowledgment has no sequence number worth a name.
pub(super) fn segment(
    src: &str,
    dst: &str,
    flags: &str,
    seq: u32,
    ack: Option<u32>,
    len: usize,
) -> SegmentEvent {
    let flags = Flags::from_letters(flags).expect("tcpdump's letters");
    SegmentEvent {
        dir: Direction::Out,
        src: addr(src),
        dst: addr(dst),
        flags,
        seq,
        ack,
        win: if flags.has(Flags::RST) { 0 } else { 4096 },
        len,
        retransmission: None,
        probe: None,
    }
}

pub(super) fn addr(addr: &str) -> SocketAddr {
    addr.parse().expect("address and port")
}

/// A call, and the function that makes it.
type Made = (SystemCall, Option<&'static str>);

pub(super) fn connect() -> Made {
    (SystemCall::Connect { fd: 3, peer: addr(SERVER) }, None)
}

pub(super) fn accept(peer: Option<&str>) -> Made {
    (SystemCall::Accept { fd: 3, peer: peer.map(addr) }, None)
}

pub(super) fn close(fd: i32) -> Made {
    (SystemCall::Close { fd }, None)
}

/// `read`, which has read this if it did not fail.
pub(super) fn read(data: Option<&str>) -> Made {
    let data = data.map(|data| Octets::new(data.as_bytes()));
    (SystemCall::Read { fd: 3, data, size: 4_096 }, None)
}

pub(super) fn readline(data: Option<&str>) -> Made {
    (read(data).0, Some("readline"))
}

pub(super) fn write(data: &str) -> Made {
    (SystemCall::Write { fd: 3, data: Octets::new(data.as_bytes()) }, None)
}

pub(super) fn writen(data: &str) -> Made {
    (write(data).0, Some("writen"))
}

/// Writes events down one after the other.
pub(super) struct Sample {
    now: SimTime,
    pid: u32,
    /// The client's end of the connection that it uses.
    client: SocketAddr,
    pub(super) events: Vec<Event>,
}

impl Sample {
    pub(super) fn new() -> Sample {
        Sample { now: SimTime::ZERO, pid: 101, client: addr(CLIENT), events: Vec::new() }
    }

    /// What follows happens at `t` seconds.
    pub(super) fn at(&mut self, t: f64) -> &mut Sample {
        self.now = secs(t);
        self
    }

    /// What follows is done by process `pid`.
    pub(super) fn by(&mut self, pid: u32) -> &mut Sample {
        self.pid = pid;
        self
    }

    /// The calls that follow are about the client's connection from here.
    pub(super) fn from(&mut self, end: &str) -> &mut Sample {
        self.client = addr(end);
        self
    }

    pub(super) fn record(&mut self, host: &str, kind: Kind) -> &mut Sample {
        self.events.push(Event { t: self.now, host: host.into(), kind, packet: None });
        self
    }

    pub(super) fn sends(&mut self, host: &str, segment: &SegmentEvent) -> &mut Sample {
        self.record(host, Kind::Segment(segment.clone()))
    }

    pub(super) fn gets(&mut self, host: &str, segment: &SegmentEvent) -> &mut Sample {
        let segment =
            SegmentEvent { dir: Direction::In, retransmission: None, probe: None, ..segment.clone() };
        self.record(host, Kind::Segment(segment))
    }

    pub(super) fn loses(&mut self, segment: &SegmentEvent, reason: LostReason) -> &mut Sample {
        let segment = SegmentEvent { retransmission: None, probe: None, ..segment.clone() };
        self.record("router", Kind::Lost { packet: Box::new(LostPacket::Segment(segment)), reason })
    }

    /// `host` is told by the router that `what`.
    pub(super) fn told(&mut self, host: &str, what: Unreachable) -> &mut Sample {
        let icmp = Icmp {
            dir: Direction::In,
            src: ROUTER.parse().expect("address"),
            dst: addr(CLIENT).ip(),
            what,
            type_code: (3, 1),
            about: (addr(CLIENT), addr(SERVER)),
            seq: 0,
        };
        self.record(host, Kind::Icmp(Box::new(icmp)))
    }

    pub(super) fn state(&mut self, host: &str, from: TcpState, to: TcpState) -> &mut Sample {
        let (local, remote) = if host == "client" { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        self.record(host, Kind::State { local: addr(local), remote: addr(remote), from, to })
    }

    /// A call of `host`'s program, of the host's own name, that was made at `since` seconds.
    pub(super) fn call(
        &mut self,
        host: &str,
        (what, within): (SystemCall, Option<&'static str>),
        result: Result<i64, Errno>,
        since: f64,
    ) -> &mut Sample {
        let is_of_connection = what.fd().is_some_and(|fd| fd >= 3)
            && !matches!((&what, result), (SystemCall::Accept { .. }, Err(Errno::EINTR)));
        let (client, server) = (self.client, addr(SERVER));
        let (local, remote) = if host == "server" { (server, client) } else { (client, server) };
        let connection = is_of_connection.then(|| ConnectionId::new(local, remote));
        let (process, since) = (host.into(), secs(since));
        let call = Call { pid: self.pid, process, within, what, connection, result, since };
        self.record(host, Kind::Call(Box::new(call)))
    }

    pub(super) fn process(&mut self, host: &str, what: ProcessChange) -> &mut Sample {
        self.record(host, Kind::Process(Process { pid: self.pid, process: host.into(), what }))
    }

    pub(super) fn signal(&mut self, host: &str, signal: &'static str, what: SignalChange) -> &mut Sample {
        self.record(host, Kind::Signal { pid: self.pid, process: host.into(), signal, what })
    }

    pub(super) fn line(&mut self, host: &str, stream: Stream, text: &str) -> &mut Sample {
        self.record(host, Kind::Line(Line { pid: self.pid, process: host.into(), stream, text: text.into() }))
    }

    pub(super) fn fault(&mut self, fault: FaultKind, target: &str) -> &mut Sample {
        self.record(target, Kind::Fault { fault, target: target.into() })
    }

    /// The client connects in one round trip of 10 ms, from 0 s on.
    pub(super) fn connects(&mut self) -> &mut Sample {
        use TcpState::{Closed, Established, SynReceived, SynSent};
        let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
        let syn_ack = segment(SERVER, CLIENT, "S.", 0, Some(1), 0);
        let ack = segment(CLIENT, SERVER, ".", 1, Some(1), 0);
        self.at(0.0).process("client", ProcessChange::Start);
        self.state("client", Closed, SynSent).sends("client", &syn);
        self.at(0.005).gets("server", &syn).state("server", Closed, SynReceived).sends("server", &syn_ack);
        self.at(0.01).gets("client", &syn_ack).state("client", SynSent, Established).sends("client", &ack);
        self.call("client", connect(), Ok(0), 0.0);
        self.at(0.015).gets("server", &ack).state("server", SynReceived, Established)
    }

    /// `hello` goes over and comes back.
    pub(super) fn echoes(&mut self) -> &mut Sample {
        let there = segment(CLIENT, SERVER, "P.", 1, Some(1), 6);
        let back = segment(SERVER, CLIENT, "P.", 1, Some(7), 6);
        let ack = segment(CLIENT, SERVER, ".", 7, Some(7), 0);
        self.at(1.0).line("client", Stream::Stdin, "hello").sends("client", &there);
        self.call("client", writen("hello\n"), Ok(6), 1.0);
        self.at(1.005).gets("server", &there).sends("server", &back);
        self.at(1.01).gets("client", &back).sends("client", &ack);
        self.call("client", readline(Some("hello\n")), Ok(6), 1.0);
        self.line("client", Stream::Stdout, "hello")
    }

    /// The second line is written at 20 s.
    pub(super) fn writes(&mut self) -> &mut Sample {
        self.at(20.0).line("client", Stream::Stdin, "world").sends("client", &world());
        self.call("client", writen("world\n"), Ok(6), 20.0)
    }
}

/// The second line's segment.
pub(super) fn world() -> SegmentEvent {
    segment(CLIENT, SERVER, "P.", 7, Some(7), 6)
}

/// The `nth` sending again of the second line.
pub(super) fn world_again(nth: u32) -> SegmentEvent {
    let at = |n: u32| BOOK_SCHEDULE.get(n as usize).copied().unwrap_or(542.5);
    let next = Some(Duration::from_secs_f64(at(nth) - at(nth - 1)));
    SegmentEvent { retransmission: Some(Box::new(Retransmission { nth, limit: Some(12), next })), ..world() }
}

/// UNP 5.14: the server host crashes at 10 s, the client writes at 20 s and gives up 542.5 s later.
pub(super) fn crash() -> Vec<Event> {
    let mut sample = Sample::new();
    sample.connects().echoes().at(10.0).fault(FaultKind::Crash, "server");
    sample.writes().at(20.005).loses(&world(), LostReason::HostDown);
    for (nth, after) in (1..).zip(BOOK_SCHEDULE) {
        sample.at(20.0 + after).sends("client", &world_again(nth));
        sample.at(20.005 + after).loses(&world(), LostReason::HostDown);
    }
    sample.at(562.5).state("client", TcpState::Established, TcpState::Closed);
    sample.call("client", readline(None), Err(Errno::ETIMEDOUT), 20.0);
    sample.line("client", Stream::Stderr, "readline error: Connection timed out");
    sample.process("client", ProcessChange::Exit { status: 1 });
    sample.events
}

/// UNP 5.15: it crashes at 10 s and is back at 15 s; the client writes at 20 s.
pub(super) fn reboot() -> Vec<Event> {
    let reset = segment(SERVER, CLIENT, "R", 7, None, 0);
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "server")
        .at(15.0)
        .fault(FaultKind::Boot, "server");
    sample.writes().at(20.005).gets("server", &world()).sends("server", &reset);
    sample.at(20.01).gets("client", &reset).state("client", TcpState::Established, TcpState::Closed);
    sample.call("client", readline(None), Err(Errno::ECONNRESET), 20.0);
    sample.line("client", Stream::Stderr, "readline error: Connection reset by peer");
    sample.process("client", ProcessChange::Exit { status: 1 });
    sample.events
}
