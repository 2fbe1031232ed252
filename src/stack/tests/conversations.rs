//! Two programs that write to each other at once, over a wire that loses, doubles and delays packets.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::*;

/// Losses of each direction are drawn from these.
const LOSSES: [f64; 4] = [0.0, 0.01, 0.05, 0.1];

/// Seeds whose conversations once hung, lost octets or ended in a reset.
const ONCE_FAILED: [u64; 22] = [
    218, 538, 761, 857, 912, 957, 960, 1_369, 1_375, 1_537, 1_634, 1_765, 1_947, 1_977, 2_122, 2_161, 2_893,
    3_435, 4_733, 5_039, 6_513, 18_037,
];

/// A program that writes some octets, reads to the end of file, and closes.
struct Program {
    id: SocketId,
    /// Octets to write, and the number of those written.
    octets: usize,
    written: usize,
    read: usize,
    largest_read: usize,
    largest_write: usize,
    /// The probability that it does anything at a moment.
    eagerness: f64,
    /// Whether it calls `shutdown` after its last octet. If not, its FIN comes with `close`.
    shuts_down: bool,
    is_shut: bool,
    has_read_all: bool,
    is_closed: bool,
}

/// The octet at an offset of a stream.
fn octet(at: usize) -> u8 {
    (at ^ at >> 8 ^ (at >> 16).wrapping_mul(31)) as u8
}

impl Program {
    fn new(id: SocketId, rng: &mut ChaCha8Rng) -> Program {
        let octets = match rng.random_range(0..4) {
            0 => 0,
            1 => rng.random_range(0..3_000),
            _ => rng.random_range(0..200_000),
        };
        Program {
            id,
            octets,
            written: 0,
            read: 0,
            largest_read: *[50, 1_460, 9_000, 70_000].choose(rng).unwrap(),
            largest_write: *[20, 1_460, 16_384, 100_000].choose(rng).unwrap(),
            eagerness: *[0.05, 0.5, 1.0].choose(rng).unwrap(),
            shuts_down: rng.random_bool(0.8),
            is_shut: false,
            has_read_all: false,
            is_closed: false,
        }
    }

    /// Does what it can at this moment; `theirs` is how many octets the peer writes.
    fn run(
        &mut self,
        stack: &mut Stack,
        now: SimTime,
        theirs: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), Errno> {
        if self.is_closed || !rng.random_bool(self.eagerness) {
            return Ok(());
        }
        while self.written < self.octets && rng.random_bool(0.9) {
            let len = rng.random_range(1..=self.largest_write).min(self.octets - self.written);
            let data: Vec<u8> = (self.written..self.written + len).map(octet).collect();
            match stack.write(now, self.id, &data) {
                Err(Errno::EAGAIN) => break,
                written => self.written += written?,
            }
        }
        let has_written_all = self.written == self.octets;
        if has_written_all && self.shuts_down && !self.is_shut {
            stack.shutdown(now, self.id, How::Write)?;
            self.is_shut = true;
        }
        while !self.has_read_all && rng.random_bool(0.8) {
            let mut buf = vec![0; rng.random_range(1..=self.largest_read)];
            match stack.read(now, self.id, &mut buf) {
                Err(Errno::EAGAIN) => break,
                read => {
                    let read = read?;
                    assert!((self.read..).zip(&buf[..read]).all(|(at, found)| octet(at) == *found));
                    self.read += read;
                    self.has_read_all = read == 0;
                }
            }
        }
        // A program that does not call `shutdown` must not wait for the end of file: its peer may wait for its own.
        if has_written_all && (self.has_read_all || (!self.shuts_down && self.read == theirs)) {
            stack.close(now, self.id);
            self.is_closed = true;
        }
        Ok(())
    }
}

