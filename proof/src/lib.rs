//! Programs from crates.io on `echosim::net`: each module is a server and a client of one kind, with not a line
//! in them that knows of the simulation but the `use` of the stream.

pub mod grpc;
pub mod http1;
pub mod http2;
pub mod redis;
pub mod rest;
pub mod tls;

use std::time::Duration;

use echosim::net::{self, SockRef, TcpKeepalive, TcpListener, TcpStream};
use echosim::timeline::{Event, Kind, LostReason};
use tokio::time::Instant;
use turmoil::Sim;

pub type Result<T = ()> = turmoil::Result<T>;

/// A server that answers every request with its own body, and a client that asks it.
#[allow(async_fn_in_trait, reason = "all of them run on one thread")]
pub trait Program: Sized {
    /// Serves for ever.
    async fn serve(listener: TcpListener) -> Result;
    /// Makes a client of a connection.
    async fn open(stream: TcpStream) -> Result<Self>;
    /// Sends `body`, returns what comes back.
    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>>;
}

/// The body of a request that no server ever answers.
pub const SLOW: &[u8] = b"slow";

/// What a server does with a request.
pub async fn answer<B: AsRef<[u8]>>(body: B) -> B {
    if body.as_ref() == SLOW {
        std::future::pending::<()>().await;
    }
    body
}

/// What a program does to its stream against a peer that dies silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precaution {
    /// What most do.
    Nothing,
    /// SO_KEEPALIVE: probes after 10 s of silence, every 5 s, 3 of them.
    Keepalive,
    /// TCP_USER_TIMEOUT of 10 s.
    UserTimeout,
}

impl Precaution {
    fn take(self, stream: &TcpStream) -> std::io::Result<()> {
        let socket = SockRef::from(stream);
        match self {
            Precaution::Nothing => Ok(()),
            Precaution::Keepalive => {
                let keepalive = TcpKeepalive::new()
                    .with_time(Duration::from_secs(10))
                    .with_interval(Duration::from_secs(5))
                    .with_retries(3);
                socket.set_tcp_keepalive(&keepalive)
            }
            Precaution::UserTimeout => socket.set_tcp_user_timeout(Some(Duration::from_secs(10))),
        }
    }
}

/// When the server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Between two requests: the second is never acknowledged.
    BeforeTheRequest,
    /// It has taken the request, and was to answer.
    BeforeTheAnswer,
}

/// A simulation with 5 ms each way. A packet waits for the next tick.
fn sim(tick: Duration) -> Sim<'static> {
    turmoil::Builder::new()
        .rng_seed(1)
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .tick_duration(tick)
        .simulation_duration(Duration::from_secs(3_600))
        .build()
}

async fn serve<P: Program>() -> Result {
    P::serve(TcpListener::bind("0.0.0.0:80").await?).await
}

async fn open<P: Program>(precaution: Precaution) -> Result<P> {
    let stream = TcpStream::connect("server:80").await?;
    precaution.take(&stream)?;
    P::open(stream).await
}

/// Large bodies there and back, one packet in twenty lost.
pub fn survives_loss<P: Program + 'static>() {
    let mut sim = sim(Duration::from_millis(5));
    net::loss("client", "server", 0.05, 1);
    sim.host("server", serve::<P>);
    sim.client("client", async {
        let mut program = open::<P>(Precaution::Nothing).await?;
        for len in [0, 1, 5_000, 300_000u32] {
            let body: Vec<u8> = (0..len).map(|n| (n ^ n >> 8) as u8).collect();
            assert!(program.ask(body.clone()).await? == body);
        }
        Ok(())
    });
    sim.run().unwrap();
    let lost = |event: &Event| matches!(event.kind, Kind::Lost { reason: LostReason::Loss, .. });
    let lost = net::timeline().into_iter().filter(|event| lost(event)).count();
    assert!(lost > 10, "{lost} packets were lost: that proves little");
}

/// How many seconds after the server's silent death, or after the request that followed it, the client hears of
/// it; `None` if it still hangs after half an hour.
pub fn notices<P: Program + 'static>(moment: Moment, precaution: Precaution) -> Option<u64> {
    const DEATH: Duration = Duration::from_secs(5);
    let mut sim = sim(Duration::from_millis(50));
    sim.host("server", serve::<P>);
    let (tell, told) = std::sync::mpsc::channel();
    sim.client("client", async move {
        let mut program = open::<P>(precaution).await?;
        assert_eq!(program.ask(b"hello".to_vec()).await?, b"hello");
        let start = Instant::now() + DEATH;
        let body = match moment {
            Moment::BeforeTheRequest => {
                tokio::time::sleep_until(start).await;
                b"hello".to_vec()
            }
            Moment::BeforeTheAnswer => SLOW.to_vec(),
        };
        let answer = tokio::time::timeout_at(start + Duration::from_secs(30 * 60), program.ask(body)).await;
        assert!(!matches!(answer, Ok(Ok(_))), "the dead do not answer");
        tell.send(answer.is_ok().then(|| start.elapsed().as_secs()))?;
        Ok(())
    });
    while sim.elapsed() < DEATH - Duration::from_secs(1) {
        sim.step().unwrap();
    }
    sim.crash("server");
    sim.run().unwrap();
    told.recv().unwrap()
}
