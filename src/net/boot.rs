//! A host whose kernel is there before its program and after it.

use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;

use super::host::AttachedHost;

/// Boots the host that runs this, then runs `program` on it, and is done when the kernel is, too: when every connection
/// that the program has closed has ended or is in TIME_WAIT (RFC 9293, 3.6). It outputs what the program does.
///
/// Without it a host has no TCP until its first use of a socket, and answers a SYN with silence; and turmoil no longer runs
/// a host whose future has ended, so that of what it wrote last only the first window leaves. With it only a crash is
/// silent: a port where nobody listens is refused from the start, and what was written arrives.
///
/// A connection that a task still holds is not waited for. A peer that never closes is, for as long as FIN_WAIT_2 lasts (60 s
/// under Linux).
///
/// ```
/// use echosim::net::{self, TcpListener, TcpStream};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let mut sim = turmoil::Builder::new().build();
/// sim.host("server", || {
///     net::boot(async {
///         let (mut stream, _) = TcpListener::bind("0.0.0.0:7").await?.accept().await?;
///         let mut all = Vec::new();
///         stream.read_to_end(&mut all).await?;
///         assert_eq!(all.len(), 60_000);
///         Ok(())
///     })
/// });
/// sim.client("client", net::boot(async {
///     let mut stream = TcpStream::connect("server:7").await?;
///     stream.write_all(&[7; 60_000]).await?;
///     Ok(())
/// }));
/// sim.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn boot<T>(program: impl Future<Output = T>) -> T {
    // Outside a simulation there is nothing to boot, and the program's sockets say so.
    let host = AttachedHost::current(Ipv4Addr::UNSPECIFIED.into()).ok();
    if let Some(host) = &host {
        // It fails after a crash, which no one sees from here.
        _ = poll_fn(|cx| host.poll_addr(cx)).await;
    }
    let output = program.await;
    if let Some(host) = host {
        host.delivered().await;
    }
    output
}

impl AttachedHost {
    /// Waits until the kernel has nothing to do any more for those who have closed their sockets.
    async fn delivered(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.has_open_orphans() {
                return;
            }
            changed.await;
        }
    }
}
