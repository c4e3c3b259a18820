//! Who comes, and what is expected to happen to each.

use serde::{Deserialize, Serialize};

use crate::lab::Site;

/// A bot or a visitor, with a real program.
///
/// Its line, for a shell, finds in the environment what [`crate::lab::Errand`] says, and its
/// addresses in `FROM`.
pub(super) struct Actor {
    pub(super) name: &'static str,
    /// What it does, for people.
    pub(super) does: &'static str,
    pub(super) site: Site,
    /// The last number of its first address.
    pub(super) host: u8,
    /// How many addresses it has, one after the other.
    pub(super) addresses: u8,
    /// Whether it can't choose its address, so that its site has to have it as the usual one:
    /// one actor a site.
    pub(super) by_route: bool,
    pub(super) line: &'static str,
    /// The text of its script, in the file that `SCRIPT` names.
    pub(super) script: &'static str,
    pub(super) expect: Expect,
}

/// What is expected.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Expect {
    /// What it may be found to be; none said, anything.
    pub(super) classes: &'static [&'static str],
    /// The least that has to happen to it.
    pub(super) least: Effect,
    /// The most that may.
    pub(super) most: Effect,
}

/// What a decision does, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Effect {
    /// There is none.
    Nothing,
    Watch,
    Limit,
    Block,
}

impl Effect {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Watch => "watch",
            Self::Limit => "limit",
            Self::Block => "block",
        }
    }
}

impl Expect {
    /// Whether its work has to be left alone.
    pub(super) fn is_visitor(&self) -> bool {
        self.most < Effect::Limit
    }

    const fn stopped(classes: &'static [&'static str]) -> Self {
        Self { classes, least: Effect::Limit, most: Effect::Block }
    }

    const fn left_alone(classes: &'static [&'static str], most: Effect) -> Self {
        Self { classes, least: Effect::Nothing, most }
    }
}

/// Bots are elsewhere and visitors in the office: a network whose clients are blocked one by
/// one ends up blocked itself.
pub(super) const ALL: &[Actor] = &[
    Actor {
        name: "hydra",
        does: "tries 20 accounts with 5 passwords each",
        site: Site::Elsewhere,
        host: 20,
        addresses: 1,
        by_route: true,
        line: r#"seq -f 'person%gat.home' 20 >accounts
            printf '%s\n' secret 123456 letmein qwerty dragon >passwords
            timeout 30 hydra -I -t 4 -w 2 -L accounts -P passwords "$NAME" https-get /login"#,
        script: "",
        expect: Expect::stopped(&[]),
    },
    Actor {
        name: "stuffing script",
        does: "tries 60 accounts from 12 addresses, five each",
        site: Site::Elsewhere,
        host: 30,
        addresses: 12,
        by_route: false,
        line: r#"/usr/bin/python3 -I -u "$SCRIPT" "$URL" "$CERT" 5 $FROM"#,
        script: include_str!("script/stuffing.py"),
        expect: Expect::stopped(&[]),
    },
    // The newest Chrome that it knows. Its hello may be one of a browser of today: what it does
    // gives it away.
    Actor {
        name: "curl_cffi as Chrome",
        does: "reads 300 articles as fast as it can",
        site: Site::Elsewhere,
        host: 60,
        addresses: 1,
        by_route: false,
        line: r#""$TOOLS/venv/bin/python" -I -u "$SCRIPT" "$URL" "$CERT" 300 $FROM chrome"#,
        script: include_str!("script/scraper.py"),
        expect: Expect::stopped(&[]),
    },
    // Chrome 124, from April 2024, which many scrapers still wear.
    Actor {
        name: "curl_cffi as an old Chrome",
        does: "reads 300 articles as fast as it can",
        site: Site::Elsewhere,
        host: 61,
        addresses: 1,
        by_route: false,
        line: r#""$TOOLS/venv/bin/python" -I -u "$SCRIPT" "$URL" "$CERT" 300 $FROM chrome124"#,
        script: include_str!("script/scraper.py"),
        expect: Expect::stopped(&["impersonator", "unknown"]),
    },
    Actor {
        name: "Chromium",
        does: "reads six articles with all that is on them",
        site: Site::Office,
        host: 20,
        addresses: 1,
        by_route: true,
        line: r#"for article in bread cheese wine salt pepper soup; do
                chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
                    --disable-quic --no-first-run --disable-background-networking \
                    --disable-component-update --disable-sync --ignore-certificate-errors \
                    --lang=en-GB --accept-lang=en-GB,en --user-data-dir="$HOME/profile" \
                    --dump-dom "${URL}articles/$article" >page
                grep 'An article' page || exit 1
            done"#,
        script: "",
        expect: Expect::left_alone(&["browser"], Effect::Nothing),
    },
    Actor {
        name: "curl by a timer",
        does: "asks for one page every two seconds, 30 times",
        site: Site::Office,
        host: 30,
        addresses: 1,
        by_route: false,
        line: r#"for turn in $(seq 30); do
                curl -q -fsS --max-time 3 --cacert "$CERT" --interface $FROM "${URL}health" || exit 1
                sleep 2
            done"#,
        script: "",
        expect: Expect::left_alone(&["library"], Effect::Watch),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn addresses_are_unique_and_a_site_has_one_usual_one() {
        let addresses = |actor: &Actor| {
            let site = actor.site.name();
            (actor.host..actor.host + actor.addresses).map(move |host| (site, host))
        };
        let all: Vec<_> = ALL.iter().flat_map(addresses).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        let usual: Vec<_> =
            ALL.iter().filter(|actor| actor.by_route).map(|a| a.site.name()).collect();
        assert_eq!(usual.iter().collect::<BTreeSet<_>>().len(), usual.len());
    }
}
