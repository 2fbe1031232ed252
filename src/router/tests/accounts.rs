//! Whatever is sent and whatever strikes: what went in came out, or was lost with a reason.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::packet::Unreachable;
use crate::timeline::Way;

#[derive(Clone, Debug)]
enum Step {
    Send { from: LinkId, packet: Bytes },
    Wait(u64),
    Partition(LinkId, Way),
    Repair(LinkId, Way),
    Hold(LinkId, Way),
    Release(LinkId, Way),
    Down(LinkId, bool),
    Unreachable(LinkId, Option<Unreachable>),
    Rule(RuleConfig),
}

fn link() -> impl Strategy<Value = LinkId> {
    prop_oneof![Just(CLIENT), Just(SERVER)]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::Both), Just(Way::ToHost), Just(Way::FromHost)]
}

/// Segments and ICMP errors of both families, some with a bit flipped; and bytes of any kind.
fn any_packet() -> impl Strategy<Value = Bytes> {
    let family = prop_oneof![Just(V4), Just(V6)];
    let sound = (family, any::<bool>(), any::<u32>(), 0..1_500_usize, 0..3_u8).prop_map(
        |(family, error, seq, payload, hop_limit)| {
            let header = Segment { hop_limit, ..family.header(seq) };
            match error {
                false => packet::emit_segment(&header, &vec![0; payload]),
                true => packet::emit_icmp(header.src.ip(), Unreachable::Port, &family.reply(seq)).unwrap(),
            }
        },
    );
    let sound = sound.boxed();
    let damaged = (sound.clone(), any::<prop::sample::Index>())
        .prop_map(|(packet, bit)| flip(packet.clone(), bit.index(packet.len() * 8)));
    let noise = prop::collection::vec(any::<u8>(), 0..120).prop_map(Bytes::from);
    prop_oneof![4 => sound, 1 => damaged, 1 => noise]
}

fn answer() -> impl Strategy<Value = Option<Unreachable>> {
    prop::sample::select(vec![
        None,
        Some(Unreachable::Host),
        Some(Unreachable::FragmentationNeeded { mtu: 68 }),
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop::sample::select(vec![
        Action::Drop,
        Action::Delay(Duration::from_millis(3)),
        Action::Corrupt,
        Action::Reject(Refusal::Reset),
        Action::Reject(Refusal::Icmp(Unreachable::Port)),
    ]);
    let place = prop_oneof![Just(Place::Sender), Just(Place::Router)];
    let rule = (link(), place, action, prop_oneof![Just(1.0), Just(0.5)], 0..4_u64, 0..4_u64).prop_map(
        |(from, place, action, probability, nth, count)| {
            let from = Some(from);
            Step::Rule(RuleConfig { place, from, action, probability, nth, count, ..RuleConfig::default() })
        },
    );
    prop_oneof![
        12 => (link(), any_packet()).prop_map(|(from, packet)| Step::Send { from, packet }),
        4 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (link(), way()).prop_map(|(link, way)| Step::Partition(link, way)),
        2 => (link(), way()).prop_map(|(link, way)| Step::Repair(link, way)),
        1 => (link(), way()).prop_map(|(link, way)| Step::Hold(link, way)),
        2 => (link(), way()).prop_map(|(link, way)| Step::Release(link, way)),
        1 => (link(), any::<bool>()).prop_map(|(link, down)| Step::Down(link, down)),
        1 => (link(), answer()).prop_map(|(link, answer)| Step::Unreachable(link, answer)),
        1 => rule,
    ]
}

prop_compose! {
    fn config()(
        micros in prop::array::uniform2(0..4_000_u64),
        bandwidth in prop::option::of(0..10_000_000_u64),
        rates in prop::array::uniform4(prop_oneof![Just(0.0), 0.0..=1.0]),
        mtu in 0..1_600_usize,
        queue in 0..8_usize,
    ) -> LinkConfig {
        let [latency, jitter] = micros.map(Duration::from_micros);
        let [loss, duplicate, reorder, corrupt] = rates;
        LinkConfig { latency, jitter, bandwidth, loss, duplicate, reorder, corrupt, mtu, queue, tells_too_big: true }
    }
}

/// Takes the steps, then lets everything go and runs to the end. Returns how many packets were sent.
fn run(net: &mut Net, steps: Vec<Step>) -> u64 {
    let (mut now, mut sent) = (SimTime::ZERO, 0);
    for step in steps {
        let router = &mut net.router;
        match step {
            Step::Send { from, packet } => {
                sent += 1;
                router.receive(now, from, packet);
            }
            Step::Wait(micros) => {
                now += Duration::from_micros(micros);
                net.until(now);
            }
            Step::Partition(link, way) => router.partition(now, link, way),
            Step::Repair(link, way) => router.repair(link, way),
            Step::Hold(link, way) => router.hold(link, way),
            Step::Release(link, way) => router.release(now, link, way),
            Step::Down(link, down) => router.host_down(now, link, down),
            Step::Unreachable(link, answer) => router.unreachable(link, answer),
            Step::Rule(rule) => {
                router.add_rule(rule);
            }
        }
        net.collect(now);
    }
    for link in [CLIENT, SERVER] {
        net.router.release(now, link, Way::Both);
    }
    net.collect(now);
    net.finish();
    sent
}

proptest! {
    #[test]
    fn every_packet_arrives_or_is_lost_with_a_reason(
        links in (config(), config()),
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut net = Net::with(links.0, links.1, seed);
        let sent = run(&mut net, steps);
        let met = [net.router.met(CLIENT), net.router.met(SERVER)];
        let total = |count: fn(&Met) -> u64| met.iter().map(count).sum::<u64>();
        let losses = net.losses();
        let icmp = net.recorder.len() - losses.len();
        let arrived = net.arrived.len();
        let went_in = sent + total(|met| met.duplicated) + icmp as u64;
        prop_assert_eq!(went_in, (arrived + losses.len()) as u64);

        let lost_to = |reason| losses.iter().filter(|(_, other)| *other == reason).count() as u64;
        prop_assert_eq!(lost_to(LostReason::Partition), total(|met| met.partitioned));
        prop_assert_eq!(lost_to(LostReason::HostDown), total(|met| met.host_down));
        prop_assert_eq!(lost_to(LostReason::Loss), total(|met| met.lost));
        prop_assert_eq!(lost_to(LostReason::QueueFull), total(|met| met.queue_full));
        prop_assert!(lost_to(LostReason::Unreachable) >= total(|met| met.unreachable));
    }
}
