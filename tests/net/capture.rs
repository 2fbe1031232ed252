//! Captures, and what a failed test leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use echosim::net::{self, TcpStream};
use echosim::report::{self, History, Palette, RunInfo};
use echosim::timeline::{Direction, Event, Kind};
use turmoil::Sim;

use super::support::{echo_server, echoed, octets, run_until, sim};

/// A file of this test's own, which is gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("echosim-{}-{name}", std::process::id())))
    }

    fn packets(&self) -> Option<usize> {
        packets(&self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// How many packets a pcapng file has; both lengths of each of its blocks must agree.
fn packets(path: &Path) -> Option<usize> {
    const ENHANCED_PACKET: u32 = 6;
    let file = fs::read(path).ok()?;
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut packets) = (0, 0);
    while at < file.len() {
        let length = word(at + 4) as usize;
        assert_eq!(word(at + length - 4) as usize, length);
        packets += usize::from(word(at) == ENHANCED_PACKET);
        at += length;
    }
    Some(packets)
}

/// How many segments were seen on one host, or were sent by any.
fn segments(events: &[Event], on: Option<&str>) -> usize {
    let seen = |event: &&Event| match &event.kind {
        Kind::Segment(segment) => on.map_or(segment.dir == Direction::Out, |host| &*event.host == host),
        _ => false,
    };
    events.iter().filter(seen).count()
}

/// A line there and back, and then what the client makes of it.
fn talk(end: impl FnOnce() -> turmoil::Result + 'static) -> Sim<'static> {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async move {
        echoed(&mut TcpStream::connect("server:7").await?, b"hello").await?;
        end()
    });
    sim
}

#[test]
fn a_capture_is_whole_when_the_simulation_ends() {
    let (all, server) = (Scratch::new("all"), Scratch::new("server"));
    echosim::pcapng(&all.0).unwrap();
    let mut sim = talk(|| Ok(()));
    sim.step().unwrap();
    net::pcapng_host("server", &server.0).unwrap();
    sim.run().unwrap();
    assert_eq!((all.packets(), server.packets()), (Some(0), Some(0)), "there already, and readable");
    let events = net::timeline();
    drop(sim);
    assert!(segments(&events, None) > 6);
    assert_eq!(all.packets(), Some(segments(&events, None)));
    assert_eq!(server.packets(), Some(segments(&events, Some("server"))));
}

#[test]
fn a_capture_is_about_one_simulation_only() {
    let capture = Scratch::new("one");
    echosim::pcapng(&capture.0).unwrap();
    let mut first = talk(|| Ok(()));
    first.run().unwrap();
    drop(first);
    let packets = capture.packets();
    talk(|| Ok(())).run().unwrap();
    assert_eq!(capture.packets(), packets);
}

#[test]
fn a_capture_is_whole_when_the_test_panics() {
    let capture = Scratch::new("panics");
    let path = capture.0.clone();
    let test = thread::spawn(move || {
        echosim::pcapng(&path).unwrap();
        talk(|| Err("it fails")?).run().unwrap();
    });
    assert!(test.join().is_err());
    assert!(capture.packets() > Some(6));
}

#[test]
fn a_capture_of_hosts_that_all_crashed_is_whole_when_the_test_is_over() {
    let capture = Scratch::new("crashed");
    let path = capture.0.clone();
    let test = thread::spawn(move || {
        echosim::pcapng(&path).unwrap();
        let mut sim = sim();
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.host("client", || async {
            echoed(&mut TcpStream::connect("server:7").await?, b"hello").await?;
            Ok(())
        });
        run_until(&mut sim, Duration::from_secs(1));
        sim.crash("server");
        sim.crash("client");
    });
    test.join().unwrap();
    assert!(capture.packets() > Some(6));
}

#[test]
fn a_capture_that_cannot_be_written_is_an_error_at_once() {
    let error = echosim::pcapng("/nowhere/at/all.pcapng").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_report_takes_the_timeline_and_nothing_else() {
    let mut sim = talk(|| Ok(()));
    sim.run().unwrap();
    let events = net::timeline();
    let run = RunInfo::default();
    let written = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let text = written(&|out| report::text(out, &run, &events, &Palette::PLAIN));
    assert!(text.contains("Flags [S]"), "{text}");
    let json = written(&|out| report::json(out, &run, &events));
    assert_eq!(json.lines().count(), events.len() + 1, "a line for the run, and one an event");
    let page = written(&|out| report::html(out, &run, &events, &History::default()));
    assert!(page.ends_with("</html>\n") && page.contains("\"server\""));
}

/// Runs a test of this name to its end, failed or not, and returns what it left: the trace, and the number of
/// packets in its capture.
fn left_by(name: &str, test: impl FnOnce() + Send + 'static) -> Option<(String, Option<usize>)> {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().skip(1).find(|dir| dir.join("CACHEDIR.TAG").exists()).unwrap();
    let trace = target.join("echosim/echosim/net").join(format!("{}.txt", name.replace("::", ".")));
    let capture = trace.with_extension("pcapng");
    let remove = || [&trace, &capture].map(|path| fs::remove_file(path).ok());
    remove();
    let _ = thread::Builder::new().name(name.to_owned()).spawn(test).unwrap().join();
    let left = fs::read_to_string(&trace).ok().map(|text| (text, packets(&capture)));
    remove();
    left
}

#[test]
fn a_failed_test_leaves_its_trace_its_capture_and_how_to_see_it_again() {
    let left = left_by("an::unwrapped_error", || talk(|| Err("it fails")?).run().unwrap());
    let (trace, packets) = left.unwrap();
    let again = "# cargo test --package echosim -- --exact an::unwrapped_error\n";
    assert!(trace.starts_with(&format!("# an::unwrapped_error, in net\n{again}")), "{trace}");
    assert_eq!(trace.matches("Flags [S.]").count(), 2, "it left, and it arrived");
    assert!(packets > Some(6));
}

#[test]
fn a_test_that_panics_in_a_program_or_outside_leaves_its_trace() {
    let inside = left_by("panics::inside", || talk(|| panic!("in a program")).run().unwrap());
    let outside = left_by("panics::outside", || {
        let mut sim = talk(|| Ok(()));
        sim.run().unwrap();
        assert!(net::timeline().is_empty(), "it is not");
    });
    assert!(inside.is_some() && outside.is_some());
}

#[test]
fn a_run_of_ours_that_fails_leaves_its_trace_though_nobody_panics() {
    let left = left_by("no::panic", || {
        net::run(&mut talk(|| Err("it fails")?)).unwrap_err();
    });
    assert!(left.is_some());
}

#[test]
fn a_test_that_passes_leaves_nothing_and_neither_does_one_without_a_timeline() {
    let passes = left_by("it::passes", || talk(|| Ok(())).run().unwrap());
    assert_eq!(passes, None);
    let off = left_by("it::is_off", || {
        net::recording(false);
        talk(|| Err("it fails")?).run().unwrap();
    });
    assert_eq!(off, None);
}

#[test]
fn of_a_long_simulation_the_end_is_left() {
    let left = left_by("it::is_long", || {
        let mut sim = sim();
        net::segmentation_offload("server", false);
        net::segmentation_offload("client", false);
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.client("client", async {
            let data = octets(8_000_000);
            echoed(&mut TcpStream::connect("server:7").await?, &data).await?;
            Err("it fails")?
        });
        sim.run().unwrap();
    });
    let (trace, _) = left.unwrap();
    let events = trace.lines().count() - 3;
    assert_eq!(events, 20_000);
    assert!(trace.lines().next().unwrap().contains("without the first "), "{:?}", trace.lines().next());
}

/// The newest events are kept, and what they say is as if there were no limit: numbers count from the first SYN.
#[test]
fn a_timeline_has_the_newest_events_up_to_its_limit() {
    let run = |limit: Option<usize>| {
        if let Some(limit) = limit {
            net::recording_limit(limit);
        }
        let mut sim = sim();
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.client("client", async {
            let mut stream = TcpStream::connect("server:7").await?;
            for _ in 0..100 {
                echoed(&mut stream, b"hello").await?;
            }
            Ok(())
        });
        sim.run().unwrap();
        net::timeline()
    };
    let all = run(None);
    assert!(all.len() > 400, "{}", all.len());
    for limit in [1, 64, 100] {
        let last = run(Some(limit));
        assert!(last.len() <= limit && last.len() >= limit * 7 / 8, "{} of {limit}", last.len());
        assert_eq!(last, all[all.len() - last.len()..]);
    }
    assert_eq!(run(Some(0)), []);
}

/// A long simulation without a capture keeps no data that no report shows; a capture that is asked for late says so by
/// its packets' lengths.
#[test]
fn the_data_of_old_packets_is_not_kept_unless_there_is_a_capture() {
    let run = |early: Option<&Scratch>, late: Option<&Scratch>| {
        early.map_or(Ok(()), |path| echosim::pcapng(&path.0)).unwrap();
        let mut sim = sim();
        net::segmentation_offload("client", false);
        net::segmentation_offload("server", false);
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.client("client", async {
            let mut stream = TcpStream::connect("server:7").await?;
            let data = octets(4_000_000);
            for _ in 0..3 {
                assert!(echoed(&mut stream, &data).await? == data);
            }
            Ok(())
        });
        sim.run().unwrap();
        late.map_or(Ok(()), |path| echosim::pcapng(&path.0)).unwrap();
        let events = net::timeline();
        drop(sim);
        events
    };
    let with_data = |events: &[Event]| {
        let long = |event: &&Event| event.packet.as_ref().is_some_and(|packet| packet.len() > 500);
        events.iter().filter(long).count()
    };
    let (early, late) = (Scratch::new("early"), Scratch::new("late"));
    let (cut, whole) = (run(None, Some(&late)), run(Some(&early), None));
    assert_eq!(cut.len(), whole.len());
    let newest = &whole[whole.len() - 20_000..];
    assert!(whole.len() > 21_000 && with_data(&whole) > with_data(newest));
    assert_eq!(with_data(&cut), with_data(newest));
    // Packets' lengths on the wire are in both.
    assert_eq!(late.packets(), early.packets());
    let (late, early) = (fs::metadata(&late.0).unwrap(), fs::metadata(&early.0).unwrap());
    assert!(late.len() < early.len());
}
