//! Rules on `ClientHello`s for people.

use crate::cli::render::{span, table_or};
use crate::control::api::RuleEntry;

pub(super) fn rules(rules: &[RuleEntry]) -> String {
    let rows = rules.iter().map(|rule| {
        vec![
            rule.pattern.to_string(),
            rule.action.to_string(),
            rule.note
                .as_ref()
                .map_or_else(|| rule.mode.clone(), |note| format!("{}, {note}", rule.mode)),
            rule.matched.to_string(),
            rule.ended.to_string(),
            rule.expires_in_s.map_or_else(|| "never".to_owned(), span),
            rule.comment.clone(),
        ]
    });
    let header = ["about", "action", "mode", "hellos", "ended", "ends in", "why"];
    table_or(&header, rows, "there is no rule on ClientHellos")
}
