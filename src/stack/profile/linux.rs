//! Linux 6.18, as recorded: see `tests/linux/` for the recordings this is held against.

use super::*;

pub(super) fn profile() -> Profile {
    let soft = IcmpRules { route: IcmpRule::Soft, prohibited: IcmpRule::Soft, endpoint: IcmpRule::Soft };
    let hard = IcmpRules { route: IcmpRule::Hard, prohibited: IcmpRule::Hard, endpoint: IcmpRule::Hard };
    Profile {
        system: System::Linux,
        rto: Rto { initial: secs(1), min: millis(200), max: secs(120) },
        // tcp_retries2 = 15: 924.6 s by the model.
        give_up: GiveUp::ModelledTime { retransmissions: 15, rto_min: millis(200) },
        // tcp_orphan_retries = 0, which means 8.
        orphan_give_up: Some(GiveUp::ModelledTime { retransmissions: 8, rto_min: millis(200) }),
        syn: SynWaits::Linear { retries: 6 },
        syn_ack: doubling().take(6).collect(),
        tail_loss_probe: true,
        wheel: Some(TimerWheel::new(250)),
        reset_on_give_up: false,
        reset_on_keepalive_give_up: true,
        keepalive: Keepalive { idle: secs(7_200), interval: secs(75), count: 9 },
        persist: (millis(200), secs(120)),
        // Soft even for a port once synchronized; anything at all ends `connect`.
        icmp: IcmpPolicy {
            belief: IcmpBelief::InFlight,
            syn_sent: hard,
            synchronized: soft,
            errnos_of_v6: true,
        },
        ack: AckPolicy { delay: millis(40), quick: true },
        time_wait: secs(60),
        fin_wait_2: Some(secs(60)),
        reset_on_close_unread: true,
        aborted_accept: AbortedAccept::Succeeds,
        eof_hides_reset: true,
        write_reports_reset: true,
        backlog: Backlog::Linux,
        somaxconn: 4_096,
        syn_cookies: true,
        abort_on_overflow: false,
        user_timeout_clamps_timer: true,
        buffer: None,
        // SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF on a 64-bit machine; net.core.wmem_max and rmem_max of 4 MiB.
        buffer_sizes: BufferSizes { factor: 2, least: (4_608, 2_304), most: 4 << 20 },
        ephemeral_ports: 32_768..=60_999,
        shares_ephemeral_ports: true,
        reuse_addr_of_both: true,
        taken_pair: Errno::EADDRNOTAVAIL,
        link_down: Errno::ENETUNREACH,
        connect_restarts: true,
        connect_times_out: true,
        // RFC 6928; tcp_init_transfer forgives one lost SYN.
        initial_window: InitialWindow { segments: Some(10), retransmissions: 1 },
        engine: Engine::Native,
        congestion: CongestionControl::Cubic,
        timestamps: true,
        // tcp_rmem and tcp_wmem of a machine with some gigabytes.
        receive_memory: SocketMemory { default: 131_072, most: 6_291_456 },
        send_memory: SocketMemory { default: 16_384, most: 4_194_304 },
        // net.ipv4.neigh.default: mcast_solicit and ucast_solicit, retrans_time, delay_first_probe_time, base_reachable_time.
        neighbours: NeighbourRules::Kernel {
            solicitations: 3,
            retransmit: secs(1),
            delay: secs(5),
            reachable: secs(30),
        },
    }
}

/// The waits of a timer that begins with a second and doubles.
pub(super) fn doubling() -> impl Iterator<Item = Duration> {
    (0..).map(|n: u32| secs(1 << n.min(7)).min(secs(120)))
}
