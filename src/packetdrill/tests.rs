//! Whole scripts: what is refused, and how a failure reads.

use std::io;

use super::{Script, Trouble, run_simulated};
use crate::stack::{Profile, System};

const LISTENING: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
";

fn run(text: &str) -> Result<(), Trouble> {
    let script = Script::read(text).unwrap();
    run_simulated(&script, &Profile::of(System::Linux), 1, &mut io::sink()).map(drop)
}

fn refusal(text: &str) -> String {
    Script::read(text).unwrap_err().to_string()
}

fn failure(text: &str) -> String {
    match run(text) {
        Err(Trouble::Failed(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_supported_is_said_with_its_line() {
    let cases = [
        ("0 < [ect0] S 0:0(0)", "line 1: a TOS, TTL or flow label is not supported"),
        ("\n0 epoll_create(1) = 3", "line 2: the call epoll_create is not supported"),
        (
            "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3",
            "line 1: only sockets of type SOCK_STREAM are supported",
        ),
        (
            "0 %{ assert tcpi_unacked == 1 }%",
            "line 1: code before there is a connection that it could be about",
        ),
        (
            "0 connect(3, ..., ...) = 0\n0 %{ print(1) }%",
            "line 2: Python beyond `assert tcpi_FIELD == NUMBER` is not supported: print(1)",
        ),
        (
            "0 connect(3, ..., ...) = 0\n0 %{ assert tcpi_x == 1 }%",
            "line 2: the field tcpi_x of tcp_info is not supported",
        ),
        ("0 < S 0:0(0) <mss 1000,FO 123>", "line 1: the option FO is not supported"),
        ("0 < SEW 0:0(0)", "line 1: flags SEW: only S, F, R, P and . are supported"),
        ("0 < . 1:1(0) ack 1 win 5 urg 3", "line 1: urgent data are not supported"),
        (
            "0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0",
            "line 1: setsockopt of TCP_FASTOPEN to 1 is not supported",
        ),
        ("0 bind(3, {sa_family=AF_INET}, 16) = 0", "line 1: an address that is not `...` is not supported"),
        (
            "--ip_version=ipv4-mapped-ipv6\n0 close(3) = 0",
            "line 1: --ip_version: \"ipv4-mapped-ipv6\" will not do: expected ipv4 or ipv6",
        ),
        ("`ip route add`\n0 close(3) = 0", "line 1: the command ip is not supported; sysctl is"),
        ("0 `sleep 1`", "line 1: a command, but sysctl before the first step, is not supported"),
        (
            "0 > icmp unreachable host_unreachable",
            "line 1: ICMP that is sent is not supported, only ICMP that comes",
        ),
    ];
    for (text, told) in cases {
        assert_eq!(refusal(text), told);
    }
}

#[test]
fn what_is_no_script_is_said_with_its_line() {
    let cases = [
        ("", "line 1: a script without a step"),
        ("0 close(3)", "line 1: expected `=`, got the end of the file"),
        ("+ close(3) = 0", "line 1: expected a time in seconds, got `close`"),
        ("0 < . 1:5(3) ack 1", "line 1: 1:5 is not 3 octets"),
        ("0 < S 0:0(0) win 65536", "line 1: 65536 is too large for a window"),
        ("0 < S 4294967296:0(0)", "line 1: 4294967296 is too large for a sequence number"),
        ("0 < S 0:0(0) ack 1", "line 1: a segment with ack has the flag `.`"),
        ("0 read(3, ..., 10) = 0 ECONNRESET", "line 1: a call that fails returns -1"),
        ("0 read(3, ..., 10) = -1 ENOTHING", "line 1: ENOTHING is no error known here"),
        ("0 < S 0:0(0) <...>", "line 1: <...> cannot be sent"),
        ("* < S 0:0(0)", "line 1: only a packet that is sent may come in a range of times"),
        ("0...1 > S 0:0(0)", "line 1: a packet takes no time; a range of times is written T1~T2"),
        ("99999999999 close(3) = 0", "line 1: 99999999999 s is more than a day"),
        ("99999999999999999999 close(3) = 0", "line 1: no word of packetdrill: 99999999999999999999"),
    ];
    for (text, told) in cases {
        assert_eq!(refusal(text), told, "{text}");
    }
}

#[test]
fn a_failing_step_is_shown_with_what_came_instead() {
    let text = format!("{LISTENING}+0 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 2 <mss 1460>");
    assert_eq!(
        failure(&text),
        "line 5: +0 > S. 0:0(0) ack 2 <mss 1460>\n    \
         expected  0.000000 S. 0:0(0) ack 2 <mss 1460>\n    \
         came      0.000000 S. 0:0(0) ack 1 win 64240 <mss 1460>"
    );
    let text = format!("{LISTENING}+.1 > . 1:1(0) ack 1");
    assert!(failure(&text).ends_with("came      nothing until 0.104000"), "{}", failure(&text));
    let text = format!("{LISTENING}+0 accept(3, ..., ...) = 4");
    assert!(failure(&text).contains("the call blocks"), "{}", failure(&text));
    let text = format!("{LISTENING}+0 close(7) = 0");
    assert!(failure(&text).contains("came      0.000000 -1 EBADF"), "{}", failure(&text));
}

/// Each of these is a check that must be able to fail.
#[test]
fn every_part_of_a_segment_is_compared() {
    let syn = format!("{LISTENING}+0 < S 0:0(0) win 1000 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n");
    let right = "S. 0:0(0) ack 1 win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 7>";
    run(&format!("{syn}+0 > {right}")).unwrap();
    for (from, to) in [
        ("S.", "SP."),
        ("0:0(0)", "0:1(1)"),
        ("ack 1 ", "ack 2 "),
        ("win 64240", "win 64241"),
        ("mss 1460", "mss 1461"),
        ("wscale 7", "wscale 8"),
        ("nop,nop,sackOK", "sackOK,nop,nop"),
        (" <mss 1460,nop,nop,sackOK,nop,wscale 7>", ""),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert!(matches!(run(&format!("{syn}+0 > {wrong}")), Err(Trouble::Failed(_))), "{wrong}");
    }
    run(&format!("{syn}* > S. 7:7(0) ack 1 <...>")).unwrap();
    assert!(run(&format!("{syn}+.1 > {right}")).is_err(), "too early");
    run(&format!("{syn}+0~+.1 > {right}")).unwrap();
}

#[test]
fn a_setting_that_does_not_do_is_refused() {
    let text = "`sysctl -q net.ipv4.tcp_rmem=1`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3";
    match run(text) {
        Err(Trouble::Setting(what)) => assert!(what.starts_with("tcp_rmem: \"1\" will not do"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_blocks_while_there_is_no_room() {
    let text = format!(
        "`sysctl -q net.ipv4.tcp_wmem=\"4096 4608 4608\"`\n{LISTENING}
         +0 < S 0:0(0) win 60000 <mss 1000>
         +0 > S. 0:0(0) ack 1 <mss 1460>
         +.1 < . 1:1(0) ack 1 win 60000
         +0 accept(3, ..., ...) = 4
         +0...1 write(4, ..., 100000) = 100000
         * > . 1:1001(1000) ack 1 <...>"
    );
    assert!(failure(&text).contains("the call blocks"), "nothing is acknowledged");
}
