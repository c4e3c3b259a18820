//! What is known of clients before they were seen: shipped with the program, or imported.

use super::engine::Engine;
use super::operator::failed;
use crate::classify::knowledge::{Day, Knowledge, Offer, OfferError, Provenance, PublicKey};
use crate::clock::Now;
use crate::control::api::{Done, ImportKnowledge, KnowledgeInfo};
use crate::control::handle::Refusal;
use crate::store::{SavedKnowledge, Write};

/// Characters of a file's name: as many as a path has.
const MAX_NAME: usize = 4096;

impl Engine {
    /// The knowledge in force, and where it came from.
    pub(super) fn report_knowledge(&self) -> KnowledgeInfo {
        KnowledgeInfo {
            summary: self.detector.knowledge.summary(),
            imported: self.knowledge_from.clone(),
            shipped: Knowledge::default().as_of(),
            keys: self.config.knowledge.keys.iter().map(PublicKey::id).collect(),
        }
    }

    /// Checks a file, and puts it in force. What is held of clients is held until they show
    /// something new.
    pub(super) fn handle_knowledge(
        &mut self,
        request: ImportKnowledge,
        now: Now,
    ) -> Result<Done, Refusal> {
        let (knowledge, signed_by) = self.examine(&request, now)?;
        let signer = self.knowledge_from.as_ref().map(|from| &from.signed_by);
        let is_same = signer.is_none_or(|signer| *signer == signed_by);
        if is_same && knowledge == self.detector.knowledge {
            return Ok(Done::default());
        }
        let ImportKnowledge { file, text, signature, .. } = request;
        let notes = vec![note(signature.is_some(), signed_by.as_deref())];
        // One that nobody checked is worth nothing later.
        let signature = signature.filter(|_| signed_by.is_some());
        let from = Provenance { file, unix_ms: now.unix_ms, signed_by };
        let shipped = Knowledge::default().as_of();
        let saved = SavedKnowledge { text, signature, from, shipped };
        self.store.commit([Write::Knowledge(Some(&saved))]).map_err(failed)?;
        self.know(knowledge, Some(saved.from), now);
        Ok(Done { changed: 1, notes })
    }

    /// Reads what is to be imported, and says whose signature it has.
    fn examine(
        &self,
        request: &ImportKnowledge,
        now: Now,
    ) -> Result<(Knowledge, Option<String>), Refusal> {
        check_name(&request.file)?;
        let keys = trusted(&self.config.knowledge.keys, &request.keys)?;
        let offer = Offer { text: &request.text, signature: request.signature.as_deref() };
        let (knowledge, signed_by) = offer.read(keys).map_err(|error| refused(&error))?;
        if !request.force {
            let today = Day::of_seconds(now.unix_ms / 1000);
            let present = self.detector.knowledge.as_of();
            knowledge.may_follow(present, today).map_err(|error| refused(&error))?;
        }
        Ok((knowledge, signed_by))
    }

    /// Goes back to what the program was shipped with.
    pub(super) fn handle_knowledge_reset(&mut self, now: Now) -> Result<Done, Refusal> {
        self.store.commit([Write::Knowledge(None)]).map_err(failed)?;
        if self.knowledge_from.is_none() {
            return Ok(Done::default());
        }
        self.know(Knowledge::default(), None, now);
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    /// Puts knowledge in force, and tells whoever watches.
    fn know(&mut self, knowledge: Knowledge, from: Option<Provenance>, now: Now) {
        let origin = from.as_ref().map_or("built in", |from| &from.file);
        let text = format!("of {}, {origin}", knowledge.as_of());
        self.tell(now, "knowledge", None, text);
        self.detector.knowledge = knowledge;
        self.knowledge_from = from;
    }

    /// Takes in what was imported, unless a newer release knows more, or the configuration now
    /// asks for a signature that it doesn't have. It stays on disk either way.
    pub(super) fn restore_knowledge(&mut self, saved: Option<SavedKnowledge>) {
        let Some(SavedKnowledge { text, signature, mut from, shipped }) = saved else {
            return;
        };
        let file = from.file.clone();
        let offer = Offer { text: &text, signature: signature.as_deref() };
        match offer.read(&self.config.knowledge.keys) {
            Err(error) => tracing::warn!(
                file,
                %error,
                "the imported knowledge can't be used any more; the built-in one is in force"
            ),
            Ok((imported, _)) if Knowledge::default().supersedes(imported.as_of(), shipped) => {
                let (imported, built_in) = (imported.as_of(), Knowledge::default().as_of());
                tracing::info!(
                    file, %imported, %built_in,
                    "the built-in knowledge is newer than the imported one, and in force"
                );
            }
            Ok((imported, signed_by)) => {
                from.signed_by = signed_by.or(from.signed_by);
                self.detector.knowledge = imported;
                self.knowledge_from = Some(from);
            }
        }
    }
}

/// Keys of which one must have signed an import: those that it names itself, but none that the
/// configuration, if it names any, doesn't.
fn trusted<'a>(
    configured: &'a [PublicKey],
    named: &'a [PublicKey],
) -> Result<&'a [PublicKey], Refusal> {
    let is_strange = |key: &&PublicKey| !configured.is_empty() && !configured.contains(key);
    if let Some(stranger) = named.iter().find(is_strange) {
        let text = format!(
            "nothing was imported: key {} is none of those that [knowledge] in the configuration \
             names",
            stranger.id()
        );
        return Err(Refusal::Invalid(text));
    }
    Ok(if named.is_empty() { configured } else { named })
}

fn check_name(file: &str) -> Result<(), Refusal> {
    if file.chars().count() > MAX_NAME || file.chars().any(char::is_control) {
        let text = format!("a file's name is one line of at most {MAX_NAME} characters");
        return Err(Refusal::Invalid(text));
    }
    Ok(())
}

/// What an operator should know of an import.
fn note(has_signature: bool, signed_by: Option<&str>) -> String {
    match signed_by {
        Some(key) => format!("signed by key {key}"),
        None if has_signature => {
            "its signature was not checked: no key is named, neither by `keys` of [knowledge] in \
             the configuration nor by --key"
                .into()
        }
        None => "it is not signed".into(),
    }
}

fn refused(error: &OfferError) -> Refusal {
    let text = format!("nothing was imported: {error}");
    match error {
        OfferError::Older { .. } | OfferError::Ahead { .. } => Refusal::Conflict(text),
        _ => Refusal::Invalid(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_named_makes_trust_no_wider() {
        let [ours, theirs] = [
            "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
            "RWSw/gS+hEq2XY2xbbtPYzTUQlwTwBVO6TI01SwlR2e2twqfwU20xgFF",
        ]
        .map(|key| [key.parse().unwrap()]);
        assert_eq!(trusted(&[], &ours), Ok(&ours[..]));
        assert_eq!(trusted(&ours, &[]), Ok(&ours[..]));
        assert_eq!(trusted(&ours, &ours), Ok(&ours[..]));
        let Err(Refusal::Invalid(text)) = trusted(&ours, &theirs) else { panic!("taken") };
        assert!(text.contains(&theirs[0].id()), "{text}");
    }

    #[test]
    fn a_name_that_can_not_be_shown_is_refused() {
        assert!(check_name("a b/c.toml").is_ok());
        assert!(check_name("a\u{1b}[2J").is_err() && check_name(&"a".repeat(4097)).is_err());
    }
}
