//! The table and the verdict at the end.

use super::tally::Tally;
use crate::term;

/// One test executable's outcome.
pub(super) struct Row {
    name: String,
    kind: &'static str,
    tally: Tally,
    time: String,
}

impl Row {
    pub(super) fn new(name: &str, kind: &'static str, tally: Tally, time: String) -> Self {
        Self { name: name.to_owned(), kind, tally, time }
    }

    fn cells(&self) -> Vec<String> {
        let Tally { passed, failed, skipped } = self.tally;
        let counts = [passed, failed, skipped].map(|count| count.to_string());
        let names = [self.name.clone(), self.kind.to_owned()];
        names.into_iter().chain(counts).chain([self.time.clone()]).collect()
    }
}

/// Prints table and sum; says whether the whole run passed.
pub(super) fn print(rows: &[Row], deny_skips: bool, filtered: bool) -> bool {
    let cells: Vec<_> = rows.iter().filter(|row| row.tally.total() > 0).map(Row::cells).collect();
    term::line("");
    term::table(&["tests", "kind", "passed", "failed", "skipped", "time"], &cells);
    let complaints = complaints(rows, deny_skips, filtered);
    for complaint in &complaints {
        term::line(complaint);
    }
    let Tally { passed, failed, skipped } = sum(rows);
    term::line("");
    term::line(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    complaints.is_empty()
}

/// Why the run as a whole failed: empty if it passed.
fn complaints(rows: &[Row], deny_skips: bool, filtered: bool) -> Vec<String> {
    let all = sum(rows);
    let privileged = rows.iter().filter(|row| row.kind == "privileged");
    let privileged: usize = privileged.map(|row| row.tally.total()).sum();
    let checks = [
        (all.failed > 0, "FAILED: see the tests above"),
        (deny_skips && all.skipped > 0, "FAILED: tests were skipped, and skips are denied"),
        (!filtered && privileged == 0, "FAILED: no privileged test ran"),
        (filtered && all.total() == 0, "FAILED: no test has that name"),
    ];
    let failed = checks.into_iter().filter(|(failed, _)| *failed);
    failed.map(|(_, complaint)| complaint.to_owned()).collect()
}

fn sum(rows: &[Row]) -> Tally {
    rows.iter().fold(Tally::default(), |sum, row| sum + row.tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(kind: &'static str, tally: Tally) -> Vec<Row> {
        vec![Row::new("pass", kind, tally, String::new())]
    }

    const PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };

    #[test]
    fn a_run_without_a_privileged_test_fails() {
        assert_eq!(complaints(&rows("host", PASSED), false, false).len(), 1);
        assert!(complaints(&rows("privileged", PASSED), false, false).is_empty());
    }

    #[test]
    fn a_filter_may_leave_host_tests_only_but_not_nothing() {
        assert!(complaints(&rows("host", PASSED), false, true).is_empty());
        assert_eq!(complaints(&[], false, true).len(), 1);
    }

    #[test]
    fn skips_fail_where_they_are_denied() {
        let skipped = Tally { skipped: 1, ..PASSED };
        assert!(complaints(&rows("privileged", skipped), false, false).is_empty());
        assert_eq!(complaints(&rows("privileged", skipped), true, false).len(), 1);
    }

    #[test]
    fn one_failure_fails_the_run() {
        let failed = PASSED + Tally::BROKEN;
        assert_eq!(complaints(&rows("privileged", failed), false, false).len(), 1);
    }
}
