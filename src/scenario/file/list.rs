//! Lists, and what may stand in place of one.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::value::Value;
use crate::scenario::expect::Count;

/// One of something, or a list: `exits = 0` and `exits = [0, 1]`.
#[derive(Clone, Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> OneOrMany<T> {
        OneOrMany(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        // Not serde's `untagged`: it forgets where in the file it was, and what exactly it did not like.
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
                T::deserialize(text.into_deserializer()).map(|one| vec![one])
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Vec<T>, E> {
                T::deserialize(number.into_deserializer()).map(|one| vec![one])
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData)).map(OneOrMany)
    }
}

/// Lines of text: a list of them, or `{ lines = 200 }` for generated ones, `{ lines = "1..199" }` for the first of
/// them, `{ each = "child * terminated", count = "1..5" }` for some that are alike.
#[derive(Clone, Debug)]
pub(super) enum Lines {
    Listed(Vec<String>),
    Generated(Count),
    Each(String, Count),
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lines, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            lines: Option<Value<Count>>,
            each: Option<String>,
            count: Option<Value<Count>>,
        }

        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of lines such as [\"hello\"], or { lines = 200 }")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lines, A::Error> {
                match Table::deserialize(MapAccessDeserializer::new(map))? {
                    Table { lines: Some(Value(lines)), each: None, count: None } => {
                        Ok(Lines::Generated(lines))
                    }
                    Table { lines: None, each: Some(line), count: Some(Value(count)) } => {
                        Ok(Lines::Each(line, count))
                    }
                    _ => Err(A::Error::custom("expected `lines`, or `each` and `count`")),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Lines, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Lines::Listed)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
