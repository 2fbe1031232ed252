//! A connection pool whose server dies silently: the hang of fifteen minutes, and the fix.
//!
//!     cargo run --example pool     # shows both
//!     cargo test --example pool    # proves both, in milliseconds
//!
//! The pool below is what many programs have: it keeps connections that were used before and hands them out
//! again. It speaks tokio's names, so in production the first line reads `use tokio::net::TcpStream`.

use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use echosim::net::{self, SockRef, TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use turmoil::{Builder, Sim};

/// Connections to one server, used again and again.
struct Pool {
    server: &'static str,
    idle: Mutex<Vec<TcpStream>>,
    /// The fix: how long what was sent may stay without acknowledgment.
    user_timeout: Option<Duration>,
}

impl Pool {
    /// Sends a line and returns the server's: on a connection that is there, or on a new one.
    async fn ask(&self, line: &str) -> io::Result<String> {
        let known = self.idle.lock().unwrap().pop();
        let mut stream = match known {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.server).await?;
                SockRef::from(&stream).set_tcp_user_timeout(self.user_timeout)?;
                stream
            }
        };
        stream.write_all(line.as_bytes()).await?;
        let mut answer = vec![0; line.len()];
        stream.read_exact(&mut answer).await?;
        self.idle.lock().unwrap().push(stream);
        String::from_utf8(answer).map_err(io::Error::other)
    }
}

async fn server() -> turmoil::Result {
    let listener = TcpListener::bind("0.0.0.0:7000").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await
        });
    }
}

/// One request, a silent crash of the server, another request. Returns how the second ends, and after how long.
fn request_to_a_dead_server(user_timeout: Option<Duration>) -> (io::Result<String>, Duration) {
    let mut sim: Sim<'_> = Builder::new()
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .build();
    sim.host("server", server);
    let (tell, told) = mpsc::channel();
    sim.client("client", async move {
        let pool = Arc::new(Pool { server: "server:7000", idle: Mutex::default(), user_timeout });
        assert_eq!(pool.ask("hello").await?, "hello");
        net::sleep(Duration::from_secs(2)).await;
        let start = Instant::now();
        let answer = pool.ask("anybody there?").await;
        tell.send((answer, start.elapsed()))?;
        Ok(())
    });
    while sim.elapsed() < Duration::from_secs(1) {
        sim.step().unwrap();
    }
    // The machine is gone. It says nothing: no FIN, no reset.
    sim.crash("server");
    // Neither program waits for a timer of tokio's, so idle time may be left out.
    net::only_sockets("client");
    net::run(&mut sim).unwrap();
    told.recv().unwrap()
}

fn main() {
    for (what, user_timeout) in [("as it is", None), ("TCP_USER_TIMEOUT", Some(Duration::from_secs(10)))] {
        let (answer, took) = request_to_a_dead_server(user_timeout);
        #[allow(clippy::print_stdout, reason = "an example shows what it does")]
        match answer {
            Ok(line) => println!("{what}: {line:?}"),
            Err(error) => println!("{what}: {error} after {:.1} s", took.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooled_connection_to_a_dead_server_hangs_for_a_quarter_of_an_hour() {
        let (answer, took) = request_to_a_dead_server(None);
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(took > Duration::from_secs(15 * 60), "{took:?}");
    }

    #[test]
    fn with_a_user_timeout_it_is_ten_seconds() {
        let (answer, took) = request_to_a_dead_server(Some(Duration::from_secs(10)));
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(took.as_secs(), 10);
    }
}
