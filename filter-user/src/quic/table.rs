//! All connections whose hellos are being put together, and the bounds on them.

use super::connection::{Connection, Told};
use super::outcome::Outcome;
use super::packet::Packet;
use super::protection::Opened;
use super::queue::Queue;
use crate::fingerprint::{Cause, Flow};
use std::collections::{HashMap, VecDeque};

/// Hellos that may be unfinished at a time. A new one takes the place of the oldest,
/// which is told as [`Cause::TableFull`]: datagrams with invented addresses can fill the
/// table, and the oldest hello that was being put together pays.
pub const MAX_PENDING: usize = 4096;

/// Finished connections that are kept, with about a kilobyte of keys and the hello each,
/// to recognise repetitions and conflicts. The one that finished first makes room; if it
/// says its hello again, that is told again.
pub const MAX_LINGERING: usize = 4096;

/// Connections that a flow may have. A new one takes the place of the flow's oldest,
/// which is told as [`Cause::TableFull`] if it isn't finished: only this flow pays, for
/// itself or for somebody who guesses its ports.
pub const MAX_PER_FLOW: usize = 8;

/// Bytes of decrypted payload that are held. When there are more, finished hellos are
/// forgotten first, then the oldest unfinished ones are told as [`Cause::TableFull`].
pub const MAX_HELD_BYTES: usize = 32 << 20;

/// Nanoseconds from a connection's first packet after which its hello is given up.
pub const TIMEOUT_NS: u64 = 10_000_000_000;

/// Nanoseconds that a finished connection is kept, long enough for a client to repeat
/// its Initial packets.
pub const LINGER_NS: u64 = 30_000_000_000;

/// Connections by number and by flow.
#[derive(Debug, Default)]
pub(super) struct Table {
    connections: HashMap<u64, Entered>,
    /// A flow's connections, the oldest first.
    flows: HashMap<Flow, Vec<u64>>,
    /// Unfinished ones by age.
    pending: Queue,
    /// Finished ones by age.
    lingering: Queue,
    held_bytes: usize,
    /// The number of the connection that was opened last.
    last: u64,
    pub(super) outcomes: VecDeque<Outcome>,
}

#[derive(Debug)]
struct Entered {
    /// Its place in the queue that it stands in.
    place: u64,
    connection: Connection,
}

/// Whose packet it is.
pub(super) enum Owner {
    /// That connection's.
    Found(u64, Opened),
    /// A connection's that is over, or nobody's that could have made it.
    Nobody,
    /// None of those that are known.
    Unknown,
}

impl Table {
    /// A flow's connections, the newest first.
    fn of_flow(&self, flow: &Flow) -> impl Iterator<Item = (u64, &Connection)> {
        let ids = self.flows.get(flow).into_iter().flatten().rev();
        ids.filter_map(|id| Some((*id, &self.connections.get(id)?.connection)))
    }

    /// Whether the flow has any connection.
    pub(super) fn knows(&self, flow: &Flow) -> bool {
        self.flows.contains_key(flow)
    }

    /// Finds the connection that a packet belongs to: by the name that its keys derive
    /// from, else by trying the keys of those whose client has the packet's name.
    pub(super) fn owner(&self, flow: &Flow, packet: &Packet) -> Owner {
        if let Some((id, owner)) = self.of_flow(flow).find(|(_, c)| c.owns(packet)) {
            let opened = if owner.is_over() { None } else { owner.open(packet) };
            return opened.map_or(Owner::Nobody, |opened| Owner::Found(id, opened));
        }
        self.of_flow(flow)
            .filter(|(_, connection)| connection.may_own(packet) && !connection.is_over())
            .find_map(|(id, connection)| Some(Owner::Found(id, connection.open(packet)?)))
            .unwrap_or(Owner::Unknown)
    }

    /// The connection that a cut packet is most likely of.
    pub(super) fn likely_owner(&self, flow: &Flow, packet: &Packet) -> Option<u64> {
        self.of_flow(flow).find(|(_, connection)| connection.may_own(packet)).map(|(id, _)| id)
    }

    /// Takes in a connection; its number.
    pub(super) fn add(&mut self, connection: Connection, time_ns: u64) -> u64 {
        self.last += 1;
        let (id, flow) = (self.last, connection.flow);
        let place = self.pending.push(time_ns, id);
        self.connections.insert(id, Entered { place, connection });
        let ids = self.flows.entry(flow).or_default();
        ids.push(id);
        if ids.len() > MAX_PER_FLOW {
            let oldest = ids.remove(0);
            self.remove(oldest);
        }
        id
    }

