//! TCP's options (RFC 9293, 3.2) one by one, in their order: what a script writes and compares.

use std::fmt;

use smoltcp::wire::TcpOption as Wire;

/// One option of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TcpOption {
    Eol,
    Nop,
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    Sack(Vec<(u32, u32)>),
    Timestamps {
        val: u32,
        ecr: u32,
    },
    /// Any other: its kind, and its octets.
    Other(u8, Vec<u8>),
}

const SACK: u8 = 5;

impl TcpOption {
    /// The options of a header; what cannot be read ends the list.
    pub(super) fn list(mut octets: &[u8]) -> Vec<TcpOption> {
        let mut list = Vec::new();
        while !octets.is_empty() {
            // smoltcp reads three blocks where a header has room for four.
            if let [SACK, len, ..] = *octets
                && (2..=octets.len()).contains(&usize::from(len))
            {
                let (option, rest) = octets.split_at(usize::from(len));
                list.push(TcpOption::Sack(blocks(&option[2..])));
                octets = rest;
                continue;
            }
            let Ok((rest, option)) = Wire::parse(octets) else { break };
            octets = rest;
            list.push(match option {
                Wire::EndOfList => TcpOption::Eol,
                Wire::NoOperation => TcpOption::Nop,
                Wire::MaxSegmentSize(octets) => TcpOption::Mss(octets),
                Wire::WindowScale(shift) => TcpOption::WindowScale(shift),
                Wire::SackPermitted => TcpOption::SackPermitted,
                Wire::TimeStamp { tsval, tsecr } => TcpOption::Timestamps { val: tsval, ecr: tsecr },
                Wire::SackRange(_) => TcpOption::Sack(Vec::new()),
                Wire::Unknown { kind, data } => TcpOption::Other(kind, data.to_vec()),
            });
            // What follows the end of the list fills the header up.
            if list.last() == Some(&TcpOption::Eol) {
                break;
            }
        }
        list
    }

    /// The options as octets of a header, filled up to a multiple of four.
    pub(super) fn octets(list: &[TcpOption]) -> Vec<u8> {
        let mut octets = Vec::new();
        for option in list {
            let data: Vec<u8>;
            let wire = match option {
                TcpOption::Eol => Wire::EndOfList,
                TcpOption::Nop => Wire::NoOperation,
                TcpOption::Mss(octets) => Wire::MaxSegmentSize(*octets),
                TcpOption::WindowScale(shift) => Wire::WindowScale(*shift),
                TcpOption::SackPermitted => Wire::SackPermitted,
                TcpOption::Timestamps { val, ecr } => Wire::TimeStamp { tsval: *val, tsecr: *ecr },
                TcpOption::Sack(blocks) => {
                    data = blocks
                        .iter()
                        .flat_map(|(from, to)| [*from, *to])
                        .flat_map(u32::to_be_bytes)
                        .collect();
                    Wire::Unknown { kind: SACK, data: &data }
                }
                TcpOption::Other(kind, data) => Wire::Unknown { kind: *kind, data },
            };
            let at = octets.len();
            // The end of a list is all that is left of it, to smoltcp.
            octets.resize(at + if *option == TcpOption::Eol { 1 } else { wire.buffer_len() }, 0);
            wire.emit(&mut octets[at..]);
        }
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }
}

fn blocks(octets: &[u8]) -> Vec<(u32, u32)> {
    let word = |octets: &[u8]| u32::from_be_bytes(octets.try_into().expect("four octets"));
    octets.chunks_exact(8).map(|block| (word(&block[..4]), word(&block[4..]))).collect()
}

impl fmt::Display for TcpOption {
    /// As a script writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TcpOption::Eol => f.write_str("eol"),
            TcpOption::Nop => f.write_str("nop"),
            TcpOption::Mss(octets) => write!(f, "mss {octets}"),
            TcpOption::WindowScale(shift) => write!(f, "wscale {shift}"),
            TcpOption::SackPermitted => f.write_str("sackOK"),
            TcpOption::Sack(blocks) => {
                f.write_str("sack")?;
                blocks.iter().try_for_each(|(from, to)| write!(f, " {from}:{to}"))
            }
            TcpOption::Timestamps { val, ecr } => write!(f, "TS val {val} ecr {ecr}"),
            TcpOption::Other(kind, data) => write!(f, "option {kind} of {} octets", data.len() + 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_were_written() {
        let blocks = (0..4).map(|n| (n * 10, n * 10 + 5)).collect();
        let lists = [
            vec![
                TcpOption::Mss(1_460),
                TcpOption::SackPermitted,
                TcpOption::Timestamps { val: 1, ecr: u32::MAX },
                TcpOption::Nop,
                TcpOption::WindowScale(7),
            ],
            vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Sack(blocks)],
            vec![
                TcpOption::Other(30, vec![1, 2]),
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Eol,
            ],
        ];
        for list in lists {
            let octets = TcpOption::octets(&list);
            assert_eq!(octets.len() % 4, 0);
            assert_eq!(TcpOption::list(&octets)[..list.len()], list, "{octets:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_list() {
        assert_eq!(TcpOption::list(&[1, 5, 40, 0]), [TcpOption::Nop]);
        assert_eq!(TcpOption::list(&[1, 2, 0]), [TcpOption::Nop]);
    }
}
