//! What `ipset save` prints.
//!
//! `create` lines are read for their type and default timeout, `add` lines are entries, `#`
//! lines and `COMMIT` are skipped. Everything else (`flush`, `swap`, `destroy`, `del`)
//! changes sets in ways that a list can't follow, and is refused. A timeout counts from now:
//! a list saved long ago lives longer than it would have in the kernel.

use super::Row;
use super::expiry::after;
use super::problem::{Problem, shown};
use super::target::parse;
use std::collections::HashMap;

/// A line that `ipset save` didn't print, or that no list of prefixes can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IpsetProblem {
    #[error("{0:?} changes sets: keep the create and add lines alone, as ipset save prints them")]
    Command(String),
    #[error("unfinished: a line is \"create NAME TYPE ...\" or \"add NAME ENTRY ...\"")]
    Unfinished,
    #[error("a set of type {0:?}: only hash:ip, hash:net and bitmap:ip hold addresses alone")]
    Type(String),
    #[error("{0:?} has a port, interface or mark, which a list can't hold: remove the line")]
    Dimension(String),
    #[error("{0:?} is an exception (nomatch): put it on the allow list, and remove the line")]
    Nomatch(String),
    #[error("the option {0:?} is unknown: remove it")]
    Option(String),
    #[error("{0:?} is no timeout: write whole seconds, 0 for never")]
    Timeout(String),
    #[error("a quote is not closed on its line: close it, or fetch the list again")]
    OpenQuote,
    #[error("more than 1024 sets with timeouts: import them one by one")]
    TooManySets,
}

/// Reads lines of `ipset save`.
#[derive(Debug)]
pub(super) struct Reader {
    now_unix_s: u64,
    /// Default timeouts in seconds, by the set's name; at most [`MAX_SETS`], the next one
    /// is refused.
    timeouts: HashMap<String, u64>,
}

/// Sets with a default timeout.
const MAX_SETS: usize = 1024;

impl Reader {
    pub(super) fn new(now_unix_s: u64) -> Self {
        Self { now_unix_s, timeouts: HashMap::new() }
    }

    pub(super) fn read<'a>(&mut self, text: &'a str) -> Result<Option<Row<'a>>, Problem> {
        let mut words = Words(text);
        match words.next()? {
            None | Some("COMMIT") => Ok(None),
            Some(comment) if comment.starts_with('#') => Ok(None),
            Some("create") => self.create(&mut words).map(|()| None),
            Some("add") => self.add(&mut words).map(Some),
            Some(command) => Err(IpsetProblem::Command(shown(command)).into()),
        }
    }

    fn create(&mut self, words: &mut Words<'_>) -> Result<(), Problem> {
        let (name, kind) = (words.need()?, words.need()?);
        if !TYPES.contains(&kind) {
            return Err(IpsetProblem::Type(shown(kind)).into());
        }
        self.timeouts.remove(name);
        while let Some(option) = words.next()? {
            if option == "timeout" {
                self.set_default(name, seconds(words.need()?)?)?;
            }
        }
        Ok(())
    }

    fn set_default(&mut self, name: &str, timeout_s: u64) -> Result<(), Problem> {
        if timeout_s > 0 {
            if self.timeouts.len() >= MAX_SETS {
                return Err(IpsetProblem::TooManySets.into());
            }
            self.timeouts.insert(name.to_owned(), timeout_s);
        }
        Ok(())
    }

    fn add<'a>(&self, words: &mut Words<'a>) -> Result<Row<'a>, Problem> {
        let (name, entry) = (words.need()?, words.need()?);
        if entry.contains(',') {
            return Err(IpsetProblem::Dimension(shown(entry)).into());
        }
        let options = Options::read(words, entry)?;
        let (target, had_host_bits) = parse(entry)?;
        let default = || self.timeouts.get(name).copied().unwrap_or(0);
        let expires_unix_s = match options.timeout_s.unwrap_or_else(default) {
            0 => None,
            timeout_s => Some(after(self.now_unix_s, timeout_s)?),
        };
        Ok(Row { target, had_host_bits, expires_unix_s, comment: options.comment })
    }
}

/// Types of sets whose entries are addresses, prefixes and ranges.
const TYPES: &[&str] = &["hash:ip", "hash:net", "bitmap:ip", "iphash", "nethash", "ipmap"];

/// What follows an entry.
#[derive(Debug, Default)]
struct Options<'a> {
    timeout_s: Option<u64>,
    comment: &'a str,
}

