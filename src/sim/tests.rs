//! A client and a server in a world; its programs are the least that shows what the world does.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::errno::Errno;
use crate::os::sim::{Machine, MachineConfig, SimOs};
use crate::os::{Family, Os};
use crate::packet::Unreachable;
use crate::router::LinkConfig;
use crate::stack::{self, Profile, System};
use crate::time::SimTime;
use crate::timeline::{Direction, Event, FaultKind, Kind, LostReason, Recorder, SegmentEvent, Way};

const PORT: u16 = 9877;

fn at(ms: u64) -> SimTime {
    SimTime::ZERO + Duration::from_millis(ms)
}

/// Accepts one connection after another and echoes what comes.
async fn server(os: SimOs) -> Result<(), Errno> {
    let listener = os.socket(Family::Inet)?;
    os.bind(listener, SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), PORT))?;
    os.listen(listener, 5)?;
    loop {
        let (fd, _) = os.accept(listener).await?;
        let mut buf = [0; 1_024];
        loop {
            match os.read(fd, &mut buf).await? {
                0 => break,
                n => os.write(fd, &buf[..n]).await?,
            };
        }
        os.close(fd)?;
    }
}

/// Writes a line now and another ten seconds later, and reads each back.
async fn client(os: SimOs, server: SocketAddr) -> Result<(), Errno> {
    let fd = os.socket(Family::Inet)?;
    os.connect(fd, server).await?;
    for line in [b"hello\n", b"world\n"] {
        os.write(fd, line).await?;
        os.read(fd, &mut [0; 64]).await?;
        os.sleep(Duration::from_secs(10)).await?;
    }
    os.close(fd)
}

fn status(result: Result<(), Errno>) -> i32 {
    result.map_or_else(Errno::raw, |()| 0)
}

fn setup(name: &'static str, link: usize, seed: u64, recorder: &Recorder) -> HostSetup {
    let recorder = recorder.clone();
    let addrs = host_addrs(IpVersion::V4, link, 1);
    let server_addr = SocketAddr::new(host_addrs(IpVersion::V4, 1, 1)[0], PORT);
    let machine: MachineBuilder = Box::new(move |boot, now| {
        let profile = Profile::of(System::Book);
        let seed = seed * 1_000 + u64::from(boot);
        let stack = stack::Config { addrs: addrs.clone(), profile, mtu: 1_500, seed, shares_segment: false };
        let mut host = Machine::new(MachineConfig::new(name, stack), recorder.clone());
        if name == "server" {
            host.spawn(now, name, |os| async { status(server(os).await) });
        } else {
            host.spawn(now, name, move |os| async move { status(client(os, server_addr).await) });
        }
        host
    });
    HostSetup {
        name: name.to_owned(),
        addrs: 1,
        link: LinkConfig::default(),
        shares_segment: false,
        machine,
        observer: None,
    }
}

fn world(seed: u64) -> World {
    let recorder = Recorder::new("world");
    let hosts = vec![setup("client", 0, seed, &recorder), setup("server", 1, seed, &recorder)];
    World::new(IpVersion::V4, seed, hosts, recorder).unwrap()
}

fn failures(world: &World) -> Vec<(SimTime, &'static str, Errno)> {
    let events = world.recorder().events_from(0);
    let failed = events.into_iter().filter_map(|event| match event.kind {
        Kind::Call(call) => call.result.err().map(|errno| (event.t, call.name(), errno)),
        _ => None,
    });
    failed.collect()
}

fn segments(events: &[Event]) -> impl Iterator<Item = (SimTime, &str, &SegmentEvent)> {
    events.iter().filter_map(|event| match &event.kind {
        Kind::Segment(segment) => Some((event.t, &*event.host, segment)),
        _ => None,
    })
}

#[test]
fn a_round_trip_takes_the_latency_of_both_links_there_and_back() {
    let mut world = world(1);
    world.run_until(at(60_000)).unwrap();
    let events = world.recorder().events_from(0);
    let arrivals: Vec<SimTime> = segments(&events)
        .filter(|(_, host, segment)| *host == "client" && segment.flags.to_string() == "S.")
        .map(|(t, ..)| t)
        .collect();
    assert_eq!(arrivals, [at(10)]);
    assert_eq!(failures(&world), []);
}

#[test]
fn a_crash_is_silent_and_noticed_after_542_5_s() {
    let mut world = world(1);
    world.run_until(at(5_000)).unwrap();
    assert!(world.crash("server"));
    world.run_until(at(3_600_000)).unwrap();
    // The second line goes out ten seconds after the first was echoed, at 20 ms.
    assert_eq!(failures(&world), [(at(10_020 + 542_500), "read", Errno::ETIMEDOUT)]);
    let events = world.recorder().events_from(0);
    let said = segments(&events).filter(|(t, host, _)| *host == "server" && *t >= at(5_000)).count();
    assert_eq!(said, 0, "a dead host says nothing");
}

#[test]
fn a_rebooted_host_resets_the_old_connection_one_round_trip_after_the_write() {
    let mut world = world(1);
    world.run_until(at(2_000)).unwrap();
    assert!(world.crash("server"));
    world.run_until(at(5_000)).unwrap();
    assert!(world.boot("server"));
    world.run_until(at(60_000)).unwrap();
    assert_eq!(failures(&world), [(at(10_020 + 10), "read", Errno::ECONNRESET)]);
}

