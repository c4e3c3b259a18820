//! Numbers that are tried one after another, in paths and in names of accounts.

use super::distinct::hash;

/// The last number that was seen, and what stood around it.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    around: u64,
    last: u64,
}

impl Sequence {
    /// Takes in a text: whether the number in it follows the one before; `None` if it has
    /// none.
    ///
    /// Several that count together come out of order, so a small step ahead is enough.
    pub fn handle(&mut self, secret: u64, text: &str) -> Option<bool> {
        let (before, number, after) = number(text)?;
        let around = hash(secret, (before, after));
        let ahead = number.saturating_sub(self.last);
        let follows = around == self.around && (1..=NEAR).contains(&ahead);
        (self.around, self.last) = (around, number);
        Some(follows)
    }
}

/// The last number of a text, with what stands before and after it.
fn number(text: &str) -> Option<(&str, u64, &str)> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let head = text.get(..end)?;
    let start = head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    Some((text.get(..start)?, text.get(start..end)?.parse().ok()?, text.get(end..)?))
}

const NEAR: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(texts: &[&str]) -> Vec<Option<bool>> {
        let mut sequence = Sequence::default();
        texts.iter().map(|text| sequence.handle(7, text)).collect()
    }

    #[test]
    fn neighbours_follow_each_other() {
        let (no, yes) = (Some(false), Some(true));
        assert_eq!(follows(&["/o/100.json", "/o/101.json", "/o/105.json"]), [no, yes, yes]);
        assert_eq!(follows(&["user007", "user008", "admin009"]), [no, yes, no]);
    }

    #[test]
    fn the_same_again_and_what_is_far_away_or_behind_do_not() {
        let no = Some(false);
        assert_eq!(follows(&["/o/100", "/o/100", "/o/99", "/o/900", "/p/901"]), [no; 5]);
        assert_eq!(follows(&["/", "/99999999999999999999999"]), [None, None]);
    }
}
