//! What will be tried, and what can't be.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::kind::{self, Kind};
use super::oracle::Oracle;
use super::tool;
use crate::{exec, setup, term, workspace};

/// What the outer half tells the half inside the namespaces.
#[derive(Deserialize, Serialize)]
pub(super) struct Plan {
    /// Folder with `palisaded` and `palisade`.
    pub(super) programs: PathBuf,
    /// Folder with what was built for the clients.
    pub(super) tools: PathBuf,
    pub(super) oracle: Oracle,
    /// Names of the clients that can run.
    pub(super) ready: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
    /// Names of the clients that have to be tried.
    pub(super) required: Vec<String>,
    /// Kinds of client that have to be tried.
    pub(super) least: usize,
    pub(super) json: bool,
}

/// A client that can't run here.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Skipped {
    pub(super) client: String,
    pub(super) reason: String,
}

impl Plan {
    /// Installs and builds what can be; `names` are the clients asked for, or none for all.
    ///
    /// # Errors
    ///
    /// If the lab or the filter can't be had, or there is no such client.
    pub(super) fn make(names: &[String], json: bool) -> Result<Self> {
        let kinds = choose(names)?;
        exec::require_root("the lab")?;
        setup::for_clients()?;
        let needs: Vec<_> = kinds.iter().flat_map(|kind| kind.needs).copied().collect();
        setup::install_if_possible(&needs);
        let tools = tool::folder()?;
        let (ready, skipped) = prepare(&kinds, &tools);
        let oracle = Oracle::prepare(&tools);
        let programs = workspace::build_palisade("release")?;
        let (required, least) = demand(names);
        Ok(Self { programs, tools, oracle, ready, skipped, required, least, json })
    }

    /// The clients that can run.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static Kind> {
        kind::all().filter(|kind| self.ready.iter().any(|name| name == kind.name))
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Kind>> {
    let stranger = names.iter().find(|name| kind::all().all(|kind| kind.name != **name));
    if let Some(stranger) = stranger {
        let known: Vec<&str> = kind::all().map(|kind| kind.name).collect();
        bail!("there is no client {stranger}; there are {}", known.join(", "));
    }
    let wanted = |kind: &&Kind| names.is_empty() || names.iter().any(|name| name == kind.name);
    Ok(kind::all().filter(wanted).collect())
}

/// Of whoever is chosen all have to be tried, else twelve kinds, browsers among them.
fn demand(names: &[String]) -> (Vec<String>, usize) {
    if names.is_empty() {
        let browsers = kind::all().filter(|kind| kind.browser);
        (browsers.map(|kind| kind.name.to_owned()).collect(), KINDS)
    } else {
        (names.to_vec(), 1)
    }
}

fn prepare(kinds: &[&Kind], tools: &Path) -> (Vec<String>, Vec<Skipped>) {
    let (mut ready, mut skipped) = (Vec::new(), Vec::new());
    for kind in kinds {
        match tool::prepare(kind, tools) {
            Ok(()) => ready.push(kind.name.to_owned()),
            Err(error) => {
                term::status(&format!("{}: skipped: {error:#}", kind.name));
                let reason = error.to_string();
                skipped.push(Skipped { client: kind.name.to_owned(), reason });
            }
        }
    }
    (ready, skipped)
}

const KINDS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_every_client_is_meant() {
        assert_eq!(choose(&[]).unwrap().len(), kind::all().count());
        let (required, least) = demand(&[]);
        assert_eq!((required, least), (vec!["Chromium".to_owned(), "Firefox ESR".to_owned()], 12));
    }

    #[test]
    fn names_choose_clients_and_an_unknown_one_is_refused() {
        let chosen = choose(&["curl".to_owned()]).unwrap();
        assert_eq!(chosen.iter().map(|kind| kind.name).collect::<Vec<_>>(), ["curl"]);
        assert_eq!(demand(&["curl".to_owned()]), (vec!["curl".to_owned()], 1));
        let error = choose(&["netscape".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("netscape") && error.contains("Chromium"), "{error}");
    }
}