#[test]
fn a_router_that_cannot_reach_the_host_says_so_and_the_error_comes_at_give_up() {
    let mut world = world(1);
    world.run_until(at(5_000)).unwrap();
    world.strike_link("server", FaultKind::Unreachable(Unreachable::Host));
    world.run_until(at(3_600_000)).unwrap();
    assert_eq!(failures(&world), [(at(10_020 + 542_500), "read", Errno::EHOSTUNREACH)]);
}

#[test]
fn a_partition_that_heals_costs_a_retransmission_and_nothing_else() {
    let mut world = world(1);
    world.run_until(at(5_000)).unwrap();
    world.strike_link("server", FaultKind::Partition(Way::Both));
    world.run_until(at(11_000)).unwrap();
    world.strike_link("server", FaultKind::Repair(Way::Both));
    world.run_until(at(60_000)).unwrap();
    assert_eq!(failures(&world), []);
    let events = world.recorder().events_from(0);
    let again = segments(&events).filter(|(_, _, segment)| segment.retransmission.is_some()).count();
    assert_eq!(again, 1);
}

#[test]
fn what_is_held_arrives_on_release() {
    let mut world = world(1);
    world.run_until(at(10_021)).unwrap();
    world.strike_link("server", FaultKind::Hold(Way::Both));
    world.run_until(at(11_000)).unwrap();
    world.strike_link("server", FaultKind::Release(Way::Both));
    world.run_until(at(60_000)).unwrap();
    let events = world.recorder().events_from(0);
    assert_eq!(segments(&events).filter(|(_, _, segment)| segment.retransmission.is_some()).count(), 0);
    assert_eq!(failures(&world), []);
}

#[test]
fn nothing_is_struck_twice() {
    let mut world = world(1);
    assert!(!world.boot("server"), "it is on");
    assert!(!world.crash("nobody"));
    world.settle().unwrap();
    assert!(world.crash("server"));
    assert!(!world.crash("server"), "it is off");
}

#[test]
fn a_host_is_crashed_and_booted_among_others() {
    let recorder = Recorder::new("world");
    let hosts = vec![setup("client", 0, 1, &recorder), setup("server", 1, 1, &recorder)];
    // Others that talk to the same server at the same moments.
    let others = ["client2", "client3"].into_iter().zip(2..);
    let hosts = hosts.into_iter().chain(others.map(|(name, link)| setup(name, link, 1, &recorder))).collect();
    let mut world = World::new(IpVersion::V4, 1, hosts, recorder).unwrap();
    world.run_until(at(5_000)).unwrap();
    assert!(world.crash("client2"));
    assert_eq!(world.look_at("client2", |_, _| ()), None);
    world.run_until(at(9_000)).unwrap();
    assert!(world.boot("client2"));
    world.run_until(at(60_000)).unwrap();
    let events = world.recorder().events_from(0);
    let last = |host: &str| {
        let packets: Vec<_> = segments(&events).filter(|(_, of, _)| *of == host).map(|(t, ..)| t).collect();
        packets.into_iter().max()
    };
    assert!(last("client2") > Some(at(9_000)), "it began anew");
    let silent =
        segments(&events).filter(|(t, host, _)| *host == "client2" && *t > at(5_000) && *t < at(9_000));
    assert_eq!(silent.count(), 0, "a dead host says nothing and hears nothing");
}

#[test]
fn the_same_seed_is_the_same_world_and_another_is_another() {
    let run = |seed| {
        let mut world = world(seed);
        world.run_until(at(60_000)).unwrap();
        format!("{:?}", world.recorder().events_from(0))
    };
    let again = std::thread::spawn(move || run(1)).join().unwrap();
    assert_eq!(run(1), again);
    assert_ne!(run(1), run(2));
}

/// Its timers have what was left to them, and what the world sees of it is later by as much.
#[test]
fn a_paused_hosts_clock_stands_still() {
    let mut world = world(1);
    world.run_until(at(5_000)).unwrap();
    world.go_to(at(5_000));
    assert!(world.pause("client") && !world.pause("client"));
    world.go_to(at(8_000));
    assert!(world.resume("client") && !world.resume("client"));
    world.run_until(at(60_000)).unwrap();
    let events = world.recorder().events_from(0);
    let lines: Vec<SimTime> = segments(&events)
        .filter(|(_, host, segment)| *host == "client" && segment.dir == Direction::Out && segment.len > 0)
        .map(|(t, ..)| t)
        .collect();
    // The second is written ten seconds by the host's clock after the echo of the first, at 20 ms.
    assert_eq!(lines, [at(10), at(13_020)]);
    assert!(events.is_sorted_by_key(|event| event.t));
    let slept: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Call(call) if call.name() == "sleep" => Some((call.since, event.t)),
            _ => None,
        })
        .collect();
    assert_eq!(
        slept,
        [(at(20), at(13_020)), (at(13_030), at(23_030))],
        "who began before the pause began before it"
    );
}

#[test]
fn what_comes_to_a_paused_host_is_lost_and_a_crash_ends_its_pause() {
    let mut world = world(1);
    world.run_until(at(5_000)).unwrap();
    world.pause("server");
    world.run_until(at(20_000)).unwrap();
    let paused = |world: &World| {
        let events = world.recorder().events_from(0);
        let is_it = |event: &&Event| matches!(event.kind, Kind::Lost { reason: LostReason::HostPaused, .. });
        events.iter().filter(is_it).count()
    };
    assert!(paused(&world) > 2);
    assert!(world.crash("server") && world.boot("server") && !world.resume("server"));
    let before = paused(&world);
    world.run_until(at(60_000)).unwrap();
    assert_eq!(paused(&world), before);
    assert_eq!(failures(&world).last().map(|it| it.2), Some(Errno::ECONNRESET));
}
