//! Bulk echo over `echosim::net` against turmoil's own TCP: the same program, the same simulation, the same run.
//!
//!     cargo bench --bench net
//!
//! | column | what |
//! | --- | --- |
//! | turmoil | one message a write, of any size, as many under way as there are |
//! | echosim | bursts of segments, nothing kept |
//! | recorded | what a test gets that sets nothing: every packet on the timeline |
//! | by segment | each segment a packet of an Ethernet's 1 500 octets, nothing kept |
//!
//! They take turns, so that whatever else the machine does meets all alike; a turn is one run that is not counted and
//! then as many as fit in 30 ms. Prints a table in Markdown: turmoil's median, and of the others the median of what
//! they took in a round for turmoil's one, with how far the rounds spread. Takes about a minute.
//!
//! turmoil allocates 64 KiB for a message and frees them again. The GNU allocator gives the end of its heap back to
//! the operating system and asks for it anew, which costs more than the rest; `MALLOC_TRIM_THRESHOLD_=1000000000` in
//! the environment keeps it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Octets echoed in one run, all connections together.
const TOTAL: usize = 4 << 20;

const ROUNDS: usize = 15;

/// How long a turn lasts, at least one run.
const TURN: Duration = Duration::from_millis(30);

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

/// One way to run so many connections with writes of so many octets.
struct Contestant {
    name: &'static str,
    run: fn(usize, usize),
}

const CONTESTANTS: [Contestant; 4] = [
    Contestant { name: "turmoil", run: turmoils::run },
    Contestant {
        name: "echosim",
        run: |connections, write| {
            echosim::net::recording(false);
            ours::run(connections, write);
        },
    },
    Contestant {
        name: "recorded",
        run: |connections, write| {
            echosim::net::recording(true);
            ours::run(connections, write);
        },
    },
    Contestant {
        name: "by segment",
        run: |connections, write| {
            echosim::net::recording(false);
            echosim::net::segmentation_offload("client", false);
            echosim::net::segmentation_offload("server", false);
            ours::run(connections, write);
        },
    },
];

/// What one run takes, in milliseconds, of those of a turn.
fn turn(contestant: &Contestant, connections: usize, write: usize) -> f64 {
    (contestant.run)(connections, write);
    let start = Instant::now();
    let mut runs = 0;
    while runs == 0 || start.elapsed() < TURN {
        (contestant.run)(connections, write);
        runs += 1;
    }
    start.elapsed().as_secs_f64() * 1e3 / f64::from(runs)
}

/// The least, the median and the most.
fn spread(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    [figures[0], figures[figures.len() / 2], figures[figures.len() - 1]]
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let [turmoil, others @ ..] = CONTESTANTS.map(|contestant| contestant.name);
    writeln!(out, "| write | connections | {turmoil}, ms | {} |", others.join(" | "))?;
    writeln!(out, "| --- | --- | --- {}|", "| --- ".repeat(others.len()))?;
    for write in [1_460, 65_536] {
        for connections in [1, 10, 100, 1_000] {
            let mut took: [Vec<f64>; CONTESTANTS.len()] = Default::default();
            for round in 0..ROUNDS {
                for nth in 0..CONTESTANTS.len() {
                    let nth = (round + nth) % CONTESTANTS.len();
                    took[nth].push(turn(&CONTESTANTS[nth], connections, write));
                }
            }
            let [turmoil, others @ ..] = &took;
            write!(out, "| {write} | {connections} | {:.2} ", spread(turmoil.clone())[1])?;
            for other in others {
                let ratios = other.iter().zip(turmoil).map(|(other, turmoil)| other / turmoil);
                let [least, median, most] = spread(ratios.collect());
                write!(out, "| {median:.1} ({least:.1} to {most:.1}) ")?;
            }
            writeln!(out, "|")?;
            out.flush()?;
        }
    }
    Ok(())
}
