//! Calls that brought bad news, and the connections they were about.

use std::collections::BTreeMap;

use super::evidence::{Ends, Evidence};
use crate::errno::Errno;
use crate::timeline::{Call, Event, Kind, ProcessChange, TcpState};

/// The bad news that a process had last.
#[derive(Clone, Debug)]
pub(super) struct Trouble<'a> {
    /// The event that brought it.
    pub(super) at: usize,
    pub(super) host: &'a str,
    pub(super) news: News<'a>,
    /// The connection it is about, if it is about one.
    pub(super) ends: Option<Ends>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum News<'a> {
    /// A call failed.
    Failed { call: &'a Call, errno: Errno },
    /// A read found the end of file, and the program was not pleased.
    EndOfFile { call: &'a Call },
    /// A signal that the connection's state had raised.
    Killed { signal: &'static str },
}

/// Every process's bad news, in the order they came.
pub(super) fn troubles<'a>(evidence: &Evidence<'a>) -> Vec<Trouble<'a>> {
    let mut processes: BTreeMap<(&str, u32), Process<'a>> = BTreeMap::new();
    let mut over: Vec<Trouble<'a>> = Vec::new();
    for (at, event) in evidence.events.iter().enumerate() {
        let host: &'a str = &event.host;
        match &event.kind {
            Kind::Call(call) => {
                processes.entry((host, call.pid)).or_default().call(at, host, call);
            }
            Kind::Process(process) => {
                let key = (host, process.pid);
                match process.what {
                    ProcessChange::Start | ProcessChange::Fork { .. } => {
                        over.extend(
                            processes.insert(key, Process::default()).and_then(|old| old.trouble(true)),
                        );
                    }
                    ProcessChange::Exit { status } => {
                        over.extend(processes.remove(&key).and_then(|old| old.trouble(status != 0)));
                    }
                    ProcessChange::Killed { signal: signal @ "SIGPIPE" } => {
                        processes.remove(&key);
                        over.push(Trouble { at, host, news: News::Killed { signal }, ends: None });
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    over.extend(processes.into_values().filter_map(|process| process.trouble(false)));
    over.sort_by_key(|trouble| trouble.at);
    for trouble in &mut over {
        trouble.ends = ends(evidence.events, trouble);
    }
    over
}

#[derive(Default)]
struct Process<'a> {
    failure: Option<Trouble<'a>>,
    end_of_file: Option<Trouble<'a>>,
}

impl<'a> Process<'a> {
    fn call(&mut self, at: usize, host: &'a str, call: &'a Call) {
        let trouble = |news| Some(Trouble { at, host, news, ends: None });
        match call.result {
            Err(Errno::EAGAIN | Errno::EINPROGRESS | Errno::EALREADY | Errno::ECHILD) => {}
            Err(errno) => self.failure = trouble(News::Failed { call, errno }),
            // The end of what a user types is no news.
            Ok(0) if call.reads_from_peer() => {
                self.end_of_file = trouble(News::EndOfFile { call });
            }
            Ok(_) => {}
        }
    }

    /// What the process died of; the end of file is bad news only to one that complains.
    fn trouble(self, complains: bool) -> Option<Trouble<'a>> {
        self.failure.or(self.end_of_file.filter(|_| complains))
    }
}

/// The connection that a call was about. Of a signal, and of a call that is about no connection yet, it is the one on the
/// host whose state changed last of those that explain the news.
fn ends(events: &[Event], trouble: &Trouble<'_>) -> Option<Ends> {
    let (about, explains) = match trouble.news {
        News::Failed { call, .. } => (call.connection, TcpState::Closed),
        News::EndOfFile { call } => (call.connection, TcpState::CloseWait),
        News::Killed { .. } => (None, TcpState::Closed),
    };
    let changed = |event: &Event| match event.kind {
        Kind::State { local, remote, to, .. } if &*event.host == trouble.host && to == explains => {
            Some((local, remote))
        }
        _ => None,
    };
    let about = about.map(|id| (id.local, id.remote));
    about.or_else(|| events[..trouble.at].iter().rev().find_map(changed))
}
