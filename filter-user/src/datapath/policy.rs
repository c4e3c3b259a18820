//! The address policy in the kernel: the image that is in force.

use super::DatapathError;
use super::image_map::{ImageError, ImageMap};
use crate::policy::image::{HostMemory, Image};
use aya::Ebpf;
use aya::maps::{ArrayOfMaps, MapData};

/// The slot that packets take their image from, and what is in it.
#[derive(Debug)]
pub struct PolicySlot {
    slot: ArrayOfMaps<MapData>,
    /// `None` until this daemon has put one there; an earlier daemon's stays in force
    /// until then.
    image: Option<Image<ImageMap>>,
}

impl PolicySlot {
    /// Takes the slot out of a loaded object.
    ///
    /// *Errors*: [`DatapathError`], when the object isn't the filter's.
    pub fn take(ebpf: &mut Ebpf) -> Result<Self, DatapathError> {
        let map = ebpf.take_map("POLICY").ok_or(DatapathError::Missing("map POLICY"))?;
        Ok(Self { slot: ArrayOfMaps::try_from(map)?, image: None })
    }

    /// Puts an image in the place of the one that is there: each packet sees the old or
    /// the new. Returns when no packet sees the old one any more.
    ///
    /// *Shape*: `lines` is the size of its map; what the image doesn't use is room for
    /// changes.
    ///
    /// *Errors*: [`ImageError`]; the old image stays.
    pub fn install(&mut self, image: Image<HostMemory>, lines: u32) -> Result<(), ImageError> {
        let lines = lines.max(image.used_lines());
        let map = ImageMap::new(image.memory(), lines)?;
        self.slot.set(0, map.map(), 0)?;
        self.image = Some(image.moved(map));
        Ok(())
    }

    /// The image in force, to be changed.
    pub const fn image(&mut self) -> Option<&mut Image<ImageMap>> {
        self.image.as_mut()
    }
}
