//! Who is who on a connection: `getsockname` and `getpeername` (UNP fig. 5.15, 5.16).

use super::error::OrErrSys;
use super::lines::fputs;
use crate::os::{Fd, Os};

/// Prints both ends of a connection, as `who` sees them.
pub(super) async fn show_connection<O: Os>(os: &O, who: &str, connfd: Fd) {
    let local = os.getsockname(connfd).or_err_sys(os, "getsockname error").await;
    let foreign = os.getpeername(connfd).or_err_sys(os, "getpeername error").await;
    let line = format!("{who}: local {local}, foreign {foreign}\n");
    fputs(os, line.as_bytes()).await.or_err_sys(os, "fputs error").await;
}

/// Prints where a server listens.
pub(super) async fn show_listener<O: Os>(os: &O, listenfd: Fd) {
    let local = os.getsockname(listenfd).or_err_sys(os, "getsockname error").await;
    fputs(os, format!("listening on {local}\n").as_bytes()).await.or_err_sys(os, "fputs error").await;
}
