//! Halves of a connection, split, shut down, dropped and put together.

use std::io::ErrorKind;

use echosim::net::tcp::ReuniteError;
use echosim::net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use turmoil::Sim;

use super::support::{echo_server, sim};

/// A client connected to an echo server.
fn connected<F: Future<Output = turmoil::Result> + 'static>(
    client: impl FnOnce(TcpStream) -> F + 'static,
) -> Sim<'static> {
    let mut sim = sim();
    sim.host("server", || echo_server("0.0.0.0:7"));
    sim.client("client", async { client(TcpStream::connect("server:7").await?).await });
    sim
}

#[test]
fn shutting_down_one_half_leaves_the_other() {
    let client = |mut stream: TcpStream| async move {
        stream.write_all(b"hello").await?;
        stream.shutdown().await?;
        assert_eq!(stream.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        assert_eq!(all, b"hello");
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn dropping_the_owned_write_half_is_a_fin() {
    let client = |stream: TcpStream| async move {
        let (mut read, mut write) = stream.into_split();
        write.write_all(b"hello").await?;
        drop(write);
        let mut all = Vec::new();
        read.read_to_end(&mut all).await?;
        assert_eq!(all, b"hello");
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn halves_of_one_connection_reunite_and_others_do_not() {
    let client = |stream: TcpStream| async move {
        let other = TcpStream::connect("server:7").await?;
        let (read, write) = stream.into_split();
        let (other_read, other_write) = other.into_split();
        let ReuniteError(read, _) = read.reunite(other_write).unwrap_err();
        drop(other_read);
        let mut stream = read.reunite(write)?;
        stream.write_all(b"hello").await?;
        stream.read_exact(&mut [0; 5]).await?;
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn a_forgotten_write_half_says_nothing() {
    let client = |stream: TcpStream| async move {
        let (mut read, write) = stream.into_split();
        write.forget();
        let mut buf = [0; 1];
        let waits = tokio::time::timeout(std::time::Duration::from_secs(1), read.read(&mut buf));
        assert!(waits.await.is_err());
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn peek_takes_nothing() {
    let client = |mut stream: TcpStream| async move {
        stream.write_all(b"hello").await?;
        let mut seen = [0; 3];
        assert_eq!(stream.peek(&mut seen).await?, 3);
        assert_eq!(&seen, b"hel");
        let mut all = [0; 5];
        stream.read_exact(&mut all).await?;
        assert_eq!(&all, b"hello");
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn try_calls_would_block_until_the_socket_is_ready() {
    let client = |stream: TcpStream| async move {
        assert_eq!(stream.try_read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::WouldBlock);
        stream.writable().await?;
        assert_eq!(stream.try_write(b"hello")?, 5);
        let ready = stream.ready(Interest::READABLE).await?;
        assert!(ready.is_readable() && !ready.is_read_closed());
        let mut read = Vec::with_capacity(9);
        assert_eq!(stream.try_read_buf(&mut read)?, 5);
        assert_eq!(read, b"hello");
        // The other end reads all the time, but its own answers lie here unread: both windows shut in the end.
        loop {
            match stream.try_write(&[0; 65_536]) {
                Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn vectored_calls_go_through_all_buffers() {
    use std::io::{IoSlice, IoSliceMut};
    let client = |stream: TcpStream| async move {
        let bufs = [IoSlice::new(b"he"), IoSlice::new(b""), IoSlice::new(b"llo")];
        assert_eq!(stream.try_write_vectored(&bufs)?, 5);
        stream.readable().await?;
        let (mut one, mut two) = ([0; 1], [0; 9]);
        let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        assert_eq!(stream.try_read_vectored(&mut bufs)?, 5);
        assert_eq!((&one, &two[..4]), (b"h", b"ello".as_slice()));
        Ok(())
    };
    connected(client).run().unwrap();
}

#[test]
fn dropping_a_stream_with_unread_data_resets_it() {
    let mut sim = sim();
    sim.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (stream, _) = listener.accept().await?;
        stream.readable().await?;
        drop(stream);
        std::future::pending().await
    });
    sim.client("client", async {
        let mut stream = TcpStream::connect("server:7").await?;
        stream.write_all(b"nobody reads this").await?;
        let error = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        Ok(())
    });
    sim.run().unwrap();
}

#[test]
fn two_tasks_wait_for_one_socket() {
    let client = |stream: TcpStream| async move {
        let stream = std::sync::Arc::new(stream);
        let waits = [stream.clone(), stream.clone()]
            .map(|stream| tokio::spawn(async move { stream.readable().await }));
        tokio::task::yield_now().await;
        stream.try_write(b"x")?;
        for wait in waits {
            wait.await??;
        }
        Ok(())
    };
    connected(client).run().unwrap();
}
