//! Verdicts that an operator makes and lifts.

use super::engine::{Engine, action_name};
use super::operator::failed;
use super::policy::unix_s;
use crate::clock::Now;
use crate::config::parse_duration;
use crate::control::api::{AddVerdict, Done};
use crate::control::handle::Refusal;
use crate::store::Write;
use crate::verdict::{Full, Target, Verdict, VerdictSource, prefix_of};
use ipnet::IpNet;

impl Engine {
    pub(super) fn handle_verdict(
        &mut self,
        request: AddVerdict,
        now: Now,
    ) -> Result<Done, Refusal> {
        let target = parse_target(&request.address)?;
        let lasts = parse_duration(&request.lasts).map_err(Refusal::Invalid)?;
        let prefix = prefix_of(&target.key);
        if let Some(entry) = self.policy.allowed_around(&target.named, unix_s(now)) {
            let named = &request.address;
            let text = format!("{named} is on the allowlist ({entry}), which always wins");
            return Err(Refusal::Conflict(text));
        }
        let verdict = Verdict {
            action: request.action,
            shadow: request.shadow,
            source: VerdictSource::Operator,
            reason: request.reason,
            expires_unix_ms: now.unix_ms_after(lasts),
        };
        self.settle();
        self.store.commit([Write::Verdict(prefix, Some(&verdict))]).map_err(failed)?;
        if !self.enforce(target.key, verdict, now).map_err(failed)? {
            self.store.commit([Write::Verdict(prefix, None)]).map_err(failed)?;
            return Err(Refusal::Conflict(Full.to_string()));
        }
        self.quic.forgets(&target.key);
        let text = format!("{} by an operator", action_name(request.action));
        self.tell(now, "verdict", Some(prefix.to_string()), text);
        Ok(Done { changed: 1, notes: self.notes(&request.address, &target, &prefix) })
    }

    pub(super) fn handle_lift(&mut self, text: &str, now: Now) -> Result<Done, Refusal> {
        let key = parse_target(text)?.key;
        let prefix = prefix_of(&key);
        let Some(verdict) = self.verdicts.get(&key, now.unix_ms) else {
            return Err(Refusal::NotFound(self.no_verdict(&prefix, now)));
        };
        if verdict.source == VerdictSource::Classifier {
            return self.handle_forgive(&prefix.to_string(), now);
        }
        self.settle();
        self.store.commit([Write::Verdict(prefix, None)]).map_err(failed)?;
        self.maps().and_then(|maps| maps.clear_verdict(key)).map_err(failed)?;
        self.verdicts.remove(&key);
        self.quic.forgets(&key);
        self.tell(now, "verdict", Some(prefix.to_string()), "lifted by an operator".into());
        Ok(Done { changed: 1, notes: Vec::new() })
    }

    /// What an operator should know about a verdict that he made.
    fn notes(&self, written: &str, target: &Target, prefix: &IpNet) -> Vec<String> {
        let mut notes = Vec::new();
        if target.had_host_bits {
            notes.push(format!("{written} has host bits; taken as {prefix}"));
        } else if *prefix != target.named {
            notes.push(format!("it is about all of {prefix}"));
        }
        let inside: Vec<_> = self.policy.allowed_inside(prefix).take(2).collect();
        notes.extend(inside.first().map(|entry| match inside.len() {
            1 => format!("{entry} inside is on the allowlist and still passes"),
            _ => format!("{entry} and others inside are on the allowlist and still pass"),
        }));
        notes
    }

    /// There is none on the prefix; maybe there is a wider one, which is what was meant.
    fn no_verdict(&self, prefix: &IpNet, now: Now) -> String {
        let around = self.verdicts.holding(prefix.addr(), now.unix_ms);
        let mut around = around.into_iter().map(|(key, _)| prefix_of(&key));
        match around.find(|wider| wider.contains(prefix)) {
            Some(wider) => format!("there is no verdict on {prefix}, but one on {wider}"),
            None => format!("there is no verdict on {prefix}"),
        }
    }
}

fn parse_target(text: &str) -> Result<Target, Refusal> {
    text.parse().map_err(|error| Refusal::Invalid(format!("{error}")))
}
