use proptest::prelude::*;

use super::sample::{
    self, BOOK_SCHEDULE, CLIENT, SERVER, Sample, crash, reboot, secs, segment, world, world_again,
};
use super::sample::{close, read, write};
use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::report::{Palette, RunInfo, text};
use crate::timeline::{
    Direction, Event, FaultKind, Kind, LostPacket, LostReason, Probe, ProcessChange, SegmentEvent,
    SignalChange, Stream, TcpState,
};

fn page(run: &RunInfo, events: &[Event], palette: &Palette) -> String {
    let mut out = Vec::new();
    text(&mut out, run, events, palette).expect("a vector takes every byte");
    String::from_utf8(out).expect("text")
}

/// The lines of the events alone.
fn lines(events: &[Event]) -> Vec<String> {
    let page = page(&sample::run(), events, &Palette::PLAIN);
    page.lines().skip_while(|line| !line.is_empty()).skip(1).map(str::to_owned).collect()
}

/// What the only event of a timeline says, without its time and host.
fn said(sample: &Sample) -> String {
    let line = lines(&sample.events).remove(0);
    line.trim_start_matches(|c: char| c.is_ascii_digit() || "+. ".contains(c)).to_owned()
}

#[test]
fn reboot_reads_as_tcpdump_and_strace_on_one_clock() {
    let page = page(&sample::run(), &reboot(), &Palette::PLAIN);
    let expected = r#"
# The server host crashes; then the client sends a line (UNP 5.14)
# echosim --scenario crash --stack book --seed 1

 0.000000            client    client[101] started
 0.000000            client    10.0.0.1.49152 > 10.0.0.2.7: CLOSED -> SYN_SENT
 0.000000            client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [S],  seq 0, win 4096, length 0
 0.005000 +0.005000  server <- 10.0.0.1.49152 > 10.0.0.2.7: Flags [S],  seq 0, win 4096, length 0
 0.005000            server    10.0.0.2.7 > 10.0.0.1.49152: CLOSED -> SYN_RCVD
 0.005000            server -> 10.0.0.2.7 > 10.0.0.1.49152: Flags [S.], seq 0, ack 1, win 4096, length 0
 0.010000 +0.005000  client <- 10.0.0.2.7 > 10.0.0.1.49152: Flags [S.], seq 0, ack 1, win 4096, length 0
 0.010000            client    10.0.0.1.49152 > 10.0.0.2.7: SYN_SENT -> ESTABLISHED
 0.010000            client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [.],  ack 1, win 4096, length 0
 0.010000            client    client[101] connect(3, 10.0.0.2:7) = 0 <0.010000>
 0.015000 +0.005000  server <- 10.0.0.1.49152 > 10.0.0.2.7: Flags [.],  ack 1, win 4096, length 0
 0.015000            server    10.0.0.2.7 > 10.0.0.1.49152: SYN_RCVD -> ESTABLISHED
 1.000000 +0.985000  client    client[101] stdin "hello"
 1.000000            client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [P.], seq 1:7, ack 1, win 4096, length 6
 1.000000            client    client[101] write(3, "hello\n", 6) = 6 in writen
 1.005000 +0.005000  server <- 10.0.0.1.49152 > 10.0.0.2.7: Flags [P.], seq 1:7, ack 1, win 4096, length 6
 1.005000            server -> 10.0.0.2.7 > 10.0.0.1.49152: Flags [P.], seq 1:7, ack 7, win 4096, length 6
 1.010000 +0.005000  client <- 10.0.0.2.7 > 10.0.0.1.49152: Flags [P.], seq 1:7, ack 7, win 4096, length 6
 1.010000            client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [.],  ack 7, win 4096, length 0
 1.010000            client    client[101] read(3, "hello\n", 4096) = 6 in readline <0.010000>
 1.010000            client    client[101] stdout "hello"
10.000000 +8.990000  ---- crash server -----------------------------------------------------------------------
15.000000 +5.000000  ---- boot server ------------------------------------------------------------------------
20.000000 +5.000000  client    client[101] stdin "world"
20.000000            client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [P.], seq 7:13, ack 7, win 4096, length 6
20.000000            client    client[101] write(3, "world\n", 6) = 6 in writen
20.005000 +0.005000  server <- 10.0.0.1.49152 > 10.0.0.2.7: Flags [P.], seq 7:13, ack 7, win 4096, length 6
20.005000            server -> 10.0.0.2.7 > 10.0.0.1.49152: Flags [R],  seq 7, win 0, length 0
20.010000 +0.005000  client <- 10.0.0.2.7 > 10.0.0.1.49152: Flags [R],  seq 7, win 0, length 0
20.010000            client    10.0.0.1.49152 > 10.0.0.2.7: ESTABLISHED -> CLOSED
20.010000            client    client[101] read(3, ..., 4096) = -1 ECONNRESET (Connection reset by peer) in readline <0.010000>
20.010000            client    client[101] stderr "readline error: Connection reset by peer"
20.010000            client    client[101] +++ exited with 1 +++
"#;
    assert_eq!(page, expected.trim_start());
}

