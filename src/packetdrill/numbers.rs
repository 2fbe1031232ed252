//! Sequence numbers and timestamps: a script counts the host's from where it likes, the host from where it chose.

use super::script::Segment;
use super::tcp_option::TcpOption;

/// How far the host's numbers on the wire are ahead of the script's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    seq: u32,
    timestamps: Option<u32>,
}

impl Numbers {
    /// The host has sent what the script expects to be `expected`: its SYN says where it counts from, its first timestamp what
    /// its clock says.
    pub(super) fn learn(&mut self, expected: &Segment, sent: &Segment) {
        use crate::packet::Flags;
        if expected.flags == sent.flags && sent.flags.has(Flags::SYN) {
            self.seq = sent.seq.wrapping_sub(expected.seq);
        }
        if self.timestamps.is_none()
            && let (Some((script, _)), Some((wire, _))) = (stamps(expected), stamps(sent))
        {
            self.timestamps = Some(wire.wrapping_sub(script));
        }
    }

    /// What the host sent, in the script's numbers.
    pub(super) fn of_sent(&self, mut segment: Segment) -> Segment {
        segment.seq = segment.seq.wrapping_sub(self.seq);
        for option in segment.options.iter_mut().flatten() {
            if let TcpOption::Timestamps { val, .. } = option {
                *val = val.wrapping_sub(self.timestamps.unwrap_or_default());
            }
        }
        segment
    }

    /// What comes to the host, in the numbers of the wire.
    pub(super) fn on_wire(&self, mut segment: Segment) -> Segment {
        segment.ack = segment.ack.map(|ack| ack.wrapping_add(self.seq));
        for option in segment.options.iter_mut().flatten() {
            match option {
                TcpOption::Timestamps { ecr, .. } if *ecr != 0 => {
                    *ecr = ecr.wrapping_add(self.timestamps.unwrap_or_default());
                }
                TcpOption::Sack(blocks) => {
                    for (from, to) in blocks {
                        (*from, *to) = (from.wrapping_add(self.seq), to.wrapping_add(self.seq));
                    }
                }
                _ => {}
            }
        }
        segment
    }

    /// A sequence number of the host's, on the wire.
    pub(super) fn seq(&self, seq: u32) -> u32 {
        seq.wrapping_add(self.seq)
    }
}

fn stamps(segment: &Segment) -> Option<(u32, u32)> {
    segment.options.iter().flatten().find_map(|option| match option {
        TcpOption::Timestamps { val, ecr } => Some((*val, *ecr)),
        _ => None,
    })
}
