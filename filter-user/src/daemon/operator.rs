//! Commands: checked, written to disk, put into the kernel, acknowledged.

use super::engine::{Engine, action_name};
use crate::classify::Rule;
use crate::clock::Now;
use crate::config::{HostMode, parse_duration};
use crate::control::api::{
    AddEntries, AddVerdict, BlockFingerprint, Done, Event, Explanation, FingerprintEntry,
    ListEntry, RemoveEntries, SetMode, Status, VerdictEntry,
};
use crate::control::handle::{Operator, Refusal};
use crate::fingerprint::Ja4;
use crate::policy::{Entry, List, Parsed, import, parse_prefix};
use crate::store::{SavedRule, Write};
use crate::verdict::{Verdict, VerdictSource, client_of, prefix_of};
use filter_common::abi::Mode;
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::broadcast;

/// Entries between two reports of progress.
const PROGRESS_STEP: usize = 1000;

impl Operator for Engine {
    fn status(&mut self) -> Result<Status, Refusal> {
        self.report_status(Now::read()).map_err(failed)
    }

    fn entries(&mut self, list: List) -> Vec<ListEntry> {
        self.report_entries(list)
    }

    fn add_entries(&mut self, list: List, request: AddEntries) -> Result<Done, Refusal> {
        if request.shadow && list == List::Allow {
            return Err(Refusal::Invalid(
                "the allowlist knows no shadow: allow always wins".into(),
            ));
        }
        let parsed = parse_all(&request.prefixes)?;
        let mode = if request.shadow { Mode::SHADOW } else { Mode::ENFORCE };
        let notes = host_bit_notes(&request.prefixes, &parsed);
        let prefixes: Vec<_> = parsed.iter().map(|parsed| parsed.prefix).collect();
        let changed = self.add(list, &prefixes, mode, &request.comment, &mut |_, _| {})?;
        Ok(Done { changed, notes })
    }

    fn remove_entries(&mut self, list: List, request: RemoveEntries) -> Result<Done, Refusal> {
        let parsed = parse_all(&request.prefixes)?;
        let prefixes: Vec<_> = parsed.iter().map(|parsed| parsed.prefix).collect();
        let entries = self.policy.entries(list);
        if let Some(missing) = prefixes.iter().find(|prefix| !entries.contains_key(*prefix)) {
            let name = list_name(list);
            return Err(Refusal::NotFound(format!("{missing} is not on the {name}list")));
        }
        self.store
            .commit(prefixes.iter().map(|prefix| Write::Entry(list, *prefix, None)))
            .map_err(failed)?;
        for prefix in &prefixes {
            let changes = self.policy.remove(list, prefix).unwrap_or_default();
            self.apply(&changes).map_err(failed)?;
            self.tell_list(list, &format!("{prefix} removed"));
        }
        Ok(Done { changed: prefixes.len(), notes: Vec::new() })
    }

