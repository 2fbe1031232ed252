//! The client's loop, one line after the other (UNP fig. 5.5).

use super::MAXLINE;
use super::error::{Broken, OrErrSys};
use super::lines::{LineReader, fputs, writen_in};
use crate::os::{Fd, Os};

/// What the client makes of the server's end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Without an answer it ends, and says so.
    Needed,
    /// It does not look at errors, and writes on: "What happens if the client ignores the error return from
    /// `readline` and writes more data to the server?" (ch. 5.13).
    Ignored,
    /// It does not read: what comes is unread when it ends.
    Unread,
}

/// What is typed, one line at a time. It outlives a connection: a line that got no answer is sent again over the next one.
#[derive(Debug)]
pub struct Typed {
    reader: LineReader,
    line: Vec<u8>,
    unanswered: bool,
}

impl Typed {
    /// Standard input.
    pub const fn new() -> Typed {
        Typed { reader: LineReader::fgets(Fd::STDIN), line: Vec::new(), unanswered: false }
    }

    /// The line that has got no answer, or else the next one; nothing at the end of the input.
    pub(super) async fn line<O: Os>(&mut self, os: &O) -> &[u8] {
        if !self.unanswered {
            self.line = self.reader.next(os, MAXLINE).await.or_err_sys(os, "fgets error").await;
            self.unanswered = true;
        }
        &self.line
    }

    /// The line has its answer.
    pub(super) fn answered(&mut self) {
        self.unanswered = false;
    }
}

impl Default for Typed {
    fn default() -> Typed {
        Typed::new()
    }
}

/// Sends each line of standard input and prints the line that comes back, until the input ends. A line is written `write_size`
/// octets at a time, or whole.
///
/// While it sits in `fgets` it does not hear what the network has to say: that is the point of ch. 5.12.
///
/// # Errors
///
/// Why there was no answer.
pub async fn str_cli<O: Os>(
    os: &O,
    sockfd: Fd,
    typed: &mut Typed,
    answer: Answer,
    write_size: Option<usize>,
) -> Result<(), Broken> {
    let mut socket = LineReader::readline(sockfd);
    loop {
        let sendline = typed.line(os).await;
        if sendline.is_empty() {
            return Ok(());
        }
        let sent = writen_in(&os.within("writen"), sockfd, sendline, write_size).await;
        // An echo is as long as what was sent. Without that limit a last line without a newline, or the first
        // piece of a very long one, would be waited for in vain.
        let recvline = match answer {
            Answer::Needed => {
                sent.map_err(|errno| Broken::by("str_cli: writen error", errno))?;
                let answer = socket.next(os, sendline.len()).await;
                answer.map_err(|errno| Broken::by("str_cli: readline error", errno))?
            }
            Answer::Unread => {
                sent.map_err(|errno| Broken::by("str_cli: writen error", errno))?;
                typed.answered();
                continue;
            }
            Answer::Ignored => socket.next(os, sendline.len()).await.unwrap_or_default(),
        };
        if recvline.is_empty() && answer == Answer::Needed {
            return Err(Broken::PREMATURE);
        }
        typed.answered();
        fputs(os, &recvline).await.or_err_sys(os, "fputs error").await;
    }
}
