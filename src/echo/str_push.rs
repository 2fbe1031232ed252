//! A server that speaks unasked: prices, events, a log. Its clients only read, and hang for ever when it dies unheard.

use std::time::Duration;

use super::error::OrErrSys;
use super::lines::writen;
use crate::errno::Errno;
use crate::os::{Fd, Os};

/// Writes a line every so often: `line 1`, `line 2` … Ends after so many, or with the first that cannot be written.
pub async fn str_push<O: Os>(os: &O, sockfd: Fd, every: Duration, lines: Option<u64>) {
    for n in 1..=lines.unwrap_or(u64::MAX) {
        let sent = writen(&os.within("writen"), sockfd, format!("line {n}\n").as_bytes()).await;
        sent.or_err_sys(os, "str_push: writen error").await;
        match os.sleep(every).await {
            Err(Errno::EINTR) => {}
            result => result.or_err_sys(os, "sleep error").await,
        }
    }
}
