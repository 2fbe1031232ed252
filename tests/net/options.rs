//! Options, and what the ones that end a wait do.

use std::time::Duration;

use echosim::net::{self, SockRef, System, TcpKeepalive, TcpSocket, TcpStream};
use echosim::profile::Profile;
use echosim::timeline::{Direction, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::support::{echo_server, echoed, run_until, sim};

#[test]
fn options_are_kept() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let socket = TcpSocket::new_v4()?;
        assert_eq!(socket.local_addr()?.to_string(), "0.0.0.0:0");
        socket.set_keepalive(true)?;
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(10_000)?;
        socket.set_nodelay(true)?;
        assert!(socket.keepalive()? && socket.reuseaddr()? && socket.nodelay()?);
        assert_eq!((socket.send_buffer_size()?, socket.recv_buffer_size()?), (20_000, 131_072));
        let stream = socket.connect((turmoil::lookup("server"), 7).into()).await?;
        assert!(stream.nodelay()? && SockRef::from(&stream).keepalive()?);
        stream.set_ttl(9)?;
        assert_eq!(stream.ttl()?, 9);
        assert_eq!(stream.set_ttl(0).unwrap_err().raw_os_error(), Some(22));
        assert_eq!(stream.linger()?, None);
        stream.set_linger(Some(Duration::from_secs(1)))?;
        assert_eq!(stream.linger()?, Some(Duration::from_secs(1)));
        assert_eq!(SockRef::from(&stream).tcp_keepalive_time()?, Duration::from_secs(7_200));
        Ok(())
    });
    sim.run().unwrap();
}

/// What a client makes of a connection whose server dies half a second into it.
fn of_dying_server<F, R>(profile: impl Into<Profile>, client: impl FnOnce(TcpStream) -> F + 'static) -> R
where
    F: Future<Output = turmoil::Result<R>> + 'static,
    R: 'static,
{
    let mut sim = sim();
    net::profile("client", profile);
    sim.host("server", || echo_server("0.0.0.0:7"));
    let (tell, told) = std::sync::mpsc::channel();
    sim.client("client", async move {
        let seen = client(TcpStream::connect("server:7").await?).await?;
        tell.send(seen).map_err(|_| "nobody waits")?;
        Ok(())
    });
    run_until(&mut sim, Duration::from_millis(500));
    sim.crash("server");
    sim.run().unwrap();
    told.recv().unwrap()
}

/// Octets that a write to a dead peer takes before it would block.
fn taken(profile: impl Into<Profile>) -> usize {
    of_dying_server(profile, async |stream| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut taken = 0;
        while let Ok(octets) = stream.try_write(&[7; 10_000]) {
            taken += octets;
        }
        Ok(taken)
    })
}

#[test]
fn linuxs_buffers_grow_and_others_are_as_the_profile_says() {
    let mut own = Profile::of(System::Linux);
    own.buffer = Some(60_000);
    assert_eq!((taken(System::Linux), taken(System::Book), taken(own)), (46_200, 65_535, 141_768));
}

/// A client that says nothing more, set up by `prepare`, and a server that dies; how long until it is noticed,
/// in seconds from the crash.
fn noticed(talks: bool, prepare: fn(&TcpStream) -> std::io::Result<()>) -> Option<u64> {
    of_dying_server(System::Linux, async move |mut stream| {
        prepare(&stream)?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let start = Instant::now();
        if talks {
            stream.write_all(b"hello").await?;
        }
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut [0; 5])).await;
        let noticed = read.is_ok().then(|| start.elapsed().as_secs());
        assert_eq!(read.ok().and_then(|read| read.unwrap_err().raw_os_error()), noticed.map(|_| 110));
        Ok(noticed)
    })
}

#[test]
fn an_idle_connection_notices_only_with_keepalive() {
    assert_eq!(noticed(false, |_| Ok(())), None);
    let with = noticed(false, |stream| {
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(10))
            .with_interval(Duration::from_secs(5))
            .with_retries(3);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)
    });
    // 10 s after the handshake, then 3 probes 5 s apart (behaviour of Linux 6.18: 25 s), less the second slept.
    assert_eq!(with, Some(24));
}

#[test]
fn a_busy_connection_notices_within_tcp_user_timeout() {
    assert_eq!(noticed(true, |_| Ok(())), None);
    let timeout = Some(Duration::from_secs(10));
    let with =
        noticed(true, |stream| SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(10))));
    assert_eq!(with.map(Duration::from_secs), timeout);
}

/// How long an interactive client keeps the acknowledgment of an answer back.
fn ack_delay(prepare: fn(&TcpStream) -> std::io::Result<()>) -> Duration {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async move {
        let mut stream = TcpStream::connect("server:7").await?;
        for _ in 0..3 {
            echoed(&mut stream, b"hello").await?;
        }
        stream.write_all(b"hello").await?;
        prepare(&stream)?;
        stream.read_exact(&mut [0; 5]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    sim.run().unwrap();
    let events = net::timeline();
    let segments =
        events.iter().filter(|event| &*event.host == "client").filter_map(|event| match &event.kind {
            Kind::Segment(segment) => Some((event.t, segment)),
            _ => None,
        });
    let segments: Vec<_> = segments.collect();
    let answer = segments.iter().rposition(|(_, it)| it.dir == Direction::In && it.len > 0).unwrap();
    segments[answer + 1].0 - segments[answer].0
}

#[test]
fn quickack_acknowledges_at_once() {
    // Linux's 40 ms on its timer wheel, seen by a clock of 1 ms.
    let delay = ack_delay(|_| Ok(())).as_millis();
    assert!((40..=44).contains(&delay), "{delay} ms");
    let quick = |stream: &TcpStream| {
        assert!(!stream.quickack()?, "it has turned out to be interactive");
        stream.set_quickack(true)
    };
    assert_eq!(ack_delay(quick), Duration::ZERO);
}

#[test]
fn quickack_is_linuxs_alone() {
    net::profile("client", System::Bsd);
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let stream = TcpStream::connect("server:7").await?;
        assert_eq!(stream.set_quickack(true).unwrap_err().raw_os_error(), Some(92), "ENOPROTOOPT");
        Ok(())
    });
    sim.run().unwrap();
}
