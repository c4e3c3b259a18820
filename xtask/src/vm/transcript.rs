//! What the machine told, step by step.

use std::collections::HashMap;

use crate::exec;

/// The steps by their names.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    steps: HashMap<String, Step>,
}

/// One command in the machine.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Its standard output.
    pub(super) out: Vec<String>,
    /// Its standard error.
    pub(super) err: Vec<String>,
    /// Its exit code, if it came to an end.
    pub(super) exit: Option<i32>,
}

impl Transcript {
    /// Reads lines of `STEP KIND TEXT`, and skips all others.
    pub(super) fn read(text: &str) -> Self {
        let mut transcript = Self::default();
        for line in text.lines() {
            let mut words = line.trim_end().splitn(3, ' ');
            let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
            let text = words.next().unwrap_or_default();
            let step = transcript.steps.entry(name.to_owned()).or_default();
            match kind {
                "out" => step.out.push(text.to_owned()),
                "err" => step.err.push(text.to_owned()),
                "exit" => step.exit = text.parse().ok(),
                _ => {}
            }
        }
        transcript
    }

    /// A step, if the machine came to it.
    pub(super) fn step(&self, name: &str) -> Option<&Step> {
        self.steps.get(name)
    }

    /// Whether a signal ended any of them, such as the kernel's for want of memory.
    pub(super) fn any_killed(&self) -> bool {
        self.steps.values().any(|step| step.exit.is_some_and(|code| code > SIGNALS))
    }
}

impl Step {
    /// What it said about itself: the end of its standard error.
    pub(super) fn said(&self) -> String {
        exec::tail(&self.err.join("\n"), SAID_LINES)
    }
}

/// A shell adds the signal's number to this.
const SIGNALS: i32 = 128;

/// Enough for why the verifier refuses a program.
const SAID_LINES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_their_steps() {
        let text = "a out {\"x\": 1}\r\nnoise\nb err two  words\na out\nb exit 3\n";
        let transcript = Transcript::read(text);
        assert_eq!(transcript.step("a").unwrap().out, ["{\"x\": 1}", ""]);
        assert_eq!(transcript.step("a").unwrap().exit, None);
        let failed = transcript.step("b").unwrap();
        assert_eq!((failed.said().as_str(), failed.exit), ("two  words", Some(3)));
    }

    #[test]
    fn a_step_that_never_began_is_none() {
        assert!(Transcript::read("").step("a").is_none());
    }
}
