//! The RFCs by the letter: 9293, 6298, 1122, 5461; the timers are smoltcp's own.

use super::*;

pub(super) fn profile() -> Profile {
    let rules = IcmpRules { route: IcmpRule::Soft, prohibited: IcmpRule::Soft, endpoint: IcmpRule::Hard };
    Profile {
        system: System::Rfc,
        // RFC 6298 (2.1), (2.4), (2.5).
        rto: Rto { initial: secs(1), min: secs(1), max: secs(60) },
        // RFC 1122, 4.2.3.5: R2 SHOULD correspond to at least 100 seconds.
        give_up: GiveUp::After(secs(100)),
        orphan_give_up: None,
        // RFC 1122, 4.2.3.5: R2 for a SYN MUST be large enough for at least 3 minutes.
        syn: SynWaits::Each([1, 2, 4, 8, 16, 32, 60, 60].map(secs).to_vec()),
        syn_ack: [1, 2, 4, 8, 16, 32, 60, 60].map(secs).to_vec(),
        tail_loss_probe: false,
        wheel: None,
        reset_on_give_up: false,
        reset_on_keepalive_give_up: false,
        keepalive: Keepalive { idle: secs(7_200), interval: secs(75), count: 9 },
        persist: (secs(1), secs(60)),
        icmp: IcmpPolicy {
            belief: IcmpBelief::InFlightOrProbe,
            syn_sent: rules,
            synchronized: rules,
            errnos_of_v6: false,
        },
        // RFC 1122, 4.2.3.2: the delay MUST be less than 0.5 seconds.
        ack: AckPolicy { delay: millis(499), quick: false },
        // RFC 9293, 3.4.2: MSL is 2 minutes.
        time_wait: secs(240),
        fin_wait_2: None,
        reset_on_close_unread: true,
        aborted_accept: AbortedAccept::Fails(Errno::ECONNABORTED),
        eof_hides_reset: false,
        write_reports_reset: false,
        backlog: Backlog::Exact,
        somaxconn: usize::MAX,
        syn_cookies: false,
        abort_on_overflow: false,
        user_timeout_clamps_timer: true,
        buffer: Some(65_535),
        buffer_sizes: BufferSizes::PLAIN,
        ephemeral_ports: DYNAMIC_PORTS,
        shares_ephemeral_ports: false,
        reuse_addr_of_both: false,
        taken_pair: Errno::EADDRINUSE,
        link_down: Errno::ENETDOWN,
        connect_restarts: false,
        connect_times_out: false,
        initial_window: InitialWindow { segments: None, retransmissions: 0 },
        engine: Engine::Smoltcp,
        congestion: CongestionControl::Reno,
        timestamps: false,
        receive_memory: SocketMemory::fixed(65_535),
        send_memory: SocketMemory::fixed(65_535),
        // RFC 1122, 2.3.2: a request a second, the newest packet kept, a time-out of a minute.
        neighbours: NeighbourRules::Berkeley { tries: u32::MAX, rejects: Duration::ZERO, keep: secs(60) },
    }
}
