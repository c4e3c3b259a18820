//! Proof that a source address is no forgery: a local socket that it has shaken hands
//! with.
#![expect(unsafe_code, reason = "socket look-up helpers take and return raw pointers")]

use aya_ebpf::bindings::{BPF_F_CURRENT_NETNS, BPF_TCP_ESTABLISHED, bpf_sock, xdp_md};
use aya_ebpf::helpers::generated::{bpf_sk_release, bpf_skc_lookup_tcp};
use core::mem::size_of;
use filter_common::wire::frame::Frame;

/// A four-tuple as the kernel's `struct bpf_sock_tuple` has it, in network order.
#[repr(C)]
struct Tuple<A> {
    source: A,
    destination: A,
    source_port: u16,
    destination_port: u16,
}

/// Whether an established local TCP socket exists for the segment's four-tuple.
///
/// A blind spoofer would have to name an address and a port that are connected to this
/// host at this moment. The sequence number isn't compared.
#[inline(always)]
pub(crate) fn is_established(context: *mut xdp_md, frame: &Frame) -> bool {
    let socket = look_up(context, frame);
    if socket.is_null() {
        return false;
    }
    // SAFETY: a socket that was found stays valid until it is released below.
    let state = unsafe { (*socket).state };
    release(socket);
    state == BPF_TCP_ESTABLISHED
}

/// Gives a socket back.
#[inline(always)]
pub(crate) fn release(socket: *mut bpf_sock) {
    // SAFETY: the reference was taken by the look-up and is given back once.
    unsafe { bpf_sk_release(socket.cast()) };
}

/// The local socket of the segment's four-tuple, or null. It has to be given back.
#[inline(always)]
pub(crate) fn look_up(context: *mut xdp_md, frame: &Frame) -> *mut bpf_sock {
    let (source, destination) = (frame.source, frame.destination);
    let source_port = frame.tcp.source_port.to_be();
    let destination_port = frame.tcp.destination_port.to_be();
    if source.is_v4() {
        let (source, destination) = (source.tail().to_be(), destination.tail().to_be());
        find(context, Tuple { source, destination, source_port, destination_port })
    } else {
        let (source, destination) = (source.network_words(), destination.network_words());
        find(context, Tuple { source, destination, source_port, destination_port })
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "12 or 36 bytes")]
#[expect(clippy::cast_sign_loss, reason = "the helper wants the constant's bits")]
fn find<A>(context: *mut xdp_md, mut tuple: Tuple<A>) -> *mut bpf_sock {
    let size = size_of::<Tuple<A>>() as u32;
    let pointer = (&raw mut tuple).cast();
    // SAFETY: the tuple lives in this stack frame and has the size that is given.
    unsafe { bpf_skc_lookup_tcp(context.cast(), pointer, size, BPF_F_CURRENT_NETNS as u64, 0) }
}