impl<'a> Options<'a> {
    fn read(words: &mut Words<'a>, entry: &str) -> Result<Self, Problem> {
        let mut options = Self::default();
        while let Some(option) = words.next()? {
            match option {
                "timeout" => options.timeout_s = Some(seconds(words.need()?)?),
                "comment" => options.comment = words.need()?,
                "nomatch" => return Err(IpsetProblem::Nomatch(shown(entry)).into()),
                "-exist" | "-!" => {}
                "packets" | "bytes" | "skbmark" | "skbprio" | "skbqueue" => {
                    words.need()?;
                }
                option => return Err(IpsetProblem::Option(shown(option)).into()),
            }
        }
        Ok(options)
    }
}

fn seconds(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| IpsetProblem::Timeout(shown(text)).into())
}

/// The words of a line; one in double quotes may hold spaces.
#[derive(Debug)]
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<Option<&'a str>, IpsetProblem> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return Ok(None);
        }
        let (word, rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(IpsetProblem::OpenQuote)?,
            None => text.split_at(text.find([' ', '\t']).unwrap_or(text.len())),
        };
        self.0 = rest;
        Ok(Some(word))
    }

    fn need(&mut self) -> Result<&'a str, IpsetProblem> {
        self.next()?.ok_or(IpsetProblem::Unfinished)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, prefixes, read, refused};

    #[test]
    fn what_ipset_save_prints_is_read() {
        let list = "create bad hash:net family inet hashsize 1024 maxelem 65536 timeout 600 \
                    counters comment bucketsize 12 initval 0x1\n\
                    add bad 192.0.2.0/24 timeout 599 packets 0 bytes 0 comment \"why not\"\n\
                    add bad 198.51.100.7 timeout 0\n\
                    create six hash:ip family inet6\n\
                    add six 2001:db8::1\n\
                    add bad 203.0.113.0-203.0.113.1 -exist\n";
        let owned = |prefix: &str, expires, comment: &str| (prefix.into(), expires, comment.into());
        assert_eq!(
            read("ipset", list),
            [
                owned("192.0.2.0/24", NOW + 599, "why not"),
                owned("198.51.100.7/32", 0, ""),
                owned("2001:db8::1/128", 0, ""),
                owned("203.0.113.0/31", NOW + 600, ""),
            ]
        );
    }

    #[test]
    fn a_set_made_anew_has_its_new_timeout() {
        let list = "create x hash:ip timeout 5\ncreate x hash:ip\nadd x 192.0.2.1\n";
        assert_eq!(read("ipset", list)[0].1, 0);
    }

    #[test]
    fn comments_and_commit_are_skipped() {
        let list = "# saved\r\nadd x 192.0.2.1\r\n\r\nCOMMIT\r\n";
        assert_eq!(prefixes("ipset", list), ["192.0.2.1/32"]);
    }

    #[test]
    fn what_a_list_cannot_hold_is_refused_with_a_way_out() {
        for (bad, why) in [
            ("add x 192.0.2.1,tcp:80", "port"),
            ("add x 192.0.2.0/24,eth0", "interface"),
            ("add x 192.0.2.1 nomatch", "allow list"),
            ("create x hash:ip,port", "hash:net"),
            ("create x list:set", "hash:net"),
            ("add x other", "such as"),
            ("add x 192.0.2.0/33", "0 to 32"),
            ("add x", "unfinished"),
            ("create x", "unfinished"),
            ("add x 192.0.2.1 timeout", "unfinished"),
            ("add x 192.0.2.1 timeout -1", "whole seconds"),
            ("add x 192.0.2.1 timeout 999999999999999", "9999"),
            ("create x hash:ip timeout soon", "whole seconds"),
            ("add x 192.0.2.1 comment \"half", "quote"),
            ("add x 192.0.2.1 colour red", "\"colour\" is unknown"),
            ("flush x", "changes sets"),
            ("swap x y", "changes sets"),
            ("destroy x", "changes sets"),
            ("del x 192.0.2.1", "changes sets"),
            ("192.0.2.1", "ipset save"),
        ] {
            let error = refused("ipset", format!("add x 192.0.2.1\n{bad}\n"));
            assert!(error.contains("line 2: ") && error.contains(why), "{bad:?} gave {error}");
        }
    }

    #[test]
    fn sets_with_timeouts_are_bounded() {
        use std::fmt::Write;
        let mut list = String::new();
        for set in 0..=super::MAX_SETS {
            writeln!(list, "create s{set} hash:ip timeout 5").unwrap();
        }
        assert!(refused("ipset", list).contains("line 1025: more than 1024 sets"));
    }
}
