//! One simulation knows nothing of another.

use std::time::Duration;

use echosim::net::{self, TcpStream};
use echosim::timeline::Event;
use turmoil::Builder;

use super::support::{builder, echo_server, echoed, octets, run_until, sim};

fn lossy_echo(builder: &mut Builder, rate: f64) -> Vec<Event> {
    let mut sim = builder.build();
    net::loss("client", "server", rate, 1);
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let data = octets(50_000);
        assert!(echoed(&mut TcpStream::connect("server:7").await?, &data).await? == data);
        Ok(())
    });
    sim.run().unwrap();
    net::timeline()
}

#[test]
fn the_same_seed_is_the_same_timeline() {
    let mut defaults = Builder::new();
    defaults.rng_seed(3).enable_random_order().simulation_duration(Duration::from_secs(600));
    let one = lossy_echo(&mut defaults, 0.05);
    let again = std::thread::spawn(move || lossy_echo(&mut defaults, 0.05)).join().unwrap();
    assert!(one == again);
    assert!(one != lossy_echo(Builder::new().rng_seed(4), 0.05));
}

#[test]
fn a_dropped_simulation_leaves_nothing() {
    let lossy = lossy_echo(&mut builder(), 0.1);
    assert!(!lossy.is_empty() && net::timeline().is_empty());
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        echoed(&mut TcpStream::connect("server:7").await?, b"hello").await?;
        Ok(())
    });
    sim.run().unwrap();
    let events = net::timeline();
    let lost = |event: &&Event| matches!(event.kind, echosim::timeline::Kind::Lost { .. });
    assert!(events.len() < lossy.len());
    assert_eq!(events.iter().filter(lost).count(), 0, "the loss went with its simulation");
}

#[test]
fn a_simulation_whose_hosts_all_crashed_is_not_the_next_one() {
    let mut first = sim();
    first.host("server", || echo_server("0.0.0.0:7"));
    run_until(&mut first, Duration::from_secs(10));
    first.crash("server");
    drop(first);
    let events = lossy_echo(&mut builder(), 0.0);
    assert!(events.iter().all(|event| event.t.as_secs_f64() < 5.0));
    assert!(events.iter().any(|event| &*event.host == "client"));
}

#[test]
fn what_is_not_recorded_is_not_there() {
    net::recording(false);
    assert_eq!(lossy_echo(&mut builder(), 0.0), []);
}

#[test]
fn netstat_shows_both_ends() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        echoed(&mut stream, b"hello").await?;
        let server = echosim::netstat("server");
        assert_eq!(server.len(), 2, "a listener and a connection");
        assert_eq!(server[1].remote, Some(stream.local_addr()?));
        assert_eq!(echosim::netstat("192.168.0.2")[0].local, stream.local_addr()?);
        assert_eq!(echosim::netstat("nobody"), []);
        Ok(())
    });
    sim.run().unwrap();
}
