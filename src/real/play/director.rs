//! The process that directs a play, and whoever waits for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal as Native, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid as NativePid;

use super::loopback::Loopback;
use super::performance::Performance;
use super::strike::is_of_the_network;
use super::{Ground, Place, Play};
use crate::os::unix::{EventPipe, EventReader, Message, fork, note_interrupts};
use crate::real::{RealError, be_single_threaded};
use crate::scenario::{Netstat, Outcome, Ps};

/// Gives the play; what it leaves, times from its start. Takes as long as it says.
///
/// # Errors
///
/// [`RealError`]: this process has threads, the place cannot be had or cannot do what the play asks for, or a
/// signal came.
pub fn play(play: &Play, place: Place) -> Result<Outcome, RealError> {
    Running::start(play, place)?.finish()
}

/// A play that is being given. Dropped, it ends.
pub(crate) struct Running {
    reader: EventReader,
    complaints: File,
    director: Option<NativePid>,
}

impl Running {
    pub(crate) fn start(play: &Play, place: Place) -> Result<Running, RealError> {
        begin(play, place)
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Result<Outcome, RealError> {
        let outcome = collect(&mut self.reader)
            .map_err(|source| RealError::Machine { what: "what the director saw".to_owned(), source });
        if let Some(director) = self.director.take() {
            _ = waitpid(director, None);
        }
        let mut complaint = String::new();
        _ = self.complaints.read_to_string(&mut complaint);
        if complaint.is_empty() { outcome } else { Err(RealError::Play(complaint)) }
    }
}

impl AsFd for Running {
    /// Can be read when the play is over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(director) = self.director {
            _ = kill(director, Native::SIGTERM);
            _ = waitpid(director, None);
        }
    }
}

fn begin(play: &Play, place: Place) -> Result<Running, RealError> {
    be_single_threaded()?;
    if place == Place::Loopback
        && let Some(fault) = play.faults.iter().find(|fault| is_of_the_network(fault.kind))
    {
        return Err(RealError::TakesLaboratory(fault.kind.name()));
    }
    let machine = |what: &str| {
        let what = what.to_owned();
        move |source| RealError::Machine { what, source }
    };
    let (pipe, reader) = EventPipe::new("director").map_err(machine("a socket pair"))?;
    let (complaints, mut pen) = nix::unistd::pipe()
        .map(|(reader, writer)| (File::from(reader), File::from(writer)))
        .map_err(|errno| machine("a pipe")(errno.into()))?;
    let director = fork(|| match direct(play, place) {
        Ok(outcome) => {
            outcome.events.iter().for_each(|event| pipe.event(event));
            outcome.waiting.iter().for_each(|waiting| pipe.write(&Message::Enters(waiting.clone())));
            if let Some(Netstat { t, hosts }) = outcome.netstat {
                hosts.into_iter().for_each(|(host, seen)| pipe.write(&Message::Sockets(t, host, seen)));
            }
            if let Some(Ps { t, hosts }) = outcome.ps {
                hosts.into_iter().for_each(|(host, seen)| pipe.write(&Message::Processes(t, host, seen)));
            }
            outcome.missed.iter().for_each(|missed| pipe.write(&Message::Missed(*missed)));
            pipe.write(&Message::End(outcome.end, outcome.cut));
            0
        }
        Err(error) => {
            // If nobody listens there is nobody to complain to.
            _ = write!(pen, "{error}");
            1
        }
    });
    let director = director.map_err(|errno| machine("a process")(errno.into()))?;
    Ok(Running { reader, complaints, director: Some(NativePid::from_raw(director.as_raw() as i32)) })
}

/// In the director.
fn direct(play: &Play, place: Place) -> io::Result<Outcome> {
    // Dies with whoever wanted the play, and takes the programs along.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
    note_interrupts()?;
    let mut ground: Box<dyn Ground> = match place {
        Place::Loopback => Box::new(Loopback),
        #[cfg(target_os = "linux")]
        Place::Laboratory => Box::new(crate::lab::Laboratory::new(play)?),
        #[cfg(not(target_os = "linux"))]
        Place::Laboratory => {
            return Err(io::Error::other("the laboratory needs Linux: network namespaces and TUN"));
        }
    };
    // The clock starts when the ground is laid.
    let (pipe, reader) = EventPipe::new("director")?;
    Performance::new(play, ground.as_mut(), pipe, reader).run()
}

fn collect(reader: &mut EventReader) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    loop {
        match reader.read() {
            Ok(Some(Message::Event(event))) => outcome.events.push(event),
            Ok(Some(Message::Enters(waiting))) => outcome.waiting.push(waiting),
            Ok(Some(Message::Missed(missed))) => outcome.missed.push(missed),
            Ok(Some(Message::Sockets(t, host, seen))) => {
                outcome.netstat.get_or_insert(Netstat { t, hosts: Vec::new() }).hosts.push((host, seen));
            }
            Ok(Some(Message::Processes(t, host, seen))) => {
                outcome.ps.get_or_insert(Ps { t, hosts: Vec::new() }).hosts.push((host, seen));
            }
            Ok(Some(Message::End(end, cut))) => (outcome.end, outcome.cut) = (end, cut),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(outcome),
            Err(error) => return Err(error),
            Ok(None) => {
                match poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
        }
    }
}
