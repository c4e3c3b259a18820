//! A web server on the lab's edge, with the internet behind the lab's peer.

use crate::lab::{EDGE, Lab, PEERS, Service, run, wait_until};
use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::fs;
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// The edge's hardware address: floods name it.
const EDGE_MAC: &str = "02:00:00:00:00:01";

/// Addresses from which legitimate clients come; all are the peer's.
const CLIENTS: &str = "198.18.0.0/15";

/// The port of the service without TLS.
pub(super) const PLAIN: u16 = 80;
/// The port with TLS.
pub(super) const TLS: u16 = 443;

/// A lab whose edge serves a page to any address.
pub struct Site {
    /// The network.
    pub lab: Lab,
    /// The number of the next client that nobody has seen.
    pub(super) strangers: u32,
    cpus: Cpus,
    _server: Service,
}

impl Site {
    /// Makes the lab and starts the server. From here on this thread and its children are
    /// on the CPU of the world around the server.
    ///
    /// # Errors
    ///
    /// `ip`, openssl or nginx refuse.
    pub fn set_up() -> Result<Self> {
        let cpus = Cpus::find()?;
        let lab = Lab::new()?;
        wire(&lab, cpus)?;
        pin(cpus.server)?;
        let server = server(&lab)?;
        pin(cpus.world)?;
        for port in [PLAIN, TLS] {
            wait_until("nginx listens", || TcpStream::connect((EDGE, port)).is_ok())?;
        }
        Ok(Self { lab, strangers: 0, cpus, _server: server })
    }

    /// Does something on the server's CPU.
    ///
    /// # Errors
    ///
    /// Its own, and the kernel's.
    pub fn at_server<T>(&self, what: impl FnOnce(&Lab) -> Result<T>) -> Result<T> {
        pin(self.cpus.server)?;
        let done = what(&self.lab);
        pin(self.cpus.world)?;
        done
    }

    /// Has the stack work where packets arrive, so that the server's CPU has none of that.
    ///
    /// # Errors
    ///
    /// A shell's.
    pub fn keep_packets(&self) -> Result<()> {
        steer(Command::new("sh"), &self.lab.interface, 0)
    }

    /// Packets that the edge's interface has received, whatever became of them.
    ///
    /// # Errors
    ///
    /// There is no such count.
    pub fn received(&self) -> Result<u64> {
        let file = format!("/sys/class/net/{}/statistics/rx_packets", self.lab.interface);
        Ok(fs::read_to_string(&file).context(file)?.trim().parse()?)
    }
}

/// Who works where: the filter runs on the CPU of whoever sends it packets, and what it
/// passes is steered to the server's CPU. So a flood is as fast as the filter, and never
/// slowed down by the server.
#[derive(Clone, Copy)]
struct Cpus {
    server: usize,
    world: usize,
}

impl Cpus {
    /// The first and the last CPU that this thread may use, of those that one word can name.
    fn find() -> Result<Self> {
        let allowed = sched_getaffinity(SELF)?;
        let mut usable = (0..32).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false));
        let server = usable.next().context("no CPU")?;
        Ok(Self { server, world: usable.next_back().unwrap_or(server) })
    }
}

/// Leaves the calling thread one CPU.
///
/// # Errors
///
/// The kernel's.
fn pin(cpu: usize) -> Result<()> {
    let mut cpus = CpuSet::new();
    cpus.set(cpu)?;
    Ok(sched_setaffinity(SELF, &cpus)?)
}

/// The calling thread.
const SELF: Pid = Pid::from_raw(0);

/// The edge answers anybody through the peer; the peer has all clients' addresses. What
/// arrives is worked on by the right CPU.
fn wire(lab: &Lab, cpus: Cpus) -> Result<()> {
    let edge = lab.interface.as_str();
    ip(Command::new("ip"), &format!("link set {edge} address {EDGE_MAC}"))?;
    ip(Command::new("ip"), &format!("route add default via {} dev {edge}", PEERS[0]))?;
    ip(lab.at_peer("ip"), &format!("route add local {CLIENTS} dev lo"))?;
    // What isn't for the edge ends there.
    run(Command::new("sysctl").args(["-qw", "net.ipv4.ip_forward=0"]))?.success()?;
    // Without it frames of a flood arrive only where there is a filter.
    run(Command::new("ethtool").args(["-K", edge, "gro", "on"]))?.success()?;
    steer(Command::new("sh"), edge, 1 << cpus.server)?;
    steer(lab.at_peer("sh"), "eth0", 1 << cpus.world)
}

/// Has the stack work on some CPUs for what an interface receives; on none: where that arrives.
fn steer(mut shell: Command, interface: &str, mask: u32) -> Result<()> {
    // The namespace's own interfaces are only in a fresh /sys.
    let script = format!(
        "sys=$(mktemp -d); mount -t sysfs sysfs $sys; \
         echo {mask:x} > $sys/class/net/{interface}/queues/rx-0/rps_cpus; umount $sys; rmdir $sys"
    );
    run(shell.args(["-ec", &script]))?.success().map(drop)
}

fn ip(mut command: Command, arguments: &str) -> Result<()> {
    command.args(arguments.split(' '));
    run(&mut command)?.success().map(drop).with_context(|| format!("ip {arguments}"))
}

fn server(lab: &Lab) -> Result<Service> {
    let folder = lab.dir.path();
    fs::write(folder.join("nginx.conf"), include_str!("nginx.conf"))?;
    fs::create_dir(folder.join("page"))?;
    fs::write(folder.join("page/index.html"), "a page\n".repeat(100))?;
    let mut make = Command::new("openssl");
    make.current_dir(folder).args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]);
    make.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=edge.test"]);
    run(make.args(["-keyout", "key.pem", "-out", "cert.pem"]))?.success()?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "nginx.log"]);
    Service::start(nginx.stdout(Stdio::null()).stderr(Stdio::null()))
}
