//! The end of a program that cannot go on (UNP app. D.3).

use std::fmt;

use super::lines::writen;
use crate::errno::Errno;
use crate::os::{Fd, Os};

/// Says what failed and why, as `perror` does, and exits with status 1.
pub async fn err_sys<O: Os>(os: &O, what: &str, errno: Errno) -> ! {
    err_quit(os, &format!("{what}: {}", errno.message())).await
}

/// Says what is the matter and exits with status 1.
pub async fn err_quit<O: Os>(os: &O, message: &str) -> ! {
    complain(os, message).await;
    os.exit(1).await
}

/// Says on standard error what is the matter.
pub(super) async fn complain<O: Os>(os: &O, message: &str) {
    // If even this cannot be written, no one can be told.
    _ = writen(&os.within("fputs"), Fd::STDERR, format!("{message}\n").as_bytes()).await;
}

/// Why a conversation with a server has come to an end too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What failed: `str_cli: readline error`.
    pub what: &'static str,
    /// How; `None` is an end of the file where none was expected.
    pub errno: Option<Errno>,
}

impl Broken {
    /// The server has ended the connection.
    pub const PREMATURE: Broken = Broken { what: "str_cli: server terminated prematurely", errno: None };

    /// A call failed.
    pub const fn by(what: &'static str, errno: Errno) -> Broken {
        Broken { what, errno: Some(errno) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno {
            Some(errno) => write!(f, "{}: {}", self.what, errno.message()),
            None => f.write_str(self.what),
        }
    }
}

/// The book's wrapper functions with a capital letter (ch. 1.4): the result, or [`err_sys`].
#[allow(async_fn_in_trait, reason = "a process is one thread: its futures need not be Send")]
pub trait OrErrSys<T> {
    /// The value; if there is none, `what` is said on standard error and the process exits.
    async fn or_err_sys<O: Os>(self, os: &O, what: &str) -> T;
}

impl<T> OrErrSys<T> for Result<T, Errno> {
    async fn or_err_sys<O: Os>(self, os: &O, what: &str) -> T {
        match self {
            Ok(value) => value,
            Err(errno) => err_sys(os, what, errno).await,
        }
    }
}