    fn import(
        &mut self,
        list: List,
        text: &[u8],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Done, Refusal> {
        let imported = import::parse(text).map_err(|error| Refusal::Invalid(error.to_string()))?;
        let prefixes: Vec<_> = imported.prefixes.iter().copied().collect();
        let changed = self.add(list, &prefixes, Mode::ENFORCE, "imported", progress)?;
        let known = prefixes.len() - changed;
        let notes = [
            (known, "were on the list already"),
            (imported.duplicates, "came more than once"),
            (imported.had_host_bits, "had host bits, which were cleared"),
        ];
        let notes = notes.into_iter().filter(|(count, _)| *count > 0);
        Ok(Done { changed, notes: notes.map(|(count, what)| format!("{count} {what}")).collect() })
    }

    fn verdicts(&mut self) -> Vec<VerdictEntry> {
        self.report_verdicts(Now::read())
    }

    fn add_verdict(&mut self, request: AddVerdict) -> Result<Done, Refusal> {
        let now = Now::read();
        let address: IpAddr = request.address.parse().map_err(|_| {
            Refusal::Invalid(format!("{:?} is no address, such as 192.0.2.1", request.address))
        })?;
        if let Some((List::Allow, prefix, _)) = self.policy.look_up(address.to_canonical()) {
            let text = format!("{address} is on the allowlist ({prefix}), which always wins");
            return Err(Refusal::Conflict(text));
        }
        let lasts = parse_duration(&request.lasts).map_err(Refusal::Invalid)?;
        let client = client_of(address);
        let verdict = Verdict {
            action: request.action,
            shadow: request.shadow,
            source: VerdictSource::Operator,
            reason: request.reason,
            expires_unix_ms: now.unix_ms_after(lasts),
        };
        let prefix = prefix_of(&client);
        self.store.commit([Write::Verdict(prefix, Some(&verdict))]).map_err(failed)?;
        if !self.enforce(client, verdict, now).map_err(failed)? {
            self.store.commit([Write::Verdict(prefix, None)]).map_err(failed)?;
            return Err(Refusal::Conflict(crate::verdict::Full.to_string()));
        }
        let text = format!("{} by an operator", action_name(request.action));
        self.tell(now, "verdict", Some(prefix.to_string()), text);
        let notes = (prefix.prefix_len() == 64).then(|| format!("it is about all of {prefix}"));
        Ok(Done { changed: 1, notes: notes.into_iter().collect() })
    }

    fn remove_verdict(&mut self, address: IpAddr) -> Result<Done, Refusal> {
        let now = Now::read();
        let client = client_of(address);
        let prefix = prefix_of(&client);
        if self.verdicts.get(&client, now.unix_ms).is_none() {
            return Err(Refusal::NotFound(format!("there is no verdict on {prefix}")));
        }
        self.store.commit([Write::Verdict(prefix, None)]).map_err(failed)?;
        self.maps().and_then(|maps| maps.clear_verdict(client)).map_err(failed)?;
        self.verdicts.remove(&client);
        self.tell(now, "verdict", Some(prefix.to_string()), "lifted by an operator".into());
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    fn fingerprints(&mut self) -> Vec<FingerprintEntry> {
        self.report_fingerprints()
    }

    fn block_fingerprint(&mut self, ja4: &str, request: BlockFingerprint) -> Result<Done, Refusal> {
        let ja4 = parse_ja4(ja4)?;
        let lasts = match &request.lasts {
            Some(text) => parse_duration(text).map_err(Refusal::Invalid)?,
            None => self.config.classify.verdict_for,
        };
        let lasts_s = lasts.as_secs().max(1);
        let saved = SavedRule { lasts_s, comment: request.comment };
        self.store.commit([Write::Rule(&ja4, Some(&saved))]).map_err(failed)?;
        let rule = Rule { lasts: Duration::from_secs(lasts_s), comment: saved.comment };
        self.classifier.add_rule(ja4.clone(), rule);
        self.tell(Now::read(), "rule", Some(ja4), "its clients are blocked from now on".into());
        let known = "a client is blocked as soon as it has sent a ClientHello with it".to_owned();
        Ok(Done { changed: 1, notes: vec![known] })
    }

    fn unblock_fingerprint(&mut self, ja4: &str) -> Result<Done, Refusal> {
        let ja4 = parse_ja4(ja4)?;
        if !self.classifier.rules().contains_key(&ja4) {
            return Err(Refusal::NotFound(format!("there is no rule on {ja4}")));
        }
        self.store.commit([Write::Rule(&ja4, None)]).map_err(failed)?;
        self.classifier.remove_rule(&ja4);
        self.tell(Now::read(), "rule", Some(ja4), "removed".into());
        let stay = "verdicts that it led to stay until they end; `palisade verdict del` lifts them";
        Ok(Done { changed: 1, notes: vec![stay.into()] })
    }

    fn explain(&mut self, address: IpAddr) -> Explanation {
        self.report_explanation(address.to_canonical(), Now::read())
    }

    fn set_mode(&mut self, request: SetMode) -> Result<Done, Refusal> {
        let changed = usize::from(request.mode != self.mode());
        self.store.commit([Write::Mode(request.mode)]).map_err(failed)?;
        self.switch(request.mode).map_err(failed)?;
        let text = match request.mode {
            HostMode::Monitor => "rules only count",
            HostMode::Enforce => "rules act",
        };
        self.tell(Now::read(), "mode", None, text.into());
        Ok(Done { changed, notes: vec![format!("{text} from now on")] })
    }

    fn detach(&mut self) -> Result<Done, Refusal> {
        let Some(datapath) = self.datapath.take() else {
            return Err(Refusal::Conflict("the filter is off already".into()));
        };
        let changed = datapath.interfaces.len();
        datapath.detach().map_err(failed)?;
        let note = "lists, verdicts and rules stay on disk; the daemon ends".to_owned();
        Ok(Done { changed, notes: vec![note] })
    }

    fn subscribe(&mut self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

impl Engine {
    /// Adds what isn't there yet to a list: on disk, then in the kernel.
    fn add(
        &mut self,
        list: List,
        prefixes: &[IpNet],
        mode: Mode,
        comment: &str,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<usize, Refusal> {
        let entry = Entry { mode, comment: comment.into(), added_unix_ms: Now::read().unix_ms };
        let present = self.policy.entries(list);
        let is_new = |prefix: &&IpNet| present.get(*prefix).is_none_or(|held| held.mode != mode);
        let fresh: Vec<IpNet> = prefixes.iter().filter(is_new).copied().collect();
        self.policy.check_room(fresh.len()).map_err(|full| Refusal::Conflict(full.to_string()))?;
        let writes = fresh.iter().map(|prefix| Write::Entry(list, *prefix, Some(&entry)));
        self.store.commit(writes).map_err(failed)?;
        for (index, prefix) in fresh.iter().enumerate() {
            let changes = self.policy.add(list, *prefix, entry.clone());
            self.apply(&changes).map_err(failed)?;
            if index % PROGRESS_STEP == 0 {
                progress(index, fresh.len());
            }
        }
        progress(fresh.len(), fresh.len());
        match fresh.as_slice() {
            [] => {}
            [prefix] => self.tell_list(list, &format!("{prefix} added")),
            many => self.tell_list(list, &format!("{} entries added", many.len())),
        }
        Ok(fresh.len())
    }

    fn tell_list(&self, list: List, text: &str) {
        self.tell(Now::read(), "list", Some(list_name(list).into()), text.into());
    }
}

/// A disk or a kernel that fails after a command was accepted on disk: it is made good
/// at the next start.
fn failed(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a command failed");
    Refusal::Failed(error.to_string())
}

const fn list_name(list: List) -> &'static str {
    match list {
        List::Allow => "allow",
        List::Block => "block",
    }
}

fn parse_all(texts: &[String]) -> Result<Vec<Parsed>, Refusal> {
    if texts.is_empty() {
        return Err(Refusal::Invalid("no prefix is named".into()));
    }
    let parse = |text: &String| parse_prefix(text).map_err(|e| Refusal::Invalid(e.to_string()));
    texts.iter().map(parse).collect()
}

fn host_bit_notes(texts: &[String], parsed: &[Parsed]) -> Vec<String> {
    let pairs = texts.iter().zip(parsed).filter(|(_, parsed)| parsed.had_host_bits);
    pairs
        .map(|(text, parsed)| format!("{text} has host bits; taken as {}", parsed.prefix))
        .collect()
}

fn parse_ja4(text: &str) -> Result<String, Refusal> {
    let ja4: Ja4 = text.parse().map_err(|error| Refusal::Invalid(format!("{error}")))?;
    Ok(ja4.to_string())
}
