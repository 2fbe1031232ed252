//! A crash is silent; a reboot knows nothing of what was.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use echosim::net::{self, TcpListener, TcpStream};
use echosim::timeline::{Kind, LostReason, TcpState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{echo_server, echoed, run_until, sent_by, sim};

#[test]
fn nothing_leaves_a_host_that_crashes() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
        // No FIN, no reset: the read waits.
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 1])).await;
        assert!(read.is_err());
        Ok(())
    });
    run_until(&mut sim, Duration::from_secs(10));
    let before = net::timeline();
    sim.crash("server");
    assert!(net::netstat("server").is_empty());
    sim.run().unwrap();
    let after = net::timeline();
    assert_eq!(sent_by(&after, "server").count(), sent_by(&before, "server").count());
    let states = |event: &&echosim::timeline::Event| matches!(event.kind, Kind::State { .. });
    let changes = after[before.len()..].iter().filter(states).filter(|event| &*event.host == "server");
    assert_eq!(changes.count(), 0, "a dead host does not even close its sockets");
}

#[test]
fn what_is_sent_to_a_dead_host_is_lost_with_that_reason() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        stream.write_all(b"anybody there?").await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    });
    run_until(&mut sim, Duration::from_secs(1));
    sim.crash("server");
    sim.run().unwrap();
    let events = net::timeline();
    let down = |kind: &Kind| matches!(kind, Kind::Lost { reason: LostReason::HostDown, .. });
    // The segment, its tail loss probe, and retransmissions after 0.2, 0.6, 1.4 s.
    assert!(events.iter().filter(|event| down(&event.kind)).count() >= 4);
}

#[test]
fn a_rebooted_host_serves_again_with_other_sequence_numbers() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        for _ in 0..2 {
            let mut stream = TcpStream::connect("server:7").await?;
            assert_eq!(echoed(&mut stream, b"hello").await?, b"hello");
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        Ok(())
    });
    run_until(&mut sim, Duration::from_secs(5));
    sim.crash("server");
    run_until(&mut sim, Duration::from_secs(8));
    sim.bounce("server");
    sim.run().unwrap();
}

#[test]
fn bounce_without_crash_is_a_reboot_too() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        stream.write_all(b"hello").await?;
        let error = stream.read(&mut [0; 5]).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(104), "{error}");
        Ok(())
    });
    run_until(&mut sim, Duration::from_secs(2));
    sim.bounce("server");
    sim.run().unwrap();
}

#[test]
fn a_socket_that_outlives_its_host_is_dead() {
    let mut sim = sim();
    let kept: Rc<RefCell<Option<TcpStream>>> = Rc::default();
    let keep = kept.clone();
    sim.host("client", move || {
        let keep = keep.clone();
        async move {
            keep.replace(Some(TcpStream::connect("server:7").await?));
            std::future::pending().await
        }
    });
    sim.host("server", || echo_server("0.0.0.0:7"));
    run_until(&mut sim, Duration::from_secs(1));
    sim.crash("client");
    let stream = kept.borrow_mut().take().unwrap();
    assert_eq!(stream.try_write(b"x").unwrap_err().raw_os_error(), Some(100), "ENETDOWN");
    drop(stream);
    run_until(&mut sim, Duration::from_secs(2));
    let closed = |state: &TcpState| *state != TcpState::Established && *state != TcpState::Listen;
    assert!(!net::netstat("server").iter().any(|socket| closed(&socket.state)), "no FIN came");
}

#[test]
fn a_program_that_ends_in_order_says_fin() {
    let mut sim = sim();
    sim.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (mut stream, _) = listener.accept().await?;
        assert_eq!(stream.read(&mut [0; 9]).await?, 5);
        assert_eq!(stream.read(&mut [0; 9]).await?, 0);
        Ok(())
    });
    sim.client("client", async {
        TcpStream::connect("server:7").await?.write_all(b"hello").await?;
        Ok(())
    });
    while sim.is_host_running("server") {
        sim.step().unwrap();
    }
}
