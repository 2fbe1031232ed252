//! The programs on this machine's own kernel: `--real`.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`serve`](fn@serve), [`connect`](fn@connect) | the server and the client, alone |
//! | [`mod@compare`] | two runs side by side |
//! | [`fidelity`] | every scenario in both, and the page about it |
//! | [`play`] | a scenario's hosts as processes |
//! | `machine` | what this one is called |
//! | `server`, `session` | the server that takes whatever comes, written against [`Os`] |
//! | [`log`] | a line on standard error for whoever runs a server |
//!
//! None of these may be called in a process that has a second thread: they fork.

pub mod compare;
pub mod fidelity;
pub mod log;
mod machine;
pub mod play;
mod server;
mod session;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use thiserror::Error;

use crate::echo::client::{Session, converse};
use crate::echo::error::{err_quit, err_sys};
use crate::os::unix::{UnixOs, block_on, threads};
use crate::os::{Errno, Family, Os, SocketOption};
use crate::scenario::{self, Outcome, Scenario};
use crate::stack::System;
use crate::time::SimTime;
use crate::timeline::Kind;
use compare::{Report, Scope, Tolerance};
use play::{Place, Play};

pub use machine::{kernel, machine};
pub use server::{ServeOptions, server};

/// Why nothing was run.
#[derive(Debug, Error)]
pub enum RealError {
    /// `fork` would copy one of them only.
    #[error("this process has {0} threads; programs are forked only from a process with one")]
    Threads(usize),
    /// There is no such fault on a machine's loopback.
    #[error("{0} takes a laboratory: network namespaces with our router between them")]
    TakesLaboratory(&'static str),
    /// The play could not be given to its end.
    #[error("{0}")]
    Play(String),
    /// The machine would not give what is needed.
    #[error("{what}: {source}")]
    Machine {
        /// What was asked for.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// `echosim serve --real`: serves until SIGTERM or SIGINT. The exit status: 0 after such a signal, 1 after an error,
/// which it has told on standard error.
///
/// # Errors
///
/// [`RealError::Threads`].
pub fn serve(options: ServeOptions) -> Result<i32, RealError> {
    be_single_threaded()?;
    Ok(block_on(server(UnixOs::new("echo-server", None), options)))
}

/// The scenario as a real Linux has it: the `linux` profile on every host, for expectations and for the simulated
/// arm of a comparison.
pub fn on_linux(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    scenario.stack = System::Linux;
    scenario.hosts.iter_mut().for_each(|host| host.stack = None);
    scenario
}

/// When the last thing of a simulated run was seen from outside: about as long a play takes. After it there is only
/// TIME_WAIT, for which no play waits.
pub fn seen_length(sim: &Outcome) -> Duration {
    let is_inside = |kind: &Kind| matches!(kind, Kind::State { .. });
    let last = sim.events.iter().rev().find(|event| !is_inside(&event.kind));
    last.map_or(Duration::ZERO, |event| event.t - SimTime::ZERO)
}

/// The scenario with an end for its play: if the kernel has not done by a good while after it what the simulation
/// did, it never will.
fn bounded(scenario: &Scenario, sim: &Outcome) -> Scenario {
    let end = SimTime::ZERO + seen_length(sim).mul_f64(1.1) + Duration::from_secs(20);
    Scenario { until: scenario.until.min(end), ..scenario.clone() }
}

/// `--scenario NAME --real`: plays a scenario on this machine, in as long as it says.
///
/// # Errors
///
/// As [`play::play`].
pub fn run(scenario: &Scenario, place: Place) -> Result<Outcome, RealError> {
    let play = Play::of(scenario, place)
        .map_err(|source| RealError::Machine { what: "a free port".to_owned(), source })?;
    play::play(&play, place)
}

/// `echosim compare NAME`: both arms of a scenario, the simulated one as Linux; and what came of it, as far as `scope`
/// says.
///
/// # Errors
///
/// As [`run`]; or the simulation could not be finished.
pub fn side_by_side(
    scenario: &Scenario,
    scope: Scope,
    place: Place,
    tolerance: Tolerance,
) -> Result<SideBySide, RealError> {
    let scenario = on_linux(scenario);
    let sim = scenario::run(&scenario).map_err(|error| RealError::Play(error.to_string()))?;
    let real = run(&bounded(&scenario, &sim), place)?;
    let report = scope.compare(&sim.events, &real.events, tolerance);
    Ok(SideBySide { sim, real, report })
}

/// Both arms of a scenario.
#[derive(Clone, Debug)]
pub struct SideBySide {
    /// The simulated run.
    pub sim: Outcome,
    /// The run on this machine's kernel.
    pub real: Outcome,
    /// Where they agree and where they part.
    pub report: Report,
}

/// Whom `echosim connect --real` talks to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// The server's addresses, tried in this order.
    pub servers: Vec<SocketAddr>,
    /// Set on the socket before it connects.
    pub options: Vec<SocketOption>,
    /// How the client waits for the terminal and the server.
    pub session: Session,
}

impl ConnectOptions {
    /// The book's client of the server `HOST:PORT`; names are looked up.
    ///
    /// # Errors
    ///
    /// That there is no such host, or no port.
    pub fn to(server: &str) -> io::Result<ConnectOptions> {
        let servers: Vec<SocketAddr> = server.to_socket_addrs()?.collect();
        if servers.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        Ok(ConnectOptions { servers, options: Vec::new(), session: Session::InTurn })
    }
}

/// `echosim connect --real`: echoes standard input through the server to standard output; the exit status.
///
/// Ends this process if the connection fails, as the book's client does.
pub fn connect(options: ConnectOptions) -> i32 {
    block_on(client(UnixOs::new("echo-client", None), options))
}

/// `tcp_connect` (UNP fig. 11.10), then the book's client.
async fn client<O: Os>(os: O, options: ConnectOptions) -> i32 {
    let mut last = None;
    for server in options.servers {
        let sockfd = match os.socket(Family::of(server)) {
            Ok(fd) => fd,
            Err(errno) => err_sys(&os, "socket error", errno).await,
        };
        for option in &options.options {
            if let Err(errno) = os.setsockopt(sockfd, *option) {
                err_sys(&os, "setsockopt error", errno).await;
            }
        }
        match os.connect(sockfd, server).await {
            Ok(()) => {
                converse(&os, sockfd, options.session).await;
                return 0;
            }
            Err(errno) => last = Some((server, errno)),
        }
        _ = os.close(sockfd);
    }
    let (server, errno) =
        last.map_or(("".to_owned(), Errno::EADDRNOTAVAIL), |(server, errno)| (format!(" ({server})"), errno));
    err_quit(&os, &format!("connect error{server}: {}", errno.message())).await
}

/// Whether this process may fork.
pub(crate) fn be_single_threaded() -> Result<(), RealError> {
    match threads() {
        Some(threads) if threads > 1 => Err(RealError::Threads(threads)),
        _ => Ok(()),
    }
}
