//! Frames, of which host and kernel must think the same.

use super::Target;
use crate::frame::{self, Named, mutation};
use crate::rules;
use crate::twin::Twins;
use anyhow::{Result, ensure};
use rand::rngs::StdRng;

/// Both filters and what they are fed.
pub(super) struct Both {
    twins: Twins,
    corpus: Vec<Named>,
}

impl Both {
    pub(super) fn open() -> Result<Self> {
        Ok(Self { twins: Twins::new(&rules::lists())?, corpus: frame::corpus() })
    }
}

impl Target for Both {
    fn input(&mut self, rng: &mut StdRng) -> Vec<u8> {
        mutation::mutated(&self.corpus, rng)
    }

    fn check(&mut self, input: &[u8]) -> Result<()> {
        let pair = self.twins.run(input)?;
        ensure!(pair.agrees(), "host and kernel disagree: {pair:#?}");
        Ok(())
    }
}
