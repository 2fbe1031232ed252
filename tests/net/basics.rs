//! Connect, talk, close: what every program does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use echosim::net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Barrier;
use turmoil::IpVersion;

use super::support::{builder, echo_server, echoed, octets, sim};

#[test]
fn what_is_written_comes_back() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        assert_eq!(stream.peer_addr()?.to_string(), "192.168.0.1:7");
        assert_eq!(stream.local_addr()?.ip().to_string(), "192.168.0.2");
        let data = octets(1_000_000);
        assert!(echoed(&mut stream, &data).await? == data);
        stream.shutdown().await?;
        assert_eq!(stream.read(&mut [0; 1]).await?, 0);
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn every_packet_of_the_timeline_has_its_checksums() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        echoed(&mut stream, &octets(1_000_000)).await?;
        Ok(())
    });
    sim.run().unwrap();
    let events = echosim::net::timeline();
    let packets: Vec<_> = events.iter().filter_map(|event| event.packet.as_ref()).collect();
    assert!(packets.len() > 100);
    assert!(packets.iter().all(|packet| echosim::packet::parse(packet).is_ok()));
}

#[test]
fn ipv6_hosts_talk_ipv6() {
    let mut sim = builder().ip_version(IpVersion::V6).build();
    sim.host("server", || echo_server("[::]:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect(("server", 7)).await?;
        assert_eq!(stream.peer_addr()?.to_string(), "[fe80::1]:7");
        assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn hosts_named_by_a_literal_address_are_found() {
    let mut sim = sim();
    sim.host("10.0.0.1", || echo_server("0.0.0.0:7"));
    sim.client("10.0.0.2", async {
        let mut stream = TcpStream::connect("10.0.0.1:7").await?;
        assert_eq!(stream.local_addr()?.ip(), IpAddr::from([10, 0, 0, 2]));
        assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn a_host_talks_to_itself_by_loopback_and_by_its_own_address() {
    for (version, loopback) in [
        (IpVersion::V4, IpAddr::from(Ipv4Addr::LOCALHOST)),
        (IpVersion::V6, IpAddr::from(Ipv6Addr::LOCALHOST)),
    ] {
        let mut sim = builder().ip_version(version.clone()).build();
        sim.client("host", async move {
            let any = if loopback.is_ipv4() { "0.0.0.0:7" } else { "[::]:7" };
            tokio::spawn(async move { echo_server(any).await.map_err(|error| error.to_string()) });
            tokio::task::yield_now().await;
            let own = turmoil::lookup("host");
            for addr in [loopback, own] {
                let mut stream = TcpStream::connect((addr, 7)).await?;
                assert_eq!(stream.local_addr()?.ip(), addr);
                let data = octets(100_000);
                assert!(echoed(&mut stream, &data).await? == data);
            }
            Ok(())
        });
        sim.run().unwrap();
    }
}

#[test]
fn a_listener_on_loopback_is_not_heard_from_outside() {
    let mut sim = sim();
    sim.host("server", || echo_server("127.0.0.1:7"));
    sim.client("client", async {
        let error = TcpStream::connect("server:7").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn a_listener_on_the_hosts_own_address_is_heard() {
    let mut sim = sim();
    sim.host("server", || async {
        let own = turmoil::lookup("server");
        let listener = TcpListener::bind((own, 7)).await?;
        assert_eq!(listener.local_addr()?.ip(), own);
        listener.accept().await?.0.write_all(b"hello").await?;
        std::future::pending().await
    });
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        assert_eq!(stream.read(&mut [0; 9]).await?, 5);
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn port_0_is_an_ephemeral_port_and_a_dropped_listener_frees_its_port_at_once() {
    let mut sim = sim();
    sim.client("host", async {
        let listener = TcpListener::bind("0.0.0.0:0").await?;
        let port = listener.local_addr()?.port();
        assert!((32_768..=60_999).contains(&port), "{port} is not one that Linux chooses");
        drop(listener);
        TcpListener::bind(("0.0.0.0", port)).await?;
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn the_builders_ephemeral_ports_are_those_of_our_sockets() {
    for (ports, expected) in [(50_000..=50_003, 50_000..=50_003), (49_152..=65_535, 32_768..=60_999)] {
        let mut sim = builder().ephemeral_ports(ports).build();
        sim.host("server", || echo_server("0.0.0.0:7"));
        sim.client("client", async move {
            for _ in 0..4 {
                let port = TcpStream::connect("server:7").await?.local_addr()?.port();
                assert!(expected.contains(&port), "{port}");
            }
            Ok(())
        });
        sim.run().unwrap();
    }
}

#[test]
fn many_hosts_all_talk_to_each_other() {
    const HOSTS: usize = 30;
    let mut sim = builder().enable_random_order().build();
    let done = Arc::new(Barrier::new(HOSTS));
    for n in 0..HOSTS {
        let done = done.clone();
        sim.client(format!("host-{n}"), async move {
            tokio::task::spawn_local(echo_server("0.0.0.0:7"));
            tokio::time::sleep(Duration::from_millis(50)).await;
            let talks = (0..HOSTS).filter(|other| *other != n).map(|other| {
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect((format!("host-{other}"), 7)).await?;
                    let data = octets(10_000);
                    assert!(echoed(&mut stream, &data).await? == data);
                    std::io::Result::Ok(())
                })
            });
            for talk in talks.collect::<Vec<_>>() {
                talk.await??;
            }
            // turmoil stops a client that is done; the others may still be talking to this one.
            done.wait().await;
            Ok(())
        });
    }
    sim.run().unwrap();
}

#[test]
fn outside_a_simulation_there_is_no_network() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(TcpStream::connect("127.0.0.1:7")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}
