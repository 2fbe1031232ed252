//! Bulk echo over `echosim::net` against turmoil's own TCP: the same program, the same simulation, the same run.
//!
//!     cargo bench --bench net
//!
//! | line | what |
//! | --- | --- |
//! | `echosim` | an Ethernet's MTU of 1 500, nothing kept |
//! | `echosim_mtu_65535` | the same with a packet as large as IP has it, as on a loopback interface |
//! | `echosim_recorded` | what a test gets that sets nothing: every packet on the timeline |
//! | `turmoil` | one message a write, of any size, as many under way as there are |
//!
//! Everybody copies each octet twice each way, into the sending program's stack and out of the receiving one's;
//! a stack with segments copies it twice more, into a segment and out of it.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Octets echoed in one iteration, all connections together.
const TOTAL: usize = 4 << 20;

macro_rules! echo {
    ($name:ident, $net:path) => {
        mod $name {
            use net::{TcpListener, TcpStream};
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            use $net as net;

            async fn server() -> turmoil::Result {
                let listener = TcpListener::bind("0.0.0.0:7").await?;
                loop {
                    let (mut stream, _) = listener.accept().await?;
                    tokio::spawn(async move {
                        let mut buf = vec![0; 65_536];
                        loop {
                            match stream.read(&mut buf).await? {
                                0 => return std::io::Result::Ok(()),
                                len => stream.write_all(&buf[..len]).await?,
                            }
                        }
                    });
                }
            }

            async fn client(octets: usize, write: usize) -> std::io::Result<()> {
                let (mut reads, mut writes) = TcpStream::connect("server:7").await?.into_split();
                let writer = tokio::spawn(async move {
                    let data = vec![7; write];
                    let mut left = octets;
                    while left > 0 {
                        let len = left.min(write);
                        writes.write_all(&data[..len]).await?;
                        left -= len;
                    }
                    std::io::Result::Ok(writes)
                });
                let mut buf = vec![0; 65_536];
                let mut left = octets;
                while left > 0 {
                    left -= reads.read(&mut buf).await?;
                }
                writer.await?.map(drop)
            }

            pub(super) fn run(connections: usize, write: usize) {
                let mut sim = super::builder().build();
                sim.host("server", server);
                sim.client("client", async move {
                    let each = super::TOTAL / connections;
                    let clients: Vec<_> =
                        (0..connections).map(|_| tokio::spawn(client(each, write))).collect();
                    for client in clients {
                        client.await??;
                    }
                    Ok(())
                });
                sim.run().unwrap();
            }
        }
    };
}

echo!(ours, echosim::net);
echo!(turmoils, turmoil::net);

fn builder() -> turmoil::Builder {
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(1)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(1))
        .simulation_duration(Duration::from_secs(3_600))
        // turmoil's TCP panics when more connections than this are opened in one tick.
        .tcp_capacity(2_048);
    builder
}

fn bulk_echo(criterion: &mut Criterion) {
    for write in [1_460, 65_536] {
        let mut group = criterion.benchmark_group(format!("bulk_echo/{write}"));
        group.throughput(Throughput::Bytes(TOTAL as u64)).sample_size(10);
        for connections in [1, 10, 100, 1_000] {
            let mut bench = |name, run: &dyn Fn()| {
                group.bench_function(BenchmarkId::new(name, connections), |bencher| bencher.iter(run));
            };
            bench("echosim", &|| {
                echosim::net::recording(false);
                ours::run(connections, write);
            });
            bench("echosim_mtu_65535", &|| {
                echosim::net::recording(false);
                echosim::net::mtu("client", 65_535);
                echosim::net::mtu("server", 65_535);
                ours::run(connections, write);
            });
            bench("echosim_recorded", &|| {
                echosim::net::recording(true);
                ours::run(connections, write);
            });
            bench("turmoil", &|| turmoils::run(connections, write));
        }
        group.finish();
    }
}

criterion_group!(benches, bulk_echo);
criterion_main!(benches);
