//! Two numbers and their sum, as text and as structures (UNP 5.18).
//!
//! Text means the same everywhere. A `struct` of `long`s as it is in memory means something else on a host with
//! another byte order, and with another size of a `long` both sides do not even agree where it ends.

use super::MAXLINE;
use super::error::{Broken, OrErrSys};
use super::lines::{LineReader, fputs, readn, writen};
use super::str_cli::Typed;
use crate::os::{Fd, Os};

/// `sscanf(line, "%ld%ld", …)`: the numbers, if there are two.
fn scan(line: &[u8]) -> Option<(i64, i64)> {
    let line = String::from_utf8_lossy(line);
    let mut numbers = line.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The server's side, in text (fig. 5.17): a line with two numbers is answered with a line with one.
pub(super) async fn serve_text<O: Os>(os: &O, sockfd: Fd) {
    let mut socket = LineReader::readline(sockfd);
    loop {
        let line = socket.next(os, MAXLINE).await.or_err_sys(os, "str_echo: readline error").await;
        if line.is_empty() {
            return;
        }
        let answer = match scan(&line) {
            Some((one, other)) => format!("{}\n", one.wrapping_add(other)),
            None => "input error\n".to_owned(),
        };
        let sent = writen(&os.within("writen"), sockfd, answer.as_bytes()).await;
        sent.or_err_sys(os, "writen error").await;
    }
}

/// The client's side, in text: that of fig. 5.5, but that answers have a length of their own.
pub(super) async fn ask_text<O: Os>(os: &O, sockfd: Fd, typed: &mut Typed) -> Result<(), Broken> {
    let mut socket = LineReader::readline(sockfd);
    loop {
        let line = typed.line(os).await;
        if line.is_empty() {
            return Ok(());
        }
        let sent = writen(&os.within("writen"), sockfd, line).await;
        sent.map_err(|errno| Broken::by("str_cli: writen error", errno))?;
        let answer = socket.next(os, MAXLINE).await;
        let answer = answer.map_err(|errno| Broken::by("str_cli: readline error", errno))?;
        if answer.is_empty() {
            return Err(Broken::PREMATURE);
        }
        typed.answered();
        fputs(os, &answer).await.or_err_sys(os, "fputs error").await;
    }
}

/// The server's side, in binary (fig. 5.20): `struct args` is answered with `struct result`.
pub(super) async fn serve_binary<O: Os>(os: &O, sockfd: Fd) {
    let abi = os.abi();
    loop {
        let args = readn(&os.within("readn"), sockfd, 2 * abi.long).await;
        let args = args.or_err_sys(os, "str_echo: readn error").await;
        if args.len() < 2 * abi.long {
            return;
        }
        let (one, other) = args.split_at(abi.long);
        // What does not fit is cut off, as the hardware does it.
        let result = abi.encode(abi.decode(one).wrapping_add(abi.decode(other)));
        writen(&os.within("writen"), sockfd, &result).await.or_err_sys(os, "writen error").await;
    }
}

/// The client's side, in binary (fig. 5.19).
pub(super) async fn ask_binary<O: Os>(os: &O, sockfd: Fd, typed: &mut Typed) -> Result<(), Broken> {
    let abi = os.abi();
    loop {
        let line = typed.line(os).await;
        if line.is_empty() {
            return Ok(());
        }
        let Some((one, other)) = scan(line) else {
            let complaint = [b"invalid input: ", line].concat();
            fputs(os, &complaint).await.or_err_sys(os, "fputs error").await;
            typed.answered();
            continue;
        };
        let args = [abi.encode(one), abi.encode(other)].concat();
        let sent = writen(&os.within("writen"), sockfd, &args).await;
        sent.map_err(|errno| Broken::by("str_cli: writen error", errno))?;
        let result = readn(&os.within("readn"), sockfd, abi.long).await;
        let result = result.map_err(|errno| Broken::by("str_cli: readn error", errno))?;
        if result.len() < abi.long {
            return Err(Broken::PREMATURE);
        }
        typed.answered();
        let sum = format!("{}\n", abi.decode(&result));
        fputs(os, sum.as_bytes()).await.or_err_sys(os, "fputs error").await;
    }
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn two_numbers_are_found_among_spaces_and_what_follows_does_not_matter() {
        assert_eq!(scan(b" 1\t2 three\n"), Some((1, 2)));
        assert_eq!(scan(b"-22 -77\n"), Some((-22, -77)));
        for line in [&b"1\n"[..], b"one two\n", b"\n", b"99999999999999999999 1\n", b"\xff 1\n"] {
            assert_eq!(scan(line), None, "{line:?}");
        }
    }
}
