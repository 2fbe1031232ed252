//! A connection.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use turmoil::ToSocketAddrs;

use super::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpSocket, WriteHalf};
use crate::errno::Errno;
use crate::net::host::Deferred;
use crate::net::resolve;
use crate::net::socket::Socket;
use crate::net::waits::Side;
use crate::stack::{How, SocketOption};

/// A TCP connection, `tokio::net::TcpStream`.
///
/// Dropped, it is closed as a descriptor is: FIN after what was written, or a reset where data lies unread or
/// SO_LINGER is zero. Errors carry their kind and the errno the host's profile gives
/// ([`raw_os_error`](io::Error::raw_os_error)).
pub struct TcpStream {
    socket: Socket,
}

impl TcpStream {
    /// Connects to `addr`, a socket address or `(host, port)` by turmoil's names.
    ///
    /// # Errors
    ///
    /// As [`TcpSocket::connect`]; [`io::ErrorKind::NotFound`] for a name that turmoil does not know.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let addr = resolve(addr).await?;
        TcpSocket::for_addr(addr)?.connect(addr).await
    }

    pub(super) fn new(socket: Socket) -> TcpStream {
        TcpStream { socket }
    }

    /// `getsockname`.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `getpeername`.
    ///
    /// # Errors
    ///
    /// ENOTCONN once the connection is dead.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.call(|stack, _, id| stack.peer_addr(id))
    }

    /// SO_ERROR: why the connection died, if no call has reported it yet.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Reads without taking, once there is something; 0 is the peer's FIN.
    ///
    /// # Errors
    ///
    /// Why the connection died.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        poll_fn(|cx| self.poll_peek(cx, &mut buf)).await
    }

    /// Polls for something to read without taking it.
    ///
    /// # Errors
    ///
    /// As [`peek`](TcpStream::peek).
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let unfilled = buf.initialize_unfilled();
        let peeked = self.socket.poll(cx, Side::Read, |stack, now, id| stack.peek(now, id, unfilled));
        let len = ready!(peeked)?;
        buf.advance(len);
        Poll::Ready(Ok(len))
    }

    /// Waits until something of `interest` is ready.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        poll_fn(|cx| self.socket.poll_ready(cx, interest)).await
    }

    /// Waits until a read would not wait.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until a write would not wait.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// Polls for [`readable`](TcpStream::readable).
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_ready(cx, Interest::READABLE).map_ok(drop)
    }

    /// Polls for [`writable`](TcpStream::writable).
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_ready(cx, Interest::WRITABLE).map_ok(drop)
    }

    /// Reads what there is.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is nothing; else why the connection died.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.call(|stack, now, id| stack.read(now, id, buf))
    }

    /// Reads what there is into one buffer after the other.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TcpStream::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.call(|stack, now, id| {
            let mut total = 0;
            for buf in bufs.iter_mut().filter(|buf| !buf.is_empty()) {
                match stack.read(now, id, buf) {
                    Ok(len) => total += len,
                    Err(errno) if total == 0 => return Err(errno),
                    Err(_) => break,
                }
                if total == 0 {
                    break;
                }
            }
            Ok(total)
        })
    }

    /// Reads what there is, behind what `buf` has.
    ///
    /// # Errors
    ///
    /// As [`try_read`](TcpStream::try_read).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        // As tokio does: as much as the buffer has in one piece.
        let mut room = vec![0; buf.chunk_mut().len().min(1 << 16)];
        let len = self.try_read(&mut room)?;
        buf.put_slice(&room[..len]);
        Ok(len)
    }

    /// Queues as much of `buf` as there is room for.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is none; EPIPE when nothing can be sent any more, or first why.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.call(|stack, now, id| stack.write(now, id, buf))
    }

    /// Queues one buffer after the other, as long as there is room.
    ///
    /// # Errors
    ///
    /// As [`try_write`](TcpStream::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let gathered = gather(bufs);
        self.try_write(&gathered)
    }

    /// Does `f` if the socket is ready for it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if it is not, or what `f` says.
    pub fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        if self.socket.ready(interest)?.is_empty() {
            return Err(Errno::EAGAIN.into());
        }
        f()
    }

    /// Does `f` whenever the socket is ready for it, until it says something else than
    /// [`io::ErrorKind::WouldBlock`].
    ///
    /// # Errors
    ///
    /// What `f` says.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            self.ready(interest).await?;
            match f() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::task::yield_now().await,
                result => return result,
            }
        }
    }

    /// TCP_NODELAY.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.no_delay)
    }

    /// Sets TCP_NODELAY.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set(SocketOption::NoDelay(nodelay))
    }

    /// TCP_QUICKACK: whether data is acknowledged at once.
    ///
    /// # Errors
    ///
    /// ENOPROTOOPT if the host's profile is not Linux's, which alone has it.
    pub fn quickack(&self) -> io::Result<bool> {
        self.socket.call(|stack, _, id| stack.quick_ack(id))
    }

    /// Sets TCP_QUICKACK, until the connection turns out to be interactive (`tcp(7)`).
    ///
    /// # Errors
    ///
    /// As [`quickack`](TcpStream::quickack).
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.socket.call(|stack, now, id| stack.set_quick_ack(now, id, quickack))
    }

    /// SO_LINGER.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// Sets SO_LINGER: zero makes `close` send a reset; any other time is kept but not waited for.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set(SocketOption::Linger(dur))
    }

    /// Sets SO_LINGER to zero.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
    }

    /// IP_TTL.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// Sets IP_TTL.
    ///
    /// # Errors
    ///
    /// EINVAL if it is not 1 to 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }

    /// Two borrowed halves.
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        super::split::split(self)
    }

    /// Two owned halves; dropping the write half shuts down its side.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        super::split_owned::split_owned(self)
    }

    pub(super) fn inner(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn poll_read_shared(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let unfilled = buf.initialize_unfilled();
        let read = self.socket.poll(cx, Side::Read, |stack, now, id| stack.read(now, id, unfilled));
        buf.advance(ready!(read)?);
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write_shared(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll(cx, Side::Write, |stack, now, id| stack.write(now, id, buf))
    }

    pub(super) fn poll_write_vectored_shared(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let gathered = gather(bufs);
        self.poll_write_shared(cx, &gathered)
    }

    /// SHUT_WR; on a connection that is dead already it is no error, as tokio has it.
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        match self.socket.call(|stack, now, id| stack.shutdown(now, id, How::Write)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// SHUT_WR by a drop: done when the host runs next.
    pub(super) fn shutdown_write_later(&self) {
        self.socket.host.defer(Deferred::ShutdownWrite(self.socket.id));
    }
}

/// `writev` is one write: what is in its buffers shares segments. More than a socket's buffer holds need not be
/// looked at.
fn gather<'b>(bufs: &'b [IoSlice<'_>]) -> Cow<'b, [u8]> {
    const ENOUGH: usize = 1 << 16;
    let mut filled = bufs.iter().filter(|buf| !buf.is_empty());
    let first: &[u8] = filled.next().map_or(&[], |buf| buf);
    let mut gathered = Cow::Borrowed(first);
    while let Some(buf) = filled.next().filter(|_| gathered.len() < ENOUGH) {
        gathered.to_mut().extend_from_slice(buf);
    }
    gathered
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_shared(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_shared(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored_shared(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_write())
    }
}

impl AsRef<TcpStream> for TcpStream {
    fn as_ref(&self) -> &TcpStream {
        self
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, peer) = (self.local_addr().ok(), self.peer_addr().ok());
        f.debug_struct("TcpStream").field("addr", &addr).field("peer", &peer).finish()
    }
}
