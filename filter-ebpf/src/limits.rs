//! Limits on maps: what there is, which apply, what was used.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::offender::note;
use crate::proof;
use crate::words::{MapMarks, MapMeters, MapWord};
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::{bpf_ktime_get_coarse_ns, bpf_loop};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use core::ffi::c_void;
use core::hint::black_box;
use core::ptr::null_mut;
use filter_common::abi::address::LIST_CAPACITY;
use filter_common::abi::config::HostConfig;
use filter_common::abi::limit::{
    Aggregate, CLASS_COUNT, ListLimit, METER_SETS, MeterSet, OFFENDER_COUNT, Offender,
    PROFILE_COPIES, PROFILE_COUNT, PROVEN_LINES, Plan, Profile, ProfileCounters, ProvenLine,
    SERVICE_WORDS,
};
use filter_common::limit::key::{self, Place, Secrets};
use filter_common::limit::meter::{self, Charge, Own, Scale};
use filter_common::limit::{self, Limits, MAX_STEPS, Outcome, step};
use filter_common::wire::frame::{Frame, Proof};

/// One element: the host's settings. Written by the daemon, read at each packet.
#[map]
static CONFIG: Array<HostConfig> = Array::with_max_entries(1, 0);

/// A profile's number, twice, and which copy, to the profile. Written by the daemon: the
/// copy that doesn't count, before it does.
#[map]
static PROFILES: Array<Profile> = Array::with_max_entries(PROFILE_COPIES, 0);

/// A service's number to its class, a byte each. Written by the daemon: after the class's
/// plan.
#[map]
static SERVICES: Array<u64> = Array::with_max_entries(SERVICE_WORDS, 0);

/// A class of services to the steps of its packets. Written by the daemon.
#[map]
static PLANS: Array<Plan> = Array::with_max_entries(CLASS_COUNT, 0);

/// A list's number to the profile of its clients. Written by the daemon: before the list is
/// in an image.
#[map]
static LIST_LIMITS: Array<ListLimit> = Array::with_max_entries(LIST_CAPACITY, 0);

/// Sets of meters. Written by the program; the daemon reads them and clears those of
/// profiles that were deleted. `filter_common::limit::meter` says what happens when a set is
/// full. The flag is `BPF_F_MMAPABLE`.
#[map]
static METERS: Array<MeterSet> = Array::with_max_entries(METER_SETS, 0x400);

/// A profile's number to its word, if it counts everybody together. Written by the program.
#[map]
static AGGREGATES: Array<Aggregate> = Array::with_max_entries(PROFILE_COUNT, 0);

/// A profile's number, on each CPU, to what was counted of it. Written by the program,
/// summed by the daemon, which sets it to zero for a new profile.
#[map]
static PROFILE_COUNTERS: PerCpuArray<ProfileCounters> =
    PerCpuArray::with_max_entries(PROFILE_COUNT, 0);

/// Lines of clients that have proved themselves. Written by the program; a full line forgets
/// the client that did so longest ago.
#[map]
static PROVEN: Array<ProvenLine> = Array::with_max_entries(PROVEN_LINES, 0);

/// Keys that went over a limit. Written by the program, read by the daemon; who finds no
/// place is counted with the profile. The flag is `BPF_F_MMAPABLE`.
#[map]
static OFFENDERS: Array<Offender> = Array::with_max_entries(OFFENDER_COUNT, 0x400);

/// One element a CPU: how many sockets were looked for lately.
#[map]
static QUESTIONS: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// The host's settings.
#[inline(always)]
pub(crate) fn config<'a>() -> Option<&'a HostConfig> {
    CONFIG.get(0)
}

/// The maps, for one frame.
pub(crate) struct MapLimits {
    context: *mut xdp_md,
    scratch: *mut u64,
    secrets: Secrets,
    copies: u64,
}

impl MapLimits {
    /// The maps, the context that sockets are looked up in, and memory of a map that belongs
    /// to this CPU.
    #[inline(always)]
    pub(crate) fn new(context: *mut xdp_md, scratch: *mut u64) -> Self {
        let (secrets, copies) = config()
            .map_or(([black_box(0); 2], 0), |config| (config.limit_secrets, config.limit_copies));
        Self { context, scratch, secrets, copies }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "indices that a mask bounds")]
impl Limits for MapLimits {
    type Word = MapWord;
    type Meters = MapMeters;
    type Marks = MapMarks;

    #[inline(always)]
    fn plan(&self, service: u32) -> Plan {
        let word = SERVICES.get(service / 8).copied().unwrap_or_default();
        let class = (word >> (service % 8 * 8)) as u32 & (CLASS_COUNT - 1);
        PLANS.get(class).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn list_limit(&self, list: u16) -> ListLimit {
        LIST_LIMITS.get(u32::from(list)).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn profile(&self, number: u32) -> Option<&Profile> {
        PROFILES.get(number * 2 + (self.copies >> (number & 63)) as u32 % 2)
    }

    #[inline(always)]
    fn meters(&self, set: u32) -> Option<MapMeters> {
        METERS.get_ptr_mut(set).map(MapMeters)
    }

    #[inline(always)]
    fn aggregate(&self, number: u32) -> Option<MapWord> {
        AGGREGATES.get_ptr_mut(number).map(|aggregate| MapWord(aggregate.cast()))
    }

    #[inline(always)]
    fn marks(&self, mixed: u64) -> Option<MapMarks> {
        PROVEN.get_ptr_mut(mixed as u32 & (PROVEN_LINES - 1)).map(MapMarks)
    }

    #[inline(always)]
    fn secrets(&self) -> Secrets {
        self.secrets
    }

    #[inline(always)]
    fn precise_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    #[inline(always)]
    fn coarse_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_coarse_ns() }
    }

