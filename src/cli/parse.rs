//! Values of options.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::scenario::Moment;
use crate::span;
use crate::stack::System;
use crate::time::SimTime;

pub(super) fn systems() -> impl TypedValueParser<Value = System> {
    PossibleValuesParser::new(System::ALL.map(System::name))
        .try_map(|name| System::from_name(&name).ok_or("no such system"))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    span::parse(text).ok_or_else(|| format!("expected {}", span::EXPECTED))
}

pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a number, 1 or more".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    match text {
        "end" => Ok(Moment::End),
        _ => duration(text).map(|time| Moment::At(SimTime::ZERO + time)),
    }
}

pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_split_at_its_first_equals_sign() {
        assert_eq!(setting("key=a=b"), Ok(("key".to_owned(), "a=b".to_owned())));
        assert!(setting("key").is_err() && setting("=value").is_err());
    }
}
