//! What the daemon tells about fingerprints: what the program remembers of them, and what the
//! last hello of each looked like.

use super::engine::Engine;
use super::operator::failed;
use crate::clock::Now;
use crate::control::api::{
    CauseEntry, ClientFingerprint, Done, FingerprintDetail, FingerprintEntry, SetLabel,
};
use crate::control::handle::Refusal;
use crate::fingerprint::{self, Cause, Forms, Ja4};
use crate::store::Write;
use crate::verdict::client_of;
use aya::maps::MapError;
use filter_common::abi::fingerprint::FingerprintRecord;
use filter_common::abi::hello;
use filter_common::abi::rule::Parts;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Characters that a label has at most.
const MAX_LABEL: usize = 200;

impl Engine {
    /// All fingerprints that are remembered; most hellos first.
    pub(super) fn report_fingerprints(
        &mut self,
        now: Now,
    ) -> Result<Vec<FingerprintEntry>, Refusal> {
        let all = self.remembered().map_err(failed)?;
        let named = all.iter().filter_map(|(parts, record)| Some((Ja4::of_parts(parts)?, record)));
        let mut report: Vec<_> =
            named.map(|(ja4, record)| self.entry(ja4.as_str(), record, now)).collect();
        report.sort_by(|a, b| b.hellos.cmp(&a.hellos).then_with(|| a.ja4.cmp(&b.ja4)));
        Ok(report)
    }

    /// All that is known of one.
    pub(super) fn report_fingerprint(
        &mut self,
        ja4: &str,
        now: Now,
    ) -> Result<FingerprintDetail, Refusal> {
        let parsed: Ja4 = ja4.parse().map_err(|error: fingerprint::Ja4Error| {
            Refusal::Invalid(format!("{ja4:?}: {error}"))
        })?;
        let all = self.remembered().map_err(failed)?;
        let found = all.iter().find(|(parts, _)| Ja4::of_parts(parts) == Some(parsed));
        let Some((_, record)) = found else {
            return Err(Refusal::NotFound(format!(
                "{ja4} isn't remembered; `palisade fingerprint list` shows those that are"
            )));
        };
        let forms = self.detector.seen.get(ja4).and_then(|seen| Forms::of(&seen.ja4_ro));
        Ok(FingerprintDetail { entry: self.entry(ja4, record, now), forms })
    }

    fn entry(&self, ja4: &str, record: &FingerprintRecord, now: Now) -> FingerprintEntry {
        let known = self.detector.knowledge.look_up(ja4);
        let known = known.map(|known| format!("{} ({})", known.kind.name(), known.programs));
        let seen = self.detector.seen.get(ja4);
        let rules = self.rules.iter().map(|(pattern, ..)| pattern);
        FingerprintEntry {
            ja4: ja4.into(),
            ja3: seen.and_then(|seen| seen.ja3).map(|ja3| ja3.to_string()),
            label: self.labels.get(ja4).cloned().or(known),
            hellos: record.hellos,
            clients: fingerprint::clients(record),
            wire_orders: fingerprint::wire_orders(record.wires),
            ended: record.ended,
            would_end: record.would_end,
            last_sni: seen.and_then(|seen| seen.last_sni.clone()),
            alpn: seen.and_then(|seen| seen.alpn.clone()),
            first_unix_ms: now.unix_ms_before(record.first_ns),
            last_unix_ms: now.unix_ms_before(record.last_ns),
            rules: rules.filter(|pattern| pattern.fits(ja4)).cloned().collect(),
        }
    }

    /// How many fingerprints are remembered, and why hellos have none, and how often.
    pub(super) fn report_remembered(&self) -> Result<(usize, Vec<CauseEntry>), MapError> {
        let all = self.remembered()?;
        let causes = all.iter().filter_map(|(parts, record)| {
            let cause = cause_of(parts)?;
            let clients = fingerprint::clients(record);
            Some(CauseEntry { cause: cause.name().into(), hellos: record.hellos, clients })
        });
        let causes: Vec<_> = causes.collect();
        Ok((all.len() - causes.len(), causes))
    }

