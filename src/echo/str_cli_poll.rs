//! The client's loop with an ear on both sides (UNP ch. 6.4 and 6.7, with `poll` for `select`).

use super::MAXLINE;
use super::error::{Broken, OrErrSys};
use super::lines::{fputs, writen_in};
use crate::errno::Errno;
use crate::os::{Fd, How, Os, PollEvents, PollFd};

/// Sends what comes from standard input and prints what comes from the server, whichever comes first.
///
/// Without `half_close` it returns at the end of its input, and loses what is still on its way (fig. 6.9); with
/// it, it says FIN and reads on until the server does (fig. 6.13). It works on octets, not on lines, so that
/// nothing waits unseen in a buffer while it polls (ch. 6.5). What is typed is written `write_size` octets at a time, or as it
/// was read.
///
/// # Errors
///
/// Why the connection is of no more use.
pub async fn str_cli_poll<O: Os>(
    os: &O,
    sockfd: Fd,
    half_close: bool,
    write_size: Option<usize>,
) -> Result<(), Broken> {
    let mut fds = [PollFd::new(sockfd, PollEvents::IN), PollFd::new(Fd::STDIN, PollEvents::IN)];
    let mut buf = vec![0; MAXLINE];
    let mut input_ended = false;
    let os = &os.within("str_cli");
    loop {
        // poll does not look at negative descriptors: the ended input is watched no more.
        fds[1].fd = if input_ended { Fd::from_raw(-1) } else { Fd::STDIN };
        match os.poll(&mut fds, None).await {
            Err(Errno::EINTR) => continue,
            result => _ = result.or_err_sys(os, "poll error").await,
        }
        if !fds[0].revents.is_empty() {
            let came = read(os, sockfd, &mut buf).await;
            match came.map_err(|errno| Broken::by("str_cli: read error", errno))? {
                0 if input_ended => return Ok(()),
                0 => return Err(Broken::PREMATURE),
                len => fputs(os, &buf[..len]).await.or_err_sys(os, "fputs error").await,
            }
        }
        if !fds[1].revents.is_empty() {
            match read(os, Fd::STDIN, &mut buf).await.or_err_sys(os, "str_cli: read error").await {
                0 if half_close => {
                    input_ended = true;
                    os.shutdown(sockfd, How::Write).or_err_sys(os, "shutdown error").await;
                }
                0 => return Ok(()),
                len => {
                    let sent = writen_in(&os.within("writen"), sockfd, &buf[..len], write_size).await;
                    sent.map_err(|errno| Broken::by("str_cli: writen error", errno))?;
                }
            }
        }
    }
}

pub(super) async fn read<O: Os>(os: &O, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match os.read(fd, buf).await {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
