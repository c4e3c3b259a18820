//! What the test harness says about its tests, in numbers.

use std::ops::Add;

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Tally {
    /// One failure: what a program counts for that ended without a result.
    pub(super) const BROKEN: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// Tests that ran or should have.
    pub(super) fn total(self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// Reads a harness's output line by line.
#[derive(Debug, Default)]
pub(super) struct Reader {
    result: Option<Tally>,
    /// Tests that said `SKIP: reason`; the harness counts them as passed.
    gave_up: usize,
}

impl Reader {
    /// Takes in one line.
    pub(super) fn handle_line(&mut self, line: &str) {
        if let Some((_, result)) = line.split_once("test result: ") {
            self.result = Some(self.result.unwrap_or_default() + outcome(result));
        } else if line.contains("SKIP: ") {
            self.gave_up += 1;
        }
    }

    /// What was counted, or nothing if no result was ever printed.
    pub(super) fn tally(&self) -> Option<Tally> {
        let counted = self.result?;
        let gave_up = self.gave_up.min(counted.passed);
        Some(Tally {
            passed: counted.passed - gave_up,
            skipped: counted.skipped + gave_up,
            ..counted
        })
    }
}

/// `ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s`
fn outcome(result: &str) -> Tally {
    Tally {
        passed: count(result, "passed"),
        failed: count(result, "failed"),
        skipped: count(result, "ignored"),
    }
}

/// The number before ` kind`.
fn count(result: &str, kind: &str) -> usize {
    let mut parts = result.split([';', '.']);
    let number = parts.find_map(|part| part.trim().strip_suffix(kind)?.trim().parse().ok());
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Option<Tally> {
        let mut reader = Reader::default();
        output.lines().for_each(|line| reader.handle_line(line));
        reader.tally()
    }

    #[test]
    fn a_result_is_read() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; \
                    3 filtered out; finished in 0.10s";
        assert_eq!(tally(line), Some(Tally { passed: 5, failed: 2, skipped: 1 }));
    }

    #[test]
    fn a_test_that_gave_up_is_skipped_and_not_passed() {
        let output = "SKIP: no IPv6\ntest result: ok. 3 passed; 0 failed; 0 ignored\n";
        assert_eq!(tally(output), Some(Tally { passed: 2, failed: 0, skipped: 1 }));
    }

    #[test]
    fn a_program_that_dies_has_no_result() {
        assert_eq!(tally("running 3 tests\nSegmentation fault\n"), None);
    }
}
