//! `%{ assert tcpi_snd_cwnd == 10 }%`: what TCP_INFO has to say of the connection.
//!
//! In packetdrill this is Python. Here there are assertions of one field against one number, as nearly all are.

use crate::stack::{CaState, SocketInfo};

/// A field and what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assertion {
    field: &'static Field,
    relation: Relation,
    number: i64,
}

/// A field of `struct tcp_info`.
#[derive(Debug)]
struct Field {
    name: &'static str,
    value: fn(&SocketInfo) -> i64,
}

impl PartialEq for Field {
    fn eq(&self, other: &Field) -> bool {
        self.name == other.name
    }
}

impl Eq for Field {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Each under the sign that is longest first.
const RELATIONS: [(&str, Relation); 6] = [
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<=", Relation::LessOrEqual),
    (">=", Relation::GreaterOrEqual),
    ("<", Relation::Less),
    (">", Relation::Greater),
];

/// What no loss has set (TCP_INFINITE_SSTHRESH).
const NO_THRESHOLD: u32 = 0x7fff_ffff;

const FIELDS: &[Field] = &[
    Field { name: "tcpi_ca_state", value: |info| tcp(info, |tcp| ca_state(tcp.ca_state)) },
    Field { name: "tcpi_retransmits", value: |info| info.retransmits.into() },
    Field { name: "tcpi_backoff", value: |info| info.backoff.into() },
    Field { name: "tcpi_rto", value: |info| info.rto.as_micros() as i64 },
    Field { name: "tcpi_rtt", value: |info| info.rtt.map_or(0, |(srtt, _)| srtt.as_micros() as i64) },
    Field { name: "tcpi_snd_mss", value: |info| tcp(info, |tcp| tcp.snd_mss.into()) },
    Field { name: "tcpi_advmss", value: |info| tcp(info, |tcp| tcp.advmss.into()) },
    Field { name: "tcpi_pmtu", value: |info| tcp(info, |tcp| tcp.pmtu.into()) },
    Field { name: "tcpi_unacked", value: |info| tcp(info, |tcp| tcp.unacked.into()) },
    Field { name: "tcpi_sacked", value: |info| tcp(info, |tcp| tcp.sacked.into()) },
    Field { name: "tcpi_lost", value: |info| tcp(info, |tcp| tcp.lost.into()) },
    Field { name: "tcpi_retrans", value: |info| tcp(info, |tcp| tcp.retrans.into()) },
    Field { name: "tcpi_reordering", value: |info| tcp(info, |tcp| tcp.reordering.into()) },
    Field { name: "tcpi_snd_cwnd", value: |info| tcp(info, |tcp| tcp.snd_cwnd.into()) },
    Field {
        name: "tcpi_snd_ssthresh",
        value: |info| tcp(info, |tcp| tcp.snd_ssthresh.unwrap_or(NO_THRESHOLD).into()),
    },
    Field { name: "tcpi_notsent_bytes", value: |info| tcp(info, |tcp| tcp.notsent.into()) },
    Field {
        name: "tcpi_min_rtt",
        value: |info| tcp(info, |tcp| tcp.min_rtt.map_or(u32::MAX.into(), |least| least.as_micros() as i64)),
    },
];

/// A field that not every system has; none is less than any number.
fn tcp(info: &SocketInfo, value: impl Fn(&crate::stack::TcpInfo) -> i64) -> i64 {
    info.tcp.as_deref().map_or(-1, value)
}

/// `enum tcp_ca_state`.
fn ca_state(state: CaState) -> i64 {
    match state {
        CaState::Open => 0,
        CaState::Disorder => 1,
        CaState::Cwr => 2,
        CaState::Recovery => 3,
        CaState::Loss => 4,
    }
}

/// The names that a script may use for numbers.
const NAMES: [(&str, i64); 5] = [
    ("TCP_CA_Open", 0),
    ("TCP_CA_Disorder", 1),
    ("TCP_CA_CWR", 2),
    ("TCP_CA_Recovery", 3),
    ("TCP_CA_Loss", 4),
];

impl Assertion {
    /// The assertions of a piece of Python, a line each or with `;` between.
    ///
    /// # Errors
    ///
    /// What is more than that.
    pub(super) fn read_all(code: &str) -> Result<Vec<Assertion>, String> {
        let lines =
            code.lines().flat_map(|line| line.split(';')).map(str::trim).filter(|line| !line.is_empty());
        let all = lines.map(Assertion::read).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() { Err("code that asserts nothing".to_owned()) } else { Ok(all) }
    }

    fn read(line: &str) -> Result<Assertion, String> {
        let refused = || format!("Python beyond `assert tcpi_FIELD == NUMBER` is not supported: {line}");
        let condition = line.strip_prefix("assert ").ok_or_else(refused)?;
        // What follows the comma is said when it fails.
        let condition = condition.split(',').next().unwrap_or_default().trim();
        let condition = condition.trim_start_matches('(').trim_end_matches(')');
        let split = |(sign, relation): &(&str, Relation)| Some((condition.split_once(sign)?, *relation));
        let ((field, number), relation) = RELATIONS.iter().find_map(split).ok_or_else(refused)?;
        let (field, number) = (field.trim(), number.trim());
        let known = FIELDS.iter().find(|known| known.name == field);
        let field = known.ok_or_else(|| format!("the field {field} of tcp_info is not supported"))?;
        let named = NAMES.iter().find(|(name, _)| *name == number).map(|(_, value)| *value);
        let number = named.or_else(|| number.parse().ok()).ok_or_else(refused)?;
        Ok(Assertion { field, relation, number })
    }

    /// What the field is.
    pub(super) fn value(&self, info: &SocketInfo) -> i64 {
        (self.field.value)(info)
    }

    /// Whether it may be that.
    pub(super) fn holds(&self, value: i64) -> bool {
        match self.relation {
            Relation::Equal => value == self.number,
            Relation::Unequal => value != self.number,
            Relation::Less => value < self.number,
            Relation::LessOrEqual => value <= self.number,
            Relation::Greater => value > self.number,
            Relation::GreaterOrEqual => value >= self.number,
        }
    }
}
