//! The scenarios of `sims/`, each held against its `[expect]`, and its timeline against a snapshot.
//!
//! What the programs have to see stands in the scenario; the snapshot holds every event besides. So a snapshot that
//! is accepted carelessly cannot bless a wrong errno.
#![cfg(feature = "cli")]

mod common;

use common::{as_expected, holds, holds_with, load, summary, timeline};
use echosim::scenario::{self, Scenario};
use echosim::stack::System;
use echosim::timeline::{Kind, ProcessChange};

use System::{Book, Bsd, Linux, Rfc};

#[test]
fn a_line_is_echoed_and_the_connection_closed_in_four_segments() {
    timeline("normal", Book);
    timeline("normal", Linux);
}

#[test]
fn a_crash_is_etimedout_after_twelve_retransmissions_and_542_5_s_in_the_book() {
    timeline("crash", Book);
}

#[test]
fn a_crash_is_etimedout_after_a_probe_and_fifteen_retransmissions_on_linux() {
    timeline("crash", Linux);
}

#[test]
fn a_crash_is_etimedout_at_the_first_timer_past_100_s_by_the_rfc() {
    timeline("crash", Rfc);
}

#[test]
fn a_reboot_is_econnreset_one_round_trip_after_the_next_line() {
    timeline("reboot", Book);
    timeline("reboot", Linux);
}

#[test]
fn a_reboot_that_nobody_writes_into_is_never_noticed() {
    timeline("reboot-idle", Book);
}

#[test]
fn a_dead_host_of_the_same_segment_is_ehostunreach_after_three_arp_requests_on_linux() {
    timeline("same-segment-connect", Linux);
    timeline("same-segment-connect", Book);
}

#[test]
fn a_crash_on_the_same_segment_is_ehostunreach_when_retransmission_ends_on_linux() {
    summary("same-segment", Linux);
    summary("same-segment", Book);
}

#[test]
fn an_interface_that_is_off_is_no_route_to_connect_and_silence_to_a_connection() {
    timeline("link-down-connect", Linux);
    timeline("link-down-connect", Book);
    timeline("link-down", Linux);
    timeline("link-down", Book);
}

#[test]
fn a_reader_that_stalls_is_noticed_by_tcp_user_timeout_alone() {
    summary("stalled-reader", Linux);
    summary("stalled-reader", Book);
    summary("stalled-reader-timeout", Linux);
}

#[test]
fn a_host_that_sleeps_loses_what_comes_and_goes_on_where_it_was() {
    timeline("laptop-sleeps", Linux);
    timeline("vm-suspended", Linux);
    summary("laptop-sleeps", Book);
}

#[test]
fn a_middlebox_that_forgets_is_silence_or_a_reset_and_keepalive_in_time_prevents_it() {
    timeline("nat-idle-rst", Linux);
    timeline("nat-failover", Linux);
    summary("nat-idle-silent", Linux);
    for (name, setting) in [
        ("nat-idle-rst", "options=--keepalive=100s,10s,3"),
        ("nat-idle-silent", "options=--keepalive=100s,10s,3"),
    ] {
        for system in System::ALL {
            holds_with(name, system, setting);
        }
    }
}

#[test]
fn a_reset_that_nobody_sent_ends_a_connection_only_if_it_has_the_very_next_number() {
    timeline("reset-injected", Linux);
    timeline("reset-guessed", Linux);
}

/// A packet filter that rejects: iptables, nftables, a cloud's security group.
#[test]
fn a_firewall_that_rejects_is_a_refused_connect_or_an_unreachable_host() {
    timeline("firewall-rejects", Linux);
    timeline("firewall-prohibits", Linux);
    summary("firewall-prohibits", Book);
}

/// Devices with fixed ports: NFS clients, BGP speakers, controllers.
#[test]
fn a_client_that_comes_back_from_the_same_port_finds_its_old_connection_and_ends_it() {
    timeline("client-reboots-same-port", Linux);
    timeline("client-reboots-same-port", Book);
}

/// A server in a long garbage collection, or with all of its workers busy.
#[test]
fn a_full_accept_queue_is_a_connection_that_nobody_serves_or_none() {
    summary("accept-queue-full", Linux);
    summary("accept-queue-full", Book);
}

/// Load balancers and TCP proxies.
#[test]
fn a_proxy_may_swallow_a_half_close_die_unheard_or_run_out_of_ports() {
    timeline("proxy-swallows-half-close", Linux);
    timeline("proxy-ports-run-out", Linux);
    summary("proxy-dies", Linux);
    summary("proxy-dies", Book);
    for system in System::ALL {
        holds_with("proxy-swallows-half-close", system, "half_close=on");
    }
}

/// Message brokers and feeds: whoever only reads needs a keepalive; so does whoever serves clients that may die.
#[test]
fn who_only_waits_for_the_other_end_finds_out_by_keepalive_alone() {
    summary("push-server-dies", Linux);
    summary("dead-clients", Linux);
    for system in System::ALL {
        holds_with("push-server-dies", system, "options=--keepalive=10s,1s,3");
        holds_with("dead-clients", system, "options=--keepalive=1min,10s,5");
    }
}

#[test]
fn a_signal_that_is_blocked_waits_until_it_is_let_through() {
    timeline("sigchld-blocked", Book);
}

#[test]
fn a_client_with_timeouts_of_its_own_connects_anew_until_there_is_a_server() {
    timeline("read-timeout", Linux);
    timeline("read-timeout", Book);
}

