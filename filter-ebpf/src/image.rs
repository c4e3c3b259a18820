//! The address policy's image, and the look-up in it.
#![expect(unsafe_code, reason = "the clock is a helper")]

use crate::opaque::opaque;
use aya_ebpf::btf_maps::{self, ArrayOfMaps};
use aya_ebpf::helpers::generated::bpf_ktime_get_coarse_ns;
use aya_ebpf::macros::btf_map;
use filter_common::abi::address::AddressClass;
use filter_common::policy::{self, Line, Lines};
use filter_common::wire::address::Address;

/// An array of lines, as large as it needs to be.
///
/// The flags are `BPF_F_MMAPABLE` and `BPF_F_INNER_MAP`.
type Image = btf_maps::Array<Line, 1, 0x1400>;

/// One slot: the image that is in force. Written by the daemon, which puts a whole new
/// image here or changes the one that is here; when an image would grow beyond its bound
/// the daemon refuses the command.
#[btf_map]
static POLICY: ArrayOfMaps<Image, 1> = ArrayOfMaps::new();

/// What the policy says of an address now; zero if it says nothing. `scratch` is memory of
/// a map that belongs to this CPU.
#[inline(always)]
pub(crate) fn look_up(address: &Address, scratch: *mut u64) -> AddressClass {
    let Some(image) = POLICY.get(0) else {
        return AddressClass::default();
    };
    // The coarse clock is a few milliseconds late, and ten times as fast.
    // SAFETY: the helper has no preconditions.
    policy::look_up(&MapLines { image, scratch }, address, || unsafe { bpf_ktime_get_coarse_ns() })
}

struct MapLines<'a> {
    image: &'a Image,
    scratch: *mut u64,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "words are 64 bits; numbers come back as they went"
)]
impl Lines for MapLines<'_> {
    #[inline(always)]
    fn line(&self, index: u32) -> Option<&Line> {
        self.image.get(index)
    }

    #[inline(always)]
    fn opaque(&self, number: u64) -> u64 {
        opaque(number as usize) as u64
    }

    #[inline(always)]
    fn forgotten(&self, number: u32) -> u32 {
        // SAFETY: the element belongs to this CPU.
        unsafe { self.scratch.write_volatile(u64::from(number)) };
        // SAFETY: as above. What comes out of a map is any number.
        unsafe { self.scratch.read_volatile() as u32 }
    }
}
