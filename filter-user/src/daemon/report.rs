//! What the daemon tells about itself.

use super::engine::Engine;
use crate::clock::Now;
use crate::control::api::{
    Counter, FingerprintEntry, Hellos, Interface, ListEntry, ListSizes, Status, VerdictEntry,
};
use crate::policy::List;
use crate::verdict::prefix_of;
use aya::maps::MapError;
use filter_common::abi::counter::{Counters, Reason, Verdict};
use filter_common::abi::{ABI_VERSION, Mode};

impl Engine {
    pub(super) fn report_status(&mut self, now: Now) -> Result<Status, MapError> {
        let counters = self.maps()?.counters()?;
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
            evidence: if self.config.classify.require_socket { "socket" } else { "none" }.into(),
            interfaces: interfaces.collect(),
            lists: ListSizes {
                block: self.policy.entries(List::Block).len(),
                allow: self.policy.entries(List::Allow).len(),
            },
            verdicts: self.verdicts.list(now.unix_ms).len(),
            fingerprints: self.classifier.seen.len(),
            counters: counter_rows(&counters),
            hellos: Hellos {
                recorded: counters.segments_recorded,
                lost: counters.segments_lost,
                ..self.hellos
            },
        })
    }

    pub(super) fn report_entries(&self, list: List) -> Vec<ListEntry> {
        let entries = self.policy.entries(list).iter();
        let report = entries.map(|(prefix, entry)| ListEntry {
            prefix: prefix.to_string(),
            mode: mode_name(entry.mode == Mode::SHADOW).into(),
            comment: entry.comment.clone(),
            added_unix_ms: entry.added_unix_ms,
        });
        report.collect()
    }

    pub(super) fn report_verdicts(&self, now: Now) -> Vec<VerdictEntry> {
        let list = self.verdicts.list(now.unix_ms).into_iter();
        let report = list.map(|(client, verdict)| VerdictEntry {
            client: prefix_of(&client).to_string(),
            action: verdict.action,
            mode: mode_name(verdict.shadow).into(),
            reason: verdict.reason.clone(),
            source: verdict.source,
            expires_in_s: (verdict.expires_unix_ms - now.unix_ms).div_ceil(1000),
        });
        report.collect()
    }

    /// Most hellos first; then rules on fingerprints that weren't seen.
    pub(super) fn report_fingerprints(&self) -> Vec<FingerprintEntry> {
        let rules = self.classifier.rules();
        let label = |ja4: &str| {
            let known = self.classifier.knowledge.look_up(ja4)?;
            Some(format!("{} ({})", known.kind.name(), known.programs))
        };
        let seen = self.classifier.seen.iter().map(|(ja4, record)| FingerprintEntry {
            ja4: ja4.into(),
            ja3: Some(record.ja3.clone()),
            label: label(ja4),
            hellos: record.hellos,
            clients: record.clients(),
            last_sni: record.last_sni.clone(),
            alpn: record.alpn.clone(),
            last_unix_ms: Some(record.last_unix_ms),
            blocked: rules.contains_key(ja4),
        });
        let mut report: Vec<_> = seen.collect();
        report.sort_by(|a, b| b.hellos.cmp(&a.hellos).then_with(|| a.ja4.cmp(&b.ja4)));
        let unseen = rules.keys().filter(|ja4| !report.iter().any(|entry| entry.ja4 == **ja4));
        let unseen: Vec<_> = unseen.map(|ja4| ruled_only(ja4, label(ja4))).collect();
        report.extend(unseen);
        report
    }
}

fn ruled_only(ja4: &str, label: Option<String>) -> FingerprintEntry {
    FingerprintEntry {
        ja4: ja4.into(),
        ja3: None,
        label,
        hellos: 0,
        clients: 0,
        last_sni: None,
        alpn: None,
        last_unix_ms: None,
        blocked: true,
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
