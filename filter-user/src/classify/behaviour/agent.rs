//! Which browser a `User-Agent` claims to be.

use crate::classify::behaviour::seen::Tls;
use crate::classify::family::Family;
use crate::classify::judgement::Class;
use crate::classify::syn::System;

/// The family that would send this `User-Agent`; `None` if it doesn't claim to be a browser.
///
/// Every browser on iOS uses Apple's stack, whatever it is called.
#[must_use]
pub fn claimed(user_agent: &str) -> Option<Family> {
    let has = |part: &str| user_agent.contains(part);
    if !user_agent.starts_with("Mozilla/5.0 (") || has("compatible;") {
        return None;
    }
    if has("iPhone") || has("iPad") {
        Some(Family::Safari)
    } else if has("Firefox/") {
        Some(Family::Firefox)
    } else if has("Chrome/") {
        Some(Family::Chromium)
    } else {
        (has("Version/") && has("Safari/")).then_some(Family::Safari)
    }
}

/// The system that a browser with this `User-Agent` claims to run on.
#[must_use]
pub fn claimed_system(user_agent: &str) -> Option<System> {
    let marks = [
        ("Windows NT", System::Windows),
        ("Macintosh;", System::Apple),
        ("iPhone", System::Apple),
        ("iPad", System::Apple),
        ("Android", System::Linux),
        ("X11; Linux", System::Linux),
    ];
    let found = marks.into_iter().find(|(mark, _)| user_agent.contains(mark));
    found.map(|(_, system)| system)
}

/// Whether a hello is another program's than the browser that is claimed. What nobody can
/// place speaks against nobody.
#[must_use]
pub fn is_at_odds(claimed: Family, tls: &Tls<'_>) -> bool {
    let is_program = matches!(tls.class, Class::Library | Class::Tool | Class::Impersonator);
    is_program || tls.family.is_some_and(|worn| worn != claimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/142.0.0.0 Safari/537.36";
    const CHROME_ON_IOS: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) \
                                 AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Safari/604.1";
    const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
                          (KHTML, like Gecko) Version/18.0 Safari/605.1.15";
    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
    const CRAWLER: &str = "Mozilla/5.0 (compatible; Crawler/2.1) Chrome/142.0.0.0 Safari/537.36";

    #[test]
    fn browsers_are_told_by_their_stack() {
        assert_eq!(claimed(CHROME), Some(Family::Chromium));
        assert_eq!(claimed(CHROME_ON_IOS), Some(Family::Safari));
        assert_eq!(claimed(SAFARI), Some(Family::Safari));
        assert_eq!(claimed(FIREFOX), Some(Family::Firefox));
        assert!([CRAWLER, "curl/8.5.0", ""].iter().all(|agent| claimed(agent).is_none()));
    }

    #[test]
    fn browsers_name_their_system() {
        let systems = [CHROME, CHROME_ON_IOS, SAFARI, "Mozilla/5.0 (Windows NT 10.0; Win64)"];
        let systems = systems.map(|agent| claimed_system(agent).map(System::name));
        let apple = Some(System::Apple.name());
        assert_eq!(systems, [Some("Linux"), apple, apple, Some("Windows")]);
        assert!(claimed_system("curl/8.5.0").is_none());
    }

    #[test]
    fn only_a_hello_that_is_placed_contradicts() {
        let tls = |class, family| Tls { ja4: "", class, family, system: None };
        let chromium = Some(Family::Chromium);
        assert!(is_at_odds(Family::Firefox, &tls(Class::Browser, chromium)));
        assert!(is_at_odds(Family::Chromium, &tls(Class::Impersonator, chromium)));
        assert!(is_at_odds(Family::Chromium, &tls(Class::Library, None)));
        assert!(!is_at_odds(Family::Chromium, &tls(Class::Unknown, None)));
        assert!(!is_at_odds(Family::Chromium, &tls(Class::Browser, chromium)));
    }
}
