//! Reads the timeline, event by event.

use super::{Connection, Process, ProcessEnd, Story};
use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{
    Call, ConnectionId, Direction, Event, FaultKind, Kind, Process as ProcessEvent, ProcessChange,
    SegmentEvent, TcpState,
};

impl<'a> Story<'a> {
    pub(super) fn read(&mut self, at: usize, event: &'a Event) {
        let (t, host): (_, &'a str) = (event.t, &event.host);
        match &event.kind {
            Kind::Segment(segment) => self.segment_seen(t, host, segment),
            Kind::Icmp(icmp) if icmp.dir == Direction::In => {
                let id = ConnectionId::new(icmp.about.0, icmp.about.1);
                self.connections.entry((host, id)).or_default().told(icmp);
            }
            Kind::Lost { reason, .. } => *self.lost.entry(*reason).or_default() += 1,
            Kind::Call(call) => self.call((at, t), host, call),
            Kind::Process(process) => self.changed((at, t), host, process),
            Kind::Line(line) => self.process(host, line.pid, &line.process).line(line),
            Kind::Fault { fault: FaultKind::Crash | FaultKind::Boot, target } => self.host_is_gone(t, target),
            Kind::State { local, remote, from, to: TcpState::Closed } => {
                let connection = self.connections.get_mut(&(host, ConnectionId::new(*local, *remote)));
                connection.into_iter().for_each(|it| it.closed((at, t), *from));
            }
            Kind::Icmp(_)
            | Kind::Neighbour(_)
            | Kind::State { .. }
            | Kind::Signal { .. }
            | Kind::Fault { .. } => {}
        }
    }

    /// A process, which may have done nothing yet.
    pub(crate) fn process(&mut self, host: &'a str, pid: u32, name: &'a str) -> &mut Process<'a> {
        let index = match self.current.get(&(host, pid)) {
            Some(&index) => index,
            None => self.begin(Process::new(host, pid, name)),
        };
        &mut self.processes[index]
    }

    fn begin(&mut self, process: Process<'a>) -> usize {
        let index = self.processes.len();
        self.current.insert((process.host, process.pid), index);
        self.processes.push(process);
        index
    }

    fn segment_seen(&mut self, t: SimTime, host: &'a str, segment: &SegmentEvent) {
        let (local, remote) = match segment.dir {
            Direction::Out => (segment.src, segment.dst),
            Direction::In => (segment.dst, segment.src),
        };
        let connection = self.connections.entry((host, ConnectionId::new(local, remote))).or_default();
        let again = segment.retransmission.is_some();
        if segment.flags.has(Flags::SYN) && segment.ack.is_none() && !again {
            // A new connection between the same two ends has nothing to do with the old one.
            *connection = Connection { opened: Some(t), ..Connection::default() };
        }
        match segment.dir {
            Direction::Out => {
                self.sent += 1;
                self.retransmitted += usize::from(again);
                connection.sent(t, segment);
            }
            Direction::In => connection.received(t, segment),
        }
    }

    fn call(&mut self, moment: (usize, SimTime), host: &'a str, call: &'a Call) {
        self.process(host, call.pid, &call.process);
        let index = self.current[&(host, call.pid)];
        let connections = &self.connections;
        self.processes[index].call(moment, call, |id| connections.get(&(host, id)).cloned());
    }

    fn changed(&mut self, (at, t): (usize, SimTime), host: &'a str, event: &'a ProcessEvent) {
        let (pid, name): (_, &'a str) = (event.pid, &event.process);
        match event.what {
            ProcessChange::Start => _ = self.begin(Process::new(host, pid, name)),
            ProcessChange::Fork { parent } => {
                let connections = self.process(host, parent, name).connections.clone();
                self.begin(Process { connections, ..Process::new(host, pid, name) });
            }
            ProcessChange::Exit { status } => {
                self.process(host, pid, name).end = Some(ProcessEnd::Exit { t, status });
            }
            ProcessChange::Killed { signal } => {
                self.process(host, pid, name).end = Some(ProcessEnd::Killed { at, t, signal });
            }
            ProcessChange::Zombie => self.process(host, pid, name).zombie = Some(at),
            ProcessChange::Reaped => self.process(host, pid, name).zombie = None,
        }
    }

    fn host_is_gone(&mut self, t: SimTime, host: &str) {
        for process in self.processes.iter_mut().filter(|process| process.host == host) {
            process.zombie = None;
            process.end = process.end.or(Some(ProcessEnd::HostCrashed { t }));
        }
    }
}
