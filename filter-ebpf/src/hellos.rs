//! Hellos in maps.
#![expect(unsafe_code, reason = "map values are reached by pointers that the verifier checks")]

use crate::count;
use crate::cursor::is_len;
use crate::expected;
use crate::limits;
use crate::maps::{HELLO_BODIES, HELLO_SETS, KNOWN, RECORDS, RULE_COUNTERS, RULES, STAGE};
use crate::opaque::opaque;
use crate::remembered;
use crate::steps::KernelLoop;
use crate::syns;
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::{bpf_csum_diff, bpf_ktime_get_coarse_ns, bpf_xdp_load_bytes};
use core::hint::black_box;
use core::intrinsics::{AtomicOrdering, atomic_cxchg};
use core::mem::{offset_of, size_of};
use filter_common::abi::counter::Verdict;
use filter_common::abi::hello::{
    COPY_LEN, HELLO_WINDOW, HelloBody, HelloRecord, HelloSet, SEGMENT_CAPACITY, StreamBytes,
};
use filter_common::abi::rule::{Parts, Rule, RuleKey};
use filter_common::abi::syn::SynHeaders;
use filter_common::hello::{Hellos, SUM_LEN, Stage};
use filter_common::ja4::{Loop, Memo, Step};
use filter_common::wire::address::Address;
use filter_common::wire::frame::Frame;

/// The maps in which hellos are put together, for one frame.
pub(crate) struct MapHellos {
    context: *mut xdp_md,
}

impl MapHellos {
    /// The maps, and the context that segments are copied from.
    #[inline(always)]
    pub(crate) const fn new(context: *mut xdp_md) -> Self {
        Self { context }
    }

    /// Copies bytes of the frame to memory of a map that has room for `len`, which is not
    /// zero.
    #[inline(always)]
    fn load_bytes(&self, offset: u32, into: *mut u8, len: u32) -> bool {
        // SAFETY: the caller has seen to the room; the helper checks offset and length
        // against the frame.
        unsafe { bpf_xdp_load_bytes(self.context, offset, into.cast(), len) == 0 }
    }
}

impl Loop for MapHellos {
    #[inline(always)]
    fn repeat<S: Step>(&self, times: u32, step: &mut S) {
        KernelLoop.repeat(times, step);
    }
}

impl Memo for MapHellos {
    #[inline(always)]
    fn secret(&self) -> u64 {
        limits::config().map_or(0, |config| config.secret)
    }

    #[inline(always)]
    fn recall(&self, name: u64, parts: &mut Parts) -> bool {
        // SAFETY: the value is copied out at once; it is only ever written whole and the same.
        let Some(known) = (unsafe { KNOWN.get(name) }) else {
            return false;
        };
        (parts.b, parts.c) = (known[0], known[1]);
        true
    }

    #[inline(always)]
    fn remember(&self, name: u64, parts: &Parts) {
        // A full map forgets the oldest.
        let _ = KNOWN.insert(name, [parts.b, parts.c], 0);
    }
}

/// Tries to take hold of a set: some ten microseconds, for longer than most hellos take.
const TRIES: u32 = 2048;

/// Takes hold of a set as soon as another CPU lets it go.
struct Hold {
    word: *mut u64,
    held: u32,
}

impl Step for Hold {
    #[inline(always)]
    fn step(&mut self, _index: u32) -> bool {
        // SAFETY: the word is the set's, and every CPU moves it by compare-and-swap.
        let (_, is_mine) = unsafe {
            atomic_cxchg::<_, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(
                self.word, 0, 1,
            )
        };
        self.held = u32::from(is_mine);
        is_mine
    }
}

impl Hellos for MapHellos {
    type Set<'a> = &'a mut HelloSet;
    type Body<'a> = &'a mut HelloBody;
    type Stage<'a> = &'a mut Stage;

    #[inline(always)]
    fn is_evident(&self, frame: &mut Frame) -> bool {
        let is_evident = expected::expects(self.context, frame);
        if !is_evident {
            count::count_unproven();
        }
        is_evident
    }

    #[inline(always)]
    fn set(&self, index: u32) -> Option<&mut HelloSet> {
        // SAFETY: the caller takes hold of it before it looks at it.
        HELLO_SETS.get_ptr_mut(index).map(|set| unsafe { &mut *set })
    }

    #[inline(always)]
    fn lock(&self, set: &mut HelloSet) -> bool {
        let mut hold = Hold { word: &raw mut set.busy, held: 0 };
        if !hold.step(0) {
            self.repeat(TRIES, &mut hold);
        }
        let is_held = black_box(hold.held) != 0;
        if !is_held {
            count::count_busy();
        }
        is_held
    }

    #[inline(always)]
    fn unlock(&self, set: &mut HelloSet) {
        // SAFETY: the word is the set's, which this CPU holds.
        unsafe { (&raw mut set.busy).write_volatile(0) };
    }

