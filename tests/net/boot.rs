//! A kernel outlives its program, and is there before it.

use std::io::ErrorKind;
use std::sync::mpsc;
use std::time::Duration;

use echosim::net::{self, TcpListener, TcpStream};
use echosim::timeline::Flags;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{run_until, sent_by, sim};

const OCTETS: usize = 60_000;

#[test]
fn what_a_program_wrote_before_it_ended_arrives_with_a_fin() {
    let mut sim = sim();
    let (tell, told) = mpsc::channel();
    sim.host("server", move || {
        let tell = tell.clone();
        net::boot(async move {
            let (mut stream, _) = TcpListener::bind("0.0.0.0:7").await?.accept().await?;
            let mut all = Vec::new();
            let read = stream.read_to_end(&mut all).await;
            tell.send((read.map_err(|error| error.kind()), all.len()))?;
            Ok(())
        })
    });
    sim.client("client", async {
        net::boot(async {
            let mut stream = TcpStream::connect("server:7").await?;
            stream.write_all(&[7; OCTETS]).await?;
            Ok(())
        })
        .await
    });
    sim.run().unwrap();
    assert_eq!(told.try_recv(), Ok((Ok(OCTETS), OCTETS)));
}

#[test]
fn a_host_that_has_used_no_socket_refuses() {
    let mut sim = sim();
    sim.host("server", || net::boot(std::future::pending()));
    sim.client("client", async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let start = tokio::time::Instant::now();
        let error = TcpStream::connect("server:7").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(start.elapsed() < Duration::from_secs(1));
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn a_kernel_without_its_program_answers_until_it_crashes() {
    for crashes in [false, true] {
        let mut sim = sim();
        sim.host("server", || {
            net::boot(async {
                // Its FIN is answered, and the client does not close.
                drop(TcpListener::bind("0.0.0.0:7").await?.accept().await?);
                Ok(())
            })
        });
        sim.client("client", async {
            let mut stream = TcpStream::connect("server:7").await?;
            assert_eq!(stream.read(&mut [0; 8]).await?, 0);
            tokio::time::sleep(Duration::from_secs(2)).await;
            stream.write_all(b"anybody there?").await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        });
        run_until(&mut sim, Duration::from_secs(1));
        if crashes {
            sim.crash("server");
        }
        sim.run().unwrap();
        // Nobody will read what comes after the close (RFC 9293, 3.6.1).
        let events = net::timeline();
        let resets = sent_by(&events, "server").filter(|segment| segment.flags.has(Flags::RST)).count();
        assert_eq!(resets, usize::from(!crashes));
    }
}

#[test]
fn outside_a_simulation_it_is_its_program() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(net::boot(async { 7 })), 7);
}