    #[inline(always)]
    fn is_established(&self, frame: &Frame) -> bool {
        may_ask(self.coarse_ns()) && proof::is_established(self.context, frame)
    }

    #[inline(always)]
    fn count_limit(&self, number: u32, outcome: Outcome, bytes: u32) {
        if let Some(counters) = PROFILE_COUNTERS.get_ptr_mut(number) {
            // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
            // another run of itself.
            unsafe { &mut *counters }.count(outcome, bytes);
        }
    }

    #[inline(always)]
    fn note_offender(&self, place: &Place, now_ns: u64) {
        // One client's profiles differ in the tag's lower bits alone.
        let spread = key::number(place.tag).wrapping_mul(SPREAD);
        let index = ((place.tag >> 32) as u32 ^ place.set ^ spread) & (OFFENDER_COUNT - 1);
        let Some(offender) = OFFENDERS.get_ptr_mut(index) else {
            return;
        };
        if !note(offender, place, now_ns)
            && let Some(counters) = PROFILE_COUNTERS.get_ptr_mut(key::number(place.tag))
        {
            // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
            // another run of itself.
            unsafe { (*counters).unlisted += 1 };
        }
    }

    #[inline(always)]
    fn look(&self, word: &MapWord, charge: &Charge) -> bool {
        let Scale { profile, now_ns, .. } = charge.scale;
        look_at_word(word.0, profile, charge.units, charge.burst, now_ns)
    }

    #[inline(always)]
    fn room(&self, meters: &MapMeters, own: &Own, now_ns: u64) -> u32 {
        room(meters.0, own.number, own.clock, own.light, now_ns)
    }

    #[inline(always)]
    fn weight(&self, tag: u64, word: u64, now_ns: u64) -> u64 {
        weight(tag, word, now_ns)
    }

    #[inline(always)]
    fn prove(&self, frame: &Frame, now_ns: u64, within: u64) -> Proof {
        Proof(prove(self.context, frame, now_ns, within))
    }

    #[inline(always)]
    fn forgotten(&self, number: u64) -> u64 {
        // SAFETY: the memory belongs to this CPU.
        unsafe { self.scratch.write_volatile(number) };
        // SAFETY: as above. What comes out of a map is any number.
        unsafe { self.scratch.read_volatile() }
    }

    #[inline(always)]
    fn walk(&self, frame: &mut Frame) {
        let mut walk = Walk { frame, context: self.context };
        // SAFETY: the callback has the signature that the helper calls, and the context
        // outlives the call.
        unsafe { bpf_loop(MAX_STEPS, take_step as *mut _, (&raw mut walk).cast(), 0) };
    }
}

/// An odd number, so that different numbers make different offsets.
const SPREAD: u32 = 0x9e37_79b9;

#[inline(never)]
fn look_at_word(word: *mut u64, profile: &Profile, units: u64, burst: u64, now_ns: u64) -> bool {
    let scale = Scale::new(profile, now_ns);
    meter::look(&MapWord(word), &Charge { scale, units, burst, is_new: false })
}

#[inline(never)]
fn room(set: *mut MeterSet, number: u32, clock: u64, light: u64, now_ns: u64) -> u32 {
    let own = Own { number, clock, light };
    meter::room(&MapLimits::new(null_mut(), null_mut()), &MapMeters(set), &own, now_ns)
}

#[inline(never)]
fn weight(tag: u64, word: u64, now_ns: u64) -> u64 {
    meter::weight(&MapLimits::new(null_mut(), null_mut()), tag, word, now_ns)
}

#[inline(never)]
fn prove(context: *mut xdp_md, frame: &Frame, now_ns: u64, within: u64) -> u8 {
    let scratch = (&raw const frame.scratch).cast_mut();
    limit::prove(&MapLimits::new(context, scratch), frame, now_ns, within).0
}

/// What the steps of one frame share.
struct Walk {
    frame: *mut Frame,
    context: *mut xdp_md,
}

/// One step; 1 ends the walk.
extern "C" fn take_step(_index: u64, walk: *mut c_void) -> i64 {
    // SAFETY: the pointer is the one that `walk` gave away, for as long as it waits.
    let walk = unsafe { &*walk.cast::<Walk>() };
    // SAFETY: the frame belongs to this CPU, and only this reference is used meanwhile.
    let frame = unsafe { &mut *walk.frame };
    let limits = MapLimits::new(walk.context, &raw mut frame.scratch);
    i64::from(step(&limits, frame))
}

/// Whether one more socket may be looked for on this CPU: 256 in 4 ms. A flood of segments
/// that belong to no socket can't make us pay for more.
#[inline(always)]
fn may_ask(now_ns: u64) -> bool {
    let Some(asked) = QUESTIONS.get_ptr_mut(0) else {
        return false;
    };
    let tick = now_ns >> 22 << 16;
    // SAFETY: the element belongs to this CPU, and the program isn't interrupted by another
    // run of itself.
    let asked = unsafe { &mut *asked };
    let count = if *asked >> 16 << 16 == tick { *asked & 0xffff } else { 0 };
    *asked = tick | (count + 1);
    if count >= 256 {
        *asked = tick | 256;
        return false;
    }
    true
}
