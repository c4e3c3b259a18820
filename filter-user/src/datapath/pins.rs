//! The pins: what keeps the filter in force without a daemon.
//!
//! One folder on a bpffs holds the maps by name, `program`, and one link for each
//! interface, `link_native_3` or `link_generic_3` with the interface's index.

use super::attach::AttachMode;
use super::kernel_types;
use aya::maps::{Array, Map, MapData, MapError};
use aya::{Ebpf, EbpfError, EbpfLoader};
use filter_common::abi::ABI_VERSION;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the pins.
#[derive(Debug)]
pub struct PinDir {
    path: PathBuf,
    complete: bool,
}

/// Pins that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Another version of Palisade made them.
    #[error(
        "the pins in {} speak version {found} of the interface, this daemon version \
         {ABI_VERSION}; the filter that they hold is still in force. Run the daemon that made \
         them, or remove them with: palisade detach --pins {}", path.display(), path.display()
    )]
    ForeignAbi {
        /// Where.
        path: PathBuf,
        /// Which version.
        found: u32,
    },
    /// Links without a version beside them.
    #[error(
        "{} holds pins without a version; remove them with: palisade detach --pins {}",
        .0.display(), .0.display()
    )]
    Unversioned(PathBuf),
    /// The folder or a pin can't be written or removed.
    #[error("{}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Maps that outlive the daemon. Scratch memory does not, but for the frame: while new
/// programs take over, an old first one may hand its frame to a new second one.
const PINNED_MAPS: [&str; 29] = [
    "ABI",
    "CONFIG",
    "POLICY",
    "LIST_COUNTERS",
    "VERDICTS",
    "VERDICT_INDEX",
    "PROFILES",
    "SERVICES",
    "PLANS",
    "LIST_LIMITS",
    "METERS",
    "AGGREGATES",
    "PROFILE_COUNTERS",
    "PROVEN",
    "OFFENDERS",
    "FLOWS",
    "SYNS",
    "COUNTERS",
    "RECORDS",
    "FRAME",
    "PROGRAMS",
    "HELLO_SETS",
    "HELLO_BODIES",
    "RULES",
    "RULE_COUNTERS",
    "FINGERPRINTS",
    "CLIENT_HELLOS",
    "DATAGRAMS",
    "QUIC_BUDGET",
];

/// Maps that earlier versions pinned; they are only removed.
const FORMER_MAPS: [&str; 3] = ["POLICY_V4", "POLICY_V6", "CLIENTS"];

const ABI_MAP: &str = "ABI";
const PROGRAM: &str = "program";

impl PinDir {
    /// Opens the folder, or makes it.
    ///
    /// *Errors*: [`PinError`]. Pins that a daemon left behind before it was done are
    /// removed.
    pub fn open(path: &Path) -> Result<Self, PinError> {
        let mut dir = Self { path: path.into(), complete: false };
        fs::create_dir_all(path).map_err(|source| failed(path, source))?;
        match dir.version() {
            Some(ABI_VERSION) => dir.complete = true,
            Some(found) if found != 0 => {
                return Err(PinError::ForeignAbi { path: path.into(), found });
            }
            _ if dir.links().next().is_some() => return Err(PinError::Unversioned(path.into())),
            _ => dir.clear()?,
        }
        Ok(dir)
    }

    /// Whether the maps are of this version and were all set up.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Loads an object's maps from their pins, or makes and pins them.
    ///
    /// *Errors*: the kernel's; a pin of another layout is one.
    pub fn load(&self, object: &[u8]) -> Result<Ebpf, EbpfError> {
        let mut loader = EbpfLoader::new();
        for name in PINNED_MAPS {
            loader.map_pin_path(name, self.path.join(name));
        }
        let offsets = kernel_types::socket_offsets();
        for (name, offset) in offsets.iter().flatten() {
            loader.override_global(name, offset, true);
        }
        loader.load(object)
    }

    /// Writes the version, once all maps are pinned.
    ///
    /// *Errors*: the kernel's.
    pub fn mark_complete(&self, ebpf: &mut Ebpf) -> Result<(), MapError> {
        let map = ebpf.map_mut(ABI_MAP).ok_or(MapError::InvalidName { name: ABI_MAP.into() })?;
        Array::<_, u32>::try_from(map)?.set(0, ABI_VERSION, 0)
    }

    /// Where an interface's link is pinned.
    #[must_use]
    pub fn link(&self, mode: AttachMode, ifindex: u32) -> PathBuf {
        self.path.join(format!("link_{}_{ifindex}", mode.name()))
    }

    /// The pinned links.
    pub fn links(&self) -> impl Iterator<Item = (PathBuf, AttachMode, u32)> {
        self.files().into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix("link_")?;
            let (mode, ifindex) = name.split_once('_')?;
            let (mode, ifindex) = (AttachMode::of(mode)?, ifindex.parse().ok()?);
            Some((path, mode, ifindex))
        })
    }

    /// Where the program is pinned, for those who look.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.path.join(PROGRAM)
    }

    /// Removes one pin, if it is there.
    ///
    /// *Errors*: [`PinError::Io`].
    pub fn unpin(&self, path: &Path) -> Result<(), PinError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(path, source)),
            _ => Ok(()),
        }
    }

    /// Removes every pin and the folder: links first, so that nothing filters without
    /// its maps.
    ///
    /// *Errors*: [`PinError::Io`].
    pub fn remove(&self) -> Result<(), PinError> {
        for (link, ..) in self.links() {
            self.unpin(&link)?;
        }
        self.clear()?;
        fs::remove_dir(&self.path).map_err(|source| failed(&self.path, source))
    }

    /// Removes what is pinned in a folder, whatever version made it.
    ///
    /// *Errors*: [`PinError::Io`]; a folder that isn't there is one.
    pub fn remove_all(path: &Path) -> Result<(), PinError> {
        let dir = Self { path: path.into(), complete: false };
        fs::metadata(path).map_err(|source| failed(path, source))?;
        dir.remove()
    }

    fn clear(&self) -> Result<(), PinError> {
        let known = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                name == PROGRAM || [&PINNED_MAPS[..], &FORMER_MAPS[..]].concat().contains(&name)
            })
        };
        for path in self.files().into_iter().filter(|path| known(path)) {
            self.unpin(&path)?;
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    fn version(&self) -> Option<u32> {
        let map = MapData::from_pin(self.path.join(ABI_MAP)).ok()?;
        Array::<_, u32>::try_from(Map::Array(map)).ok()?.get(&0, 0).ok()
    }
}

fn failed(path: &Path, source: io::Error) -> PinError {
    PinError::Io { path: path.into(), source }
}
