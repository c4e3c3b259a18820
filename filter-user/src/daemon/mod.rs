//! The daemon: the only module that joins the others.
//!
//! One task owns the engine and everything in it; requests, records and the clock
//! reach it in turn. There is no lock on any state.

pub mod arguments;
mod decisions;
mod engine;
mod entries;
mod evidence;
mod explain;
mod fingerprints;
mod judged;
mod knowledge;
mod limits;
mod lists;
pub mod lock;
mod logs;
mod operator;
mod pardon;
mod policy;
mod quic;
mod report;
mod restore;
mod rules;
mod saving;
mod sessions;
mod verdicts;

use crate::clock::Now;
use crate::config::{Config, ConfigError, HostMode};
use crate::control::handle::{Handle, Work};
use crate::control::server;
use crate::datapath::{Datapath, DatapathError, Rings, attach, preflight};
use crate::logs::Incoming;
use crate::store::{Store, StoreError};
use engine::Engine;
use lock::{LockError, RunLock};
use sessions::Looked;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// Why the daemon can't run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nothing to filter.
    #[error(
        "no interface is named: palisaded --interface eth0, or `interfaces` in the configuration"
    )]
    NoInterface,
    /// Another one runs.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The filter can't be brought up.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The socket can't be served.
    #[error("the control socket {}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is stored can't be put into the kernel.
    #[error("the kernel's maps could not be filled: {0}")]
    Fill(aya::maps::MapError),
    /// The limits that are configured and stored don't go together.
    #[error("the limits can't be put in force: {0}")]
    Limits(String),
    /// The lists that are stored can't be put into the kernel.
    #[error("the address policy can't be put in force: {0}")]
    Policy(String),
    /// The classifier's policy can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The runtime failed.
    #[error("waiting for records or signals failed: {0}")]
    Wait(#[from] io::Error),
}

/// How often ended verdicts and hellos that never came to an end are cleared away.
const TICK: Duration = Duration::from_secs(1);

/// Runs until a signal, or until the filter is taken off. `mode` overrides what the
/// configuration and earlier commands say; `requests` is where these are served.
///
/// *Errors*: [`DaemonError`]. What was in force before stays in force.
pub async fn run(
    config: Config,
    mode: Option<HostMode>,
    requests: &runtime::Handle,
) -> Result<(), DaemonError> {
    if config.interfaces.is_empty() {
        return Err(DaemonError::NoInterface);
    }
    let policy = config.classify.load_policy()?;
    let _lock = RunLock::take(&config.paths.run)?;
    let store = Store::open(&config.paths.state)?;
    let saved = store.load()?;
    let names: Vec<String> = config.interfaces.iter().map(|name| name.0.clone()).collect();
    let interfaces = attach::resolve(&names).map_err(DatapathError::from)?;
    let (datapath, rings) = Datapath::open(&config.paths.pins)?;
    let socket = config.paths.control_socket();
    let mut engine = Engine::new(config, policy, datapath, store);
    engine.restore(saved, mode, Now::read())?;
    // Before a new filter filters.
    let ports = engine.config.management.ports.clone();
    engine.handle_sessions(Looked::now(&ports), Now::read());
    engine.attach(&interfaces)?;
    let (handle, work) = Handle::new();
    let listener = {
        let _served_there = requests.enter();
        bind(&socket).map_err(|source| DaemonError::Socket { path: socket, source })?
    };
    let server = requests.spawn(server::serve(listener, handle));
    let logs = crate::logs::start(&engine.config.logs)?;
    let sessions = sessions::watch(ports)?;
    let outcome = serve(&mut engine, rings, logs, sessions, work).await;
    server.abort();
    outcome
}

fn announce(datapath: &Datapath) {
    for interface in &datapath.interfaces {
        let (name, mode) = (&interface.name, interface.mode.name());
        if let Some(why) = &interface.why_generic {
            tracing::warn!(
                interface = name,
                why,
                "attached in generic mode, which is several times slower"
            );
        } else {
            tracing::info!(interface = name, mode, "attached");
        }
    }
    if !datapath.knows_sockets {
        tracing::warn!(
            "the kernel has no type information: an established socket makes a hello evidence, \
             without its sequence numbers"
        );
    }
    if preflight::allows_fast_open() {
        tracing::warn!(
            "servers of this host may take a ClientHello in a SYN, which isn't read and passes all \
             rules on ClientHellos; unless you need it: sysctl net.ipv4.tcp_fastopen=1"
        );
    }
    if datapath.taken_over {
        tracing::info!("took over the filter of an earlier daemon");
    }
}

/// Binds the socket, for root alone. Whoever left a socket there is gone: the lock is
/// ours.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    if let Err(error) = fs::remove_file(socket)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn serve(
    engine: &mut Engine,
    rings: Rings,
    mut logs: Incoming,
    mut sessions: mpsc::Receiver<Looked>,
    mut work: mpsc::Receiver<Work<Engine>>,
) -> Result<(), DaemonError> {
    let Rings { mut records, mut datagrams } = rings;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watches_sessions = true;
    tracing::info!(mode = ?engine.mode(), "ready");
    loop {
        // Lets time go on where there is always something to do.
        tokio::task::yield_now().await;
        tokio::select! {
            Some(work) = work.recv() => work(engine),
            batch = records.next() => engine.handle_records(&batch?, Now::read()),
            batch = datagrams.next() => engine.handle_datagrams(&batch?, Now::read()),
            Some(batch) = logs.recv() => {
                // A hello is told before its server can answer, so none comes after its requests.
                engine.handle_records(&records.ready(), Now::read());
                engine.handle_log(batch, Now::read());
            }
            looked = sessions.recv(), if watches_sessions => {
                watches_sessions = looked.is_some();
                engine.handle_look(looked, Now::read());
            }
            _ = tick.tick() => engine.handle_tick(Now::read()),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
        if engine.is_detached() {
            // The reply to the command that did it is on its way.
            tokio::time::sleep(GOODBYE).await;
            tracing::info!("the filter is off");
            return Ok(());
        }
    }
    engine.settle();
    engine.tend_saving();
    engine.settle();
    tracing::info!("stopping; the filter stays in force");
    Ok(())
}

/// Time for the last reply to leave.
const GOODBYE: Duration = Duration::from_millis(100);
