//! An owner that only writes down what it is asked.

use crate::classify::decision::exception::Exception;
use crate::classify::decision::policy::Policy;
use crate::classify::knowledge::Knowledge;
use crate::control::api::{
    AddEntries, AddVerdict, Behaviour, CreateList, Done, Event, Explanation, FalsePositive,
    FingerprintDetail, FingerprintEntry, FingerprintExplanation, ImportKnowledge, KnowledgeInfo,
    LimitInfo, ListDetail, ListEntry, ListInfo, RemoveEntries, ReviewRow, RuleEntry, SetLabel,
    SetLimit, SetList, SetMode, SetRule, Status, TopEntry, Traffic, VerdictEntry,
};
use crate::control::handle::{Import, Operator, Refusal};
use crate::policy::entries::Entries;
use crate::policy::list::ListAction;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Knows one list, `feed`.
#[derive(Debug, Default)]
pub(super) struct Fake {
    entries: Entries,
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    #[expect(clippy::unnecessary_wraps, reason = "it is the outcome of what was asked")]
    fn note(&self, asked: String) -> Result<Done, Refusal> {
        self.asked.lock().unwrap().push(asked);
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    fn find(name: &str) -> Result<(), Refusal> {
        let missing = || Refusal::NotFound(format!("there is no list {name:?}"));
        (name == "feed").then_some(()).ok_or_else(missing)
    }
}

fn info() -> ListInfo {
    ListInfo {
        name: "feed".into(),
        action: ListAction::Block,
        mode: "enforce".into(),
        priority: 0,
        v4: 2,
        v6: 0,
        matched: Traffic::default(),
        dropped: Traffic::default(),
        would_drop: Traffic::default(),
    }
}

impl Operator for Fake {
    fn status(&mut self) -> Result<Status, Refusal> {
        Err(Refusal::Failed("no status".into()))
    }
    fn lists(&mut self) -> Result<Vec<ListInfo>, Refusal> {
        Ok(vec![info()])
    }
    fn list(&mut self, name: &str, limit: usize) -> Result<ListDetail, Refusal> {
        Self::find(name)?;
        let entry = ListEntry {
            prefix: "192.0.2.1/32".into(),
            mode: "enforce".into(),
            comment: String::new(),
            added_unix_ms: 0,
            expires_unix_s: None,
        };
        Ok(ListDetail { list: info(), entries: vec![entry], more: limit })
    }
    fn create_list(&mut self, request: CreateList) -> Result<Done, Refusal> {
        self.note(format!("create {} {}", request.name, request.action))
    }
    fn set_list(&mut self, name: &str, request: SetList) -> Result<Done, Refusal> {
        self.note(format!("set {name} {:?}", request.priority))
    }
    fn drop_list(&mut self, name: &str) -> Result<Done, Refusal> {
        self.note(format!("drop {name}"))
    }
    fn add_entries(&mut self, list: &str, request: AddEntries) -> Result<Done, Refusal> {
        self.note(format!("add {list} {:?} {:?}", request.prefixes, request.lasts))
    }
    fn remove_entries(&mut self, list: &str, request: RemoveEntries) -> Result<Done, Refusal> {
        self.note(format!("remove {list} {:?}", request.prefixes))
    }
    fn import(&mut self, list: &str, import: Import) -> Result<Done, Refusal> {
        let Import { entries, report, replace, force } = import;
        self.note(format!("import {list} {} {replace} {force}", report.entries))?;
        self.entries = entries.finish().0;
        Ok(Done { changed: self.entries.len(), notes: Vec::new() })
    }
    fn export(&mut self, list: &str) -> Result<Entries, Refusal> {
        Self::find(list)?;
        Ok(self.entries.clone())
    }
    fn limits(&mut self) -> Result<Vec<LimitInfo>, Refusal> {
        Ok(Vec::new())
    }
    fn set_limit(&mut self, name: &str, request: SetLimit) -> Result<Done, Refusal> {
        let SetLimit { unit, rate, services, .. } = request;
        let rate = rate.map(|rate| rate.value.to_string());
        let services = services.map(|services| services.len());
        self.note(format!("limit {name} {unit:?} {rate:?} {services:?}"))
    }
    fn remove_limit(&mut self, name: &str) -> Result<Done, Refusal> {
        self.note(format!("no limit {name}"))
    }
    fn top(&mut self, count: usize, profile: Option<&str>) -> Result<Vec<TopEntry>, Refusal> {
        self.note(format!("top {count} {profile:?}")).map(|_| Vec::new())
    }
    fn verdicts(&mut self) -> Vec<VerdictEntry> {
        Vec::new()
    }
    fn add_verdict(&mut self, _: AddVerdict) -> Result<Done, Refusal> {
        self.note("verdict".into())
    }
    fn remove_verdict(&mut self, _: &str) -> Result<Done, Refusal> {
        self.note("no verdict".into())
    }
    fn fingerprints(&mut self) -> Result<Vec<FingerprintEntry>, Refusal> {
        Ok(Vec::new())
    }
    fn fingerprint(&mut self, ja4: &str) -> Result<FingerprintDetail, Refusal> {
        Err(Refusal::NotFound(ja4.to_owned()))
    }
    fn label(&mut self, ja4: &str, request: SetLabel) -> Result<Done, Refusal> {
        self.note(format!("{ja4} is {}", request.label))
    }
    fn rules(&mut self) -> Result<Vec<RuleEntry>, Refusal> {
        Ok(Vec::new())
    }
    fn set_rule(&mut self, pattern: &str, request: SetRule) -> Result<Done, Refusal> {
        self.note(format!("{} {pattern}", request.action))
    }
    fn remove_rule(&mut self, pattern: &str) -> Result<Done, Refusal> {
        self.note(format!("no rule {pattern}"))
    }
    fn knowledge(&mut self) -> KnowledgeInfo {
        let known = Knowledge::default();
        let (imported, keys) = (None, Vec::new());
        KnowledgeInfo { summary: known.summary(), imported, shipped: known.as_of(), keys }
    }
    fn import_knowledge(&mut self, request: ImportKnowledge) -> Result<Done, Refusal> {
        let ImportKnowledge { file, text, signature, keys, force } = request;
        let (text, keys) = (text.len(), keys.len());
        self.note(format!("know {file} {text} {signature:?} {keys} {force}"))
    }
    fn reset_knowledge(&mut self) -> Result<Done, Refusal> {
        self.note("know as shipped".into())
    }
    fn explain(&mut self, address: IpAddr) -> Explanation {
        let (address, client) = (address.to_string(), String::new());
        let (effect, reason) = (String::new(), String::new());
        let (steps, fingerprints) = (Vec::new(), Vec::new());
        Explanation {
            address,
            client,
            effect,
            reason,
            steps,
            fingerprints,
            class: None,
            behaviour: Behaviour::default(),
            way_out: None,
        }
    }
    fn explain_fingerprint(&mut self, ja4: &str) -> Result<FingerprintExplanation, Refusal> {
        Err(Refusal::NotFound(format!("{ja4} isn't remembered")))
    }
    fn forgive(&mut self, whom: &str) -> Result<Done, Refusal> {
        self.note(format!("forgive {whom}"))
    }
    fn report_false_positive(&mut self, request: FalsePositive) -> Result<Done, Refusal> {
        self.note(format!("false positive {}", request.whom))
    }
    fn exceptions(&mut self) -> Vec<Exception> {
        Vec::new()
    }
    fn remove_exception(&mut self, whom: &str) -> Result<Done, Refusal> {
        self.note(format!("no exception {whom}"))
    }
    fn review(&mut self) -> Vec<ReviewRow> {
        Vec::new()
    }
    fn policy(&mut self) -> Policy {
        Policy::default()
    }
    fn reload_policy(&mut self) -> Result<Done, Refusal> {
        self.note("reload".into())
    }
    fn set_mode(&mut self, _: SetMode) -> Result<Done, Refusal> {
        self.note("mode".into())
    }
    fn detach(&mut self) -> Result<Done, Refusal> {
        self.note("detach".into())
    }
    fn subscribe(&mut self) -> broadcast::Receiver<Event> {
        broadcast::channel(1).1
    }
}
