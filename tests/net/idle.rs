//! Time in which nothing happens is left out, where that is known.

use std::time::Duration;

use echosim::net::{self, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use turmoil::Sim;

use super::support::{builder, echo_server, run_until, sim};

/// A client that writes to a server that has died; it is told after how long.
fn silent_death() -> (Sim<'static>, std::sync::mpsc::Receiver<(Option<i32>, Duration)>) {
    let mut sim = builder().tick_duration(Duration::from_millis(3)).build();
    sim.host("server", || echo_server("0.0.0.0:7"));
    let (tell, told) = std::sync::mpsc::channel();
    sim.client("client", async move {
        let mut stream = TcpStream::connect("server:7").await?;
        net::sleep(Duration::from_secs(10)).await;
        let start = Instant::now();
        stream.write_all(b"anybody there?").await?;
        let error = stream.read(&mut [0; 5]).await.unwrap_err();
        tell.send((error.raw_os_error(), start.elapsed()))?;
        Ok(())
    });
    run_until(&mut sim, Duration::from_secs(1));
    sim.crash("server");
    (sim, told)
}

#[test]
fn a_quarter_of_an_hour_takes_few_ticks_and_fails_at_the_same_moment() {
    let (mut sim, told) = silent_death();
    sim.run().unwrap();
    let ticked = told.recv().unwrap();
    let timeline = net::timeline();
    drop(sim);

    net::only_sockets("client");
    net::only_sockets("server");
    let (mut sim, told) = silent_death();
    net::run(&mut sim).unwrap();
    assert_eq!(told.recv().unwrap(), ticked);
    assert_eq!(ticked.0, Some(110));
    assert!(sim.elapsed() < Duration::from_secs(3), "{:?} of ticks", sim.elapsed());
    assert!(net::timeline() == timeline, "every event at the same moment");
}

#[test]
fn a_host_whose_timers_are_not_known_is_ticked() {
    net::only_sockets("client");
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let start = Instant::now();
        net::sleep(Duration::from_secs(5)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        Ok(())
    });
    net::run(&mut sim).unwrap();
    assert!(sim.elapsed() >= Duration::from_secs(5));
}

#[test]
fn nothing_is_left_out_while_a_message_is_held() {
    net::only_sockets("client");
    net::only_sockets("server");
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        turmoil::hold("client", "server");
        stream.write_all(b"hello").await?;
        net::sleep(Duration::from_secs(5)).await;
        Ok(())
    });
    net::run(&mut sim).unwrap();
    assert!(sim.elapsed() >= Duration::from_secs(5));
}

#[test]
fn a_timeout_of_ours_is_known_and_kept() {
    net::only_sockets("client");
    net::only_sockets("server");
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        let start = Instant::now();
        let read = net::timeout(Duration::from_secs(600), stream.read(&mut [0; 1])).await;
        assert!(read.is_err());
        assert_eq!(start.elapsed(), Duration::from_secs(600));
        Ok(())
    });
    net::run(&mut sim).unwrap();
    assert!(sim.elapsed() < Duration::from_secs(1));
}

/// What a run says whose client, named to `only_sockets`, waits for a timer of tokio's all the same.
fn with_a_timer_of_tokios(
    program: impl AsyncFnOnce(TcpStream) -> turmoil::Result + 'static,
) -> turmoil::Result {
    net::only_sockets("client");
    net::only_sockets("server");
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async move {
        let mut stream = TcpStream::connect("server:7").await?;
        turmoil::partition("client", "server");
        stream.write_all(b"anybody there?").await?;
        program(stream).await
    });
    net::run(&mut sim)
}

fn assert_is_late(result: turmoil::Result) {
    let error = result.expect_err("a timer is late");
    let late = error.downcast_ref::<net::LateTimer>().unwrap_or_else(|| panic!("{error}"));
    assert_eq!(late.host, "client");
}

#[test]
fn a_timer_of_tokios_is_never_late_in_silence() {
    // It hangs up, fails, tries once more, or goes on with another connection.
    assert_is_late(with_a_timer_of_tokios(async move |mut stream: TcpStream| {
        _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 5])).await;
        Ok(())
    }));
    assert_is_late(with_a_timer_of_tokios(async move |mut stream: TcpStream| {
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 5])).await??;
        Ok(())
    }));
    assert_is_late(with_a_timer_of_tokios(async move |mut stream: TcpStream| {
        _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 5])).await;
        stream.write_all(b"again").await?;
        stream.read_exact(&mut [0; 5]).await?;
        Ok(())
    }));
    assert_is_late(with_a_timer_of_tokios(async move |stream: TcpStream| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        _ = TcpStream::connect("server:7").await;
        drop(stream);
        Ok(())
    }));
    let known = with_a_timer_of_tokios(async move |mut stream: TcpStream| {
        let start = Instant::now();
        assert!(net::timeout(Duration::from_secs(5), stream.read(&mut [0; 5])).await.is_err());
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        Ok(())
    });
    known.unwrap();
}
