//! What the daemon tells about itself.

use super::engine::Engine;
use crate::clock::Now;
use crate::control::api::{
    Counter, Hellos, Interface, ListDetail, ListEntry, ListInfo, ListSizes, Status, Traffic,
    VerdictEntry,
};
use crate::policy::entries::Family;
use crate::policy::image::Memory;
use crate::policy::list::List;
use crate::policy::{ALLOW_LIST, BLOCK_LIST};
use crate::verdict::prefix_of;
use aya::maps::MapError;
use filter_common::abi::address::ListId;
use filter_common::abi::counter::{Count, Counters, ListCounters, Reason, Verdict};
use filter_common::abi::{ABI_VERSION, Mode};

impl Engine {
    pub(super) fn report_status(&mut self, now: Now) -> Result<Status, MapError> {
        let counters = self.maps()?.counters()?;
        let sizes = self.report_sizes();
        let (fingerprints, causes) = self.report_remembered()?;
        let (limits, guards) = (self.report_limit_lines()?, self.report_guards(now)?);
        let datapath = self.datapath.as_ref();
        let interfaces = datapath.map(|datapath| datapath.interfaces.as_slice());
        let interfaces = interfaces.unwrap_or_default().iter().map(|interface| Interface {
            name: interface.name.clone(),
            ifindex: interface.ifindex,
            attach: interface.mode.name().into(),
        });
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            abi: ABI_VERSION,
            mode: self.mode(),
            uptime_s: (now.ktime_ns - self.started.ktime_ns) / 1_000_000_000,
            taken_over: datapath.is_some_and(|datapath| datapath.taken_over),
            evidence: self.evidence().into(),
            interfaces: interfaces.collect(),
            lists: sizes,
            verdicts: self.verdicts.list(now.unix_ms).len(),
            causes,
            fingerprints,
            counters: counter_rows(&counters),
            hellos: Hellos {
                told: counters.hellos_told,
                lost: counters.hellos_lost,
                unproven: counters.hellos_unproven,
                busy: counters.hellos_busy,
                unremembered: counters.hellos_unremembered,
                ..self.hellos
            },
            quic: self.report_quic(&counters),
            limits,
            guards,
            logs: self.report_logs(),
            joined: self.report_joined(),
        })
    }

    /// What makes a hello evidence.
    fn evidence(&self) -> &'static str {
        let knows = self.datapath.as_ref().is_some_and(|datapath| datapath.knows_sockets);
        match (self.config.classify.require_socket, knows) {
            (true, true) => "socket",
            (true, false) => "established",
            (false, _) => "none",
        }
    }

    fn report_sizes(&mut self) -> ListSizes {
        let of = |name: &str| self.policy.list(name).map_or(0, |list| list.entries.len());
        let (block, allow) = (of(BLOCK_LIST), of(ALLOW_LIST));
        let lists = self.policy.lists().len();
        let entries = self.policy.lists().values().map(|list| list.entries.len()).sum();
        let max_bytes = u64::from(self.config.policy.memory_mb.get()) << 20;
        let image = self.datapath.as_mut().and_then(|datapath| datapath.policy.image());
        let bytes = |lines: u32| u64::from(lines) * 64;
        let (used, capacity) = image
            .map_or((0, 0), |image| (bytes(image.used_lines()), bytes(image.memory().capacity())));
        ListSizes {
            lists,
            block,
            allow,
            entries,
            kernel_bytes: capacity,
            used_bytes: used,
            max_bytes,
        }
    }

    pub(super) fn report_lists(&mut self) -> Result<Vec<ListInfo>, MapError> {
        let names: Vec<String> = self.policy.lists().keys().cloned().collect();
        let mut lists = Vec::with_capacity(names.len());
        for name in names {
            lists.push(self.report_list(&name, 0)?.list);
        }
        Ok(lists)
    }

    pub(super) fn report_list(&mut self, name: &str, limit: usize) -> Result<ListDetail, MapError> {
        let id = self.policy.list(name).map_or(ListId::NONE, |list| list.id);
        let counters = self.maps()?.list_counters(id)?;
        let Some(list) = self.policy.list(name) else {
            return Err(MapError::InvalidName { name: name.into() });
        };
        let entries = list.entries.iter().take(limit).map(|(prefix, note)| ListEntry {
            prefix: prefix.to_string(),
            mode: mode_name(note.shadow).into(),
            comment: note.comment.as_ref().into(),
            added_unix_ms: note.added_unix_ms,
            expires_unix_s: (note.expires_unix_s != 0).then_some(note.expires_unix_s),
        });
        let entries: Vec<_> = entries.collect();
        let more = list.entries.len() - entries.len();
        Ok(ListDetail { list: list_info(name, list, &counters), entries, more })
    }

    pub(super) fn report_verdicts(&self, now: Now) -> Vec<VerdictEntry> {
        let list = self.verdicts.list(now.unix_ms).into_iter();
        let report = list.map(|(key, verdict)| VerdictEntry {
            client: prefix_of(&key).to_string(),
            action: verdict.action,
            mode: mode_name(verdict.shadow).into(),
            reason: verdict.reason.clone(),
            source: verdict.source,
            expires_in_s: (verdict.expires_unix_ms - now.unix_ms).div_ceil(1000),
        });
        report.collect()
    }
}

fn list_info(name: &str, list: &List, counters: &ListCounters) -> ListInfo {
    let traffic = |count: Count| Traffic { packets: count.packets, bytes: count.bytes };
    ListInfo {
        name: name.into(),
        action: list.settings.action.clone(),
        mode: mode_name(list.settings.mode == Mode::SHADOW).into(),
        priority: list.settings.priority,
        v4: u32::rows(&list.entries).len(),
        v6: u128::rows(&list.entries).len(),
        matched: traffic(counters.matched),
        dropped: traffic(counters.dropped),
        would_drop: traffic(counters.would_drop),
    }
}

/// A mode's name.
pub(super) const fn mode_name(shadow: bool) -> &'static str {
    if shadow { "shadow" } else { "enforce" }
}

fn counter_rows(counters: &Counters) -> Vec<Counter> {
    let rows = Reason::NAMES.iter().zip(&counters.by).flat_map(|(reason, by)| {
        Verdict::NAMES.iter().zip(by).map(move |(verdict, count)| Counter {
            verdict: (*verdict).into(),
            reason: (*reason).into(),
            packets: count.packets,
            bytes: count.bytes,
        })
    });
    rows.filter(|row| row.packets > 0).collect()
}
