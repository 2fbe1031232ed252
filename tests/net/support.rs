//! The simulation that most tests run in.

use std::time::Duration;

use echosim::net::{TcpListener, TcpStream};
use echosim::timeline::{Direction, Event, Kind, SegmentEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::{Builder, Sim};

/// 5 ms each way, one seed, an hour at the most.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .rng_seed(1)
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::from_secs(7_200));
    builder
}

pub(super) fn sim() -> Sim<'static> {
    builder().build()
}

/// As [`sim`], but in ticks of 50 ms, for tests that wait for minutes: what happens within a host keeps its
/// millisecond, a packet arrives with the next tick.
pub(super) fn coarse_sim() -> Sim<'static> {
    builder().tick_duration(Duration::from_millis(50)).build()
}

pub(super) async fn echo_server(addr: &'static str) -> turmoil::Result {
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await
        });
    }
}

/// Writes `data` and reads as much again at the same time.
pub(super) async fn echoed(stream: &mut TcpStream, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let (mut read, mut write) = stream.split();
    let mut back = vec![0; data.len()];
    let (sent, got) = tokio::join!(write.write_all(data), read.read_exact(&mut back));
    sent.and(got)?;
    Ok(back)
}

/// Octets that differ from their neighbours.
pub(super) fn octets(len: u32) -> Vec<u8> {
    (0..len).map(|n| (n ^ n >> 8) as u8).collect()
}

/// The segments that a host sent, of all that happened.
pub(super) fn sent_by<'e>(events: &'e [Event], host: &'e str) -> impl Iterator<Item = &'e SegmentEvent> {
    events.iter().filter(move |event| &*event.host == host).filter_map(|event| match &event.kind {
        Kind::Segment(segment) if segment.dir == Direction::Out => Some(segment),
        _ => None,
    })
}

/// Runs until `elapsed` has passed since the start.
pub(super) fn run_until(sim: &mut Sim<'_>, elapsed: Duration) {
    while sim.elapsed() < elapsed {
        sim.step().unwrap();
    }
}
