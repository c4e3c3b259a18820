//! JSON lines: one object a line.
//!
//! An object without addresses whose `type` is `metadata`, as Spamhaus ends its lists, is
//! skipped. `expires` is RFC 3339, a span such as `4h`, or seconds since 1970, where 0 and
//! `null` are never; `comment`, else `reason`, is the comment if it is a text.

use super::Row;
use super::expiry::{at, moment_or_span};
use super::problem::{Problem, shown};
use super::target::parse;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// A line that is no object with addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JsonProblem {
    #[error("a JSON array: write one object a line, as jq -c '.[]' does")]
    Array,
    #[error("no JSON object ({0}): write one object a line, as jq -c does, or fetch it again")]
    Syntax(String),
    #[error("no field {0}: name the field with the address, as json:FIELD")]
    NoField(String),
    #[error("the field {0} is no text: name the field with the address, as json:FIELD")]
    NoText(String),
    #[error(
        "\"expires\" is neither a time such as \"2026-12-01T00:00:00Z\" nor whole seconds since 1970"
    )]
    Expires,
}

/// Fields that may hold the addresses when none is named; the first of them that is there.
const FIELDS: &[&str] = &["ip", "prefix", "network", "cidr", "value"];

/// Fields that may hold the comment; the first of them that is there.
const COMMENTS: &[&str] = &["comment", "reason"];

/// Reads objects.
#[derive(Debug)]
pub(super) struct Reader {
    /// Empty: one of [`FIELDS`].
    field: String,
    now_unix_s: u64,
    /// The comment of the row at hand.
    comment: String,
}

impl Reader {
    pub(super) fn new(field: String, now_unix_s: u64) -> Self {
        Self { field, now_unix_s, comment: String::new() }
    }

    pub(super) fn read<'a>(&'a mut self, text: &str) -> Result<Option<Row<'a>>, Problem> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        if text.starts_with('[') {
            return Err(JsonProblem::Array.into());
        }
        let object = self.object(text)?;
        let Some((_, target)) = object.target else {
            let is_metadata = object.kind.is_some_and(|kind| kind == "metadata");
            return if is_metadata { Ok(None) } else { Err(self.named(JsonProblem::NoField)) };
        };
        let Value::String(target) = target else {
            return Err(self.named(JsonProblem::NoText));
        };
        let (target, had_host_bits) = parse(&target)?;
        let expires_unix_s = self.expiry(object.expires.as_ref())?;
        self.comment = match object.comment {
            Some((_, Value::String(comment))) => comment,
            _ => String::new(),
        };
        Ok(Some(Row { target, had_host_bits, expires_unix_s, comment: &self.comment }))
    }

    fn object(&self, text: &str) -> Result<Object, JsonProblem> {
        let mut input = serde_json::Deserializer::from_str(text);
        let object = Fields(&self.field).deserialize(&mut input);
        object.and_then(|object| input.end().map(|()| object)).map_err(|error| {
            // It counts lines too, and always finds itself on the first.
            let message = error.to_string();
            let cause = message.split(" at line ").next().unwrap_or_default();
            JsonProblem::Syntax(format!("{} at column {}", shown(cause), error.column()))
        })
    }

    fn expiry(&self, expires: Option<&Value>) -> Result<Option<u64>, Problem> {
        match expires {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => moment_or_span(text, self.now_unix_s).map(Some),
            Some(value) => match value.as_u64() {
                Some(0) => Ok(None),
                Some(unix_s) => at(unix_s).map(Some),
                None => Err(JsonProblem::Expires.into()),
            },
        }
    }

    fn named(&self, problem: impl FnOnce(String) -> JsonProblem) -> Problem {
        let name = if self.field.is_empty() { FIELDS.join(", ") } else { shown(&self.field) };
        problem(name).into()
    }
}

/// The fields of an object that count.
#[derive(Debug, Default)]
struct Object {
    target: Option<(usize, Value)>,
    expires: Option<Value>,
    comment: Option<(usize, Value)>,
    kind: Option<Value>,
}

/// What a field is for. The lower of two ranks counts.
#[derive(Clone, Copy, Debug)]
enum Use {
    Target(usize),
    Expires,
    Comment(usize),
    Kind,
    Nothing,
}

/// Reads an object; a value is kept only if its field counts.
struct Fields<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Object, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Object;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(used) = map.next_key_seed(Key(self.0))? {
            match used {
                Use::Target(rank) => keep(&mut object.target, rank, map.next_value()?)?,
                Use::Comment(rank) => keep(&mut object.comment, rank, map.next_value()?)?,
                Use::Expires => object.expires = Some(map.next_value()?),
                Use::Kind => object.kind = Some(map.next_value()?),
                Use::Nothing => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(object)
    }
}

/// Keeps the value of the lowest rank. A field that comes twice would hide an address.
fn keep<E: Error>(held: &mut Option<(usize, Value)>, rank: usize, new: Value) -> Result<(), E> {
    match held {
        Some((old, _)) if *old == rank => return Err(E::custom("a field comes twice")),
        Some((old, _)) if *old < rank => {}
        _ => *held = Some((rank, new)),
    }
    Ok(())
}

