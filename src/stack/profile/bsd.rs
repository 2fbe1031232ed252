//! Berkeley: the hosts of the book, and 4.4BSD-Lite2 itself.

use super::*;

/// The hosts of UNIX Network Programming vol. 1: 4.4BSD's timers, POSIX's errors.
pub(super) fn book() -> Profile {
    Profile {
        system: System::Book,
        rto: Rto { initial: millis(1_500), min: millis(1_500), max: secs(64) },
        // Ch. 5.14: "12 times, about 9 minutes".
        give_up: GiveUp::Retransmissions(12),
        orphan_give_up: None,
        // Ch. 4.3: SYN again 6 s later, and 24 s after that; 75 s in all.
        syn: SynWaits::Each(vec![secs(6), secs(24), secs(45)]),
        syn_ack: vec![secs(6), secs(24), secs(45)],
        tail_loss_probe: false,
        wheel: None,
        reset_on_give_up: true,
        reset_on_keepalive_give_up: true,
        // Ch. 7.5: two hours, then nine probes 75 s apart: 11 min 15 s.
        keepalive: Keepalive { idle: secs(7_200), interval: secs(75), count: 9 },
        persist: (secs(5), secs(60)),
        icmp: IcmpPolicy {
            belief: IcmpBelief::InFlightOrProbe,
            syn_sent: IcmpRules {
                route: IcmpRule::Soft,
                prohibited: IcmpRule::Soft,
                endpoint: IcmpRule::Hard,
            },
            synchronized: IcmpRules {
                route: IcmpRule::Soft,
                prohibited: IcmpRule::Soft,
                endpoint: IcmpRule::Hard,
            },
            errnos_of_v6: false,
        },
        ack: AckPolicy { delay: millis(200), quick: false },
        time_wait: secs(60),
        fin_wait_2: Some(secs(675)),
        reset_on_close_unread: true,
        aborted_accept: AbortedAccept::Fails(Errno::ECONNABORTED),
        eof_hides_reset: false,
        write_reports_reset: false,
        backlog: Backlog::Berkeley,
        somaxconn: usize::MAX,
        syn_cookies: false,
        abort_on_overflow: false,
        user_timeout_clamps_timer: false,
        buffer: Some(65_535),
        buffer_sizes: BufferSizes::PLAIN,
        ephemeral_ports: DYNAMIC_PORTS,
        shares_ephemeral_ports: false,
        reuse_addr_of_both: false,
        taken_pair: Errno::EADDRINUSE,
        link_down: Errno::ENETDOWN,
        connect_restarts: false,
        connect_times_out: false,
        initial_window: InitialWindow::ONE,
        engine: Engine::Smoltcp,
        congestion: CongestionControl::Reno,
        timestamps: false,
        receive_memory: SocketMemory::fixed(65_535),
        send_memory: SocketMemory::fixed(65_535),
        // arp_maxtries, arpt_down and arpt_keep of if_ether.c.
        neighbours: NeighbourRules::Berkeley { tries: 5, rejects: secs(20), keep: secs(20 * 60) },
    }
}

/// 4.4BSD-Lite2 as its source has it.
pub(super) fn profile() -> Profile {
    let book = book();
    Profile {
        system: System::Bsd,
        // TCPTV_KEEPCNT is 8.
        keepalive: Keepalive { count: 8, ..book.keepalive },
        icmp: IcmpPolicy {
            belief: IcmpBelief::Any,
            syn_sent: book.icmp.syn_sent,
            // tcp_notify drops "no route" errors once the connection is established, and keeps the others.
            synchronized: IcmpRules {
                route: IcmpRule::Ignore,
                prohibited: IcmpRule::Ignore,
                endpoint: IcmpRule::Soft,
            },
            errnos_of_v6: false,
        },
        reset_on_close_unread: false,
        aborted_accept: AbortedAccept::Hidden,
        ..book
    }
}
