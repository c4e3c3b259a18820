//! A client made of raw frames, and a server for it.

use super::{EDGE, Lab, Service, ip, wait_until};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The client's address, which the peer's own stack doesn't know.
pub const RAW: &str = "192.0.2.200";

/// A segment that it sends behind the handshake.
#[derive(Clone, Debug)]
pub struct Sent(Value);

impl Sent {
    /// Bytes at a position of the stream.
    #[must_use]
    pub fn at(at: i64, data: &[u8]) -> Self {
        let text = data.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Self(json!({ "at": at, "data": text }))
    }

    /// With an acknowledgement that is so far from the right one.
    #[must_use]
    pub fn acknowledging(self, delta: i64) -> Self {
        self.with("ack", json!(delta))
    }

    /// With these control bits.
    #[must_use]
    pub fn flags(self, flags: u8) -> Self {
        self.with("flags", json!(flags))
    }

    /// With a checksum that the stack refuses.
    #[must_use]
    pub fn spoiled(self) -> Self {
        self.with("spoil", json!(true))
    }

    /// And then waits for so many seconds.
    #[must_use]
    pub fn then_wait(self, seconds: f64) -> Self {
        self.with("wait", json!(seconds))
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.0[key] = value;
        self
    }
}

/// What the server made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Answered {
    /// Bytes that it has acknowledged.
    pub acknowledged: u32,
    /// Whether it has ended the connection.
    pub ended: bool,
}

/// A server that the client knows.
#[derive(Debug)]
pub struct Listener {
    _process: Service,
    port: u16,
}

/// Takes connections one after the other, and reads all that they bring.
const LISTEN: &str = "import socket,sys,threading\n\
    s=socket.create_server(('0.0.0.0',int(sys.argv[1])),backlog=int(sys.argv[2]))\n\
    def serve(c):\n try:\n  while c.recv(65536): pass\n except OSError: pass\n\
    while True: threading.Thread(target=serve,args=(s.accept()[0],),daemon=True).start()\n";

impl Listener {
    /// One that reads and never answers, with room for so many connections that aren't
    /// accepted yet.
    ///
    /// *Errors*: python can't be started.
    pub fn start(lab: &Lab, port: u16, backlog: u32) -> Result<Self> {
        let mut listen = Command::new("/usr/bin/python3");
        listen.args(["-c", LISTEN]).args([port.to_string(), backlog.to_string()]);
        let process = Service::start(&mut listen)?;
        let listening = format!("sport = :{port}");
        wait_until("it listens", || sockets("listening", &listening).is_ok_and(|count| count > 0))?;
        Self::new(lab, process, port)
    }

    /// An nginx that speaks TLS.
    ///
    /// *Errors*: nginx can't be started.
    pub fn nginx(lab: &Lab, port: u16) -> Result<Self> {
        Self::new(lab, super::nginx(lab, port, "edge.test")?, port)
    }

    fn new(lab: &Lab, process: Service, port: u16) -> Result<Self> {
        neighbour(lab)?;
        Ok(Self { _process: process, port })
    }

    /// Bytes of a connection from the client's port that its socket has taken in.
    ///
    /// *Errors*: there is no such connection.
    pub fn received(&self, own: u16) -> Result<usize> {
        let mut ss = Command::new("ss");
        let filter = format!("sport = :{} and dport = :{own}", self.port);
        let said = super::run(ss.args(["-Htni", "state", "connected", &filter]))?.success()?.stdout;
        ensure!(!said.is_empty(), "no connection from port {own}");
        // Of none it says nothing.
        let mut words = said.split_whitespace();
        let count = words.find_map(|word| word.strip_prefix("bytes_received:"));
        Ok(count.map_or(Ok(0), str::parse)?)
    }

    /// The server's port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Tells the edge where the raw client is, whose stack answers no questions.
fn neighbour(lab: &Lab) -> Result<()> {
    let mac = hardware_address(&mut lab.at_peer("ip"), "eth0")?;
    let interface = &lab.interface;
    ip(&format!("neigh replace {RAW} lladdr {mac} dev {interface} nud permanent"))
}

/// An interface's hardware address, as `ip` shows it.
fn hardware_address(ip: &mut Command, interface: &str) -> Result<String> {
    let shown = super::run(ip.args(["-o", "link", "show", "dev", interface]))?.success()?.stdout;
    let mut words = shown.split_whitespace().skip_while(|word| *word != "link/ether");
    words.nth(1).map(str::to_owned).with_context(|| format!("no address in {shown:?}"))
}

/// Sockets of a state that a filter of `ss` lets through.
///
/// *Errors*: `ss` can't be started.
pub fn sockets(state: &str, filter: &str) -> Result<usize> {
    let mut ss = Command::new("ss");
    let said = super::run(ss.args(["-Htn", "state", state, filter]))?.success()?;
    Ok(said.stdout.lines().count())
}

/// Shakes hands with a server of the edge from the client's port, and sends these segments.
/// Without `bare`, the first of them is also the handshake's last part.
///
/// *Errors*: the handshake fails.
pub fn send(lab: &Lab, server: &Listener, own: u16, bare: bool, sent: &[Sent]) -> Result<Answered> {
    let mac = hardware_address(&mut Command::new("ip"), &lab.interface)?.replace(':', "");
    let mut client = lab.at_peer("/usr/bin/python3");
    client.args(["-c", include_str!("raw_client.py"), RAW, EDGE, &mac]);
    let numbers = [server.port, own, u16::from(bare)].map(|number| number.to_string());
    client.args(numbers).arg("0.3");
    let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let segments: Vec<&Value> = sent.iter().map(|sent| &sent.0).collect();
    let mut input = child.stdin.take().context("no input")?;
    input.write_all(serde_json::to_string(&segments)?.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the raw client failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
