//! A small network for end-to-end tests: an edge that runs the daemon, and one peer.
//!
//! The test already runs in namespaces of its own, so nothing here touches the host. The
//! edge is this namespace; the peer is another one, joined by a veth pair.

mod capture;
mod client;
mod command;
mod daemon;
mod events;
mod oracle;
pub mod raw;
mod server;

pub use capture::Capture;
pub use client::Client;
pub use command::{Outcome, run};
pub use daemon::{Daemon, binary};
pub use events::Events;
pub use oracle::{Hello, Said};
pub use server::{nginx, nginx_with_log, tls_server};

use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The edge's addresses.
pub const EDGE: &str = "192.0.2.1";
/// The edge's IPv6 address.
pub const EDGE_V6: &str = "2001:db8::1";
/// The peer's addresses; all are on its interface.
pub const PEERS: [&str; 3] = ["192.0.2.2", "192.0.2.3", "198.51.100.9"];
/// The peer's IPv6 address.
pub const PEER_V6: &str = "2001:db8:0:1::2";

/// A network that is there as long as this is.
#[derive(Debug)]
pub struct Lab {
    /// The edge's interface.
    pub interface: String,
    /// A folder of its own.
    pub dir: TempDir,
    peer: String,
}

static LABS: AtomicU32 = AtomicU32::new(0);

impl Lab {
    /// Makes the network.
    ///
    /// *Errors*: `ip` refuses.
    pub fn new() -> Result<Self> {
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let (interface, peer) = (format!("edge{number}"), format!("peer{number}"));
        let lab = Self { interface, peer, dir: TempDir::new()? };
        lab.build().context("the lab's network can't be made")?;
        Ok(lab)
    }

    fn build(&self) -> Result<()> {
        let (edge, peer) = (self.interface.as_str(), self.peer.as_str());
        ip(&format!("netns add {peer}"))?;
        ip(&format!("link add {edge} type veth peer name eth0 netns {peer}"))?;
        ip(&format!("addr add {EDGE}/24 dev {edge}"))?;
        ip(&format!("addr add {EDGE_V6}/48 nodad dev {edge}"))?;
        ip(&format!("link set {edge} up"))?;
        for address in PEERS {
            ip(&format!("-n {peer} addr add {address}/24 dev eth0"))?;
        }
        ip(&format!("-n {peer} addr add {PEER_V6}/48 nodad dev eth0"))?;
        ip(&format!("-n {peer} link set eth0 up"))?;
        ip(&format!("-n {peer} link set lo up"))?;
        ip(&format!("route add 198.51.100.0/24 dev {edge}"))
    }

    /// A command that will run at the peer.
    #[must_use]
    pub fn at_peer(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.peer)).arg(program);
        command
    }

    /// The peer's network namespace.
    ///
    /// *Errors*: it is gone.
    pub fn peer_namespace(&self) -> Result<File> {
        let file = format!("/run/netns/{}", self.peer);
        File::open(&file).context(file)
    }

    /// The index of the peer's interface.
    ///
    /// *Errors*: the edge's doesn't name its other end.
    pub fn peer_index(&self) -> Result<u32> {
        let file = format!("/sys/class/net/{}/iflink", self.interface);
        Ok(std::fs::read_to_string(&file).context(file)?.trim().parse()?)
    }

    /// Makes the peer send smaller packets.
    ///
    /// *Errors*: `ip` refuses.
    pub fn limit_mtu(&self, mtu: u16) -> Result<()> {
        ip(&format!("-n {} link set eth0 mtu {mtu}", self.peer))
    }

    /// Gives the peer another address, which it speaks from by itself to the edge.
    ///
    /// *Errors*: `ip` refuses.
    pub fn speak_as(&self, address: &str) -> Result<()> {
        let peer = &self.peer;
        ip(&format!("-n {peer} addr add {address}/24 dev eth0"))?;
        ip(&format!("-n {peer} route replace {EDGE}/32 dev eth0 src {address}"))
    }

    /// Whether one ping from an address of the peer is answered.
    #[must_use]
    pub fn pings(&self, from: &str) -> bool {
        let to = if from.contains(':') { EDGE_V6 } else { EDGE };
        let mut ping = self.at_peer("ping");
        ping.args(["-c", "1", "-W", "1", "-I", from, to]).stdout(Stdio::null());
        ping.status().is_ok_and(|status| status.success())
    }

    /// Sends many pings from an address of the peer, as fast as it can, and says how many
    /// were answered.
    ///
    /// *Errors*: ping can't be started or says nothing.
    pub fn flood(&self, from: &str, count: u32) -> Result<u32> {
        let mut ping = self.at_peer("ping");
        ping.args(["-f", "-q", "-w", "10", "-c", &count.to_string(), "-I", from, EDGE]);
        let said = String::from_utf8(ping.output()?.stdout)?;
        let received = said.split(", ").find_map(|part| part.strip_suffix(" received"));
        received.and_then(|number| number.parse().ok()).context(said)
    }
}

/// Sends frames from the peer, whatever they claim.
///
/// *Errors*: python or the raw socket refuse.
pub fn inject(lab: &Lab, frames: &[Vec<u8>]) -> Result<()> {
    let mut text = String::new();
    for frame in frames {
        for byte in frame {
            write!(text, "{byte:02x}")?;
        }
        text.push('\n');
    }
    let file = lab.dir.path().join("frames");
    std::fs::write(&file, text)?;
    let send = "import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\n\
                s.bind(('eth0',0))\nfor line in open(sys.argv[1]): s.send(bytes.fromhex(line))\n";
    run(lab.at_peer("/usr/bin/python3").args(["-c", send]).arg(file))?.success().map(drop)
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The namespaces of the whole run end soon anyway.
        let _ = ip(&format!("link del {}", self.interface));
        let _ = ip(&format!("netns del {}", self.peer));
    }
}

fn ip(arguments: &str) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(arguments.split(' '));
    run(&mut command)?.success().map(drop).with_context(|| format!("ip {arguments}"))
}

/// Waits until something holds.
///
/// *Errors*: it didn't in ten seconds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "tests wait in real time, with a deadline")]
    let now = Instant::now;
    let deadline = now() + Duration::from_secs(10);
    while now() < deadline {
        if holds() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    anyhow::bail!("waited in vain: {what}")
}

/// A process that ends with the test.
#[derive(Debug)]
pub struct Service(Child);

impl Service {
    /// Starts a process.
    ///
    /// *Errors*: it can't be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn().with_context(|| format!("{command:?}"))?))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