#[test]
fn crash_counts_its_retransmissions_down_to_the_last() {
    let lines = lines(&crash());
    let again: Vec<_> = lines.iter().filter(|line| line.contains("retransmission")).collect();
    assert_eq!(again.len(), BOOK_SCHEDULE.len());
    assert_eq!(
        again[2],
        " 30.500000  +5.995000  client -> 10.0.0.1.49152 > 10.0.0.2.7: \
         Flags [P.], seq 7:13, retransmission 3/12, next in 12.0 s"
    );
    assert!(again[11].ends_with("retransmission 12/12, next in 64.0 s"), "{}", again[11]);
    let lost = lines.iter().filter(|line| line.ends_with("seq 7:13, lost: host down")).count();
    assert_eq!(lost, 13, "every sending of the line was lost");
}

#[test]
fn columns_stand_under_each_other_whatever_the_widths() {
    let mut sample = Sample::new();
    sample.connects().echoes();
    let long = segment("203.0.113.250:65535", "198.51.100.200:65535", "F.", 1_000_000, Some(1), 0);
    sample.at(7200.0).sends("client-number-one-hundred", &long);
    sample.at(7200.0).loses(&long, LostReason::Loss).told("client", Unreachable::Host);
    let lines = lines(&sample.events);
    let columns = |needle: &str| -> Vec<_> { lines.iter().filter_map(|line| line.find(needle)).collect() };
    for needle in ["Flags [", " client[101]", "-> 10.", "<- 10."] {
        let columns = columns(needle);
        assert!(columns.len() > 1, "{needle} is there to be compared");
        assert!(columns.iter().all(|column| *column == columns[0]), "{needle} at {columns:?}");
    }
    let points: Vec<_> = lines.iter().map(|line| line.find('.')).collect();
    assert!(points.iter().all(|point| *point == points[0]), "decimal points at {points:?}");
}

#[test]
fn gaps_add_up_to_the_times_printed() {
    let mut sample = Sample::new();
    for third in 1..=30 {
        sample.at(f64::from(third) / 3.0).line("client", Stream::Stdin, "");
    }
    let seconds =
        |word: &str| word.trim_start_matches('+').replace('.', "").parse::<u64>().expect("microseconds");
    let mut sum = 0;
    for line in lines(&sample.events) {
        let mut words = line.split_whitespace();
        let (time, gap) = (words.next().expect("time"), words.next().expect("gap"));
        sum += seconds(gap);
        assert_eq!(sum, seconds(time));
    }
}

#[test]
fn notes_stand_behind_their_segment() {
    let noted = |probe, retransmission| {
        let segment = SegmentEvent { probe, retransmission, ..segment(CLIENT, SERVER, ".", 6, Some(7), 0) };
        let mut sample = Sample::new();
        sample.sends("client", &segment);
        said(&sample)
    };
    assert_eq!(
        noted(Some(Probe::Keepalive), None),
        "client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [.], ack 7, win 4096, length 0, keepalive"
    );
    assert_eq!(
        noted(Some(Probe::Window), world_again(1).retransmission),
        "client -> 10.0.0.1.49152 > 10.0.0.2.7: Flags [.], ack 7, \
         window probe, retransmission 1/12, next in 3.0 s"
    );
}

#[test]
fn icmp_is_worded_as_tcpdump_does() {
    let mut sample = Sample::new();
    sample.told("client", Unreachable::Host);
    assert_eq!(
        said(&sample),
        "client <- 10.0.0.254 > 10.0.0.1: ICMP host 10.0.0.2 unreachable, about 10.0.0.1.49152 > 10.0.0.2.7"
    );
}

#[test]
fn lost_packets_say_why() {
    let lost = |packet, reason| {
        let mut sample = Sample::new();
        sample.record("router", Kind::Lost { packet: Box::new(packet), reason });
        said(&sample)
    };
    assert_eq!(
        lost(LostPacket::Segment(world()), LostReason::Partition),
        "router x  10.0.0.1.49152 > 10.0.0.2.7: Flags [P.], seq 7:13, lost: partition"
    );
    assert_eq!(lost(LostPacket::Malformed(7), LostReason::Corrupt), "router x  7 octets, lost: corrupt");
}

