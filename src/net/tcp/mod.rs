//! TCP under tokio's names: `tokio::net::tcp` and the three types above it.

mod listener;
mod sock_ref;
mod socket;
mod split;
mod split_owned;
mod stream;

pub use listener::TcpListener;
pub use sock_ref::{SockRef, TcpKeepalive};
pub use socket::TcpSocket;
pub use split::{ReadHalf, WriteHalf};
pub use split_owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use stream::TcpStream;
