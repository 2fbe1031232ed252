//! The client's loop, one line after the other (UNP fig. 5.5).

use super::MAXLINE;
use super::error::{OrErrSys, err_quit};
use super::lines::{LineReader, fputs, writen};
use crate::os::{Fd, Os};

/// Sends each line of standard input and prints the line that comes back, until the input ends.
///
/// While it sits in `fgets` it does not hear what the network has to say: that is the point of ch. 5.12.
pub async fn str_cli<O: Os>(os: &O, sockfd: Fd) {
    let mut stdin = LineReader::fgets(Fd::STDIN);
    let mut socket = LineReader::readline(sockfd);
    loop {
        let sendline = stdin.next(os, MAXLINE).await.or_err_sys(os, "fgets error").await;
        if sendline.is_empty() {
            return;
        }
        let sent = writen(&os.within("writen"), sockfd, &sendline).await;
        sent.or_err_sys(os, "str_cli: writen error").await;
        // An echo is as long as what was sent. Without that limit a last line without a newline, or the first
        // piece of a very long one, would be waited for in vain.
        let recvline = socket.next(os, sendline.len()).await.or_err_sys(os, "str_cli: readline error").await;
        if recvline.is_empty() {
            err_quit(os, "str_cli: server terminated prematurely").await;
        }
        fputs(os, &recvline).await.or_err_sys(os, "fputs error").await;
    }
}