    /// Lets a connection take something.
    pub(super) fn change(
        &mut self,
        id: u64,
        time_ns: u64,
        take: impl FnOnce(&mut Connection) -> Option<Told>,
    ) {
        let Some(entered) = self.connections.get_mut(&id) else {
            return;
        };
        let (was_open, held_before) = (entered.connection.is_open(), entered.connection.held_bytes);
        let told = take(&mut entered.connection);
        self.held_bytes = self.held_bytes - held_before + entered.connection.held_bytes;
        if was_open && !entered.connection.is_open() {
            self.pending.leave(entered.place);
            entered.place = self.lingering.push(time_ns, id);
        }
        let told = told.map(|told| outcome(id, &entered.connection, told));
        if let Some(told) = told.filter(|told| !self.was_told(told)) {
            self.outcomes.push_back(told);
        }
        self.make_room();
    }

    /// Whether a hello was told already, before the Retry that its connection follows.
    /// If it was not all there before, that connection is forgotten.
    ///
    /// The two are held against one another only when the later one is whole: anyone
    /// could send packets with a token and a client's address, and would meddle with the
    /// client's own hello.
    fn was_told(&mut self, told: &Outcome) -> bool {
        let Some(later) = self.connections.get(&told.connection) else {
            return false;
        };
        let Ok(hello) = &told.result else {
            return false;
        };
        let earlier = self.of_flow(&told.flow).find(|(id, earlier)| {
            *id < told.connection && later.connection.follows(earlier, &hello.message)
        });
        match earlier.map(|(id, earlier)| (id, earlier.is_open())) {
            Some((id, true)) => {
                if let Some(entered) = self.connections.get(&id) {
                    self.pending.leave(entered.place);
                }
                self.forget(id);
                false
            }
            Some((_, false)) => true,
            None => false,
        }
    }

    /// Gives up what is too old and forgets what has lingered enough.
    pub(super) fn expire(&mut self, now_ns: u64) {
        while let Some(id) = self.pending.pop_older(now_ns, TIMEOUT_NS) {
            self.give_up(id, now_ns, None);
        }
        while let Some(id) = self.lingering.pop_older(now_ns, LINGER_NS) {
            self.forget(id);
        }
    }

    /// Gives up whatever is unfinished.
    pub(super) fn finish(&mut self) {
        while let Some(id) = self.pending.pop() {
            self.give_up(id, 0, None);
        }
    }

    fn make_room(&mut self) {
        while self.lingering.len() > MAX_LINGERING || self.held_bytes > MAX_HELD_BYTES {
            let Some(id) = self.lingering.pop() else {
                break;
            };
            self.forget(id);
        }
        while self.pending.len() > MAX_PENDING || self.held_bytes > MAX_HELD_BYTES {
            let Some(id) = self.pending.pop() else { break };
            self.give_up(id, 0, Some(Cause::TableFull));
        }
    }

    /// Ends an unfinished connection that has left its queue.
    fn give_up(&mut self, id: u64, now_ns: u64, cause: Option<Cause>) {
        let Some(Entered { place, connection }) = self.connections.get_mut(&id) else {
            return;
        };
        let cause = cause.unwrap_or_else(|| connection.unfinished());
        self.outcomes.push_back(outcome(id, connection, Err(cause)));
        self.held_bytes -= connection.held_bytes;
        connection.close();
        *place = self.lingering.push(now_ns.max(connection.last_ns), id);
    }

    /// Ends a connection wherever it stands, and drops it.
    fn remove(&mut self, id: u64) {
        let entered = self.connections.get(&id);
        let Some((is_open, place)) = entered.map(|e| (e.connection.is_open(), e.place)) else {
            return;
        };
        if is_open {
            self.pending.leave(place);
            self.give_up(id, 0, Some(Cause::TableFull));
        }
        if let Some(entered) = self.connections.get(&id) {
            self.lingering.leave(entered.place);
        }
        self.forget(id);
    }

    /// Drops a finished connection that has left its queue.
    fn forget(&mut self, id: u64) {
        let Some(Entered { connection, .. }) = self.connections.remove(&id) else {
            return;
        };
        self.held_bytes -= connection.held_bytes;
        if let Some(ids) = self.flows.get_mut(&connection.flow) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.flows.remove(&connection.flow);
            }
        }
    }
}

fn outcome(id: u64, connection: &Connection, result: Told) -> Outcome {
    Outcome {
        flow: connection.flow,
        connection: id,
        destination: connection.destination,
        version: connection.version,
        datagrams: connection.datagrams,
        proven: false,
        time_ns: connection.last_ns,
        result,
    }
}
