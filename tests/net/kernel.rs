//! The same programs on this machine's kernel and on the stack of a turmoil host, each on its loopback: they are told
//! the same.

use echosim::net::System;
use turmoil::Builder;

/// What the programs have seen, a line each.
type Seen = Vec<String>;

macro_rules! programs {
    ($name:ident, $net:path) => {
        mod $name {
            use std::io;
            use std::net::{IpAddr, SocketAddr};
            use std::time::Duration;

            use net::{TcpListener, TcpSocket, TcpStream};
            use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
            use $net as net;

            use super::Seen;

            fn told<T>(result: io::Result<T>) -> String {
                match result {
                    Ok(_) => "done".to_owned(),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => "would block".to_owned(),
                    Err(error) => format!("error {}", error.raw_os_error().unwrap_or_default()),
                }
            }

            fn addr(text: &str) -> SocketAddr {
                text.parse().unwrap()
            }

            fn socket(
                local: SocketAddr,
                set: impl FnOnce(&TcpSocket) -> io::Result<()>,
            ) -> io::Result<TcpSocket> {
                let socket = if local.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
                set(&socket)?;
                socket.bind(local)?;
                Ok(socket)
            }

            async fn pair() -> io::Result<(TcpStream, TcpStream)> {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let client = TcpStream::connect(listener.local_addr()?).await?;
                Ok((client, listener.accept().await?.0))
            }

            /// The addresses that both ends of a connection show, without the ports.
            async fn ends(listener: &str, peer: &str) -> io::Result<String> {
                let listener = TcpListener::bind(listener).await?;
                let port = listener.local_addr()?.port();
                let client = TcpStream::connect((peer.parse::<IpAddr>().unwrap(), port)).await?;
                let (server, from) = listener.accept().await?;
                let shown = [
                    client.local_addr()?,
                    client.peer_addr()?,
                    server.local_addr()?,
                    server.peer_addr()?,
                    from,
                ];
                let listening = listener.local_addr()?.ip();
                Ok(format!("{listening}: {:?}", shown.map(|shown| shown.ip())))
            }

            pub(super) async fn addresses(seen: &mut Seen) -> io::Result<()> {
                let pairs = [
                    ("127.0.0.1:0", "127.0.0.1"),
                    ("[::1]:0", "::1"),
                    ("[::]:0", "127.0.0.1"),
                    ("[::]:0", "::1"),
                    ("[::]:0", "::ffff:127.0.0.1"),
                    ("127.0.0.1:0", "::ffff:127.0.0.1"),
                    ("0.0.0.0:0", "0.0.0.0"),
                    ("[::]:0", "::"),
                    ("[::]:0", "0.0.0.0"),
                    ("0.0.0.0:0", "127.1.2.3"),
                    ("127.0.0.2:0", "127.0.0.2"),
                ];
                for (listener, peer) in pairs {
                    seen.push(ends(listener, peer).await.unwrap_or_else(|error| told(Err::<(), _>(error))));
                }
                for peer in ["224.0.0.1:9", "255.255.255.255:9", "[ff02::1]:9", "127.0.0.1:0"] {
                    seen.push(format!("connect {peer}: {}", told(TcpStream::connect(addr(peer)).await)));
                }
                let across = [("0.0.0.0:0", "[::1]:9"), ("[::]:0", "127.0.0.1:9")];
                for (local, peer) in across {
                    let unbound =
                        if addr(local).is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
                    seen.push(format!("{local} to {peer}: {}", told(unbound.connect(addr(peer)).await)));
                }
                seen.push(format!("another's address: {}", told(TcpListener::bind("10.99.99.99:0").await)));
                Ok(())
            }

            pub(super) async fn ports(seen: &mut Seen) -> io::Result<()> {
                let unbound = TcpSocket::new_v4()?.listen(1)?;
                seen.push(format!(
                    "unbound: {}, {}",
                    unbound.local_addr()?.ip(),
                    unbound.local_addr()?.port() != 0
                ));
                let (client, server) = pair().await?;
                seen.push(format!("on a live port: {}", told(TcpListener::bind(client.local_addr()?).await)));
                seen.push(format!(
                    "on an accepted port: {}",
                    told(TcpListener::bind(server.local_addr()?).await)
                ));

                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let reuse = |socket: &TcpSocket| socket.set_reuseaddr(true);
                let first = socket(addr("127.0.0.1:0"), reuse)?;
                let local = first.local_addr()?;
                let second = socket(local, reuse)?;
                let _live = first.connect(listener.local_addr()?).await?;
                seen.push(format!("the same pair: {}", told(second.connect(listener.local_addr()?).await)));
                seen.push(format!("bound twice: {}", told(socket(local, |_| Ok(())))));

                let port = |socket: &TcpSocket| socket.set_reuseport(true);
                let one = socket(addr("127.0.0.1:0"), port)?;
                let shared = one.local_addr()?;
                let two = socket(shared, port)?;
                seen.push(format!("reuseport, other without: {}", told(socket(shared, reuse))));
                let (one, two) = (one.listen(128)?, two.listen(128)?);
                let mut clients = Vec::new();
                for _ in 0..64 {
                    clients.push(TcpStream::connect(shared).await?);
                }
                let mut counts = [0, 0];
                for (count, listener) in counts.iter_mut().zip([&one, &two]) {
                    let wait = Duration::from_millis(50);
                    while let Ok(Ok(accepted)) = tokio::time::timeout(wait, listener.accept()).await {
                        clients.push(accepted.0);
                        *count += 1;
                    }
                }
                seen.push(format!(
                    "reuseport: {} in all, some each: {}",
                    counts[0] + counts[1],
                    !counts.contains(&0)
                ));
                let wild = TcpListener::bind("[::]:0").await?;
                let port = wild.local_addr()?.port();
                seen.push(format!("under [::]: {}", told(TcpListener::bind(("0.0.0.0", port)).await)));
                Ok(())
            }

            pub(super) async fn ending(seen: &mut Seen) -> io::Result<()> {
                let (mut client, mut server) = pair().await?;
                client.shutdown().await?;
                seen.push(format!("read: {}", server.read(&mut [0; 8]).await?));
                seen.push(format!("peer in CLOSE_WAIT: {}", told(server.peer_addr())));
                seen.push(format!("peer in FIN_WAIT_2: {}", told(client.peer_addr())));
                server.shutdown().await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
                seen.push(format!("peer in TIME_WAIT: {}", told(client.peer_addr())));
                seen.push(format!("peer when closed: {}", told(server.peer_addr())));
                seen.push(format!("read then: {}", client.read(&mut [0; 8]).await?));
                Ok(())
            }

            pub(super) async fn readiness(seen: &mut Seen) -> io::Result<()> {
                let (client, mut server) = pair().await?;
                client.writable().await?;
                seen.push(format!("empty buffer: {}", told(client.try_read(&mut []))));
                seen.push(format!("nothing there: {}", told(client.try_read(&mut [0; 8]))));
                server.write_all(b"0123456789").await?;
                client.readable().await?;
                let interests =
                    [Interest::READABLE, Interest::WRITABLE, Interest::READABLE | Interest::WRITABLE];
                for interest in interests {
                    seen.push(format!("{interest:?}: {:?}", client.ready(interest).await?));
                }
                let mut few = Vec::with_capacity(8);
                few.extend(b"abcd");
                let read = client.try_read_buf(&mut few);
                seen.push(format!("try_read_buf: {read:?} {}", few.len()));
                let mut three = &mut [0_u8; 3][..];
                seen.push(format!("into three: {:?}", client.try_read_buf(&mut three)));
                seen.push(format!("empty buffer: {:?}", client.try_read(&mut [])));
                server.set_zero_linger()?;
                drop(server);
                let ready = client.ready(Interest::ERROR).await?;
                seen.push(format!("ERROR: {ready:?}"));
                for interest in interests {
                    seen.push(format!("{interest:?}: {:?}", client.ready(interest).await?));
                }
                Ok(())
            }

            pub(super) async fn buffers(seen: &mut Seen) -> io::Result<()> {
                for size in [0, 1, 2_304, 4_608, 10_000, 65_536] {
                    let socket = TcpSocket::new_v4()?;
                    socket.set_send_buffer_size(size)?;
                    socket.set_recv_buffer_size(size)?;
                    let got = (socket.send_buffer_size()?, socket.recv_buffer_size()?);
                    seen.push(format!("{size}: {got:?}"));
                }
                let socket = TcpSocket::new_v4()?;
                socket.set_recv_buffer_size(20_000)?;
                seen.push(format!("one alone: {}", socket.send_buffer_size()? != socket.recv_buffer_size()?));
                Ok(())
            }

            pub(super) async fn all(which: &str) -> Seen {
                let mut seen = Seen::new();
                let ran = match which {
                    "addresses" => addresses(&mut seen).await,
                    "ports" => ports(&mut seen).await,
                    "ending" => ending(&mut seen).await,
                    "readiness" => readiness(&mut seen).await,
                    _ => buffers(&mut seen).await,
                };
                seen.push(format!("{ran:?}"));
                seen
            }
        }
    };
}

programs!(kernel, tokio::net);
programs!(ours, echosim::net);

fn both(which: &'static str) -> [String; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kernel = runtime.block_on(kernel::all(which));
    let mut sim = Builder::new().build();
    echosim::net::profile("host", System::Linux);
    let (tx, rx) = std::sync::mpsc::channel();
    sim.client("host", async move {
        tx.send(ours::all(which).await).unwrap();
        Ok(())
    });
    sim.run().unwrap();
    [kernel.join("\n"), rx.recv().unwrap().join("\n")]
}

macro_rules! alike {
    ($($claim:ident: $which:literal,)*) => {
        $(#[test]
        fn $claim() {
            let [kernel, ours] = both($which);
            assert_eq!(ours, kernel);
        })*
    };
}

alike! {
    addresses_are_the_kernels: "addresses",
    ports_are_the_kernels: "ports",
    the_end_of_a_connection_is_the_kernels: "ending",
    readiness_is_the_kernels: "readiness",
    buffer_sizes_are_the_kernels: "buffers",
}