#[test]
fn processes_and_signals_read_as_in_strace() {
    let mut sample = Sample::new();
    sample.by(102).process("server", ProcessChange::Fork { parent: 101 });
    sample.signal("server", "SIGTERM", SignalChange::Pending).signal(
        "server",
        "SIGTERM",
        SignalChange::Killed,
    );
    sample.process("server", ProcessChange::Killed { signal: "SIGTERM" });
    sample.process("server", ProcessChange::Zombie).process("server", ProcessChange::Reaped);
    let said: Vec<String> = lines(&sample.events);
    let said: Vec<&str> =
        said.iter().map(|line| line.split("server[102] ").nth(1).expect("a process")).collect();
    assert_eq!(
        said,
        [
            "forked by 101",
            "--- SIGTERM pending ---",
            "--- SIGTERM ---",
            "+++ killed by SIGTERM +++",
            "is a zombie",
            "reaped"
        ]
    );
}

#[test]
fn a_listener_has_no_other_end() {
    let mut sample = Sample::new();
    let (local, remote) = (sample::addr("[::]:7"), sample::addr("[::]:0"));
    let (from, to) = (TcpState::Closed, TcpState::Listen);
    sample.record("server", Kind::State { local, remote, from, to });
    assert_eq!(said(&sample), "server    ::.7: CLOSED -> LISTEN");
}

#[test]
fn version_six_is_written_as_tcpdump_does() {
    let mut sample = Sample::new();
    sample.sends("client", &segment("[2001:db8::1]:49152", "[2001:db8::2]:7", "P.", 7, Some(7), 6));
    assert_eq!(
        said(&sample),
        "client -> 2001:db8::1.49152 > 2001:db8::2.7: Flags [P.], seq 7:13, ack 7, win 4096, length 6"
    );
}

#[test]
fn only_a_call_that_blocked_says_how_long() {
    let mut sample = Sample::new();
    sample.at(5.0).call("client", (close(3).0, Some("close")), Ok(0), 5.0);
    assert_eq!(said(&sample), "client    client[101] close(3) = 0", "nor its own name twice");
    let mut sample = Sample::new();
    sample.at(5.0).call("client", read(None), Err(Errno::EINTR), 3.5);
    assert_eq!(
        said(&sample),
        "client    client[101] read(3, ..., 4096) = -1 EINTR (Interrupted system call) <1.500000>"
    );
}

#[test]
fn colour_adds_escape_sequences_and_nothing_else() {
    let mut events = crash();
    let mut icmp = Sample::new();
    events.append(&mut icmp.at(600.0).told("client", Unreachable::Net).events);
    let plain = page(&sample::run(), &events, &Palette::PLAIN);
    let coloured = page(&sample::run(), &events, &Palette::COLOUR);
    assert!(!plain.contains('\x1b'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    let Palette { errno, fault, lost, icmp, note } = Palette::COLOUR;
    for (style, shown) in [
        (errno, "-1 ETIMEDOUT (Connection timed out)"),
        (fault, "---- crash server ------------"),
        (lost, "lost: host down"),
        (icmp, "ICMP net 10.0.0.2 unreachable"),
        (note, "retransmission 3/12, next in 12.0 s"),
    ] {
        assert!(coloured.contains(&format!("{style}{shown}")), "{shown} stands out");
    }
}

#[test]
fn a_run_without_events_still_says_what_it_was() {
    let run = RunInfo { sentence: String::new(), ..sample::run() };
    assert_eq!(page(&run, &[], &Palette::PLAIN), "# echosim --scenario crash --stack book --seed 1\n\n");
}

proptest! {
    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_a_control_character(outside in any::<String>(), t in 0.0..1e6) {
        let mut sample = Sample::new();
        sample.at(t).line("client", Stream::Stderr, &outside).fault(FaultKind::Crash, &outside);
        sample.call("client", write(&outside), Ok(1), 0.0);
        let run = RunInfo { sentence: format!("x{outside}"), scenario: outside.clone(), ..sample::run() };
        let page = page(&run, &sample.events, &Palette::PLAIN);
        prop_assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert_eq!(page.lines().count(), 6, "an event a line");
    }

    #[test]
    fn every_event_is_one_line_with_its_time_first(t in 0u64..10_000_000_000, len in 0usize..2_000, seq: u32) {
        let segment = SegmentEvent { dir: Direction::In, ..segment(SERVER, CLIENT, "P.", seq, Some(1), len) };
        let t = secs(t as f64 / 1e6);
        let event = Event { t, host: "client".into(), kind: Kind::Segment(segment), packet: None };
        let lines = lines(&[event]);
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].starts_with(&t.to_string()));
    }
}
