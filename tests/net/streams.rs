//! A stream between any two systems ends, however much of it is lost and however slowly it is read.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use echosim::System;
use echosim::net::{self, TcpListener, TcpStream};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};
use turmoil::{Builder, IpVersion};

const OCTETS: usize = 300_000;

/// The longest silence of a reader: longer than the longest retransmission timeout.
const SILENCE: Duration = Duration::from_secs(130);

/// How the hosts are connected.
#[derive(Clone, Copy, Debug)]
struct Network {
    is_v6: bool,
    offloads_segmentation: bool,
    /// The longest latency, in milliseconds. The shortest is 1 ms: more than that reorders.
    latency: u64,
    loss: f64,
}

/// Sends a stream from one system to another, which reads it in pieces with pauses; the octets that arrived, and whether
/// the end of file came after them.
fn transfer(seed: u64, from: System, to: System, network: Network) -> (usize, bool) {
    let mut builder = Builder::new();
    builder
        .rng_seed(seed)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(network.latency))
        .ip_version(if network.is_v6 { IpVersion::V6 } else { IpVersion::V4 })
        .simulation_duration(Duration::from_secs(3_000));
    let mut sim = builder.build();
    net::recording(false);
    for (host, system) in [("client", from), ("server", to)] {
        net::profile(host, system);
        net::segmentation_offload(host, network.offloads_segmentation);
    }
    net::loss("client", "server", network.loss, seed);
    let arrived = Rc::new(Cell::new((0, false)));
    let seen = arrived.clone();
    sim.client("server", async move {
        let any = if network.is_v6 { "[::]:7" } else { "0.0.0.0:7" };
        let (mut stream, _) = TcpListener::bind(any).await?.accept().await?;
        let mut rng = StdRng::seed_from_u64(seed);
        let mut buf = vec![0; 30_000];
        loop {
            let len = rng.random_range(1..=buf.len());
            let Ok(read) = timeout(SILENCE, stream.read(&mut buf[..len])).await else { break };
            let (octets, _) = seen.get();
            let read = read?;
            seen.set((octets + read, read == 0));
            if read == 0 {
                break;
            }
            sleep(Duration::from_millis(rng.random_range(0..40))).await;
        }
        // The last acknowledgment may have to be sent again.
        drop(stream);
        sleep(SILENCE).await;
        Ok(())
    });
    sim.client("client", async move {
        let mut stream = TcpStream::connect(("server", 7)).await?;
        stream.write_all(&vec![1; OCTETS]).await?;
        stream.shutdown().await?;
        // A stream that stalls is the reader's to report.
        let _ = timeout(SILENCE, stream.read(&mut [0; 1])).await;
        Ok(())
    });
    sim.run().unwrap();
    arrived.get()
}

/// Each pair of systems over every kind of network, with a seed of its own.
fn every_pair_over(loss: f64) {
    let links = [1, 100].into_iter().flat_map(|latency| {
        [(false, true), (false, false), (true, false)].map(|(is_v6, offloads_segmentation)| Network {
            is_v6,
            offloads_segmentation,
            latency,
            loss,
        })
    });
    let links: Vec<Network> = links.collect();
    let pairs = System::ALL.into_iter().flat_map(|from| System::ALL.map(|to| (from, to)));
    for (seed, (from, to)) in (0..).zip(pairs) {
        let network = links[seed as usize % links.len()];
        let arrived = transfer(seed, from, to, network);
        assert_eq!(arrived, (OCTETS, true), "{from:?} to {to:?}, seed {seed}, {network:?}");
    }
}

#[test]
fn a_stream_to_a_slow_reader_ends_between_any_two_systems() {
    every_pair_over(0.0);
}

#[test]
fn a_stream_ends_between_any_two_systems_where_one_packet_of_a_hundred_is_lost() {
    every_pair_over(0.01);
}

#[test]
fn a_stream_ends_between_any_two_systems_where_one_packet_of_twenty_is_lost() {
    every_pair_over(0.05);
}
