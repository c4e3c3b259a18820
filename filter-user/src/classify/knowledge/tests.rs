//! The shipped knowledge, and files that are refused.

use super::file::{KnowledgeError, SHIPPED};
use super::*;

const HEAD: &str = "format = 1\nas_of = \"2026-11-22\"\n";
const ROW: &str =
    "[[fingerprint]]\nja4 = \"t13d1812h1_85036bcba153_b26ce05bbdd6\"\nlibrary = [\"x\"]\n";

fn refused(text: &str) -> String {
    Knowledge::parse(text).unwrap_err().to_string()
}

#[test]
fn the_shipped_file_is_understood() {
    let knowledge = Knowledge::default();
    assert!(knowledge.by_ja4.len() > 30);
    assert!(knowledge.as_of() > Day::parse("2026-01-01").unwrap());
    assert!(knowledge.milestones.iter().all(|milestone| milestone.since <= knowledge.as_of()));
    assert!(
        Family::ALL
            .iter()
            .all(|&family| knowledge.permutes(family) == family.greases()
                || family == Family::Safari)
    );
}

#[test]
fn a_bad_file_is_refused_with_its_line_and_field() {
    let message = refused(&format!("{HEAD}{ROW}tols = [\"y\"]\n"));
    assert!(message.contains("line 6") && message.contains("tols"), "{message}");
    let message = refused("format = 1\nas_of = \"2026-31-01\"\n");
    assert!(message.contains("line 2") && message.contains("2026-31-01"), "{message}");
    assert!(refused("format = 2\nnews = 1\n").contains("format 2"));
    assert!(refused(&format!("{HEAD}{ROW}{ROW}")).contains("twice"));
    let nobody = ROW.replace("[\"x\"]", "[]");
    assert!(refused(&format!("{HEAD}{nobody}")).contains("neither"));
    let shown = ROW.replace("\"x\"", "\"x\\u001b[2J\"");
    assert!(refused(&format!("{HEAD}{shown}")).contains(r"x\u{1b}[2J"));
    let short = ROW.replace("_b26ce05bbdd6", "");
    assert!(matches!(Knowledge::parse(&format!("{HEAD}{short}")), Err(KnowledgeError::Ja4(_))));
}

#[test]
fn what_nests_without_end_is_refused() {
    for opening in ["[", "{a=", "[{a="] {
        let text = format!("{HEAD}family = {}", opening.repeat(200_000));
        assert!(!refused(&text).is_empty());
    }
    let text = format!("format = 1\n{}", "a.".repeat(200_000));
    assert!(!refused(&text).is_empty());
}

#[test]
fn a_text_that_is_cut_short_is_refused_or_knows_less() {
    let text = SHIPPED;
    let whole = Knowledge::default();
    for (end, _) in text.char_indices().filter(|(end, _)| end % 7 == 0 || *end < 600) {
        if let Ok(cut) = Knowledge::parse(&text[..end]) {
            assert!(cut.by_ja4.len() <= whole.by_ja4.len() && cut.as_of() == whole.as_of());
        }
    }
}

#[test]
fn what_there_is_can_be_counted() {
    let summary = Knowledge::default().summary();
    let [chromium, _, safari] = &summary.families[..] else { panic!("{summary:?}") };
    let newest = chromium.newest.as_ref().unwrap();
    assert_eq!((newest.version.as_str(), newest.since.to_string().as_str()), ("152", "2026-08-25"));
    assert_eq!((chromium.milestones, safari.milestones), (5, 1));
    assert!(chromium.permutes && !safari.permutes);
    let Programs { browser, library, tool } = summary.fingerprints;
    assert_eq!(browser + library + tool, Knowledge::default().by_ja4.len());
    assert!(browser > 0 && library > browser && tool > browser);
}

#[test]
fn a_program_is_known_without_a_server_name_too() {
    let knowledge = Knowledge::default();
    let named = knowledge.look_up("t13d4312h1_c7886603b240_b26ce05bbdd6").unwrap();
    let nameless = knowledge.look_up("t13i4311h1_c7886603b240_b26ce05bbdd6");
    assert_eq!(nameless, Some(named));
    assert_eq!(knowledge.look_up("t13i4312h1_c7886603b240_b26ce05bbdd6"), None);
    assert_eq!(knowledge.look_up("t1"), None);
}

#[test]
fn what_a_library_shares_with_a_tool_is_a_library() {
    let shared = Knowledge::default().look_up("t13d311100_e8f1e7e78f70_d41ae481755e").unwrap();
    assert_eq!(shared.kind, Kind::Library);
    assert!(shared.programs.contains("hydra") && shared.programs.contains("urllib"));
}

#[test]
fn kin_and_fingerprints_can_be_taken_out() {
    let shared = "t13d311100_e8f1e7e78f70_d41ae481755e";
    let nmap = "t13d781100_ab95583b6d39_d41ae481755e";
    let rest = Knowledge::default().without(&[nmap], |program| program != "hydra-https");
    assert_eq!(rest.look_up(shared).unwrap().kind, Kind::Tool);
    assert_eq!(rest.look_up(nmap), None);
}
