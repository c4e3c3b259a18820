//! What is known of clients as text for people.

use crate::classify::knowledge::{FamilySummary, Provenance};
use crate::cli::render::{table_or, when};
use crate::control::api::KnowledgeInfo;

pub(super) fn info(info: &KnowledgeInfo) -> String {
    let KnowledgeInfo { summary, imported, shipped, keys } = info;
    let origin = imported.as_ref().map_or_else(|| "built in".into(), origin);
    let built_in =
        imported.as_ref().map(|_| format!("; built in is one of {shipped}")).unwrap_or_default();
    let asks = if keys.is_empty() {
        "imports need no signature: the configuration names no keys".to_owned()
    } else {
        format!("imports must be signed by key {}", keys.join(" or "))
    };
    let programs = summary.fingerprints;
    let all = programs.browser + programs.library + programs.tool;
    let rows = summary.families.iter().map(family);
    let header = ["family", "permutes", "ciphers", "milestones", "newest", "since"];
    format!(
        "knowledge of {}, format {}: {origin}{built_in}\n{asks}\n{all} fingerprints: {} of \
         browsers, {} of libraries, {} of tools\n{}",
        summary.as_of,
        summary.format,
        programs.browser,
        programs.library,
        programs.tool,
        table_or(&header, rows, "no family is known")
    )
}

fn origin(from: &Provenance) -> String {
    let Provenance { file, unix_ms, signed_by } = from;
    let signed =
        signed_by.as_ref().map_or_else(|| "unsigned".into(), |key| format!("signed by key {key}"));
    format!("imported {} from {file}, {signed}", when(*unix_ms))
}

fn family(family: &FamilySummary) -> Vec<String> {
    let newest = family.newest.as_ref();
    vec![
        family.name.clone(),
        if family.permutes { "yes" } else { "no" }.into(),
        family.ciphers.join(" "),
        family.milestones.to_string(),
        newest.map(|newest| newest.version.clone()).unwrap_or_default(),
        newest.map(|newest| newest.since.to_string()).unwrap_or_default(),
    ]
}