/// Runs one conversation to its end. An error says how it fails.
fn conversation(seed: u64) -> Result<(), String> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let [client, server] = [(); 2].map(|()| {
        let profile = Profile::of(*System::ALL.choose(rng).unwrap());
        let buffer =
            if rng.random_bool(0.5) { Some(rng.random_range(2_000..150_000)) } else { profile.buffer };
        Profile { buffer, ..profile }
    });
    let mut wire = Wire::new(client);
    wire.server = stack(SERVER, server, 2, &wire.recorder.for_host("server"));
    wire.client.set_segmentation_offload(rng.random_bool(0.5));
    wire.server.set_segmentation_offload(rng.random_bool(0.5));
    let listener = wire.listen(5);
    let client = wire.connect();
    wire.run(Duration::from_millis(100));
    let (server, _) = wire.server.accept(wire.now, listener).map_err(|error| error.to_string())?;
    if rng.random_bool(0.3) {
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
    }
    let losses = [(); 2].map(|()| *LOSSES.choose(rng).unwrap());
    let late = *[0.0, 0.1, 0.5].choose(rng).unwrap();
    let mut programs = [Program::new(client, rng), Program::new(server, rng)];
    programs[0].shuts_down |= !programs[1].shuts_down;
    let octets = programs.each_ref().map(|program| program.octets);
    let end = wire.now + Duration::from_secs(6_000);
    while !programs.iter().all(|program| program.is_closed) {
        let now = wire.now;
        let stacks = [&mut wire.client, &mut wire.server];
        for ((program, stack), theirs) in programs.iter_mut().zip(stacks).zip([octets[1], octets[0]]) {
            program.run(stack, now, theirs, rng).map_err(|error| error.to_string())?;
        }
        wire.lose_and_delay(rng, losses, late);
        wire.step(now + Duration::from_millis(10));
        if wire.now >= end {
            let progress = programs.map(|program| (program.written, program.octets, program.read));
            return Err(format!("not over: written, of, read: {progress:?}"));
        }
    }
    let read = programs.each_ref().map(|program| program.read);
    if read != [octets[1], octets[0]] {
        return Err(format!("{octets:?} octets were written, {read:?} read"));
    }
    loop {
        wire.lose_and_delay(rng, losses, late);
        if !wire.step(end) {
            break;
        }
    }
    let left = [Wire::state(&wire.client), Wire::state(&wire.server)].concat();
    if left != [TcpState::Listen] {
        return Err(format!("left: {left:?}"));
    }
    let stacks = [("client", &wire.client), ("server", &wire.server)];
    let mut taken_back = stacks.into_iter().filter_map(|(host, stack)| {
        // smoltcp rounds a scaled window down.
        wire.window_taken_back(host, stack.profile().engine == Engine::Smoltcp)
    });
    taken_back.next().map_or(Ok(()), Err)
}

impl Wire {
    /// RFC 9293, 3.8.6: the first window of a host's that ends before one that it offered; by how it is scaled, if it
    /// `rounds`, does not count.
    fn window_taken_back(&self, host: &str, rounds: bool) -> Option<String> {
        let (mut scale, mut edge) = (0, 0);
        for event in self.recorder.events_from(0) {
            let Kind::Segment(segment) = &event.kind else { continue };
            if &*event.host != host || segment.dir == Direction::In || segment.flags.has(Flags::RST) {
                continue;
            }
            let is_syn = segment.flags.has(Flags::SYN);
            if is_syn {
                scale = crate::packet::TcpOptions::read(event.packet.as_ref()?).window_scale?;
            }
            let Some(ack) = segment.ack else { continue };
            let end = ack + (u32::from(segment.win) << if is_syn { 0 } else { scale });
            let rounding = if rounds { (1 << scale) - 1 } else { 0 };
            if end + rounding < edge {
                return Some(format!("{host} takes back {} octets of its window at {}", edge - end, event.t));
            }
            edge = edge.max(end);
        }
        None
    }

    /// Drops, by direction, some of the packets that were just sent, delays some, and doubles a few.
    fn lose_and_delay(&mut self, rng: &mut ChaCha8Rng, losses: [f64; 2], late: f64) {
        let known = self.sequence;
        self.collect();
        let sent: Vec<_> = self.in_flight.keys().filter(|(_, nth)| *nth > known).copied().collect();
        for key in sent {
            let Some((to_client, packet)) = self.in_flight.remove(&key) else { continue };
            if rng.random_bool(losses[usize::from(to_client)]) {
                continue;
            }
            for _ in 0..if rng.random_bool(0.02) { 2 } else { 1 } {
                let delay = if rng.random_bool(late) { rng.random_range(1..30) } else { 0 };
                self.put(LATENCY + Duration::from_millis(delay), to_client, packet.clone());
            }
        }
    }
}

#[test]
fn what_is_written_is_read_and_both_ends_close_whatever_is_lost() {
    let failed: Vec<_> =
        (0..80).chain(ONCE_FAILED).filter_map(|seed| Some((seed, conversation(seed).err()?))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
