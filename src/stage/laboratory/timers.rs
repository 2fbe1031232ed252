//! Whether a kernel has still something to say: proc(5), `/proc/net/tcp`.

use std::fs;
use std::io;

/// Whether a timer runs in the namespace of this process that may send something yet.
///
/// # Errors
///
/// There is no `/proc`.
pub(super) fn running() -> io::Result<bool> {
    let v4 = fs::read_to_string("/proc/self/net/tcp")?;
    // A kernel without IPv6 has no such file.
    let v6 = fs::read_to_string("/proc/self/net/tcp6").unwrap_or_default();
    Ok(v4.lines().chain(v6.lines()).any(may_send))
}

/// Whether the socket of this line has a timer for retransmissions, keepalive or window probes. Those of TIME_WAIT,
/// and of FIN_WAIT_2 that no process holds any more, end without a packet.
fn may_send(line: &str) -> bool {
    const FIN_WAIT_2: &str = "05";
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, state, _, timer, _, _, _, inode, ..] = words[..] else { return false };
    let is_orphan = inode == "0";
    matches!(timer.split(':').next(), Some("01" | "02" | "04")) && !(state == FIN_WAIT_2 && is_orphan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: &str, timer: &str, inode: u32) -> String {
        format!(
            "   1: 0102000A:C001 0101000A:2695 {state} 00000006:00000000 {timer}:0000001F 00000001     0        0 {inode} 2"
        )
    }

    #[test]
    fn retransmissions_keepalive_and_window_probes_are_waited_for() {
        let established = "01";
        for timer in ["01", "02", "04"] {
            assert!(may_send(&line(established, timer, 7142)), "{timer}");
        }
        // A program that has shut its side down still holds it, and its keepalive goes on.
        assert!(may_send(&line("05", "02", 7142)));
    }

    #[test]
    fn what_ends_without_a_packet_is_not() {
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        let [idle, fin_wait_2, time_wait] =
            [line("01", "00", 7142), line("05", "02", 0), line("06", "03", 0)];
        for line in [heading, &idle, &fin_wait_2, &time_wait, ""] {
            assert!(!may_send(line), "{line:?}");
        }
    }
}
