//! What a local socket waits for: what makes a hello evidence.
#![expect(unsafe_code, reason = "members of the kernel's own structures are read")]

use crate::opaque::opaque_u32;
use crate::proof::{look_up, release};
use aya_ebpf::bindings::{BPF_TCP_ESTABLISHED, BPF_TCP_NEW_SYN_RECV, bpf_sock, xdp_md};
use aya_ebpf::helpers::generated::{bpf_skc_to_tcp_request_sock, bpf_skc_to_tcp_sock};
use filter_common::hello::evidence::{self, Expected};
use filter_common::wire::frame::Frame;

/// Whether a local TCP socket waits for the segment's bytes.
#[inline(always)]
pub(crate) fn expects(context: *mut xdp_md, frame: &Frame) -> bool {
    let socket = look_up(context, frame);
    if socket.is_null() {
        return false;
    }
    // SAFETY: a socket that was found stays valid until it is released below.
    let state = unsafe { (*socket).state };
    let is_expected = match state {
        BPF_TCP_ESTABLISHED => established(socket, frame),
        BPF_TCP_NEW_SYN_RECV => requested(socket, frame),
        _ => false,
    };
    release(socket);
    is_expected
}

/// The handshake is over: the socket knows what has come and what was acknowledged.
#[inline(always)]
fn established(socket: *mut bpf_sock, frame: &Frame) -> bool {
    let (next, first, last) = (
        offset(&raw const TCP_RCV_NXT),
        offset(&raw const TCP_SND_UNA),
        offset(&raw const TCP_SND_NXT),
    );
    if next == 0 {
        return true;
    }
    // SAFETY: the kernel checks what kind of socket it is.
    let socket = unsafe { bpf_skc_to_tcp_sock(socket.cast()) }.cast::<u32>();
    if socket.is_null() {
        return false;
    }
    let expected = Expected {
        next: member(socket, next),
        unacknowledged: member(socket, first),
        sent: member(socket, last),
    };
    evidence::fits(frame, &expected)
}

/// Its last part is still on its way through the stack.
#[inline(always)]
fn requested(socket: *mut bpf_sock, frame: &Frame) -> bool {
    let (client, server) = (offset(&raw const REQUEST_RCV_ISN), offset(&raw const REQUEST_SND_ISN));
    if client == 0 {
        return false;
    }
    // SAFETY: the kernel checks what kind of socket it is.
    let socket = unsafe { bpf_skc_to_tcp_request_sock(socket.cast()) }.cast::<u32>();
    if socket.is_null() {
        return false;
    }
    evidence::fits(frame, &Expected::of_request(member(socket, client), member(socket, server)))
}

/// Offsets in the kernel's `struct tcp_sock` and `struct tcp_request_sock`, which the daemon
/// reads from the kernel's type information; zero if it could not.
#[unsafe(no_mangle)]
static TCP_RCV_NXT: u32 = 0;
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
