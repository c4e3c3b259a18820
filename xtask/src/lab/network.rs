//! Namespaces, cables, addresses and routes.
//!
//! All addresses are from the ranges that are set aside for documentation.

use anyhow::{Context, Result};

use super::Site;
use crate::exec;

/// Makes all sites and the cables between them.
pub(super) fn set_up() -> Result<()> {
    for site in Site::ALL {
        exec::stdout_of(exec::command("ip").args(["netns", "add", site.name()]))?;
        ip(site, "link set lo up")?;
        sysctl(site, "net.ipv6.conf.all.disable_ipv6=0")?;
        sysctl(site, "net.ipv6.conf.default.disable_ipv6=0")?;
        // Duplicate address detection would take a second, and these are unique.
        sysctl(site, "net.ipv6.conf.default.accept_dad=0")?;
    }
    sysctl(Site::Net, "net.ipv4.ip_forward=1")?;
    sysctl(Site::Net, "net.ipv6.conf.all.forwarding=1")?;
    LEGS.iter().try_for_each(Leg::connect)
}

/// Sets what fits into a packet on every cable, at both of its ends. Below 1280 bytes
/// there is no IPv6.
pub(crate) fn set_mtu(mtu: u16) -> Result<()> {
    LEGS.iter().try_for_each(|leg| {
        let ends = [(Site::Net, leg.site.name()), (leg.site, INTERFACE)];
        let mut ends = ends.into_iter();
        ends.try_for_each(|(site, end)| ip(site, &format!("link set {end} mtu {mtu}")))
    })
}

/// Gives a site of clients the IPv4 address with this last number too.
pub(crate) fn lodge(site: Site, host: u8) -> Result<String> {
    let address = format!("{}.{host}", Leg::of(site)?.net_v4);
    ip(site, &format!("address replace {address}/24 dev {INTERFACE}"))?;
    Ok(address)
}

/// Gives a site of clients the IPv4 address with this last number, as the one that they use
/// from now on: they needn't be able to choose one.
pub(crate) fn speak_as(site: Site, host: u8) -> Result<String> {
    let (address, router) = (lodge(site, host)?, format!("{}.1", Leg::of(site)?.net_v4));
    ip(site, &format!("route replace default via {router} src {address}"))?;
    Ok(address)
}

/// Address of a client elsewhere, by its last number.
pub(crate) fn elsewhere(host: u8) -> String {
    format!("{}.{host}", ELSEWHERE.net_v4)
}

/// Last numbers of the clients elsewhere, by the part they play.
pub(crate) mod host {
    /// Does nothing wrong, next to those who do.
    pub(crate) const NEIGHBOUR: u8 = 10;
    /// Lies in the prefix that gets blocked.
    pub(crate) const BLOCKED: u8 = 77;
    /// Sends too much.
    pub(crate) const NOISY: u8 = 130;
    /// Is a bot.
    pub(crate) const BOT: u8 = 200;
}

/// A cable from a site to the router, with what hangs on it.
struct Leg {
    site: Site,
    /// First three numbers of the IPv4 network, a /24.
    net_v4: &'static str,
    /// The IPv6 network, a /64, up to the last number.
    net_v6: &'static str,
    /// Last numbers of the site's addresses.
    hosts: &'static [u8],
}

impl Leg {
    fn of(site: Site) -> Result<&'static Self> {
        let leg = LEGS.iter().find(|leg| leg.site == site);
        leg.with_context(|| format!("{} has no cable of its own", site.name()))
    }

    fn connect(&self) -> Result<()> {
        let (site, router) = (self.site, self.site.name());
        let peer = format!("peer name {INTERFACE} netns {router}");
        ip(Site::Net, &format!("link add {router} type veth {peer}"))?;
        self.address(Site::Net, router, 1)?;
        for host in self.hosts {
            self.address(site, INTERFACE, *host)?;
        }
        for (place, interface) in [(Site::Net, router), (site, INTERFACE)] {
            like_a_wire(place, interface)?;
            ip(place, &format!("link set {interface} up"))?;
        }
        ip(site, &format!("route add default via {}.1", self.net_v4))?;
        ip(site, &format!("-6 route add default via {}1", self.net_v6))
    }

    fn address(&self, place: Site, interface: &str, host: u8) -> Result<()> {
        ip(place, &format!("address add {}.{host}/24 dev {interface}", self.net_v4))?;
        let v6 = format!("{}{host}/64", self.net_v6);
        ip(place, &format!("address add {v6} dev {interface}"))
    }
}

/// A virtual cable carries packets of 64 kB; a real one doesn't, and the filter shall see
/// what it would see there.
fn like_a_wire(site: Site, interface: &str) -> Result<()> {
    let mut ethtool = site.command("ethtool");
    ethtool.args(["-K", interface, "tso", "off", "gso", "off", "gro", "off"]);
    exec::stdout_of(&mut ethtool)?;
    Ok(())
}

fn ip(site: Site, words: &str) -> Result<()> {
    exec::stdout_of(site.command("ip").args(words.split(' ')))?;
    Ok(())
}

fn sysctl(site: Site, setting: &str) -> Result<()> {
    exec::stdout_of(site.command("sysctl").args(["-q", "-w", setting]))?;
    Ok(())
}

/// Every site's interface towards the router; the filter sits on the edge's.
pub(crate) const INTERFACE: &str = "eth0";

/// The server.
pub(crate) const EDGE_V4: &str = "192.0.2.10";
pub(super) const EDGE_V6: &str = "2001:db8:1::10";

/// A client in the office.
pub(crate) const OFFICE_V4: &str = "198.51.100.10";
pub(crate) const OFFICE_V6: &str = "2001:db8:2::10";

/// A client elsewhere that speaks IPv6.
pub(crate) const ELSEWHERE_V6: &str = "2001:db8:3::10";

const ELSEWHERE: Leg = Leg {
    site: Site::Elsewhere,
    net_v4: "203.0.113",
    net_v6: "2001:db8:3::",
    hosts: &[host::NEIGHBOUR, host::BLOCKED, host::NOISY, host::BOT],
};

const LEGS: [Leg; 3] = [
    Leg { site: Site::Edge, net_v4: "192.0.2", net_v6: "2001:db8:1::", hosts: &[10] },
    Leg { site: Site::Office, net_v4: "198.51.100", net_v6: "2001:db8:2::", hosts: &[10] },
    ELSEWHERE,
];
