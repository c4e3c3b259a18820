//! The shipped knowledge, and files that are refused.

use super::file::KnowledgeError;
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
    let short = ROW.replace("_b26ce05bbdd6", "");
    assert!(matches!(Knowledge::parse(&format!("{HEAD}{short}")), Err(KnowledgeError::Ja4(_))));
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
