//! The values a scenario's file is made of; each says what was expected where something else stands.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use crate::errno::Errno;
use crate::packet::{Flags, Unreachable};
use crate::router::{Refusal, Unknown};
use crate::scenario::expect::{Count, TimeBound};
use crate::scenario::{IpVersion, Watch};
use crate::span;
use crate::stack::System;
use crate::timeline::TcpState;

/// What is written as a string, or as a number that reads the same.
pub(super) trait Written: Sized {
    /// What has to stand there.
    const EXPECTED: &str;

    fn read(text: &str) -> Option<Self>;
}

/// A [`Written`] value, read by serde.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<T>(pub(super) T);

impl<'de, T: Written> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<T: Written> Visitor<'_> for Reader<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                T::read(text).ok_or_else(|| E::custom(format_args!("{text:?} is not {}", T::EXPECTED)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
                T::read(&number.to_string()).ok_or_else(|| E::invalid_type(Unexpected::Signed(number), &self))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
                T::read(&number.to_string()).ok_or_else(|| E::invalid_type(Unexpected::Float(number), &self))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData)).map(Value)
    }
}

impl Written for Duration {
    const EXPECTED: &str = span::EXPECTED;

    fn read(text: &str) -> Option<Duration> {
        span::parse(text)
    }
}

impl Written for TimeBound {
    const EXPECTED: &str = TimeBound::SYNTAX;

    fn read(text: &str) -> Option<TimeBound> {
        TimeBound::parse(text)
    }
}

impl Written for Count {
    const EXPECTED: &str = Count::SYNTAX;

    fn read(text: &str) -> Option<Count> {
        Count::parse(text)
    }
}

impl Written for Errno {
    const EXPECTED: &str = "the name of an error, such as \"ETIMEDOUT\"";

    fn read(text: &str) -> Option<Errno> {
        Errno::from_name(text)
    }
}

impl Written for TcpState {
    const EXPECTED: &str = "a state of a connection, such as \"FIN_WAIT_2\"";

    fn read(text: &str) -> Option<TcpState> {
        TcpState::from_name(text)
    }
}

impl Written for Flags {
    const EXPECTED: &str = "control bits in tcpdump's letters, such as \"S.\" or \"P.\"";

    fn read(text: &str) -> Option<Flags> {
        Flags::from_letters(text)
    }
}

impl Written for Unreachable {
    const EXPECTED: &str = "\"net\", \"host\", \"protocol\", \"port\", \"prohibited\" or \"time-exceeded\"";

    fn read(text: &str) -> Option<Unreachable> {
        match text {
            "net" => Some(Unreachable::Net),
            "host" => Some(Unreachable::Host),
            "protocol" => Some(Unreachable::Protocol),
            "port" => Some(Unreachable::Port),
            "prohibited" => Some(Unreachable::Prohibited),
            "time-exceeded" => Some(Unreachable::TimeExceeded),
            _ => None,
        }
    }
}

impl Written for Unknown {
    const EXPECTED: &str = "\"silent\", \"rst\", \"rst-both\" or an ICMP code, such as \"host\"";

    fn read(text: &str) -> Option<Unknown> {
        match text {
            "silent" => Some(Unknown::Silent),
            "rst" => Some(Unknown::Reset),
            "rst-both" => Some(Unknown::ResetBoth),
            code => Unreachable::read(code).map(Unknown::Icmp),
        }
    }
}

impl Written for Refusal {
    const EXPECTED: &str = "\"rst\" or an ICMP code, such as \"port\"";

    fn read(text: &str) -> Option<Refusal> {
        match text {
            "rst" => Some(Refusal::Reset),
            code => Unreachable::read(code).map(Refusal::Icmp),
        }
    }
}

impl Written for System {
    const EXPECTED: &str = System::NAMES;

    fn read(text: &str) -> Option<System> {
        System::from_name(text)
    }
}

impl Written for IpVersion {
    const EXPECTED: &str = "4 or 6";

    fn read(text: &str) -> Option<IpVersion> {
        match text {
            "4" => Some(IpVersion::V4),
            "6" => Some(IpVersion::V6),
            _ => None,
        }
    }
}

/// What stands after `when =`.
#[derive(Clone, Debug)]
pub(super) struct When(pub(super) Watch);

impl Written for When {
    const EXPECTED: &str = Watch::EVENT;

    fn read(text: &str) -> Option<When> {
        Watch::event(text).map(When)
    }
}

/// What stands after `after =`.
#[derive(Clone, Debug)]
pub(super) struct After(pub(super) Watch);

impl Written for After {
    const EXPECTED: &str = Watch::RETRANSMISSION;

    fn read(text: &str) -> Option<After> {
        Watch::retransmission(text).map(After)
    }
}

/// The value of a `set` key: whatever it is, as text.
#[derive(Clone, Debug)]
pub(super) struct Setting(pub(super) String);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Setting, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Setting, E> {
                Ok(Setting(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Setting, E> {
                Ok(Setting(number.to_string()))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Setting, E> {
                Ok(Setting(truth.to_string()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
