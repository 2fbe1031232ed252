//! Connect, talk, close: what every program does.

use std::io::ErrorKind;
use std::time::Duration;

use echosim::net::{self, TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::{Builder, Sim};

pub fn sim() -> Sim<'static> {
    Builder::new()
        .rng_seed(1)
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .simulation_duration(Duration::from_secs(3_600))
        .build()
}

pub async fn echo_server(addr: &'static str) -> turmoil::Result {
    let listener = TcpListener::bind(addr).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await
        });
    }
}

#[test]
fn what_is_written_comes_back() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        assert_eq!(stream.peer_addr()?.to_string(), "192.168.0.1:7");
        assert_eq!(stream.local_addr()?.ip().to_string(), "192.168.0.2");
        let data: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        let (mut read, mut write) = stream.split();
        let mut back = vec![0; data.len()];
        let (sent, got) = tokio::join!(write.write_all(&data), read.read_exact(&mut back));
        sent?;
        got?;
        assert!(back == data);
        stream.shutdown().await?;
        assert_eq!(stream.read(&mut [0; 1]).await?, 0);
        Ok(())
    });
    sim.run().unwrap();
    assert!(!net::timeline().is_empty());
}

#[test]
fn nobody_listening_is_refused() {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async {
        let error = TcpStream::connect("server:8").await.unwrap_err();
        assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::ConnectionRefused, Some(111)));
        Ok(())
    });
    sim.run().unwrap();
}
