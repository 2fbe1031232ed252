//! What a card with segmentation offload does to the packets that are seen.

use std::time::Duration;

use echosim::System;
use echosim::net::{self, TcpStream};
use turmoil::IpVersion;

use super::support::{builder, echo_server, echoed, octets, sent_by, sim};

/// Octets of data in a segment of 1 500 octets that has timestamps.
const SEGMENT: usize = 1_448;

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
    assert!(client > 20 * SEGMENT && client % SEGMENT == 0 && server > SEGMENT, "{client}, {server}");
    net::segmentation_offload("client", false);
    let (client, server) = largest(sim());
    assert!(client == SEGMENT && server > SEGMENT, "{client}, {server}");
    net::segmentation_offload("192.168.0.1", false);
    net::segmentation_offload("client", true);
    let (client, server) = largest(sim());
    assert!(client > 20 * SEGMENT && server == SEGMENT, "{client}, {server}");
}

#[test]
fn where_segments_are_lost_they_travel_one_by_one() {
    net::loss("client", "server", 0.02, 7);
    assert_eq!(largest(sim()), (SEGMENT, SEGMENT));
}

/// smoltcp cuts them itself.
#[test]
fn over_ipv6_segments_travel_one_by_one_under_smoltcp() {
    let v6 = || builder().ip_version(IpVersion::V6).build();
    let (client, server) = largest(v6());
    assert!(client > 1_428 && client % 1_428 == 0 && server > 1_428, "{client}, {server}");
    for host in ["client", "server"] {
        net::profile(host, System::Rfc);
    }
    assert_eq!(largest(v6()), (1_440, 1_440));
}

/// From one step to the next: bursts until segments are lost, and again when they are not.
#[test]
fn loss_may_come_and_go_while_data_flows() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        let data = octets(12_000_000);
        assert!(echoed(&mut stream, &data).await? == data);
        Ok(())
    });
    let mut largest = Vec::new();
    let mut seen = 0;
    for rate in [0.0, 0.02, 0.0] {
        net::loss("client", "server", rate, 7);
        let end = sim.elapsed() + Duration::from_millis(100);
        while sim.elapsed() < end {
            sim.step().unwrap();
        }
        let events = net::timeline();
        largest.push(sent_by(&events[seen..], "client").map(|segment| segment.len).max().unwrap());
        seen = events.len();
    }
    net::loss("client", "server", 0.0, 7);
    sim.run().unwrap();
    assert!(largest[0] > SEGMENT && largest[1] == SEGMENT && largest[2] > SEGMENT, "{largest:?}");
}
