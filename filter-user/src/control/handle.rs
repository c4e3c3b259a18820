//! How requests reach the one task that owns everything.

use super::api::{
    AddEntries, AddVerdict, CreateList, Done, Event, Explanation, FalsePositive, FingerprintDetail,
    FingerprintEntry, FingerprintExplanation, ImportKnowledge, KnowledgeInfo, LimitInfo,
    ListDetail, ListInfo, RemoveEntries, ReviewRow, RuleEntry, SetLabel, SetLimit, SetList,
    SetMode, SetRule, Status, TopEntry, VerdictEntry,
};
use crate::classify::decision::exception::Exception;
use crate::classify::decision::policy::Policy;
use crate::policy::entries::{Collected, Entries};
use crate::policy::import::Report;
use std::net::IpAddr;
use tokio::sync::{broadcast, mpsc, oneshot};

/// What an operator can ask for. Each call returns when what it asked for is on disk and
/// in the kernel.
pub trait Operator: Send + 'static {
    /// What the daemon is doing.
    ///
    /// *Errors*: the kernel's counters can't be read.
    fn status(&mut self) -> Result<Status, Refusal>;
    /// The lists, in the order of their names.
    ///
    /// *Errors*: the kernel's counters can't be read.
    fn lists(&mut self) -> Result<Vec<ListInfo>, Refusal>;
    /// A list and its first entries.
    ///
    /// *Errors*: there is no such list; the kernel's counters can't be read.
    fn list(&mut self, name: &str, limit: usize) -> Result<ListDetail, Refusal>;
    /// Makes a list.
    ///
    /// *Errors*: a bad name or one that is taken, a limit profile that isn't there.
    fn create_list(&mut self, request: CreateList) -> Result<Done, Refusal>;
    /// Changes what a list is.
    ///
    /// *Errors*: there is no such list; as for making one.
    fn set_list(&mut self, name: &str, request: SetList) -> Result<Done, Refusal>;
    /// Removes a list with its entries. The built-in lists are emptied instead.
    ///
    /// *Errors*: there is no such list.
    fn drop_list(&mut self, name: &str) -> Result<Done, Refusal>;
    /// Adds entries.
    ///
    /// *Errors*: a bad prefix, no room, a disk or kernel that fails.
    fn add_entries(&mut self, list: &str, request: AddEntries) -> Result<Done, Refusal>;
    /// Removes entries.
    ///
    /// *Errors*: an entry that isn't there.
    fn remove_entries(&mut self, list: &str, request: RemoveEntries) -> Result<Done, Refusal>;
    /// Adds all entries of a text to a list, or puts them in the place of what it has.
    ///
    /// *Errors*: no such list, no room, a list that would shrink too much.
    fn import(&mut self, list: &str, import: Import) -> Result<Done, Refusal>;
    /// A copy of a list's entries.
    ///
    /// *Errors*: there is no such list.
    fn export(&mut self, list: &str) -> Result<Entries, Refusal>;
    /// Limit profiles, in the order of their names.
    ///
    /// *Errors*: the kernel's counters can't be read.
    fn limits(&mut self) -> Result<Vec<LimitInfo>, Refusal>;
    /// Makes a limit profile or changes one.
    ///
    /// *Errors*: a bad name, settings that make no sense, no room, a disk or kernel that
    /// fails.
    fn set_limit(&mut self, name: &str, request: SetLimit) -> Result<Done, Refusal>;
    /// Removes a limit profile, or what an operator said in the place of the configuration.
    ///
    /// *Errors*: there is no such profile, a list names it, it is the configuration's.
    fn remove_limit(&mut self, name: &str) -> Result<Done, Refusal>;
    /// The keys that use most of their limits: so many, of one profile or of all.
    ///
    /// *Errors*: there is no such profile; the kernel's maps can't be read.
    fn top(&mut self, count: usize, profile: Option<&str>) -> Result<Vec<TopEntry>, Refusal>;
    /// Verdicts in force.
    fn verdicts(&mut self) -> Vec<VerdictEntry>;
    /// Decides about a client or a prefix.
    ///
    /// *Errors*: a bad address, width or time span, an allowlisted target, no room.
    fn add_verdict(&mut self, request: AddVerdict) -> Result<Done, Refusal>;
    /// Lifts what was decided about a client or a prefix.
    ///
    /// *Errors*: nothing was.
    fn remove_verdict(&mut self, target: &str) -> Result<Done, Refusal>;
    /// Fingerprints that are remembered, most hellos first.
    ///
    /// *Errors*: the kernel's records can't be read.
    fn fingerprints(&mut self) -> Result<Vec<FingerprintEntry>, Refusal>;
    /// All that is known of a fingerprint.
    ///
    /// *Errors*: no JA4, or one that isn't remembered.
    fn fingerprint(&mut self, ja4: &str) -> Result<FingerprintDetail, Refusal>;
    /// Names a fingerprint.
    ///
    /// *Errors*: no JA4, a label of more than a line.
    fn label(&mut self, ja4: &str, request: SetLabel) -> Result<Done, Refusal>;
    /// Rules on `ClientHello`s.
    ///
    /// *Errors*: the kernel's counters can't be read.
    fn rules(&mut self) -> Result<Vec<RuleEntry>, Refusal>;
    /// Makes a rule or changes it.
    ///
    /// *Errors*: a bad pattern or time span, no room, a disk or kernel that fails.
    fn set_rule(&mut self, pattern: &str, request: SetRule) -> Result<Done, Refusal>;
    /// Removes a rule.
    ///
    /// *Errors*: there is no such rule.
    fn remove_rule(&mut self, pattern: &str) -> Result<Done, Refusal>;
    /// What is known of clients before they were seen.
    fn knowledge(&mut self) -> KnowledgeInfo;
    /// Puts a file in the place of what is known.
    ///
    /// *Errors*: a signature or a text that isn't good, a day that is past or in the future, a
    /// disk that fails.
    fn import_knowledge(&mut self, request: ImportKnowledge) -> Result<Done, Refusal>;
    /// Goes back to what the program was shipped with.
    ///
    /// *Errors*: a disk that fails.
    fn reset_knowledge(&mut self) -> Result<Done, Refusal>;
    /// What happens to an address, and why.
    fn explain(&mut self, address: IpAddr) -> Explanation;
    /// What is known of a fingerprint, and what follows.
    ///
    /// *Errors*: no JA4, or one that isn't remembered.
    fn explain_fingerprint(&mut self, ja4: &str) -> Result<FingerprintExplanation, Refusal>;
    /// Lifts what the classifier decided about an address, a prefix or a JA4.
    ///
    /// *Errors*: it is none of these; a disk or kernel that fails.
    fn forgive(&mut self, whom: &str) -> Result<Done, Refusal>;
    /// The same, and has the classifier decide nothing more about it.
    ///
    /// *Errors*: as for forgiving; a bad time span, no room.
    fn report_false_positive(&mut self, request: FalsePositive) -> Result<Done, Refusal>;
    /// Whom operators except from what the classifier decides.
    fn exceptions(&mut self) -> Vec<Exception>;
    /// Takes an exception back.
    ///
    /// *Errors*: there is none.
    fn remove_exception(&mut self, whom: &str) -> Result<Done, Refusal>;
    /// What the classifier decided, by what it has in common.
    fn review(&mut self) -> Vec<ReviewRow>;
    /// The classifier's policy.
    fn policy(&mut self) -> Policy;
    /// Reads the policy's file again.
    ///
    /// *Errors*: none is configured, or it can't be used; the one before stays in force.
    fn reload_policy(&mut self) -> Result<Done, Refusal>;
    /// Switches between counting and acting.
    ///
    /// *Errors*: a disk or kernel that fails.
    fn set_mode(&mut self, request: SetMode) -> Result<Done, Refusal>;
    /// Takes the filter off and ends the daemon.
    ///
    /// *Errors*: a pin that can't be removed.
    fn detach(&mut self) -> Result<Done, Refusal>;
    /// What happens from now on.
    fn subscribe(&mut self) -> broadcast::Receiver<Event>;
}

