use super::*;
use crate::classify::knowledge::{Knowledge, Provenance};
use crate::cli::args::{Arguments, Command};
use clap::Parser;

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// What a command line means; its words have no spaces.
fn parse(line: &str) -> Result<KnowledgeCommand, clap::Error> {
    let words = ["palisade", "knowledge"].into_iter().chain(line.split_whitespace());
    match Arguments::try_parse_from(words)?.command {
        Command::Knowledge(command) => Ok(command),
        other => panic!("{line:?} gave {other:?}"),
    }
}

fn import(line: &str) -> ImportArguments {
    match parse(line) {
        Ok(KnowledgeCommand::Import(import)) => import,
        other => panic!("{line:?} gave {other:?}"),
    }
}

#[test]
fn wrong_usage_is_found_before_the_daemon_is_asked() {
    for (line, says) in [
        ("import", "FILE"),
        ("import x --key RW", "minisign.pub"),
        ("import x y", "y"),
        ("reset x", "x"),
        ("show x", "x"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(says), "{line} gave {error}");
    }
}

#[tokio::test]
async fn a_signature_beside_the_file_is_sent_unless_another_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    for (name, text) in [("a", "A"), ("a.minisig", "SA"), ("b", "B"), ("c.sig", "SC")] {
        std::fs::write(path(name), text).unwrap();
    }
    for (line, signature) in [
        (path("a"), Some("SA")),
        (path("b"), None),
        (format!("{} --signature {}", path("b"), path("c.sig")), Some("SC")),
    ] {
        let sent = request(import(&format!("import {line} --key {KEY}"))).await.unwrap();
        assert_eq!(sent.signature.as_deref(), signature, "{line}");
        assert_eq!((sent.keys.len(), sent.force), (1, false));
    }
    let missing = import(&format!("import {} --signature {}", path("b"), path("d")));
    assert!(format!("{:#}", request(missing).await.unwrap_err()).contains("/d: No such file"));
}

#[tokio::test]
async fn what_is_no_text_or_too_long_is_not_sent() {
    let long = vec![b'#'; MAX_BYTES + 1];
    assert_eq!(read_all(&long[1..]).await.unwrap().len(), MAX_BYTES);
    assert!(read_all(&long[..]).await.unwrap_err().to_string().contains("more than"));
    assert!(read_all(&b"\xff\xfe"[..]).await.is_err());
}

#[test]
fn it_is_shown_with_its_origin() {
    let known = Knowledge::default();
    let (summary, shipped) = (known.summary(), known.as_of());
    let mut info = KnowledgeInfo { summary, imported: None, shipped, keys: Vec::new() };
    let text = render::info(&info);
    assert!(text.contains("built in") && text.contains("no signature"), "{text}");
    assert!(text.contains("chromium") && text.contains(" 152 "), "{text}");
    let signed_by = Some("E7620F1842B4E81F".to_owned());
    info.keys.extend(signed_by.clone());
    info.imported = Some(Provenance { file: "new.toml".into(), unix_ms: 0, signed_by });
    let text = render::info(&info);
    let origin = "imported 1970-01-01T00:00:00Z from new.toml, signed by key E7620F1842B4E81F";
    assert!(text.contains(origin) && text.contains("must be signed by key E762"), "{text}");
}
