//! What holds for whatever comes.

use proptest::prelude::*;

use super::*;
use crate::packet::{Seq, TcpOptions};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let (mut wire, _, _) = Wire::connected(book());
        for packet in packets {
            wire.client.receive(wire.now, packet.into());
            wire.server.handle_timeout(wire.now);
        }
    }

    /// Well-formed segments from a madman: any flags, any numbers, any blocks and timestamps, on the connection's own addresses
    /// and in every state.
    #[test]
    fn arbitrary_segments_never_panic(
        segments in proptest::collection::vec(
            (0u8..32, any::<i16>(), any::<i16>(), any::<u16>(), 0usize..5_000, any::<(i16, i16)>(), any::<i16>()),
            0..40,
        ),
        bursts: bool,
        is_linux: bool,
        calls in 0u8..4,
    ) {
        let profile = if is_linux { linux() } else { book() };
        let (mut wire, client, server) = Wire::connected_with(profile, bursts);
        let _ = wire.client.write(wire.now, client, &[7; 30_000]);
        if calls == 1 {
            wire.client.shutdown(wire.now, client, How::Write).unwrap();
        } else if calls == 2 {
            wire.server.shutdown(wire.now, server, How::Write).unwrap();
            wire.run(Duration::from_millis(20));
        }
        let info = wire.client.sockets(wire.now).remove(0);
        let seen = wire.recorder.events_from(0);
        prop_assert!(!seen.is_empty());
        let (mut seq, mut ack) = (Seq::default(), Seq::default());
        let _ = wire.write(client);
        while let Some(packet) = wire.client.transmit() {
            if let Ok(crate::packet::Packet::Tcp(segment)) = crate::packet::parse(&packet) {
                (seq, ack) = (segment.ack.unwrap_or_default(), segment.seq);
            }
        }
        let of_server = seen.iter().rev().find(|event| &*event.host == "server" && event.packet.is_some());
        let stamps = of_server.and_then(|event| TcpOptions::read(event.packet.as_ref()?).timestamps);
        let mut stamp = stamps.map_or(0, |(value, _)| value);
        for (nth, (bits, seq_off, ack_off, win, len, block, age)) in segments.into_iter().enumerate() {
            if calls == 3 && nth == 5 {
                wire.client.close(wire.now, client);
            }
            let flags = [Flags::FIN, Flags::SYN, Flags::RST, Flags::PSH, Flags::ACK];
            let flags = flags.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0);
            let flags = flags.fold(Flags::default(), |all, (_, flag)| all.with(flag));
            let segment = crate::packet::Segment {
                src: info.remote.unwrap(),
                dst: info.local,
                flags,
                seq: seq + seq_off as u32,
                ack: flags.has(Flags::ACK).then(|| ack + ack_off as u32),
                win,
                len,
                hop_limit: 64,
            };
            stamp += 700;
            let timestamps = (u32::wrapping_add(stamp, age as u32), 0);
            let mut options = TcpOptions { timestamps: is_linux.then_some(timestamps), ..TcpOptions::default() };
            options.push_block((ack + block.0 as u32, ack + block.1 as u32));
            let packet = crate::packet::emit_with(&segment, &options, &[&vec![7; len]], true);
            wire.client.receive(wire.now, packet);
            wire.now += Duration::from_millis(700);
            wire.client.handle_timeout(wire.now);
            let _ = wire.read(client);
            let _ = wire.write(client);
        }
    }

    /// Both ends send and lose at the same time, so both go back and both windows shut: the acknowledgments must
    /// still be acceptable to the other end.
    #[test]
    fn an_echo_gets_through_loss_both_ways(seed in 0u64..1_000, bursts: bool) {
        let (mut wire, client, server) = Wire::connected_with(Profile::of(System::Linux), bursts);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        wire.fate = Box::new(move |_| if rand::Rng::random_bool(&mut rng, 0.05) { Fate::Lose } else { Fate::Deliver });
        let text: Vec<u8> = (0..400_000u32).map(|n| n as u8).collect();
        let (mut written, mut held, mut back) = (0, VecDeque::new(), Vec::new());
        let end = wire.now + Duration::from_secs(900);
        while back.len() < text.len() {
            written += wire.client.write(wire.now, client, &text[written..]).unwrap_or(0);
            let mut buf = [0; 4_096];
            // The server reads only when it has written: its window shuts when its answers do not get away.
            while held.is_empty() && let Ok(n) = wire.server.read(wire.now, server, &mut buf) {
                held.extend(&buf[..n]);
                let sent = wire.server.write(wire.now, server, held.make_contiguous()).unwrap_or(0);
                held.drain(..sent);
            }
            let sent = wire.server.write(wire.now, server, held.make_contiguous()).unwrap_or(0);
            held.drain(..sent);
            while let Ok(n) = wire.client.read(wire.now, client, &mut buf) {
                back.extend_from_slice(&buf[..n]);
            }
            prop_assert!(wire.step(end), "stuck with {} of {} octets back", back.len(), text.len());
        }
        prop_assert!(back == text);
    }

    /// Bursts and segments, lost, late and twice, read in pieces of any size into buffers of any: smoltcp's way and past it.
    #[test]
    fn a_stream_gets_through_whatever_the_wire_does_to_it(
        seed: u64,
        bursts: bool,
        buffer in 3_000usize..100_000,
        largest_read in 100usize..70_000,
    ) {
        let profile = Profile { buffer: Some(buffer), ..Profile::of(System::Linux) };
        let (mut wire, client, server) = Wire::connected_with(profile, bursts);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let text: Vec<u8> = (0..200_000u32).map(|n| (n ^ n >> 8) as u8).collect();
        let (mut written, mut read) = (0, Vec::new());
        let end = wire.now + Duration::from_secs(2_000);
        while read.len() < text.len() {
            if rand::Rng::random_bool(&mut rng, 0.8) {
                let len = rand::Rng::random_range(&mut rng, 1..70_000).min(text.len() - written);
                written += wire.client.write(wire.now, client, &text[written..written + len]).unwrap_or(0);
            }
            while rand::Rng::random_bool(&mut rng, 0.7) {
                let mut buf = vec![0; rand::Rng::random_range(&mut rng, 1..=largest_read)];
                let Ok(len) = wire.server.read(wire.now, server, &mut buf) else { break };
                read.extend_from_slice(&buf[..len]);
            }
            wire.disturb(&mut rng);
            wire.step(wire.now + Duration::from_millis(10));
            prop_assert!(wire.now < end, "stuck with {} of {written} read", read.len());
        }
        prop_assert!(read == text);
    }

    /// Whatever the loss, what is read is a prefix of what was written, and either everything arrives or
    /// a program is told.
    #[test]
    fn nothing_is_lost_without_an_error(losses in proptest::collection::vec(any::<bool>(), 0..60), system in 0usize..4, bursts: bool) {
        let profile = Profile::of(System::ALL[system]);
        let (mut wire, client, server) = Wire::connected_with(profile, bursts);
        let mut losses = losses.into_iter();
        wire.fate = Box::new(move |_| if losses.next() == Some(true) { Fate::Lose } else { Fate::Deliver });
        let text: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        let mut written = 0;
        let mut read = Vec::new();
        let mut errors = 0;
        let end = wire.now + Duration::from_secs(4_000);
        loop {
            if written < text.len() {
                match wire.client.write(wire.now, client, &text[written..]) {
                    Ok(n) => written += n,
                    Err(Errno::EAGAIN) => {}
                    Err(_) => { errors += 1; written = text.len(); }
                }
                if written == text.len() && errors == 0 {
                    let _ = wire.client.shutdown(wire.now, client, How::Write);
                }
            }
            let mut buf = [0; 4_096];
            let end_of_file = loop {
                match wire.server.read(wire.now, server, &mut buf) {
                    Ok(0) => break true,
                    Ok(n) => read.extend_from_slice(&buf[..n]),
                    Err(Errno::EAGAIN) => break false,
                    Err(_) => { errors += 1; break true; }
                }
            };
            if end_of_file || !wire.step(end) { break }
        }
        prop_assert!(text.starts_with(&read));
        prop_assert!(read.len() == text.len() || errors > 0 || wire.client.take_error(client).is_some(),
            "{} of {} read and nobody was told", read.len(), text.len());
    }
}

impl Wire {
    /// Loses some of the packets that were just sent, sends some twice, and keeps some back.
    fn disturb(&mut self, rng: &mut ChaCha8Rng) {
        let known = self.sequence;
        self.collect();
        let sent: Vec<_> = self.in_flight.keys().filter(|(_, nth)| *nth > known).copied().collect();
        for key in sent {
            let Some((to_client, packet)) = self.in_flight.remove(&key) else { continue };
            let copies = match rand::Rng::random_range(rng, 0..100) {
                0..3 => 0,
                3..6 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let late =
                    if rand::Rng::random_bool(rng, 0.1) { rand::Rng::random_range(rng, 1..30) } else { 0 };
                self.put(LATENCY + Duration::from_millis(late), to_client, packet.clone());
            }
        }
    }
}
