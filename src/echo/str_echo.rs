//! The server's side of one connection (UNP fig. 5.3).

use super::MAXLINE;
use super::error::OrErrSys;
use super::lines::writen_in;
use crate::errno::Errno;
use crate::os::{Fd, Os};

/// Sends back what comes, until the client ends it: `write_size` octets at a time, or as it was read.
pub async fn str_echo<O: Os>(os: &O, sockfd: Fd, write_size: Option<usize>) {
    let mut buf = vec![0; MAXLINE];
    loop {
        match os.within("str_echo").read(sockfd, &mut buf).await {
            Ok(0) => return,
            Ok(len) => {
                let sent = writen_in(&os.within("writen"), sockfd, &buf[..len], write_size).await;
                sent.or_err_sys(os, "writen error").await;
            }
            Err(Errno::EINTR) => {}
            failed @ Err(_) => _ = failed.or_err_sys(os, "str_echo: read error").await,
        }
    }
}
