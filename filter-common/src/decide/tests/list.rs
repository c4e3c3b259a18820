//! Lists that limit their clients.

use super::*;
use crate::abi::limit::ListLimit;

/// The list of [`class`] limits its clients to so many packets.
fn list_limited(memory: &mut Memory, burst: u64) {
    memory.limits.profiles.extend([few(LISTED, burst, Mode::ENFORCE)]);
    let limit = ListLimit { profile: LISTED, unit: u32::from(Profile::PACKETS) };
    memory.limits.lists.insert(7, limit);
}

#[test]
fn a_list_limits_in_the_place_of_the_host() {
    let mut memory = limited(PACKETS, Mode::ENFORCE);
    memory.class = class(AddressClass::LIMIT, Mode::ENFORCE);
    list_limited(&mut memory, 2);
    let outcomes = [0; 4].map(|_| memory.run(&datagram()));
    let dropped = Decision::drop(Reason::LIST_LIMIT);
    assert_eq!(outcomes, [PASSED, PASSED, dropped, dropped]);
}

#[test]
fn a_list_in_shadow_limits_beside_the_host() {
    let mut memory = enforcing();
    memory.charge(&[few(PACKETS, 3, Mode::ENFORCE)]);
    memory.class = class(AddressClass::LIMIT, Mode::SHADOW);
    list_limited(&mut memory, 1);
    let outcomes = [0; 4].map(|_| memory.run(&datagram()));
    let would = would_drop(Reason::LIST_LIMIT);
    assert_eq!(outcomes, [PASSED, would, would, Decision::drop(Reason::PACKET_LIMIT)]);
}