    /// How many hellos all remembered fingerprints had.
    pub(super) fn hellos_remembered(&self) -> Result<u64, MapError> {
        let all = self.remembered()?;
        let named = all.iter().filter(|(parts, _)| Ja4::of_parts(parts).is_some());
        Ok(named.map(|(_, record)| record.hellos).sum())
    }

    /// The last fingerprints of an address's client.
    pub(super) fn report_client(
        &self,
        address: IpAddr,
    ) -> Result<Vec<ClientFingerprint>, MapError> {
        let Some(datapath) = &self.datapath else {
            return Ok(Vec::new());
        };
        let Some(record) = datapath.fingerprints.client(client_of(address))? else {
            return Ok(Vec::new());
        };
        let names = self.names_of_fingerprints()?;
        let known = record.names.iter().zip(record.wires).filter(|(name, _)| **name != 0);
        let known = known.map(|(name, wires)| ClientFingerprint {
            fingerprint: names.get(name).cloned().unwrap_or_else(|| "no longer remembered".into()),
            wire_orders: fingerprint::wire_orders(wires),
        });
        Ok(known.collect())
    }

    /// Fingerprints and causes by their keyed hashes.
    pub(super) fn names_of_fingerprints(&self) -> Result<BTreeMap<u64, String>, MapError> {
        let secret = self.secret()?;
        let text = |parts: &Parts| {
            let ja4 = Ja4::of_parts(parts).map(|ja4| ja4.to_string());
            ja4.or_else(|| Some(format!("cause:{}", cause_of(parts)?.name())))
        };
        let all = self.remembered()?;
        let named = all.keys().filter_map(|parts| Some((parts.name(secret), text(parts)?)));
        Ok(named.collect())
    }

    fn remembered(&self) -> Result<BTreeMap<Parts, FingerprintRecord>, MapError> {
        self.datapath.as_ref().map_or_else(|| Ok(BTreeMap::new()), |d| d.fingerprints.all())
    }

    /// Gives a fingerprint a label; an empty one takes it away.
    pub(super) fn handle_label(&mut self, ja4: &str, request: &SetLabel) -> Result<Done, Refusal> {
        let parsed: Result<Ja4, _> = ja4.parse();
        if let Err(error) = parsed {
            return Err(Refusal::Invalid(format!("{ja4:?}: {error}")));
        }
        let label = request.label.trim().to_owned();
        if label.chars().count() > MAX_LABEL || label.chars().any(char::is_control) {
            let text = format!("a label is one line of at most {MAX_LABEL} characters");
            return Err(Refusal::Invalid(text));
        }
        let before = self.labels.get(ja4);
        if before.map_or("", String::as_str) == label {
            return Ok(Done::default());
        }
        let kept = (!label.is_empty()).then_some(label);
        self.store.commit([Write::Label(ja4, kept.as_deref())]).map_err(failed)?;
        match kept {
            Some(label) => drop(self.labels.insert(ja4.to_owned(), label)),
            None => drop(self.labels.remove(ja4)),
        }
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    /// Makes room for fingerprints before the kernel's map is full.
    pub(super) fn tend_fingerprints(&mut self) {
        let Some(datapath) = &mut self.datapath else {
            return;
        };
        match datapath.fingerprints.make_room() {
            Ok(0) => {}
            Ok(count) => tracing::warn!(
                count,
                "there were too many fingerprints: the rarest are no longer remembered"
            ),
            Err(error) => tracing::warn!(%error, "fingerprints can't be tidied"),
        }
    }
}

/// The cause that is remembered under these numbers, if one is.
fn cause_of(parts: &Parts) -> Option<Cause> {
    Cause::of_kernel(hello::Cause(u8::try_from(parts.a[0]).ok()?))
}
