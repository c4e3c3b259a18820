//! Sorting numbers of two bytes, in time that doesn't depend on how they lie.
//!
//! A few are sorted by insertion. More are sorted by their lower bytes and then by their
//! upper ones, as whoever sends a hello chooses their order: insertion would cost their
//! square.

use super::lists::List;
use super::{Loop, MAX_VALUES, Step};
use core::hint::black_box;

/// Up to so many are inserted.
const FEW: u32 = 48;

/// Counts that a step goes over.
const CHUNK: u32 = 16;

/// Room to sort in.
#[repr(C)]
#[derive(Clone)]
pub(super) struct Room {
    /// How many values have a byte; then where the next of them goes.
    places: [u32; 256],
    sorted: List,
    next: u32,
}

impl Default for Room {
    fn default() -> Self {
        Self { places: [0; 256], sorted: List::default(), next: 0 }
    }
}

/// Sorts a list.
pub(super) fn sort<L: Loop>(list: &mut List, room: &mut Room, repeat: &L) {
    if list.len <= FEW {
        repeat.repeat(list.len, &mut Insert { list });
        return;
    }
    for shift in [0, 8] {
        room.next = 0;
        repeat.repeat(256 / CHUNK, &mut Clear { room });
        repeat.repeat(list.len, &mut Count { list, room, shift });
        repeat.repeat(256 / CHUNK, &mut Sum { room });
        repeat.repeat(list.len, &mut Place { list, room, shift });
        repeat.repeat(list.len, &mut Return { list, room });
    }
}

/// Puts a value where it belongs among those before it.
struct Insert<'a> {
    list: &'a mut List,
}

impl Step for Insert<'_> {
    fn step(&mut self, index: u32) -> bool {
        let value = self.list.get(index);
        let mut at = index;
        for _ in 0..FEW {
            if at == 0 || self.list.get(at - 1) <= value {
                break;
            }
            self.list.set(at, self.list.get(at - 1));
            at -= 1;
        }
        self.list.set(at, value);
        false
    }
}

#[inline(always)]
const fn byte(value: u16, shift: u32) -> usize {
    (value >> shift & 0xff) as usize
}

struct Count<'a> {
    list: &'a List,
    room: &'a mut Room,
    shift: u32,
}

impl Step for Count<'_> {
    fn step(&mut self, index: u32) -> bool {
        self.room.places[byte(self.list.get(index), self.shift)] += 1;
        false
    }
}

/// Forgets some counts in each step. (As one assignment it would be a call, and a loop over
/// bytes.)
struct Clear<'a> {
    room: &'a mut Room,
}

impl Step for Clear<'_> {
    fn step(&mut self, index: u32) -> bool {
        for at in 0..CHUNK {
            // Hidden, or it would be that call again.
            self.room.places[(index * CHUNK + at) as usize & 0xff] = black_box(0);
        }
        false
    }
}

/// Turns some counts into places in each step.
struct Sum<'a> {
    room: &'a mut Room,
}

impl Step for Sum<'_> {
    fn step(&mut self, index: u32) -> bool {
        let mut next = self.room.next;
        for at in 0..CHUNK {
            let at = (index * CHUNK + at) as usize & 0xff;
            let count = self.room.places[at];
            self.room.places[at] = next;
            next += count;
        }
        self.room.next = next;
        false
    }
}

struct Place<'a> {
    list: &'a List,
    room: &'a mut Room,
    shift: u32,
}

impl Step for Place<'_> {
    fn step(&mut self, index: u32) -> bool {
        let value = self.list.get(index);
        let at = &mut self.room.places[byte(value, self.shift)];
        let place = *at;
        *at += 1;
        self.room.sorted.set(place, value);
        false
    }
}

struct Return<'a> {
    list: &'a mut List,
    room: &'a Room,
}

impl Step for Return<'_> {
    fn step(&mut self, index: u32) -> bool {
        self.list.set(index, self.room.sorted.get(index));
        false
    }
}

const _: () = assert!(MAX_VALUES >= FEW as usize);
