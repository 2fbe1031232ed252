//! What a card with segmentation offload does to the packets that are seen.

use std::time::Duration;

use echosim::net::{self, TcpStream};
use turmoil::IpVersion;

use super::support::{builder, echo_server, echoed, octets, sent_by, sim};

/// Octets of data in the largest packet of an echo of a megabyte, each way.
fn largest(mut sim: turmoil::Sim<'_>) -> (usize, usize) {
    sim.host("server", || {
        let is_ipv4 = turmoil::lookup("server").is_ipv4();
        echo_server(if is_ipv4 { "0.0.0.0:7" } else { "[::]:7" })
    });
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        let data = octets(1_000_000);
        assert!(echoed(&mut stream, &data).await? == data);
        Ok(())
    });
    sim.run().unwrap();
    let events = net::timeline();
    let largest = |host| sent_by(&events, host).map(|segment| segment.len).max().unwrap();
    (largest("client"), largest("server"))
}

#[test]
fn a_burst_is_one_packet_unless_it_is_asked_not_to_be() {
    let (client, server) = largest(sim());
    assert!(client == 44 * 1_460 && server > 1_460, "{client}, {server}");
    net::segmentation_offload("client", false);
    let (client, server) = largest(sim());
    assert!(client == 1_460 && server > 1_460, "{client}, {server}");
    net::segmentation_offload("192.168.0.1", false);
    net::segmentation_offload("client", true);
    let (client, server) = largest(sim());
    assert!(client == 44 * 1_460 && server == 1_460, "{client}, {server}");
}

#[test]
fn where_segments_are_lost_they_travel_one_by_one() {
    net::loss("client", "server", 0.02, 7);
    assert_eq!(largest(sim()), (1_460, 1_460));
}

#[test]
fn over_ipv6_segments_travel_one_by_one() {
    assert_eq!(largest(builder().ip_version(IpVersion::V6).build()), (1_440, 1_440));
}

/// From one step to the next: bursts until segments are lost, and again when they are not.
#[test]
fn loss_may_come_and_go_while_data_flows() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        let data = octets(6_000_000);
        assert!(echoed(&mut stream, &data).await? == data);
        Ok(())
    });
    let mut largest = Vec::new();
    let mut seen = 0;
    for rate in [0.0, 0.02, 0.0] {
        net::loss("client", "server", rate, 7);
        let end = sim.elapsed() + Duration::from_millis(500);
        while sim.elapsed() < end {
            sim.step().unwrap();
        }
        let events = net::timeline();
        largest.push(sent_by(&events[seen..], "client").map(|segment| segment.len).max().unwrap());
        seen = events.len();
    }
    net::loss("client", "server", 0.0, 7);
    sim.run().unwrap();
    assert!(largest[0] > 1_460 && largest[1] == 1_460 && largest[2] > 1_460, "{largest:?}");
}
