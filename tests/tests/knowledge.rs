//! Knowledge that is imported: in force at once, after a crash too, and signed where keys are
//! named.

use anyhow::{Result, ensure};
use filter_user::classify::knowledge::Knowledge;
use minisign::KeyPair;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use tests::lab::{Daemon, Lab};
use tests::require_privileges;

/// A fingerprint that nobody else is known for.
const OURS: &str = "t13d0000h2_000000000000_000000000000";

/// A file that is as new as the built-in one and knows one tool.
fn write(lab: &Lab, name: &str, tool: &str) -> Result<PathBuf> {
    let path = lab.dir.path().join(name);
    let as_of = Knowledge::default().as_of();
    let rows = format!("[[fingerprint]]\nja4 = \"{OURS}\"\ntool = [\"{tool}\"]\n");
    fs::write(&path, format!("format = 1\nas_of = \"{as_of}\"\n{rows}"))?;
    Ok(path)
}

fn sign(path: &PathBuf, pair: &KeyPair) -> Result<()> {
    let text = Cursor::new(fs::read(path)?);
    let signature = minisign::sign(Some(&pair.pk), &pair.sk, text, None, None)?;
    Ok(fs::write(format!("{}.minisig", path.display()), signature.into_string())?)
}

#[test]
fn an_import_is_in_force_until_it_is_reset() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let daemon = Daemon::start(&lab, "")?;
    let file = write(&lab, "new.toml", "ours")?.display().to_string();
    let said = daemon.must(&["knowledge", "import", &file])?;
    ensure!(said.stdout.contains("not signed"), "{}", said.stdout);
    daemon.crash()?;
    let daemon = Daemon::start(&lab, "")?;
    let info = daemon.json(&["knowledge", "show"])?;
    ensure!(info["fingerprints"]["tool"] == 1 && info["imported"]["file"] == file, "{info}");
    daemon.must(&["knowledge", "reset"])?;
    daemon.crash()?;
    let info = Daemon::start(&lab, "")?.json(&["knowledge", "show"])?;
    ensure!(info["imported"].is_null() && info["fingerprints"]["tool"] != 1, "{info}");
    Ok(())
}

#[test]
fn where_keys_are_named_only_what_they_signed_counts() -> Result<()> {
    require_privileges!();
    let lab = Lab::new()?;
    let [ours, theirs] =
        [KeyPair::generate_unencrypted_keypair()?, KeyPair::generate_unencrypted_keypair()?];
    let file = write(&lab, "new.toml", "ours")?;
    let import = ["knowledge", "import", &file.display().to_string()];
    let daemon = Daemon::start(&lab, "")?;
    daemon.must(&import)?;
    daemon.stop()?;
    let config = format!("[knowledge]\nkeys = [\"{}\"]\n", ours.pk.to_base64());
    let daemon = Daemon::start(&lab, &config)?;
    let is_imported = |daemon: &Daemon| {
        daemon.json(&["knowledge", "show"]).is_ok_and(|info| !info["imported"].is_null())
    };
    ensure!(!is_imported(&daemon), "what was not signed counts no more");
    for (signer, says) in [(None, "isn't signed"), (Some(&theirs), "isn't trusted")] {
        signer.map(|pair| sign(&file, pair)).transpose()?;
        let said = daemon.palisade(&import)?;
        ensure!(said.code == 1 && said.stderr.contains(says), "{}", said.stderr);
    }
    sign(&file, &ours)?;
    write(&lab, "new.toml", "changed")?;
    let said = daemon.palisade(&import)?;
    ensure!(said.code == 1 && said.stderr.contains("doesn't fit"), "{}", said.stderr);
    ensure!(!is_imported(&daemon));
    write(&lab, "new.toml", "ours")?;
    daemon.must(&import)?;
    daemon.crash()?;
    ensure!(is_imported(&Daemon::start(&lab, &config)?));
    Ok(())
}
