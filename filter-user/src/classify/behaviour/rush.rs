//! How fast a client asks for what it hasn't asked for yet.

/// New paths within some seconds.
///
/// *Shape*: 16 bytes.
#[derive(Clone, Debug, Default)]
pub struct Rush {
    since_ms: u64,
    /// How many paths there were then.
    before: u32,
    most: u32,
}

impl Rush {
    /// Takes in how many different paths there are now.
    pub fn handle(&mut self, now_ms: u64, paths: u32) {
        if now_ms.saturating_sub(self.since_ms) > WINDOW_MS || paths < self.before {
            (self.since_ms, self.before) = (now_ms, paths);
        }
        self.most = self.most.max(paths.saturating_sub(self.before));
    }

    /// The most that were new within [`WINDOW_MS`].
    #[must_use]
    pub const fn most(&self) -> u32 {
        self.most
    }
}

/// How long is looked at once.
pub const WINDOW_MS: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_within_the_window_counts() {
        let mut rush = Rush::default();
        (0..300).for_each(|i| rush.handle(1_000_000 + u64::from(i) * 1000, i));
        assert_eq!(rush.most(), 20);
        (300..500).for_each(|i| rush.handle(2_000_000, i));
        assert_eq!(rush.most(), 199);
    }
}
