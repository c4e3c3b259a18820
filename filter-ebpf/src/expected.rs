//! What a local socket waits for: what makes a hello evidence.
#![expect(unsafe_code, reason = "members of the kernel's own structures are read")]

use crate::maps::STAGE;
use crate::opaque::opaque_u32;
use crate::proof::{look_up, release};
use aya_ebpf::bindings::{
    BPF_TCP_ESTABLISHED, BPF_TCP_LISTEN, BPF_TCP_NEW_SYN_RECV, BPF_TCP_SYN_RECV, bpf_sock, xdp_md,
};
use aya_ebpf::helpers::generated::{
    bpf_skc_to_tcp_request_sock, bpf_skc_to_tcp_sock, bpf_tcp_check_syncookie,
};
use filter_common::abi::hello::HelloRecord;
use filter_common::hello::Received;
use filter_common::hello::evidence::{Expected, meet};
use filter_common::wire::frame::Frame;

/// Whether a local TCP socket waits for the segment's bytes. What it has is left in the frame.
///
/// A function of its own: what it needs of the stack is free again when it returns.
#[inline(never)]
pub(crate) fn expects(context: *mut xdp_md, frame: &mut Frame) -> bool {
    let socket = look_up(context, frame);
    if socket.is_null() {
        return false;
    }
    // SAFETY: a socket that was found stays valid until it is released below.
    let state = unsafe { (*socket).state };
    let is_expected = match state {
        // The other one is that of a connection whose SYN brought data.
        BPF_TCP_ESTABLISHED | BPF_TCP_SYN_RECV => established(socket, frame),
        BPF_TCP_NEW_SYN_RECV => requested(socket, frame),
        BPF_TCP_LISTEN => invited(socket, frame),
        _ => false,
    };
    release(socket);
    is_expected
}

/// The handshake is over: the socket knows what has come and what was acknowledged.
#[inline(always)]
fn established(socket: *mut bpf_sock, frame: &mut Frame) -> bool {
    let [next, received, acked, first, last, window] = [
        offset(&raw const TCP_RCV_NXT),
        offset(&raw const TCP_BYTES_RECEIVED),
        offset(&raw const TCP_BYTES_ACKED),
        offset(&raw const TCP_SND_UNA),
        offset(&raw const TCP_SND_NXT),
        offset(&raw const TCP_MAX_WINDOW),
    ];
    if next == 0 {
        frame.evidence = HelloRecord::PROVEN;
        return true;
    }
    // SAFETY: the kernel checks what kind of socket it is.
    let socket = unsafe { bpf_skc_to_tcp_sock(socket.cast()) }.cast::<u32>();
    if socket.is_null() {
        return false;
    }
    let (next, unacknowledged) = (member(socket, next), member(socket, first));
    // Counts of bytes are words of eight, of which the lower half says it.
    let first = next.wrapping_sub(member(socket, received));
    let server = unacknowledged.wrapping_sub(member(socket, acked));
    let expected = Expected {
        received: Received { next, first, server },
        oldest: unacknowledged.wrapping_sub(member(socket, window)),
        sent: member(socket, last),
    };
    meet(frame, &expected)
}

/// Its last part is still on its way through the stack.
#[inline(always)]
fn requested(socket: *mut bpf_sock, frame: &mut Frame) -> bool {
    let (client, server) = (offset(&raw const REQUEST_RCV_ISN), offset(&raw const REQUEST_SND_ISN));
    if client == 0 {
        return false;
    }
    // SAFETY: the kernel checks what kind of socket it is.
    let socket = unsafe { bpf_skc_to_tcp_request_sock(socket.cast()) }.cast::<u32>();
    if socket.is_null() {
        return false;
    }
    meet(frame, &Expected::of_request(member(socket, client), member(socket, server)))
}

/// In a flood of SYNs the stack keeps nothing of a connection before its last part: what it has
/// sent is a cookie, which only the segments behind it bring back.
#[inline(always)]
fn invited(socket: *mut bpf_sock, frame: &mut Frame) -> bool {
    let Some(stage) = STAGE.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: the element belongs to this CPU, and nobody else has taken it yet.
    let headers = unsafe { &mut (*stage).headers };
    let tcp = &frame.tcp;
    let ports = u32::from(tcp.source_port) << 16 | u32::from(tcp.destination_port);
    let flags = 0x5000_0000 | u32::from(tcp.flags.0) << 16;
    // The cookie goes with the stream's first byte, wherever in it this segment lies.
    let (start, acknowledged) = (frame.hello_start, tcp.acknowledgement);
    let segment = [ports, start, acknowledged, flags, 0].map(u32::to_be);
    headers[NETWORK_WORDS..NETWORK_WORDS + segment.len()].copy_from_slice(&segment);
    let (source, destination) = (frame.source, frame.destination);
    if source.is_v4() {
        headers[0] = 0x45_u32.to_le();
        headers[3..5].copy_from_slice(&[source.tail().to_be(), destination.tail().to_be()]);
    } else {
        headers[0] = 0x60_u32.to_le();
        headers[2..6].copy_from_slice(&source.network_words());
        headers[6..10].copy_from_slice(&destination.network_words());
    }
    let (client, server) = (start.wrapping_sub(1), acknowledged.wrapping_sub(1));
    ask(socket, headers) == 0 && meet(frame, &Expected::of_request(client, server))
}

/// Words of IPv6's header, which is the longer one.
const NETWORK_WORDS: usize = 10;

/// Whether a listening socket has sent the cookie that a segment acknowledges; zero: it has.
#[inline(always)]
fn ask(socket: *mut bpf_sock, headers: &mut [u32; 16]) -> i64 {
    let network = headers.as_mut_ptr();
    // SAFETY: the other header lies behind it in the same room.
    let segment = unsafe { network.add(NETWORK_WORDS) };
    let (network, segment) = (network.cast(), segment.cast());
    // SAFETY: both headers lie in the map's element and have the sizes that are given.
    unsafe { bpf_tcp_check_syncookie(socket.cast(), network, 40, segment, 20) }
}

/// Offsets in the kernel's `struct tcp_sock` and `struct tcp_request_sock`, which the daemon
/// reads from the kernel's type information; zero if it could not.
#[unsafe(no_mangle)]
static TCP_RCV_NXT: u32 = 0;
#[unsafe(no_mangle)]
static TCP_BYTES_RECEIVED: u32 = 0;
#[unsafe(no_mangle)]
static TCP_BYTES_ACKED: u32 = 0;
#[unsafe(no_mangle)]
static TCP_MAX_WINDOW: u32 = 0;
#[unsafe(no_mangle)]
static TCP_SND_UNA: u32 = 0;
#[unsafe(no_mangle)]
static TCP_SND_NXT: u32 = 0;
#[unsafe(no_mangle)]
static REQUEST_RCV_ISN: u32 = 0;
#[unsafe(no_mangle)]
static REQUEST_SND_ISN: u32 = 0;

#[inline(always)]
fn offset(of: *const u32) -> usize {
    // SAFETY: it is one of the numbers above; volatile, as the loader changes them.
    let offset = unsafe { of.read_volatile() };
    offset as usize
}

/// A member of a socket.
#[inline(always)]
fn member(socket: *const u32, offset: usize) -> u32 {
    // SAFETY: the verifier checks the offset against the kernel's own types.
    let member = unsafe { socket.byte_add(offset) };
    // SAFETY: as above.
    opaque_u32(unsafe { member.read_volatile() })
}