/// Reads the name of a field.
struct Key<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Use;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Use, D::Error> {
        input.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Use;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Use, E> {
        let rank = |names: &[&str]| names.iter().position(|known| *known == name);
        let own = if self.0.is_empty() { rank(FIELDS) } else { rank(&[self.0]) };
        Ok(match (own, rank(COMMENTS), name) {
            (Some(rank), _, _) => Use::Target(rank),
            (_, Some(rank), _) => Use::Comment(rank),
            (_, _, "expires") => Use::Expires,
            (_, _, "type") => Use::Kind,
            _ => Use::Nothing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, prefixes, read, refused};

    #[test]
    fn the_address_is_in_a_known_field_or_the_one_that_is_named() {
        let list = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\"}\r\n\n{\"ip\": \"2001:db8::1\"}";
        assert_eq!(prefixes("json", list), ["192.0.2.0/24", "2001:db8::1/128"]);
        let list = "{\"ip\":\"192.0.2.1\",\"src\":\"192.0.2.2\",\"more\":{\"src\":[1,null]}}";
        assert_eq!(prefixes("json:src", list), ["192.0.2.2/32"]);
        assert_eq!(prefixes("json", list), ["192.0.2.1/32"]);
        let list = "{\"value\":\"192.0.2.1\",\"network\":\"192.0.2.0/24\",\"cidr\":\"::/0\"}";
        assert_eq!(prefixes("json", list), ["192.0.2.0/24"]);
        assert_eq!(prefixes("json", "{\"ip\":\"192.0.2.0-192.0.2.1\"}"), ["192.0.2.0/31"]);
    }

    #[test]
    fn times_and_comments_are_read() {
        for (fields, expires, comment) in [
            ("\"expires\":\"2030-01-01T00:00:00Z\",\"comment\":\"a\\nb\"", 1_893_456_000, "a b"),
            ("\"expires\":1893456000,\"reason\":\"why\"", 1_893_456_000, "why"),
            ("\"expires\":\"4h\",\"reason\":\"r\",\"comment\":\"c\"", NOW + 14_400, "c"),
            ("\"expires\":null,\"comment\":null", 0, ""),
            ("\"expires\":0,\"comment\":7", 0, ""),
        ] {
            let list = read("json", format!("{{\"ip\":\"192.0.2.1\",{fields}}}"));
            assert_eq!(list, [("192.0.2.1/32".into(), expires, comment.into())], "{fields}");
        }
    }

    #[test]
    fn the_comment_of_a_line_is_not_the_next_ones() {
        let list = "{\"ip\":\"192.0.2.1\",\"comment\":\"why\"}\n{\"ip\":\"192.0.2.2\"}\n";
        assert_eq!(read("json", list)[1].2, "");
    }

    #[test]
    fn the_metadata_of_spamhaus_is_skipped() {
        let list = "{\"cidr\":\"192.0.2.0/24\"}\n{\"type\":\"metadata\",\"records\":1}\n";
        assert_eq!(prefixes("json", list), ["192.0.2.0/24"]);
    }

    #[test]
    fn a_bad_object_is_named_with_a_way_out() {
        for (bad, why) in [
            ("[{\"ip\":\"192.0.2.1\"}]", "jq -c '.[]'"),
            ("{\"ip\":\"192.0.2.1\"", "no JSON object (EOF while parsing"),
            ("{\"ip\":\"192.0.2.1\"} x", "no JSON object (trailing characters"),
            ("\"192.0.2.1\"", "no JSON object"),
            ("192.0.2.1", "no JSON object"),
            ("{}", "json:FIELD"),
            ("{\"type\":\"other\"}", "json:FIELD"),
            ("{\"ip\":3221225985}", "no text"),
            ("{\"ip\":\"\"}", "such as"),
            ("{\"ip\":\"192.0.2.0/33\"}", "0 to 32"),
            ("{\"ip\":\"192.0.2.1\",\"ip\":\"192.0.2.2\"}", "twice"),
            ("{\"ip\":\"192.0.2.1\",\"expires\":\"soon\"}", "no time"),
            ("{\"ip\":\"192.0.2.1\",\"expires\":-1}", "whole seconds"),
            ("{\"ip\":\"192.0.2.1\",\"expires\":1893456000.5}", "whole seconds"),
            ("{\"ip\":\"192.0.2.1\",\"expires\":1893456000000}", "9999"),
        ] {
            let error = refused("json", format!("{{\"ip\":\"192.0.2.1\"}}\n{bad}\n"));
            assert!(error.contains("line 2: ") && error.contains(why), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn an_object_deep_in_others_is_refused_and_overflows_nothing() {
        let deep = format!("{{\"ip\":{}", "[".repeat(4000));
        assert!(refused("json", deep).contains("recursion limit"));
    }
}
