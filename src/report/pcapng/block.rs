//! The four blocks of a pcapng file that are needed (draft-ietf-opsawg-pcapng), in little-endian order.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::packet::said_len;
use crate::time::SimTime;

/// Nothing is said of how much of a packet is kept.
const NO_SNAPLEN: u32 = 0;
/// Times are counted in 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// Options of any block.
const COMMENT: u16 = 1;
/// Options of a section header.
const USER_APPLICATION: u16 = 4;
/// Options of an interface.
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
/// Options of a packet.
const EPB_FLAGS: u16 = 2;

/// Which way a packet goes: the lowest bits of epb_flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Inbound = 1,
    Outbound = 2,
}

/// The start of the file: who wrote it, and what stands in it.
pub(super) fn section_header(application: &str, comments: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // The section's length is not known beforehand.
    body.extend((-1_i64).to_le_bytes());
    for comment in comments.iter().filter(|comment| !comment.is_empty()) {
        option(&mut body, COMMENT, comment.as_bytes());
    }
    option(&mut body, USER_APPLICATION, application.as_bytes());
    end_of_options(&mut body);
    block(0x0a0d_0d0a, &body)
}

/// What stands before a packet's IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkType {
    /// LINKTYPE_ETHERNET: the header of its frame.
    Ethernet = 1,
    /// LINKTYPE_RAW: nothing.
    Raw = 101,
}

/// One host's wire.
pub(super) fn interface(name: &str, link: LinkType) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((link as u16).to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    body.extend(NO_SNAPLEN.to_le_bytes());
    option(&mut body, IF_NAME, name.as_bytes());
    option(&mut body, IF_TSRESOL, &[NANOSECONDS]);
    end_of_options(&mut body);
    block(1, &body)
}

/// Whose addresses are whose.
pub(super) fn name_resolution(names: &BTreeMap<IpAddr, &str>) -> Vec<u8> {
    let mut body = Vec::new();
    for (addr, name) in names {
        let (kind, mut record) = match addr {
            IpAddr::V4(addr) => (1, addr.octets().to_vec()),
            IpAddr::V6(addr) => (2, addr.octets().to_vec()),
        };
        record.extend(name.bytes().filter(|octet| *octet != 0));
        record.push(0);
        // A record is laid out as an option is, and ends as options do.
        option(&mut body, kind, &record);
    }
    end_of_options(&mut body);
    block(4, &body)
}

/// A packet on an interface, behind the header of its frame if it is in one.
pub(super) fn enhanced_packet(
    interface: u32,
    t: SimTime,
    (header, packet): (&[u8], &[u8]),
    way: Way,
    comment: &str,
) -> Vec<u8> {
    let nanos = t.as_nanos();
    let captured = (header.len() + packet.len()) as u32;
    let length = (header.len() + said_len(packet)) as u32;
    let mut body = Vec::new();
    body.extend(interface.to_le_bytes());
    body.extend(((nanos >> 32) as u32).to_le_bytes());
    body.extend((nanos as u32).to_le_bytes());
    body.extend(captured.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(header);
    body.extend(packet);
    pad(&mut body);
    if !comment.is_empty() {
        option(&mut body, COMMENT, comment.as_bytes());
    }
    option(&mut body, EPB_FLAGS, &(way as u32).to_le_bytes());
    end_of_options(&mut body);
    block(6, &body)
}

/// Type, length, body, and the length again for those who read backwards.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &length].concat()
}

/// An option's length does not count its padding; text longer than it can say is cut.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// To the next multiple of 32 bits.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
