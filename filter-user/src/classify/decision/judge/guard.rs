//! What protects those who belong here.

use crate::classify::behaviour::group::Group;
use crate::classify::behaviour::profile::Profile;
use crate::classify::decision::policy::Policy;
use crate::classify::decision::{Action, MINUTE_MS};
use crate::classify::judgement::Class;

/// The most that may happen, and why it isn't more.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    pub(super) at_most: Action,
    pub(super) because: Option<String>,
}

impl Guarded {
    /// A client through which many people get in, or many programs come, is limited at most:
    /// who counts on that by lying about his program stays limited.
    pub(super) fn client(profile: &Profile) -> Self {
        let (accounts, agents) = (profile.passed_accounts.estimate(), profile.agents.estimate());
        if profile.is_crowd() {
            Self::to(Action::Limit, format!("{accounts} accounts get in through it"))
        } else if agents >= RELAY {
            Self::to(Action::Limit, format!("{agents} user agents come through it"))
        } else {
            Self::NOTHING
        }
    }

    /// A browser's fingerprint isn't even limited: its clients answer each for itself. What
    /// can't be placed, or is shared with good clients, is limited at most.
    pub(super) fn group(group: &Group, policy: &Policy, now_ms: u64) -> Self {
        let good = group.good();
        let learn_ms = u64::from(policy.learn_minutes) * MINUTE_MS;
        match group.class() {
            Class::Browser | Class::Automation | Class::Impersonator => {
                Self::to(Action::Watch, "browsers have this fingerprint".to_owned())
            }
            _ if good >= policy.shared_from.max(1) => {
                Self::to(Action::Limit, format!("{good} good clients have this fingerprint"))
            }
            Class::Unknown => Self::to(Action::Limit, "nobody knows whose it is".to_owned()),
            Class::Library if group.watched_ms(now_ms) < learn_ms => {
                Self::to(Action::Limit, "it wasn't watched for long enough".to_owned())
            }
            Class::Library | Class::Tool => Self::NOTHING,
        }
    }

    /// A prefix in which others belong here is limited at most.
    pub(super) fn prefix(good: u32) -> Self {
        if good == 0 {
            return Self::NOTHING;
        }
        Self::to(Action::Limit, format!("{good} parts of it have good clients"))
    }

    const NOTHING: Self = Self { at_most: Action::Block, because: None };

    const fn to(at_most: Action, because: String) -> Self {
        Self { at_most, because: Some(because) }
    }
}

/// More programs than one address has, unless many share it.
const RELAY: u32 = 30;
