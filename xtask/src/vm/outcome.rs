//! What a kernel's run amounts to.

use serde::Serialize;
use serde_json::Value;

use super::image;
use super::judge::{Judge, Score};
use super::kernel::Kernel;
use super::machine::Run;
use super::transcript::{Step, Transcript};
use crate::exec;

use anyhow::Result;

/// One kernel's line in the report.
///
/// A kernel has to run the product, or, if it is too old, to be refused in clear words.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) kernel: String,
    /// Whether the product has to run there.
    pub(super) supported: bool,
    /// What became of the XDP program.
    pub(super) program: Fate,
    pub(super) hellos: Score,
    pub(super) evasion: Score,
    /// What became of the daemon.
    pub(super) daemon: Fate,
    /// How many the verifier visited of the program, as the kernel tells.
    pub(super) visited_instructions: Option<u64>,
    pub(super) seconds: f64,
    /// The words of a refusal.
    pub(super) refusal: Option<String>,
    pub(super) problems: Vec<String>,
}

/// What became of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    /// It did what it is for, to the end.
    Works,
    /// It said clearly why it can't.
    Refused,
    /// Anything else.
    #[default]
    Fails,
}

impl Fate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused => "refused",
            Self::Fails => "FAILS",
        }
    }

    /// Of a command that worked or was refused.
    fn of(step: Option<&Step>) -> Self {
        match step {
            Some(Step { exit: Some(0), .. }) => Self::Works,
            Some(step) if step.exit == Some(1) && refusal(step).is_some() => Self::Refused,
            _ => Self::Fails,
        }
    }
}

impl Outcome {
    /// Judges what a machine left behind.
    ///
    /// # Errors
    ///
    /// If it isn't known what is right.
    pub(super) fn new(kernel: &Kernel, run: &Run) -> Result<Self> {
        let steps = &run.transcript;
        let mut outcome = Self {
            kernel: kernel.release.clone(),
            supported: kernel.series.is_supported(),
            program: Fate::of(steps.step("hellos")),
            hellos: Score::default(),
            evasion: Score::default(),
            daemon: Fate::of(steps.step("daemon")),
            visited_instructions: visited(steps),
            seconds: run.seconds,
            refusal: steps.step("daemon").and_then(refusal),
            problems: Vec::new(),
        };
        outcome.judge_the_machine(run);
        outcome.judge_the_daemon(steps);
        outcome.judge_the_fates(steps);
        if outcome.program == Fate::Works {
            outcome.judge_the_captures(steps)?;
        }
        Ok(outcome)
    }

    /// Whether it is as it has to be.
    pub(super) fn holds(&self) -> bool {
        self.problems.is_empty()
    }

    fn judge_the_machine(&mut self, run: &Run) {
        let steps = &run.transcript;
        if let Some(trouble) = &run.trouble {
            self.problems.push(trouble.clone());
        }
        let finished = steps.step(LAST_STEP).is_some_and(|step| step.exit.is_some());
        if !finished || steps.any_killed() {
            let end = exec::tail(&run.console, CONSOLE_LINES);
            let end = if end.is_empty() { "nothing" } else { &end };
            self.problems.push(format!("the kernel's last words:\n{end}"));
        }
        if let Some(step) = steps.step("interfaces").filter(|step| step.exit != Some(0)) {
            self.problems.push(format!("no veth: {}", step.said()));
        }
    }

    fn judge_the_captures(&mut self, steps: &Transcript) -> Result<()> {
        let rows = |name| steps.step(name).map(|step| &step.out[..]).unwrap_or_default();
        let hellos = Judge::read(&image::corpus("hellos").join("labels.json"))?;
        let evasion = Judge::read(&image::corpus("evasion").join("expected.json"))?;
        let (hellos, hello_problems) = hellos.score(rows("hellos"));
        let (evasion, evasion_problems) = evasion.score(rows("evasion"));
        (self.hellos, self.evasion) = (hellos, evasion);
        let problems = [hello_problems, evasion_problems].concat();
        self.problems.extend(problems.iter().take(MOST_PROBLEMS).cloned());
        if problems.len() > MOST_PROBLEMS {
            self.problems.push(format!("{} more like these", problems.len() - MOST_PROBLEMS));
        }
        if hellos.unfingerprintable > 0 {
            let count = hellos.unfingerprintable;
            self.problems.push(format!("{count} ordinary hellos are called unfingerprintable"));
        }
        Ok(())
    }

    /// That it runs to its end isn't enough: it has to be attached, and to answer.
    fn judge_the_daemon(&mut self, steps: &Transcript) {
        if let Some(step) = steps.step(LAST_STEP).filter(|step| step.exit != Some(0)) {
            self.problems.push(format!("palisade detach: {}", step.said()));
        }
        if self.daemon != Fate::Works {
            return;
        }
        let status = steps.step("status").map(|step| step.out.concat()).unwrap_or_default();
        let status: Value = serde_json::from_str(&status).unwrap_or_default();
        let attached = &status["interfaces"][0]["attach"];
        if attached != "native" {
            self.daemon = Fate::Fails;
            self.problems.push(format!("palisade status says that it is attached: {attached}"));
        }
    }