    #[inline(always)]
    fn body(&self, index: u32) -> Option<&mut HelloBody> {
        // SAFETY: it belongs to a way of the set that this CPU holds.
        HELLO_BODIES.get_ptr_mut(index).map(|body| unsafe { &mut *body })
    }

    #[inline(always)]
    fn stage(&self) -> Option<&mut Stage> {
        // SAFETY: the element belongs to this CPU, and the program isn't interrupted by
        // another run of itself.
        STAGE.get_ptr_mut(0).map(|stage| unsafe { &mut *stage })
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
    fn load(&self, frame: &Frame, stage: &mut Stage) -> bool {
        stage.segment_len = frame.tcp.len.min(SEGMENT_CAPACITY);
        let len = opaque(stage.segment_len as usize);
        if !is_len(len, SEGMENT_CAPACITY as usize) {
            return false;
        }
        self.load_bytes(frame.tcp.offset, stage.segment.as_mut_ptr().cast(), len as u32)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
    fn sum(&self, stage: &Stage, from: u32, len: u32) -> u64 {
        let (from, len) = (opaque(from as usize), opaque(len as usize));
        if from > SEGMENT_CAPACITY as usize || !is_len(len, SUM_LEN as usize) {
            return 0;
        }
        let bytes = stage.segment.as_ptr().cast::<u8>();
        // SAFETY: a chunk fits in behind the last byte of a segment.
        let bytes = unsafe { bytes.add(from) }.cast_mut().cast();
        // SAFETY: as above; with nothing to compare with, the sum is that of these bytes.
        let sum = unsafe { bpf_csum_diff(core::ptr::null_mut(), 0, bytes, len as u32, 0) };
        // What is no sum is an error, and then the segment's is wrong.
        sum.cast_unsigned() & u64::from(u32::MAX)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it was bounded")]
    fn copy(&self, frame: &Frame, from: u32, len: u32, into: &mut StreamBytes, at: u32) -> bool {
        let len = opaque(len as usize);
        if !is_len(len, COPY_LEN as usize) {
            return false;
        }
        let at = opaque(at as usize) & (HELLO_WINDOW as usize - 1);
        // SAFETY: behind the window there is room for a whole copy.
        let into = unsafe { into.as_mut_ptr().add(at) };
        self.load_bytes(frame.tcp.offset + from, into, len as u32)
    }

    #[inline(always)]
    fn keep_syn(&self, frame: &Frame) {
        syns::keep(self.context, frame);
    }

    #[inline(always)]
    fn recall_syn(&self, flow: u64, first: u32, into: &mut SynHeaders) {
        syns::recall(flow, first, into);
    }

    #[inline(always)]
    fn tell(&self, record: &HelloRecord) {
        count::count_hello(RECORDS.output::<HelloRecord>(record, 0).is_ok());
    }

    #[inline(always)]
    fn tell_stream(&self, body: &HelloBody) {
        let len = opaque(body.record.stream_len as usize);
        if !is_len(len, HELLO_WINDOW as usize) {
            return;
        }
        let bytes = core::ptr::from_ref(&body.record).cast::<u8>();
        // SAFETY: the stream lies behind the record.
        let bytes = unsafe { core::slice::from_raw_parts(bytes, size_of::<HelloRecord>() + len) };
        count::count_hello(RECORDS.output::<[u8]>(bytes, 0).is_ok());
    }

    #[inline(always)]
    fn now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    #[inline(always)]
    fn coarse_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_coarse_ns() }
    }

    #[inline(always)]
    fn enter(
        &self,
        frame: &mut Frame,
        source: &Address,
        parts: &Parts,
        wire: u64,
        verdict: Verdict,
    ) {
        remembered::remember(frame, source, parts, wire, verdict);
    }

    #[inline(always)]
    fn rule_kinds(&self) -> u32 {
        limits::config().map_or(0, |config| config.rule_kinds)
    }

    #[inline(always)]
    fn rule(&self, key: &RuleKey) -> Rule {
        // SAFETY: the value is copied out at once. If the daemon replaces it meanwhile the
        // copy may mix old and new fields, each of which is valid alone.
        unsafe { RULES.get(key) }.copied().unwrap_or_default()
    }

    #[inline(always)]
    fn count_rule(&self, number: u32, ended: bool) {
        if let Some(counters) = RULE_COUNTERS.get_ptr_mut(number) {
            // SAFETY: the element belongs to this CPU.
            let counters = unsafe { &mut *counters };
            counters.matched += 1;
            counters.ended += u64::from(ended);
        }
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        // SAFETY: the context is the one that the kernel called the program with.
        unsafe { (*self.context).ingress_ifindex }
    }
}

const _: () = assert!(
    offset_of!(HelloBody, bytes) == offset_of!(HelloBody, record) + size_of::<HelloRecord>()
);
