//! Rules for chosen segments.

use std::io::ErrorKind;
use std::time::Duration;

use echosim::net::{self, Rule, TcpStream, Unreachable};
use echosim::timeline::{Flags, Kind, LostReason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::support::{echo_server, echoed, sim};

fn losses() -> Vec<LostReason> {
    let reasons = net::timeline().into_iter().filter_map(|event| match event.kind {
        Kind::Lost { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn the_segment_that_a_rule_drops_is_sent_again_and_nothing_else_is_lost() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    let mut nth = 0;
    net::rule("client", "server", move |segment| {
        nth += u32::from(segment.len > 0);
        if nth == 2 && segment.len > 0 { Rule::Drop } else { Rule::Pass }
    });
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        for line in ["one", "two", "three"] {
            echoed(&mut stream, line.as_bytes()).await?;
        }
        Ok(())
    });
    sim.run().unwrap();
    assert_eq!(losses(), [LostReason::Dropped]);
}

/// A firewall that lets no new connection pass, and how it says so.
#[test]
fn connect_hears_of_a_rule_that_rejects_as_it_would_of_a_firewall() {
    for (rule, kind, errno) in [
        (Rule::Reset, ErrorKind::ConnectionRefused, 111),
        (Rule::Reject(Unreachable::Prohibited), ErrorKind::HostUnreachable, 113),
    ] {
        let mut sim = sim();
        sim.host("server", || echo_server("0.0.0.0:7"));
        net::rule(
            "client",
            "server",
            move |segment| {
                if segment.flags == Flags::SYN { rule } else { Rule::Pass }
            },
        );
        sim.client("client", async move {
            let error = TcpStream::connect("server:7").await.unwrap_err();
            assert_eq!((error.kind(), error.raw_os_error()), (kind, Some(errno)));
            net::no_rule("client", "server");
            TcpStream::connect("server:7").await?;
            Ok(())
        });
        sim.run().unwrap();
        assert_eq!(losses(), [LostReason::Rejected]);
    }
}

#[test]
fn what_a_rule_delays_comes_so_much_later_and_nothing_is_sent_twice() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        echoed(&mut stream, b"at once").await?;
        net::rule("client", "server", |segment| {
            if segment.len > 0 { Rule::Delay(Duration::from_millis(150)) } else { Rule::Pass }
        });
        let asked = Instant::now();
        stream.write_all(b"late").await?;
        stream.read_exact(&mut [0; 4]).await?;
        let took = asked.elapsed();
        assert!(took >= Duration::from_millis(150) && took < Duration::from_millis(190), "{took:?}");
        Ok(())
    });
    sim.run().unwrap();
    assert_eq!(losses(), []);
}
