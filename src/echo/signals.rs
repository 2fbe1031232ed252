//! The server's signal handlers (UNP fig. 5.7, 5.11; ch. 5.16).

use super::error::OrErrSys;
use super::lines::fputs;
use crate::os::{Action, Child, Handler, Os, Signal};

/// What a server does when a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reap {
    /// Nothing: each leaves a zombie (fig. 5.2).
    None,
    /// `wait` in the handler: one a signal, and signals do not queue (fig. 5.7).
    Wait,
    /// `waitpid` in a loop (fig. 5.11).
    Waitpid,
}

/// Says what SIGCHLD shall do, as the book's `signal` does: with SA_RESTART or, if asked to, without.
pub(super) async fn catch_sigchld<O: Os>(os: &O, reap: Reap, restarts: bool) {
    let handler = match reap {
        Reap::None => return,
        Reap::Wait => Handler::new(async |os: O, _| wait_for_one(&os).await),
        Reap::Waitpid => Handler::new(async |os: O, _| wait_for_all(&os).await),
    };
    let action = Action { restart: restarts, ..Action::handle(handler) };
    os.sigaction(Signal::SIGCHLD, action).or_err_sys(os, "sigaction error").await;
}

/// `sig_chld` with `wait`: one child, however many have ended (fig. 5.7).
async fn wait_for_one<O: Os>(os: &O) {
    if let Ok((pid, _)) = os.wait().await {
        say(os, &format!("child {pid} terminated\n")).await;
    }
}

/// `sig_chld` with `waitpid` in a loop: all that have ended, and no waiting for the rest (fig. 5.11).
async fn wait_for_all<O: Os>(os: &O) {
    while let Ok(Some((pid, _))) = os.waitpid(Child::Any, true).await {
        say(os, &format!("child {pid} terminated\n")).await;
    }
}

/// Catches SIGTERM and goes on as if nothing had been said; until SIGKILL (ch. 5.16).
pub(super) async fn catch_sigterm<O: Os>(os: &O) {
    let handler = Handler::new(async |os: O, _| say(&os, "caught SIGTERM\n").await);
    let action = Action::handle(handler).restarting();
    os.sigaction(Signal::SIGTERM, action).or_err_sys(os, "sigaction error").await;
}

async fn say<O: Os>(os: &O, line: &str) {
    // A handler cannot report an error.
    _ = fputs(os, line.as_bytes()).await;
}
