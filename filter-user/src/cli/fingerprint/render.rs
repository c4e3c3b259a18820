//! Fingerprints for people.

use crate::cli::render::{table, table_or, when};
use crate::control::api::{FingerprintDetail, FingerprintEntry};
use crate::rule::Pattern;

pub(super) fn fingerprints(entries: &[FingerprintEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        vec![
            entry.ja4.clone(),
            entry.hellos.to_string(),
            entry.clients.to_string(),
            entry.wire_orders.to_string(),
            ended(entry),
            when(entry.last_unix_ms),
            rules(entry),
            label(entry),
            entry.last_sni.clone().unwrap_or_default(),
        ]
    });
    let header =
        ["JA4", "hellos", "clients", "orders", "ended", "last", "rules", "known as", "last SNI"];
    table_or(&header, rows, "no fingerprint was seen yet")
}

pub(super) fn detail(detail: &FingerprintDetail) -> String {
    let entry = &detail.entry;
    let mut rows = vec![
        ("JA4", entry.ja4.clone()),
        ("known as", label(entry)),
        ("hellos", entry.hellos.to_string()),
        ("clients", format!("about {}", entry.clients)),
        ("wire orders", format!("about {}", entry.wire_orders)),
        ("ended by rules", ended(entry)),
        ("first", when(entry.first_unix_ms)),
        ("last", when(entry.last_unix_ms)),
        ("last SNI", entry.last_sni.clone().unwrap_or_else(|| "none".into())),
        ("last ALPN", entry.alpn.clone().unwrap_or_else(|| "none".into())),
        ("last JA3", entry.ja3.clone().unwrap_or_else(|| UNSEEN.into())),
        ("rules", rules(entry)),
    ];
    match &detail.forms {
        Some(forms) => rows.extend([
            ("stable", forms.stable.clone()),
            ("JA4_r", forms.ja4_r.clone()),
            ("JA4_o", forms.ja4_o.clone()),
            ("JA4_ro", forms.ja4_ro.clone()),
        ]),
        None => rows.push(("forms", UNSEEN.into())),
    }
    table(&["", ""], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]))
}

const UNSEEN: &str = "not seen since the daemon started";

/// A line for each, with a header; fields that may hold a comma are quoted.
pub(super) fn csv(entries: &[FingerprintEntry]) -> String {
    let mut text = "ja4,hellos,clients,wire_orders,ended,would_end,first_unix_ms,last_unix_ms,ja3,\
                    last_sni,alpn,label\n"
        .to_owned();
    for entry in entries {
        let numbers = [
            entry.hellos,
            entry.clients,
            entry.wire_orders,
            entry.ended,
            entry.would_end,
            entry.first_unix_ms,
            entry.last_unix_ms,
        ];
        let texts = [&entry.ja3, &entry.last_sni, &entry.alpn, &entry.label];
        let texts = texts.map(|text| quoted(text.as_deref().unwrap_or_default()));
        let fields = [entry.ja4.clone()]
            .into_iter()
            .chain(numbers.map(|number| number.to_string()))
            .chain(texts);
        text.push_str(&fields.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// A field of CSV (RFC 4180). What a spreadsheet would take for a formula gets a quote in front:
/// clients choose some of these texts.
fn quoted(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.into() };
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn ended(entry: &FingerprintEntry) -> String {
    if entry.would_end == 0 {
        return entry.ended.to_string();
    }
    format!("{} (+{} in shadow)", entry.ended, entry.would_end)
}

fn rules(entry: &FingerprintEntry) -> String {
    entry.rules.iter().map(Pattern::to_string).collect::<Vec<_>>().join(" ")
}

fn label(entry: &FingerprintEntry) -> String {
    entry.label.clone().unwrap_or_else(|| "unknown".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> FingerprintEntry {
        FingerprintEntry {
            ja4: "t13d1516h2_8daaf6152771_e5627efa2ab1".into(),
            ja3: None,
            label: Some("a \"b\", c".into()),
            hellos: 7,
            clients: 3,
            wire_orders: 2,
            ended: 1,
            would_end: 4,
            last_sni: Some("=cmd".into()),
            alpn: None,
            first_unix_ms: 1,
            last_unix_ms: 2,
            rules: Vec::new(),
        }
    }

    #[test]
    fn what_clients_choose_is_no_formula_and_ends_no_field() {
        let text = csv(&[entry()]);
        let line = text.lines().nth(1).unwrap();
        let expected =
            "t13d1516h2_8daaf6152771_e5627efa2ab1,7,3,2,1,4,1,2,,'=cmd,,\"a \"\"b\"\", c\"";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_table_tells_what_shadow_would_have_ended() {
        assert!(fingerprints(&[entry()]).contains("1 (+4 in shadow)"));
        let unseen = detail(&FingerprintDetail { entry: entry(), forms: None });
        assert!(unseen.contains("not seen since the daemon started"), "{unseen}");
    }
}
