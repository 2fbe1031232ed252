//! The same names with the same signatures as tokio's: what compiles with one `use` compiles with the other.
//!
//! Every public method and trait of tokio 1.54's types for TCP is named here, but for these:
//!
//! - `from_std`, `into_std`, `from_std_stream`, `TryFrom`, `AsFd`, `AsRawFd`, `FromRawFd`, `IntoRawFd`: there is no
//!   descriptor behind a simulated socket.
//! - `TcpSocket::device` and `bind_device`: a host has one wire, which has no name.

macro_rules! signatures {
    ($name:ident, $net:path) => {
        mod $name {
            use std::io::{IoSlice, IoSliceMut, Result};
            use std::net::SocketAddr;
            use std::task::{Context, Poll};
            use std::time::Duration;

            use net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
            use net::{TcpListener, TcpSocket, TcpStream};
            use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
            use $net as net;

            type Check<'c, 'w> = &'c mut Context<'w>;

            const _: fn(&TcpStream) -> Result<SocketAddr> = TcpStream::local_addr;
            const _: fn(&TcpStream) -> Result<SocketAddr> = TcpStream::peer_addr;
            const _: fn(&TcpStream) -> Result<Option<std::io::Error>> = TcpStream::take_error;
            const _: fn(&TcpStream, Check<'_, '_>, &mut ReadBuf<'_>) -> Poll<Result<usize>> =
                TcpStream::poll_peek;
            const _: fn(&TcpStream, Check<'_, '_>) -> Poll<Result<()>> = TcpStream::poll_read_ready;
            const _: fn(&TcpStream, Check<'_, '_>) -> Poll<Result<()>> = TcpStream::poll_write_ready;
            const _: fn(&TcpStream, &mut [u8]) -> Result<usize> = TcpStream::try_read;
            const _: fn(&TcpStream, &mut [IoSliceMut<'_>]) -> Result<usize> = TcpStream::try_read_vectored;
            const _: fn(&TcpStream, &mut Vec<u8>) -> Result<usize> = TcpStream::try_read_buf;
            const _: fn(&TcpStream, &[u8]) -> Result<usize> = TcpStream::try_write;
            const _: fn(&TcpStream, &[IoSlice<'_>]) -> Result<usize> = TcpStream::try_write_vectored;
            const _: fn(&TcpStream, Interest, fn() -> Result<u8>) -> Result<u8> = TcpStream::try_io;
            const _: fn(&TcpStream) -> Result<bool> = TcpStream::nodelay;
            const _: fn(&TcpStream, bool) -> Result<()> = TcpStream::set_nodelay;
            #[cfg(target_os = "linux")]
            const _: fn(&TcpStream) -> Result<bool> = TcpStream::quickack;
            #[cfg(target_os = "linux")]
            const _: fn(&TcpStream, bool) -> Result<()> = TcpStream::set_quickack;
            const _: fn(&TcpStream) -> Result<Option<Duration>> = TcpStream::linger;
            #[allow(deprecated, reason = "it blocks the thread; there it is all the same")]
            const _: fn(&TcpStream, Option<Duration>) -> Result<()> = TcpStream::set_linger;
            const _: fn(&TcpStream) -> Result<()> = TcpStream::set_zero_linger;
            const _: fn(&TcpStream) -> Result<u32> = TcpStream::ttl;
            const _: fn(&TcpStream, u32) -> Result<()> = TcpStream::set_ttl;
            const _: for<'a> fn(&'a mut TcpStream) -> (ReadHalf<'a>, WriteHalf<'a>) = TcpStream::split;
            const _: fn(TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) = TcpStream::into_split;

            type Accepted = Result<(TcpStream, SocketAddr)>;
            const _: fn(&TcpListener, Check<'_, '_>) -> Poll<Accepted> = TcpListener::poll_accept;
            const _: fn(&TcpListener) -> Result<SocketAddr> = TcpListener::local_addr;
            const _: fn(&TcpListener) -> Result<u32> = TcpListener::ttl;
            const _: fn(&TcpListener, u32) -> Result<()> = TcpListener::set_ttl;

            const _: fn() -> Result<TcpSocket> = TcpSocket::new_v4;
            const _: fn() -> Result<TcpSocket> = TcpSocket::new_v6;
            const _: fn(&TcpSocket, SocketAddr) -> Result<()> = TcpSocket::bind;
            const _: fn(TcpSocket, u32) -> Result<TcpListener> = TcpSocket::listen;
            const _: fn(&TcpSocket) -> Result<SocketAddr> = TcpSocket::local_addr;
            const _: fn(&TcpSocket) -> Result<Option<std::io::Error>> = TcpSocket::take_error;
            const _: [fn(&TcpSocket, bool) -> Result<()>; 4] = [
                TcpSocket::set_keepalive,
                TcpSocket::set_reuseaddr,
                TcpSocket::set_reuseport,
                TcpSocket::set_nodelay,
            ];
            const _: [fn(&TcpSocket) -> Result<bool>; 4] =
                [TcpSocket::keepalive, TcpSocket::reuseaddr, TcpSocket::reuseport, TcpSocket::nodelay];
            const _: [fn(&TcpSocket, u32) -> Result<()>; 4] = [
                TcpSocket::set_send_buffer_size,
                TcpSocket::set_recv_buffer_size,
                TcpSocket::set_tos_v4,
                TcpSocket::set_tclass_v6,
            ];
            const _: [fn(&TcpSocket) -> Result<u32>; 4] = [
                TcpSocket::send_buffer_size,
                TcpSocket::recv_buffer_size,
                TcpSocket::tos_v4,
                TcpSocket::tclass_v6,
            ];
            const _: fn(&TcpSocket) -> Result<()> = TcpSocket::set_zero_linger;
            #[allow(deprecated, reason = "as above")]
            const _: fn(&TcpSocket, Option<Duration>) -> Result<()> = TcpSocket::set_linger;
            const _: fn(&TcpSocket) -> Result<Option<Duration>> = TcpSocket::linger;
            #[allow(deprecated, reason = "the names of before")]
            const _: fn(&TcpSocket) -> Result<u32> = TcpSocket::tos;
            #[allow(deprecated, reason = "the names of before")]
            const _: fn(&TcpSocket, u32) -> Result<()> = TcpSocket::set_tos;

            type Reunited = std::result::Result<TcpStream, ReuniteError>;
            const _: fn(OwnedReadHalf, OwnedWriteHalf) -> Reunited = OwnedReadHalf::reunite;
            const _: fn(OwnedWriteHalf, OwnedReadHalf) -> Reunited = OwnedWriteHalf::reunite;
            const _: fn(OwnedWriteHalf) = OwnedWriteHalf::forget;
            const _: fn(OwnedReadHalf, OwnedWriteHalf) -> ReuniteError = ReuniteError;
            const _: fn(&mut OwnedReadHalf, Check<'_, '_>, &mut ReadBuf<'_>) -> Poll<Result<usize>> =
                OwnedReadHalf::poll_peek;
            const _: fn(&mut ReadHalf<'static>, Check<'_, '_>, &mut ReadBuf<'_>) -> Poll<Result<usize>> =
                ReadHalf::poll_peek;
            const _: fn(&OwnedReadHalf, &mut [u8]) -> Result<usize> = OwnedReadHalf::try_read;
            const _: fn(&OwnedReadHalf, &mut Vec<u8>) -> Result<usize> = OwnedReadHalf::try_read_buf;
            const _: fn(&OwnedReadHalf, &mut [IoSliceMut<'_>]) -> Result<usize> =
                OwnedReadHalf::try_read_vectored;
            const _: fn(&ReadHalf<'static>, &mut [u8]) -> Result<usize> = ReadHalf::try_read;
            const _: fn(&ReadHalf<'static>, &mut Vec<u8>) -> Result<usize> = ReadHalf::try_read_buf;
            const _: fn(&ReadHalf<'static>, &mut [IoSliceMut<'_>]) -> Result<usize> =
                ReadHalf::try_read_vectored;
            const _: fn(&OwnedWriteHalf, &[u8]) -> Result<usize> = OwnedWriteHalf::try_write;
            const _: fn(&OwnedWriteHalf, &[IoSlice<'_>]) -> Result<usize> =
                OwnedWriteHalf::try_write_vectored;
            const _: fn(&WriteHalf<'static>, &[u8]) -> Result<usize> = WriteHalf::try_write;
            const _: fn(&WriteHalf<'static>, &[IoSlice<'_>]) -> Result<usize> = WriteHalf::try_write_vectored;
            const _: [fn(&OwnedReadHalf) -> Result<SocketAddr>; 2] =
                [OwnedReadHalf::local_addr, OwnedReadHalf::peer_addr];
            const _: [fn(&OwnedWriteHalf) -> Result<SocketAddr>; 2] =
                [OwnedWriteHalf::local_addr, OwnedWriteHalf::peer_addr];
            const _: [fn(&ReadHalf<'static>) -> Result<SocketAddr>; 2] =
                [ReadHalf::local_addr, ReadHalf::peer_addr];
            const _: [fn(&WriteHalf<'static>) -> Result<SocketAddr>; 2] =
                [WriteHalf::local_addr, WriteHalf::peer_addr];

            fn is<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
            fn reads<T: AsyncRead + Send + Sync + Unpin>() {}
            fn writes<T: AsyncWrite + Send + Sync + Unpin>() {}
            fn fails<T: std::error::Error>() {}
            fn refers<T: AsRef<TcpStream>>() {}
            fn sends<T: Send>(value: T) -> T {
                value
            }

            #[allow(dead_code, reason = "it is enough that it compiles")]
            async fn asynchronous(socket: TcpSocket, at: SocketAddr) -> Result<()> {
                let listener: TcpListener = sends(TcpListener::bind("0.0.0.0:0")).await?;
                let _: (TcpStream, SocketAddr) = sends(listener.accept()).await?;
                let _: TcpStream = sends(socket.connect(at)).await?;
                let mut stream: TcpStream = sends(TcpStream::connect(("127.0.0.1", 7))).await?;
                let _: Ready = sends(stream.ready(Interest::READABLE | Interest::WRITABLE)).await?;
                let () = sends(stream.readable()).await?;
                let () = sends(stream.writable()).await?;
                let _: usize = sends(stream.peek(&mut [])).await?;
                let _: u8 = sends(stream.async_io(Interest::READABLE, || Ok(1))).await?;
                let (mut read, write) = stream.split();
                let _: usize = sends(read.peek(&mut [])).await?;
                let () = sends(read.readable()).await?;
                let _: Ready = sends(read.ready(Interest::READABLE)).await?;
                let () = sends(write.writable()).await?;
                let _: Ready = sends(write.ready(Interest::WRITABLE)).await?;
                let (mut read, write) = stream.into_split();
                let _: usize = sends(read.peek(&mut [])).await?;
                let () = sends(read.readable()).await?;
                let _: Ready = sends(read.ready(Interest::READABLE)).await?;
                let () = sends(write.writable()).await?;
                let _: Ready = sends(write.ready(Interest::WRITABLE)).await?;
                Ok(())
            }

            #[test]
            fn types_are_as_able() {
                is::<TcpStream>();
                is::<TcpListener>();
                is::<TcpSocket>();
                is::<ReadHalf<'static>>();
                is::<WriteHalf<'static>>();
                is::<OwnedReadHalf>();
                is::<OwnedWriteHalf>();
                is::<ReuniteError>();
                fails::<ReuniteError>();
                reads::<TcpStream>();
                reads::<ReadHalf<'static>>();
                reads::<OwnedReadHalf>();
                writes::<TcpStream>();
                writes::<WriteHalf<'static>>();
                writes::<OwnedWriteHalf>();
                refers::<TcpStream>();
                refers::<ReadHalf<'static>>();
                refers::<WriteHalf<'static>>();
                refers::<OwnedReadHalf>();
                refers::<OwnedWriteHalf>();
            }
        }
    };
}

signatures!(tokios, tokio::net);
signatures!(ours, echosim::net);
