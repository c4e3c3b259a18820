//! Who may import whom, inside a crate, where Cargo sees no border.

use super::source::{code, has_word};
use super::{File, Finding};

/// Finds a mention of something that a module must not know.
pub(super) fn forbidden(file: &File) -> Vec<Finding> {
    if is_test(file) {
        return Vec::new();
    }
    let arrows = ARROWS.iter().filter(|arrow| arrow.covers(&file.path));
    arrows.flat_map(|arrow| arrow.crossings(file)).collect()
}

/// A rule for the modules under some folders.
struct Arrow {
    modules: &'static [&'static str],
    forbidden: &'static [&'static str],
    reason: &'static str,
}

impl Arrow {
    /// A module is a folder or a file of that name.
    fn covers(&self, path: &str) -> bool {
        self.modules.iter().any(|module| {
            let rest = path.strip_prefix(module);
            rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        })
    }

    fn crossings(&self, file: &File) -> Vec<Finding> {
        let hit = |line: &str| self.forbidden.iter().find(|name| has_word(line, name));
        let hits = code(file).filter_map(|(number, line)| Some((number, hit(line)?)));
        hits.map(|(number, name)| {
            Finding::new(file, number, format!("{name} in {}: {}", file.path, self.reason))
        })
        .collect()
    }
}

fn is_test(file: &File) -> bool {
    file.path.ends_with("/tests.rs")
}

const PURE: [&str; 4] = [
    "filter-user/src/access_log",
    "filter-user/src/policy",
    "filter-user/src/classify",
    "filter-user/src/limit",
];

const ARROWS: &[Arrow] = &[
    Arrow {
        modules: &PURE,
        forbidden: &[
            "tokio",
            "aya",
            "std::fs",
            "File",
            "UdpSocket",
            "TcpStream",
            "TcpListener",
            "UnixStream",
            "UnixListener",
            "Instant",
            "SystemTime",
        ],
        reason: "access logs, policy, classification and limits are pure: events and `now` go in, operations come out",
    },
    Arrow {
        modules: &PURE,
        forbidden: &["crate::datapath", "crate::control", "crate::store", "crate::daemon"],
        reason: "access logs, policy, classification and limits do no I/O and have no owner",
    },
    Arrow {
        modules: &["filter-user/src/datapath"],
        forbidden: &[
            "crate::classify",
            "crate::control",
            "crate::daemon",
            "AddressPolicy",
            "crate::policy::compile",
            "crate::policy::entries",
            "crate::policy::list",
        ],
        reason: "the datapath knows map operations and policy images, not who wants them",
    },
    Arrow {
        modules: &["filter-user/src/control"],
        forbidden: &["crate::datapath", "crate::daemon", "aya"],
        reason: "control knows requests and replies",
    },
];

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        forbidden(&file(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn policy_may_not_know_the_runtime_or_the_clock() {
        let text = "use tokio::sync;\nuse filter_common::abi;\nuse std::time::Instant;\n";
        assert_eq!(lines("filter-user/src/policy/compile.rs", text), [1, 3]);
        assert_eq!(lines("filter-user/src/policy.rs", text), [1, 3]);
    }

    #[test]
    fn others_may() {
        assert!(lines("filter-user/src/daemon.rs", "use tokio::sync;\n").is_empty());
        assert!(lines("filter-user/src/policy_file.rs", "use tokio::sync;\n").is_empty());
    }

    #[test]
    fn the_datapath_may_not_know_the_classifier() {
        assert_eq!(lines("filter-user/src/datapath/ring.rs", "use crate::classify::X;\n"), [1]);
    }

    #[test]
    fn tests_may_know_all() {
        let text = "fn pure() {}\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert!(lines("filter-user/src/policy/mod.rs", text).is_empty());
        assert!(lines("filter-user/src/policy/tests.rs", "use tokio::x;\n").is_empty());
    }
}