/// A text of entries that was read.
#[derive(Debug)]
pub struct Import {
    /// Its entries, in the order of the text.
    pub entries: Collected,
    /// What was noticed.
    pub report: Report,
    /// Whether they take the place of what the list has.
    pub replace: bool,
    /// Whether a list may shrink by more than the configuration allows.
    pub force: bool,
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// What it names isn't there.
    #[error("{0}")]
    NotFound(String),
    /// It can't be done as things are.
    #[error("{0}")]
    Conflict(String),
    /// The disk or the kernel failed.
    #[error("{0}")]
    Failed(String),
}

/// A piece of work for the owner.
pub type Work<O> = Box<dyn FnOnce(&mut O) + Send>;

/// A way to the owner. Cheap to copy.
#[derive(Debug)]
pub struct Handle<O> {
    sender: mpsc::Sender<Work<O>>,
}

impl<O> Clone for Handle<O> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

/// Requests that wait at once; further ones wait before they are taken.
const QUEUE: usize = 64;

impl<O: Operator> Handle<O> {
    /// A handle, and where its work arrives.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Work<O>>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self { sender }, receiver)
    }

    /// Has the owner do something, and waits for the outcome.
    ///
    /// *Errors*: [`Refusal::Failed`] when the daemon is ending.
    pub async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut O) -> R + Send + 'static,
    ) -> Result<R, Refusal> {
        let (reply, outcome) = oneshot::channel();
        let work: Work<O> = Box::new(move |owner| drop(reply.send(work(owner))));
        let ending = || Refusal::Failed("the daemon is ending".into());
        self.sender.send(work).await.map_err(|_| ending())?;
        outcome.await.map_err(|_| ending())
    }
}