#[test]
fn a_path_that_swallows_long_packets_is_silence_behind_a_connection_that_works() {
    timeline("mtu-black-hole", Linux);
}

#[test]
fn unreachable_is_ehostunreach_when_retransmission_ends_in_the_book() {
    timeline("unreachable", Book);
}

#[test]
fn unreachable_is_ehostunreach_after_a_thousand_segments_on_linux() {
    summary("unreachable", Linux);
}

#[test]
fn unreachable_is_etimedout_on_bsd_which_forgets_the_reason() {
    timeline("unreachable", Bsd);
}

#[test]
fn net_unreachable_is_enetunreach() {
    timeline("net-unreachable", Book);
}

#[test]
fn a_partition_looks_like_a_crash() {
    timeline("partition", Book);
}

#[test]
fn a_partition_that_heals_in_time_is_noticed_by_nobody() {
    timeline("partition-heals", Book);
}

#[test]
fn a_line_whose_echo_is_lost_is_sent_again_and_echoed_once() {
    timeline("one-way", Book);
}

#[test]
fn connect_to_a_dead_host_takes_75_s_in_the_book_and_134_s_on_linux() {
    timeline("connect-crash", Book);
    timeline("connect-crash", Linux);
    timeline("connect-crash", Rfc);
}

#[test]
fn connect_to_a_port_without_a_listener_is_refused() {
    timeline("connect-refused", Book);
}

#[test]
fn connect_to_an_unreachable_host_waits_in_the_book_and_fails_at_once_on_linux() {
    timeline("connect-unreachable", Book);
    timeline("connect-unreachable", Linux);
}

#[test]
fn a_killed_child_is_noticed_only_at_the_next_line() {
    timeline("server-killed", Book);
    timeline("server-killed", Linux);
}

#[test]
fn close_with_unread_data_is_a_reset_and_on_bsd_a_fin() {
    timeline("close-unread", Book);
    timeline("close-unread", Bsd);
}

#[test]
fn two_hundred_lines_survive_five_percent_loss() {
    summary("lossy", Book);
    summary("lossy", Linux);
}

#[test]
fn a_hundred_clients_are_served_at_once() {
    summary("crowd", Book);
}

#[test]
fn every_scenario_holds_under_every_system() {
    for built_in in scenario::BUILT_IN {
        for system in System::ALL {
            holds(built_in.name, system);
        }
    }
}

/// Addresses are all that changes: the same calls fail with the same errors, after the same segments.
#[test]
fn every_scenario_holds_over_ipv6_as_well() {
    for built_in in scenario::BUILT_IN {
        let mut scenario = load(built_in.name, Book);
        scenario.set("ip", "6").expect("ip is a key");
        as_expected(&scenario);
    }
}

/// How often a program was started on the client, of a scenario whose client has these keys and whose faults are these.
fn clients_started(keys: &str, faults: &[(&str, &str)]) -> (usize, Vec<usize>) {
    let mut text = format!(
        "name = \"x\"\n[host.client]\nrun = \"echo-client server\"\n{keys}\n\
         type = [{{ at = \"9s\", eof = true }}]\n[host.server]\nrun = \"echo-server\"\n"
    );
    for (at, what) in faults {
        text.push_str(&format!("[[fault]]\nat = \"{at}\"\ndo = \"{what}\"\nhost = \"client\"\n"));
    }
    let scenario = Scenario::parse("x.toml", &text).expect("it is well-formed");
    let outcome = scenario.run().expect("it runs to its end");
    let starts = outcome.events.iter().filter(|event| match &event.kind {
        Kind::Process(process) => &*event.host == "client" && process.what == ProcessChange::Start,
        _ => false,
    });
    (starts.count(), outcome.missed)
}

#[test]
fn a_crash_cancels_the_starts_that_are_still_to_come() {
    let crash_and_boot = [("1s", "crash"), ("1.5s", "boot")];
    // One before the crash, two after the boot; the second of the first boot would have been at 2 s.
    assert_eq!(clients_started("count = 2\nevery = \"2s\"", &crash_and_boot).0, 3);
    assert_eq!(clients_started("start = \"2s\"", &crash_and_boot).0, 1);
    assert_eq!(clients_started("start = \"2s\"", &crash_and_boot[..1]).0, 0);
}

#[test]
fn a_boot_of_a_host_that_is_on_does_nothing_and_is_said_to() {
    assert_eq!(clients_started("", &[("1s", "boot")]), (1, vec![0]));
}

#[test]
fn a_thousand_hosts_have_each_its_own_conversation() {
    let pair = |n: u32| {
        format!(
            "[host.s{n}]\nrun = \"echo-server\"\n[host.c{n}]\nrun = \"echo-client s{n}\"\nstdin = [\"to {n}\"]\n\
             [expect.c{n}]\nprints = [\"to {n}\"]\n"
        )
    };
    // One server in a hundred crashes before it is spoken to, and boots again.
    let fault = |(at, what)| {
        let some = (0..500).step_by(100);
        some.map(move |n| format!("[[fault]]\nat = \"{at}\"\ndo = \"{what}\"\nhost = \"s{n}\"\n"))
    };
    let faults = [("0s", "crash"), ("1s", "boot")].into_iter().flat_map(fault);
    let text: String = (0..500).map(pair).chain(faults).collect();
    let scenario = Scenario::parse("pairs.toml", &format!("name = \"pairs\"\n{text}")).expect("a scenario");
    let outcome = scenario.run().expect("it runs to its end");
    assert_eq!(scenario::check(&scenario, &outcome), []);
}
