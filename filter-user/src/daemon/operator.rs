//! Commands: checked, written to disk, put into the kernel, acknowledged.

use super::engine::Engine;
use crate::classify::decision::exception::Exception;
use crate::classify::decision::policy::Policy;
use crate::clock::Now;
use crate::config::HostMode;
use crate::control::api::{
    AddEntries, AddVerdict, CreateList, Done, Event, Explanation, FalsePositive, FingerprintDetail,
    FingerprintEntry, FingerprintExplanation, ImportKnowledge, KnowledgeInfo, LimitInfo,
    ListDetail, ListInfo, RemoveEntries, ReviewRow, RuleEntry, SetLabel, SetLimit, SetList,
    SetMode, SetRule, Status, TopEntry, VerdictEntry,
};
use crate::control::handle::{Import, Operator, Refusal};
use crate::policy::entries::Entries;
use crate::store::Write;
use std::net::IpAddr;
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

    fn fingerprints(&mut self) -> Result<Vec<FingerprintEntry>, Refusal> {
        self.report_fingerprints(Now::read())
    }

    fn fingerprint(&mut self, ja4: &str) -> Result<FingerprintDetail, Refusal> {
        self.report_fingerprint(ja4, Now::read())
    }

    fn label(&mut self, ja4: &str, request: SetLabel) -> Result<Done, Refusal> {
        self.handle_label(ja4, &request)
    }

    fn rules(&mut self) -> Result<Vec<RuleEntry>, Refusal> {
        self.report_rules(Now::read())
    }

    fn set_rule(&mut self, pattern: &str, request: SetRule) -> Result<Done, Refusal> {
        self.handle_rule(pattern, request, Now::read())
    }

    fn remove_rule(&mut self, pattern: &str) -> Result<Done, Refusal> {
        self.handle_rule_removal(pattern, Now::read())
    }

    fn knowledge(&mut self) -> KnowledgeInfo {
        self.report_knowledge()
    }

    fn import_knowledge(&mut self, request: ImportKnowledge) -> Result<Done, Refusal> {
        self.handle_knowledge(request, Now::read())
    }

    fn reset_knowledge(&mut self) -> Result<Done, Refusal> {
        self.handle_knowledge_reset(Now::read())
    }

    fn explain(&mut self, address: IpAddr) -> Explanation {
        self.report_explanation(address.to_canonical(), Now::read())
    }

    fn explain_fingerprint(&mut self, ja4: &str) -> Result<FingerprintExplanation, Refusal> {
        self.report_judged_fingerprint(ja4, Now::read())
    }

    fn forgive(&mut self, whom: &str) -> Result<Done, Refusal> {
        self.handle_forgive(whom, Now::read())
    }

    fn report_false_positive(&mut self, request: FalsePositive) -> Result<Done, Refusal> {
        self.handle_false_positive(request, Now::read())
    }

    fn exceptions(&mut self) -> Vec<Exception> {
        self.report_exceptions(Now::read())
    }

    fn remove_exception(&mut self, whom: &str) -> Result<Done, Refusal> {
        self.handle_exception_removal(whom, Now::read())
    }

    fn review(&mut self) -> Vec<ReviewRow> {
        self.report_review(Now::read())
    }

    fn policy(&mut self) -> Policy {
        self.detector.judge.policy().clone()
    }

    fn reload_policy(&mut self) -> Result<Done, Refusal> {
        self.handle_reload(Now::read())
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
