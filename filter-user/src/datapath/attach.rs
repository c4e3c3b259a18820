//! Attaching to interfaces, natively where the driver can.

use super::pins::{PinDir, PinError};
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, Xdp, XdpMode};
use nix::net::if_::if_nametoindex;

/// An interface that the filter is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// How.
    pub mode: AttachMode,
    /// Why not natively.
    pub why_generic: Option<String>,
}

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver, before the stack spends anything on the packet.
    Native,
    /// In the stack, after it has made a buffer of it.
    Generic,
}

/// An interface that can't be attached to.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is none of this name.
    #[error("there is no interface {0:?} here; `ip link` lists those that are")]
    NoInterface(String),
    /// Another XDP program is there.
    #[error(
        "interface {0} has another XDP program already (`ip link show {0}`); \
         take that one off first"
    )]
    Busy(String),
    /// The kernel refused both modes.
    #[error("interface {name} takes no XDP program: natively {native}; in generic mode {generic}")]
    Refused {
        /// Which interface.
        name: String,
        /// Why not natively.
        native: String,
        /// Why not in generic mode.
        generic: String,
    },
    /// The program isn't fit.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The link can't be held.
    #[error("interface {name}: the link can't be pinned: {reason}")]
    Link {
        /// Which interface.
        name: String,
        /// Why.
        reason: String,
    },
    /// A pin can't be written or removed.
    #[error(transparent)]
    Pins(#[from] PinError),
}

impl AttachMode {
    /// The name that operators see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    /// The mode of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Native, Self::Generic].into_iter().find(|mode| mode.name() == name)
    }

    const fn xdp(self) -> XdpMode {
        match self {
            Self::Native => XdpMode::Driver,
            Self::Generic => XdpMode::Skb,
        }
    }
}

/// Finds interfaces by name, before anything is changed.
///
/// *Errors*: [`AttachError::NoInterface`].
pub fn resolve(names: &[String]) -> Result<Vec<(String, u32)>, AttachError> {
    let resolve = |name: &String| match if_nametoindex(name.as_str()) {
        Ok(ifindex) => Ok((name.clone(), ifindex)),
        Err(_) => Err(AttachError::NoInterface(name.clone())),
    };
    names.iter().map(resolve).collect()
}

/// Gives the loaded program to the links that are pinned, makes those that aren't,
/// and takes it off interfaces that are no longer named.
///
/// *Errors*: [`AttachError`].
pub fn attach_all(
    program: &mut Xdp,
    pins: &PinDir,
    interfaces: &[(String, u32)],
) -> Result<Vec<Attached>, AttachError> {
    let before: Vec<_> = pins.links().map(|(path, ..)| path).collect();
    let outcome = attach_each(program, pins, interfaces);
    let wanted = |ifindex| interfaces.iter().any(|(_, wanted)| *wanted == ifindex);
    for (path, _, ifindex) in pins.links() {
        let undo = outcome.is_err() && !before.contains(&path);
        if undo || (outcome.is_ok() && !wanted(ifindex)) {
            pins.unpin(&path)?;
        }
    }
    let attached = outcome?;
    pins.unpin(&pins.program())?;
    program.pin(pins.program()).map_err(|error| link_error("program", error))?;
    Ok(attached)
}

fn attach_each(
    program: &mut Xdp,
    pins: &PinDir,
    interfaces: &[(String, u32)],
) -> Result<Vec<Attached>, AttachError> {
    let attach = |(name, ifindex): &(String, u32)| match take_over(program, pins, name, *ifindex)? {
        Some(found) => Ok(found),
        None => attach_new(program, pins, name, *ifindex),
    };
    interfaces.iter().map(attach).collect()
}

fn take_over(
    program: &mut Xdp,
    pins: &PinDir,
    name: &str,
    ifindex: u32,
) -> Result<Option<Attached>, AttachError> {
    let Some((path, mode, _)) = pins.links().find(|(_, _, pinned)| *pinned == ifindex) else {
        return Ok(None);
    };
    let link = PinnedLink::from_pin(&path).map(FdLink::from).and_then(XdpLink::try_from);
    let link = link.map_err(|error| link_error(name, error))?;
    match program.attach_to_link(link) {
        Ok(_) => Ok(Some(Attached { name: name.into(), ifindex, mode, why_generic: None })),
        // The link's device is gone, and another one has its index by now.
        Err(error) if errno(&error) == Some(libc::ENOLINK) => {
            pins.unpin(&path)?;
            Ok(None)
        }
        // The old program stays: better an error than an interface without a filter.
        Err(error) => Err(error.into()),
    }
}

fn attach_new(
    program: &mut Xdp,
    pins: &PinDir,
    name: &str,
    ifindex: u32,
) -> Result<Attached, AttachError> {
    let native = match attach_as(program, pins, name, ifindex, AttachMode::Native)? {
        Ok(attached) => return Ok(attached),
        Err(native) => native,
    };
    match attach_as(program, pins, name, ifindex, AttachMode::Generic)? {
        Ok(attached) => Ok(Attached { why_generic: Some(native), ..attached }),
        Err(generic) => Err(AttachError::Refused { name: name.into(), native, generic }),
    }
}

/// Tries one mode; the inner error is the kernel's refusal of it.
fn attach_as(
    program: &mut Xdp,
    pins: &PinDir,
    name: &str,
    ifindex: u32,
    mode: AttachMode,
) -> Result<Result<Attached, String>, AttachError> {
    let id = match program.attach_to_if_index(ifindex, mode.xdp()) {
        Ok(id) => id,
        Err(error) => return refusal(name, &error).map(Err),
    };
    let link = program.take_link(id)?;
    // Without a link of its own (aya falls back to netlink) it would not outlive us.
    let link = FdLink::try_from(link).map_err(|error| link_error(name, error))?;
    link.pin(pins.link(mode, ifindex)).map_err(|error| link_error(name, error))?;
    Ok(Ok(Attached { name: name.into(), ifindex, mode, why_generic: None }))
}

fn refusal(name: &str, error: &ProgramError) -> Result<String, AttachError> {
    match errno(error) {
        Some(libc::EBUSY | libc::EEXIST) => Err(AttachError::Busy(name.into())),
        Some(libc::EOPNOTSUPP) => Ok("its driver has no XDP".into()),
        _ => Ok(error.to_string()),
    }
}

fn errno(error: &ProgramError) -> Option<i32> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<std::io::Error>()?.raw_os_error()
}

fn link_error(name: &str, error: impl std::error::Error) -> AttachError {
    AttachError::Link { name: name.into(), reason: error.to_string() }
}
