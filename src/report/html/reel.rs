//! A host's part of the film, as rows of numbers.

use serde::Serialize;

use super::number::{NONE, Words, micros};
use crate::os::sim::ProcessInfo;
use crate::sim::{Film, HostFilm, SocketLook, Track};
use crate::time::SimTime;

/// One host over time.
///
/// Every list of changes has rows that begin with the moment of a change and the number of events before its
/// round; there is nothing behind them where something went.
#[derive(Serialize)]
pub(super) struct Reel {
    /// Its column.
    column: usize,
    power: Vec<Vec<i64>>,
    sockets: Vec<Strip>,
    processes: Vec<Strip>,
}

/// A socket or a process: what it is, and how it changed.
#[derive(Serialize)]
struct Strip(Vec<i64>, Vec<Vec<i64>>);

impl Reel {
    pub(super) fn all(film: &Film, columns: &[String], words: &mut Words) -> Vec<Reel> {
        let column = |host: &HostFilm| columns.iter().position(|column| **column == *host.name);
        let reel = |host: &HostFilm, words: &mut Words| Reel {
            column: column(host).expect("every host has a column"),
            power: changes(film, &host.power, |()| vec![1]),
            sockets: host
                .sockets
                .iter()
                .map(|((local, remote), track)| {
                    let ends = vec![words.put(local), words.put_some(remote.as_ref())];
                    Strip(ends, changes(film, track, |look| socket(look, words)))
                })
                .collect(),
            processes: host
                .processes
                .iter()
                .map(|(pid, track)| {
                    Strip(vec![i64::from(*pid)], changes(film, track, |look| process(look, words)))
                })
                .collect(),
        };
        film.hosts().iter().map(|host| reel(host, words)).collect()
    }
}

fn changes<T: PartialEq>(
    film: &Film,
    track: &Track<T>,
    mut row: impl FnMut(&T) -> Vec<i64>,
) -> Vec<Vec<i64>> {
    let frames = film.frames();
    let changes = track.changes().map(|(frame, look)| {
        let before = frame.checked_sub(1).map_or(0, |before| frames[before].events);
        let mut numbers = vec![micros(frames[frame].t), before as i64];
        numbers.extend(look.map(&mut row).unwrap_or_default());
        numbers
    });
    changes.collect()
}

fn socket(SocketLook { info, timer }: &SocketLook, words: &mut Words) -> Vec<i64> {
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
