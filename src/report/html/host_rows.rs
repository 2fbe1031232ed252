//! A host's part of the history, as rows of numbers.

use serde::Serialize;

use super::number::{NONE, Words, micros};
use crate::os::sim::ProcessInfo;
use crate::sim::{History, HostHistory, SocketRecord, Track};
use crate::time::SimTime;

/// One host over time.
///
/// Every list of changes has rows that begin with the moment of a change and the number of events before its
/// step; there is nothing behind them where something went.
#[derive(Serialize)]
pub(super) struct HostRows {
    /// Its column.
    column: usize,
    power: Vec<Vec<i64>>,
    sockets: Vec<Changes>,
    processes: Vec<Changes>,
}

/// A socket or a process: what it is, and how it changed.
#[derive(Serialize)]
struct Changes(Vec<i64>, Vec<Vec<i64>>);

impl HostRows {
    pub(super) fn all(history: &History, columns: &[String], words: &mut Words) -> Vec<HostRows> {
        let column = |host: &HostHistory| columns.iter().position(|column| **column == *host.name);
        let host_rows = |host: &HostHistory, words: &mut Words| HostRows {
            column: column(host).expect("every host has a column"),
            power: changes(history, &host.power, |()| vec![1]),
            sockets: host
                .sockets
                .iter()
                .map(|((local, remote), track)| {
                    let ends = vec![words.put(local), words.put_some(remote.as_ref())];
                    Changes(ends, changes(history, track, |look| socket(look, words)))
                })
                .collect(),
            processes: host
                .processes
                .iter()
                .map(|(pid, track)| {
                    Changes(vec![i64::from(*pid)], changes(history, track, |look| process(look, words)))
                })
                .collect(),
        };
        history.hosts().iter().map(|host| host_rows(host, words)).collect()
    }
}

fn changes<T: PartialEq>(
    history: &History,
    track: &Track<T>,
    mut row: impl FnMut(&T) -> Vec<i64>,
) -> Vec<Vec<i64>> {
    let snapshots = history.snapshots();
    let changes = track.changes().map(|(snapshot, look)| {
        let before = history.events_before(snapshot);
        let mut numbers = vec![micros(snapshots[snapshot].t), before as i64];
        numbers.extend(look.map(&mut row).unwrap_or_default());
        numbers
    });
    changes.collect()
}

fn socket(SocketRecord { info, timer }: &SocketRecord, words: &mut Words) -> Vec<i64> {
    let span = |span| micros(SimTime::ZERO + span);
    let timer =
        timer.map_or([NONE; 3], |(kind, at, fired)| [words.put(kind.name()), micros(at), i64::from(fired)]);
    let (srtt, rttvar) = info.rtt.map_or((NONE, NONE), |(srtt, rttvar)| (span(srtt), span(rttvar)));
    let mut numbers = vec![words.put(info.state), info.recv_q as i64, info.send_q as i64];
    numbers.extend(timer);
    numbers.extend([span(info.rto), srtt, rttvar, i64::from(info.backoff), i64::from(info.retransmits)]);
    numbers
}

fn process(process: &ProcessInfo, words: &mut Words) -> Vec<i64> {
    vec![
        i64::from(process.ppid.as_raw()),
        words.put(&process.name),
        words.put(process.state.letter()),
        words.put_some(process.sleeping_on.map(|wchan| wchan.call())),
        words.put_some(process.within),
        words.put_some(process.sleeping_on.map(|wchan| wchan.today())),
        words.put_some(process.sleeping_on.map(|wchan| wchan.book())),
    ]
}
