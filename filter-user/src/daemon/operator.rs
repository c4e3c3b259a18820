//! Commands: checked, written to disk, put into the kernel, acknowledged.

use super::engine::Engine;
use crate::classify::Rule;
use crate::clock::Now;
use crate::config::{HostMode, parse_duration};
use crate::control::api::{
    AddEntries, AddVerdict, BlockFingerprint, CreateList, Done, Event, Explanation,
    FingerprintEntry, LimitInfo, ListDetail, ListInfo, RemoveEntries, SetLimit, SetList, SetMode,
    Status, TopEntry, VerdictEntry,
};
use crate::control::handle::{Import, Operator, Refusal};
use crate::fingerprint::Ja4;
use crate::policy::entries::Entries;
use crate::store::{SavedRule, Write};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::broadcast;

impl Operator for Engine {
    fn status(&mut self) -> Result<Status, Refusal> {
        self.report_status(Now::read()).map_err(failed)
    }

    fn lists(&mut self) -> Result<Vec<ListInfo>, Refusal> {
        self.report_lists().map_err(failed)
    }

    fn list(&mut self, name: &str, limit: usize) -> Result<ListDetail, Refusal> {
        self.named(name)?;
        self.report_list(name, limit).map_err(failed)
    }

    fn create_list(&mut self, request: CreateList) -> Result<Done, Refusal> {
        self.handle_create(request)
    }

    fn set_list(&mut self, name: &str, request: SetList) -> Result<Done, Refusal> {
        self.handle_set(name, request)
    }

    fn drop_list(&mut self, name: &str) -> Result<Done, Refusal> {
        self.handle_drop(name)
    }

    fn add_entries(&mut self, list: &str, request: AddEntries) -> Result<Done, Refusal> {
        self.handle_add(list, &request, Now::read())
    }

    fn remove_entries(&mut self, list: &str, request: RemoveEntries) -> Result<Done, Refusal> {
        self.handle_remove(list, &request, Now::read())
    }

    fn import(&mut self, list: &str, import: Import) -> Result<Done, Refusal> {
        self.handle_import(list, import)
    }

    fn export(&mut self, list: &str) -> Result<Entries, Refusal> {
        Ok(self.named(list)?.entries.clone())
    }

    fn limits(&mut self) -> Result<Vec<LimitInfo>, Refusal> {
        self.report_limits(Now::read()).map_err(failed)
    }

    fn set_limit(&mut self, name: &str, request: SetLimit) -> Result<Done, Refusal> {
        self.handle_set_limit(name, request, Now::read())
    }

    fn remove_limit(&mut self, name: &str) -> Result<Done, Refusal> {
        self.handle_remove_limit(name, Now::read())
    }

    fn top(&mut self, count: usize, profile: Option<&str>) -> Result<Vec<TopEntry>, Refusal> {
        self.report_top(count, profile, Now::read())
    }

    fn verdicts(&mut self) -> Vec<VerdictEntry> {
        self.report_verdicts(Now::read())
    }

    fn add_verdict(&mut self, request: AddVerdict) -> Result<Done, Refusal> {
        self.handle_verdict(request, Now::read())
    }

    fn remove_verdict(&mut self, target: &str) -> Result<Done, Refusal> {
        self.handle_lift(target, Now::read())
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

/// A disk or a kernel that fails after a command was accepted on disk: it is made good
/// at the next start.
pub(super) fn failed(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a command failed");
    Refusal::Failed(error.to_string())
}

fn parse_ja4(text: &str) -> Result<String, Refusal> {
    let ja4: Ja4 = text.parse().map_err(|error| Refusal::Invalid(format!("{error}")))?;
    Ok(ja4.to_string())
}
