use proptest::prelude::*;
use serde_json::Value;

use super::sample::{
    self, CLIENT, SERVER, Sample, close, crash, readline, reboot, segment, world, world_again,
};
use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::report::{RunInfo, json};
use crate::time::SimTime;
use crate::timeline::{
    Event, FaultKind, Kind, Line, LostPacket, LostReason, ProcessChange, SignalChange, Stream, TcpState,
};

fn lines(run: &RunInfo, events: &[Event]) -> Vec<String> {
    let mut out = Vec::new();
    json(&mut out, run, events).expect("a vector takes every byte");
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

/// The objects of the events alone.
fn rows(sample: &Sample) -> Vec<String> {
    lines(&sample::run(), &sample.events).split_off(1)
}

#[test]
fn first_line_is_the_run() {
    let mut run = sample::run();
    assert_eq!(
        lines(&run, &[]),
        [r#"{"event":"run","schema":1,"scenario":"crash","stack":"book","seed":1}"#]
    );
    for (key, value) in [("retries", "3"), ("mss", "536"), ("retries", "4")] {
        run.set.push((key.into(), value.into()));
    }
    assert_eq!(
        lines(&run, &[]),
        [
            r#"{"event":"run","schema":1,"scenario":"crash","stack":"book","seed":1,"set":{"mss":"536","retries":"4"}}"#
        ]
    );
}

#[test]
fn segment_has_the_fields_of_the_table_in_its_order() {
    let mut sample = Sample::new();
    let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
    sample.at(0.0055).sends("client", &syn).at(30.5).sends("client", &world_again(3));
    sample.at(31.0).gets("server", &segment("[2001:db8::1]:49152", "[2001:db8::2]:7", ".", 7, Some(7), 0));
    assert_eq!(
        rows(&sample),
        [
            r#"{"t":0.0055,"host":"client","event":"segment","dir":"out","src":"10.0.0.1:49152","dst":"10.0.0.2:7","flags":"S","seq":0,"ack":null,"win":4096,"len":0,"retransmission":0}"#,
            r#"{"t":30.5,"host":"client","event":"segment","dir":"out","src":"10.0.0.1:49152","dst":"10.0.0.2:7","flags":"P.","seq":7,"ack":7,"win":4096,"len":6,"retransmission":3}"#,
            r#"{"t":31.0,"host":"server","event":"segment","dir":"in","src":"[2001:db8::1]:49152","dst":"[2001:db8::2]:7","flags":".","seq":7,"ack":7,"win":4096,"len":0,"retransmission":0}"#,
        ]
    );
}

#[test]
fn icmp_and_lost_have_the_fields_of_the_table_in_its_order() {
    let mut sample = Sample::new();
    sample.at(0.01).told("client", Unreachable::Host).loses(&world(), LostReason::HostDown);
    let Kind::Icmp(icmp) = sample.events[0].kind.clone() else {
        unreachable!("the first event is an ICMP error")
    };
    sample
        .record("router", Kind::Lost { packet: Box::new(LostPacket::Icmp(*icmp)), reason: LostReason::Loss });
    sample.record(
        "router",
        Kind::Lost { packet: Box::new(LostPacket::Malformed(7)), reason: LostReason::Corrupt },
    );
    assert_eq!(
        rows(&sample),
        [
            r#"{"t":0.01,"host":"client","event":"icmp","dir":"in","src":"10.0.0.254","dst":"10.0.0.1","type":3,"code":1,"name":"host unreachable","about":"10.0.0.1:49152 > 10.0.0.2:7"}"#,
            r#"{"t":0.01,"host":"router","event":"lost","dir":"out","src":"10.0.0.1:49152","dst":"10.0.0.2:7","flags":"P.","seq":7,"ack":7,"win":4096,"len":6,"retransmission":0,"reason":"host down"}"#,
            r#"{"t":0.01,"host":"router","event":"lost","dir":"in","src":"10.0.0.254","dst":"10.0.0.1","type":3,"code":1,"name":"host unreachable","about":"10.0.0.1:49152 > 10.0.0.2:7","reason":"loss"}"#,
            r#"{"t":0.01,"host":"router","event":"lost","len":7,"reason":"corrupt"}"#,
        ]
    );
}

#[test]
fn calls_states_and_lines_have_the_fields_of_the_table_in_their_order() {
    let mut sample = Sample::new();
    sample.at(562.5).call("client", readline(None), Err(Errno::ETIMEDOUT), 20.0);
    sample.call("client", close(3), Ok(0), 562.5);
    sample.state("client", TcpState::Established, TcpState::CloseWait);
    sample.line("client", Stream::Stdout, "he said \"hello\"\t世界").fault(FaultKind::Crash, "server");
    assert_eq!(
        rows(&sample),
        [
            r#"{"t":562.5,"host":"client","event":"call","pid":101,"process":"client","call":"read","result":-1,"errno":"ETIMEDOUT","args":"3, ..., 4096","within":"readline"}"#,
            r#"{"t":562.5,"host":"client","event":"call","pid":101,"process":"client","call":"close","result":0,"errno":null,"args":"3","within":null}"#,
            r#"{"t":562.5,"host":"client","event":"state","socket":"10.0.0.1:49152 > 10.0.0.2:7","from":"ESTABLISHED","to":"CLOSE_WAIT"}"#,
            r#"{"t":562.5,"host":"client","event":"line","pid":101,"process":"client","stream":"stdout","text":"he said \"hello\"\t世界"}"#,
            r#"{"t":562.5,"host":"server","event":"fault","fault":"crash","target":"server"}"#,
        ]
    );
}

#[test]
fn processes_and_signals_have_the_fields_of_the_table_in_their_order() {
    let mut sample = Sample::new();
    sample.by(102).process("server", ProcessChange::Fork { parent: 101 });
    sample.process("server", ProcessChange::Exit { status: 3 });
    sample.process("server", ProcessChange::Killed { signal: "SIGKILL" });
    sample.by(101).signal("server", "SIGCHLD", SignalChange::Delivered);
    assert_eq!(
        rows(&sample),
        [
            r#"{"t":0.0,"host":"server","event":"process","pid":102,"process":"server","what":"fork","status":null,"signal":null,"parent":101}"#,
            r#"{"t":0.0,"host":"server","event":"process","pid":102,"process":"server","what":"exit","status":3,"signal":null,"parent":null}"#,
            r#"{"t":0.0,"host":"server","event":"process","pid":102,"process":"server","what":"killed","status":null,"signal":"SIGKILL","parent":null}"#,
            r#"{"t":0.0,"host":"server","event":"signal","pid":101,"process":"server","signal":"SIGCHLD","what":"delivered"}"#,
        ]
    );
    let words = |sample: &Sample| -> Vec<Value> {
        rows(sample)
            .iter()
            .map(|row| serde_json::from_str::<Value>(row).expect("JSON")["what"].clone())
            .collect()
    };
    let mut sample = Sample::new();
    for what in [ProcessChange::Start, ProcessChange::Zombie, ProcessChange::Reaped] {
        sample.process("server", what);
    }
    for what in [SignalChange::Ignored, SignalChange::Pending, SignalChange::Killed] {
        sample.signal("server", "SIGTERM", what);
    }
    assert_eq!(words(&sample), ["start", "zombie", "reaped", "ignored", "pending", "killed"]);
}

#[test]
fn every_line_of_a_whole_run_is_an_object_in_time_order() {
    for events in [crash(), reboot()] {
        let lines = lines(&sample::run(), &events);
        assert_eq!(lines.len(), events.len() + 1);
        let mut last = 0.0;
        for line in &lines[1..] {
            let object: Value = serde_json::from_str(line).expect("JSON");
            let t = object["t"].as_f64().expect("a number");
            assert!(t >= last && object["host"].is_string() && object["event"].is_string(), "{line}");
            last = t;
        }
    }
}

proptest! {
    /// Up to a century.
    #[test]
    fn time_is_kept_to_the_microsecond_and_without_noise(micros in 0u64..3_155_760_000_000_000) {
        let mut sample = Sample::new();
        sample.fault(FaultKind::Crash, "server");
        sample.events[0].t = SimTime::from_nanos(micros * 1_000);
        let row = rows(&sample).remove(0);
        let t = row.split([':', ',']).nth(1).expect("t stands first");
        prop_assert_eq!((t.parse::<f64>().expect("a number") * 1e6).round() as u64, micros);
        let plain = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let plain = plain.trim_end_matches('0');
        let plain = if plain.ends_with('.') { format!("{plain}0") } else { plain.to_owned() };
        prop_assert!(micros < 10 || t == plain, "{} is {}", t, plain);
    }

    #[test]
    fn any_text_comes_back(text: String) {
        let mut sample = Sample::new();
        let line = Line { pid: 1, process: "client".into(), stream: Stream::Stdin, text: text.clone() };
        sample.record("client", Kind::Line(line));
        let object: Value = serde_json::from_str(&rows(&sample)[0]).expect("one line of JSON");
        prop_assert_eq!(object["text"].as_str(), Some(text.as_str()));
    }
}
