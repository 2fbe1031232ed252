//! turmoil's own verbs, on packets.

use std::time::Duration;

use echosim::net::{self, TcpStream};
use echosim::timeline::{Kind, LostReason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::support::{builder, echo_server, echoed, octets, sent_by, sim};

fn retransmissions(host: &str) -> usize {
    sent_by(&net::timeline(), host).filter(|segment| segment.retransmission.is_some()).count()
}

#[test]
fn what_a_partition_ate_is_sent_again_after_the_repair() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        turmoil::partition("client", "server");
        stream.write_all(b"hello").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        turmoil::repair("client", "server");
        stream.read_exact(&mut [0; 5]).await?;
        Ok(())
    });
    sim.run().unwrap();
    assert!(retransmissions("client") >= 2);
}

#[test]
fn one_way_is_enough_to_stop_a_conversation() {
    for (from, to) in [("client", "server"), ("server", "client")] {
        let mut sim = sim();
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.client("client", async move {
            let mut stream = TcpStream::connect("server:7").await?;
            turmoil::partition_oneway(from, to);
            stream.write_all(b"hello").await?;
            assert!(timeout(Duration::from_secs(5), stream.read(&mut [0; 5])).await.is_err());
            turmoil::repair_oneway(from, to);
            stream.read_exact(&mut [0; 5]).await?;
            Ok(())
        });
        sim.run().unwrap();
    }
}

#[test]
fn what_is_held_arrives_on_release() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        turmoil::hold("client", "server");
        stream.write_all(b"hello").await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        turmoil::release("client", "server");
        let start = Instant::now();
        stream.read_exact(&mut [0; 5]).await?;
        assert!(start.elapsed() < Duration::from_millis(20));
        Ok(())
    });
    sim.run().unwrap();
    assert_eq!(retransmissions("client"), 0);
}

#[test]
fn a_links_latency_is_the_segments_latency() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        let start = Instant::now();
        assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
        let took = start.elapsed().as_millis();
        assert!((80..=84).contains(&took), "{took} ms");
        Ok(())
    });
    sim.set_link_latency("client", "server", Duration::from_millis(40));
    sim.run().unwrap();
}

#[test]
fn turmoils_own_latency_reorders_and_nothing_is_lost() {
    // Its default: every datagram draws its own latency, up to 100 ms.
    let mut sim = turmoil::Builder::new()
        .rng_seed(7)
        .enable_random_order()
        .simulation_duration(Duration::from_secs(600))
        .build();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let data = octets(300_000);
        assert!(echoed(&mut TcpStream::connect("server:7").await?, &data).await? == data);
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn links_that_fail_and_come_back_lose_no_octet() {
    let mut sim = builder().fail_rate(0.05).repair_rate(0.2).build();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let data = octets(2_000_000);
        assert!(echoed(&mut TcpStream::connect("server:7").await?, &data).await? == data);
        Ok(())
    });
    sim.run().unwrap();
    assert!(retransmissions("client") + retransmissions("server") > 0);
}

#[test]
fn five_percent_loss_loses_no_octet() {
    let mut sim = sim();
    net::loss("client", "server", 0.05, 1);
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let data = octets(1_000_000);
        assert!(echoed(&mut TcpStream::connect("server:7").await?, &data).await? == data);
        Ok(())
    });
    sim.run().unwrap();
    let events = net::timeline();
    let lost = |kind: &Kind| matches!(kind, Kind::Lost { reason: LostReason::Loss, .. });
    let (lost, sent) = (
        events.iter().filter(|event| lost(&event.kind)).count() as f64,
        (sent_by(&events, "client").count() + sent_by(&events, "server").count()) as f64,
    );
    assert!((0.035..0.065).contains(&(lost / sent)), "{lost} of {sent} packets");
}

#[test]
fn what_turmoils_full_queue_drops_is_sent_again() {
    // Each of them sends its SYN in the same tick; turmoil keeps 64 datagrams a host and tick.
    const CLIENTS: usize = 100;
    let mut sim = builder().tick_duration(Duration::from_millis(5)).build();
    sim.host("server", || echo_server("0.0.0.0:7"));
    for n in 0..CLIENTS {
        sim.client(format!("client-{n}"), async {
            let mut stream = TcpStream::connect("server:7").await?;
            assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
            Ok(())
        });
    }
    sim.run().unwrap();
    let events = net::timeline();
    let arrived = |event: &&echosim::timeline::Event| match &event.kind {
        Kind::Segment(segment) => segment.flags.to_string() == "S" && &*event.host == "server",
        _ => false,
    };
    let first = events.iter().find(arrived).unwrap().t;
    assert_eq!(events.iter().filter(arrived).filter(|event| event.t == first).count(), 64);
}
