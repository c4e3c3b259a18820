//! The places of the lab, one network namespace each.

use std::ffi::OsStr;
use std::process::Command;

use crate::exec;

/// A network namespace of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The host that serves, and that the filter protects.
    Edge,
    /// The network between all others: one router.
    Net,
    /// Clients that the operator knows.
    Office,
    /// Clients that nobody knows.
    Elsewhere,
}

impl Site {
    /// Every site.
    pub(crate) const ALL: [Self; 4] = [Self::Edge, Self::Net, Self::Office, Self::Elsewhere];

    /// The namespace's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Net => "net",
            Self::Office => "office",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// A command that runs at this site.
    ///
    /// The user's environment stays outside: proxies and certificates in it would make the
    /// lab's clients talk to somebody else.
    /// `ip netns exec` would hide the file system that BPF objects are pinned in.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = exec::command("nsenter");
        command.env_clear().env("PATH", exec::SYSTEM_PATH).env("LC_ALL", "C.UTF-8");
        command.arg(format!("--net=/run/netns/{}", self.name())).arg("--").arg(program);
        command
    }
}
