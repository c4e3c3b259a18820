//! Plain lists, and the netsets of `FireHOL`: an entry a line.
//!
//! `PREFIX [TIME] [# COMMENT]`, where a prefix may be an address or, in a plain list, a
//! range `FIRST-LAST`, and a time is RFC 3339 in UTC or `expires=` with that or a span such
//! as `4h`. Both `#` and `;` start a comment.

use super::super::prefix::{Parsed, try_prefix};
use super::Row;
use super::expiry::{moment, moment_or_span};
use super::problem::{Problem, shown};
use super::target::{Target, Written};

/// Reads lines of a plain list or a netset.
#[derive(Debug)]
pub(super) struct Reader {
    now_unix_s: u64,
    netset: bool,
}

impl Reader {
    pub(super) const fn plain(now_unix_s: u64) -> Self {
        Self { now_unix_s, netset: false }
    }

    /// A netset has no ranges and no times.
    pub(super) const fn netset(now_unix_s: u64) -> Self {
        Self { now_unix_s, netset: true }
    }

    /// Reads what nearly every line is: a prefix and nothing else.
    pub(super) fn try_bare<'a>(line: &[u8]) -> Option<Row<'a>> {
        let Parsed { prefix, had_host_bits } = try_prefix(line)?;
        let target = Target::One(prefix);
        Some(Row { target, had_host_bits, expires_unix_s: None, comment: "" })
    }

    pub(super) fn read<'a>(&self, text: &'a str) -> Result<Option<Row<'a>>, Problem> {
        let (body, comment) = text.split_once(['#', ';']).unwrap_or((text, ""));
        let body = body.trim_ascii();
        if body.is_empty() { Ok(None) } else { self.read_body(body, comment).map(Some) }
    }

    fn read_body<'a>(&self, body: &str, comment: &'a str) -> Result<Row<'a>, Problem> {
        let (written, time) = Written::split(body);
        if self.netset && (matches!(written, Written::Range(..)) || !time.is_empty()) {
            return Err(Problem::NotNetset(shown(body)));
        }
        let (target, had_host_bits) = written.read()?;
        Ok(Row { target, had_host_bits, expires_unix_s: self.expiry(time)?, comment })
    }

    fn expiry(&self, time: &str) -> Result<Option<u64>, Problem> {
        if time.is_empty() {
            return Ok(None);
        }
        match time.strip_prefix("expires=") {
            Some(time) => moment_or_span(time, self.now_unix_s).map(Some),
            None => moment(time).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, prefixes, read, refused};

    #[test]
    fn comments_blank_lines_and_line_ends_are_skipped() {
        let list = "# feed\r\n192.0.2.0/24 # why\r\n\r\n  2001:db8::1\t\n; end\n192.0.2.9;SBL1";
        assert_eq!(prefixes("plain", list), ["192.0.2.0/24", "2001:db8::1/128", "192.0.2.9/32"]);
        assert_eq!(prefixes("netset", list), prefixes("plain", list));
    }

    #[test]
    fn the_comment_of_an_entry_is_kept() {
        let list = read("plain", "192.0.2.1 # a; b # c \n192.0.2.2;d\n192.0.2.3 ##\n");
        let comments: Vec<_> = list.iter().map(|(_, _, comment)| comment.as_str()).collect();
        assert_eq!(comments, ["a; b # c", "d", "#"]);
        let long = format!("192.0.2.1 # {}", "ü".repeat(300));
        assert_eq!(read("plain", long)[0].2.chars().count(), 200);
    }

    #[test]
    fn an_entry_may_have_a_time() {
        for (time, expires) in [
            ("2030-01-01T00:00:00Z", 1_893_456_000),
            ("2030-01-01 00:00:00", 1_893_456_000),
            ("expires=2030-01-01T00:00:00Z", 1_893_456_000),
            ("expires=4h", NOW + 14_400),
            ("expires=1h 30m", NOW + 5400),
        ] {
            for target in ["192.0.2.0/24", "192.0.2.0-192.0.2.255", "192.0.2.0 - 192.0.2.255"] {
                let list = read("plain", format!("{target} {time} # why"));
                assert_eq!(
                    list,
                    [("192.0.2.0/24".into(), expires, "why".into())],
                    "{target} {time}"
                );
            }
        }
    }

    #[test]
    fn ranges_and_default_routes_are_entries() {
        assert_eq!(prefixes("plain", "192.0.2.0-192.0.2.2"), ["192.0.2.0/31", "192.0.2.2/32"]);
        assert_eq!(prefixes("plain", "2001:db8:: -2001:db8::1"), ["2001:db8::/127"]);
        assert_eq!(prefixes("plain", "0.0.0.0/0\n::/0"), ["0.0.0.0/0", "::/0"]);
        assert_eq!(prefixes("plain", "::ffff:0:0/96"), ["0.0.0.0/0"]);
    }

    #[test]
    fn a_bad_line_is_named_with_a_way_out() {
        for (bad, why) in [
            ("192.0.2.0/33", "0 to 32"),
            ("2001:db8::/129", "0 to 128"),
            ("192.0.2.0/-1", "FIRST-LAST"),
            ("010.0.0.0/8", "leading zeros"),
            ("192.0.2.0/024", "leading zeros"),
            ("192.0.", "such as"),
            ("192.0.2.0/", "such as"),
            ("evil.example.org", "such as"),
            ("192.0.2.1 evil", "no time"),
            ("192.0.2.1 2026-12-01", "in UTC"),
            ("192.0.2.1 expires=soon", "no time"),
            ("192.0.2.1 expires=9000years", "9999"),
            ("192.0.2.1 4h", "expires=4h"),
            ("192.0.2.9-192.0.2.1", "swap"),
            ("192.0.2.1-2001:db8::1", "one family"),
            ("192.0.2.1, 192.0.2.2", "such as"),
            ("<html>", "such as"),
        ] {
            let error = refused("plain", format!("192.0.2.0/24\n{bad} # why\n"));
            assert!(error.contains("line 2: ") && error.contains(why), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn a_netset_has_no_ranges_and_no_times() {
        assert!(refused("netset", "192.0.2.1-192.0.2.2").contains("as plain"));
        assert!(refused("netset", "192.0.2.1 expires=4h").contains("as plain"));
    }
}