    fn judge_the_fates(&mut self, steps: &Transcript) {
        let expected = if self.supported { Fate::Works } else { Fate::Refused };
        let (captures, fate) = match self.program {
            // What the second step says would only repeat the first.
            program if program != expected => ("hellos", program),
            _ => ("evasion", Fate::of(steps.step("evasion"))),
        };
        let fates = [("palisade", captures, fate), ("palisaded", "daemon", self.daemon)];
        for (name, step, fate) in fates {
            if fate != expected {
                self.problems.push(format!("{name} ({step}) {}", fault(steps.step(step))));
            }
        }
    }
}

fn fault(step: Option<&Step>) -> String {
    match step {
        None => "was never tried".to_owned(),
        Some(step) => match step.exit {
            None => format!("came to no end:\n{}", step.said()),
            Some(code) => format!("ended with exit code {code}:\n{}", step.said()),
        },
    }
}

/// The line that says what the kernel lacks.
fn refusal(step: &Step) -> Option<String> {
    let clear = |line: &&String| REFUSAL.iter().all(|words| line.contains(words));
    let line = step.err.iter().find(clear)?;
    // The daemon's log has time and level before it.
    let start = line.find(REFUSAL[0]).unwrap_or_default();
    Some(line[start..].to_owned())
}

/// The daemon holds one program, whose file descriptor tells.
fn visited(steps: &Transcript) -> Option<u64> {
    let lines = &steps.step("program")?.out;
    lines.iter().find_map(|line| line.strip_prefix("verified_insns:")?.trim().parse().ok())
}

/// What the machine does last, whatever came before.
const LAST_STEP: &str = "detach";

/// What a refusal has to say.
const REFUSAL: [&str; 3] = ["this kernel (", "lacks", "needs Linux"];

/// More of one kind tell nothing new.
const MOST_PROBLEMS: usize = 5;

/// Enough for a panic and what led to it.
const CONSOLE_LINES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "hellos err this kernel (5.10.0) lacks bpf_loop; Palisade needs Linux 6.1\n\
        hellos exit 1\n\
        evasion err this kernel (5.10.0) lacks bpf_loop; Palisade needs Linux 6.1\n\
        evasion exit 1\n\
        daemon err T ERROR this kernel (5.10.0) lacks bpf_loop; Palisade needs Linux 6.1\n\
        daemon exit 1\ninterfaces exit 0\ndetach exit 0\n";

    fn outcome(wanted: &str, transcript: &str) -> Outcome {
        let packages = ["linux-image-5.10.0-46-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64"];
        let packages = packages.map(str::to_owned);
        let kernel = Kernel::choose(wanted.parse().unwrap(), &packages).unwrap();
        let transcript = Transcript::read(transcript);
        let run = Run { transcript, console: "panic".to_owned(), trouble: None, seconds: 1.0 };
        Outcome::new(&kernel, &run).unwrap()
    }

    #[test]
    fn an_old_kernel_that_is_refused_clearly_holds() {
        let outcome = outcome("5.10", OLD);
        assert!(outcome.holds(), "{:?}", outcome.problems);
        let said = outcome.refusal.unwrap();
        assert_eq!(said, "this kernel (5.10.0) lacks bpf_loop; Palisade needs Linux 6.1");
    }

    #[test]
    fn an_obscure_refusal_does_not_hold() {
        let obscure = OLD.replace("lacks bpf_loop", "said E2BIG");
        assert_eq!(outcome("5.10", &obscure).problems.len(), 2);
    }

    #[test]
    fn a_crash_is_no_refusal_and_the_console_may_say_why() {
        let crashed = outcome("5.10", &OLD.replace("exit 1", "exit 134"));
        assert_eq!(crashed.problems.len(), 3);
        assert!(crashed.problems[0].contains("panic"), "{:?}", crashed.problems);
    }

    #[test]
    fn a_kernel_that_has_to_work_may_not_refuse() {
        let outcome = outcome("6.1", OLD);
        assert!(!outcome.holds());
        assert_eq!((outcome.program, outcome.daemon), (Fate::Refused, Fate::Refused));
    }

    #[test]
    fn a_machine_that_does_not_come_up_says_what_its_console_said() {
        let outcome = outcome("6.1", "");
        assert!(outcome.problems[0].contains("panic"), "{:?}", outcome.problems);
    }

    #[test]
    fn the_verifier_is_read_from_the_programs_descriptor() {
        let transcript = "program out prog_type:\t6\nprogram out verified_insns:\t4711\n";
        assert_eq!(visited(&Transcript::read(transcript)), Some(4711));
    }
}
