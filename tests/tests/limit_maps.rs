//! Limits in the kernel, as the daemon changes them while packets are charged.

use anyhow::{Context, Result, ensure};
use filter_common::abi::counter::Reason;
use filter_common::abi::limit::{Plan, ProfileCounters};
use filter_common::limit::key;
use filter_user::clock::Now;
use filter_user::limit::whom::Whom;
use filter_user::limit::{LimitBook, Origin};
use filter_user::verdict::address_of;
use tests::frame::source::{LISTED, PLAIN_V4, PLAIN_V6, Source};
use tests::kernel::KernelFilter;
use tests::require_privileges;
use tests::rules::{self, Rules};

/// A filter and its limits.
struct Bed {
    kernel: KernelFilter,
    book: LimitBook,
}

impl Bed {
    fn with(toml: &str) -> Result<Self> {
        let mut rules: Rules = rules::nothing();
        rules.limit("it", toml);
        let mut kernel = KernelFilter::load()?;
        kernel.fill(&rules)?;
        Ok(Self { kernel, book: rules.limits })
    }

    fn number(&self) -> Result<u32> {
        Ok(self.book.get("it").context("a limit")?.number)
    }

    /// Changes the limit, as if it were the same in the kernel under this number.
    fn set(&mut self, toml: &str) -> Result<u32> {
        let number = self.book.put("it", toml::from_str(toml)?, Origin::Operator, None)?.number;
        self.apply()?;
        Ok(number)
    }

    fn apply(&mut self) -> Result<()> {
        Ok(self.kernel.limits.apply(self.book.compile(), Now::read().ktime_ns)?)
    }

    /// How many of so many datagrams pass.
    fn pass(&mut self, source: Source, count: usize) -> Result<usize> {
        let frame = source.packet().udp((5000, 53), b"?").build();
        let mut passed = 0;
        for _ in 0..count {
            passed += usize::from(self.kernel.run(&frame)?.decision.reason == Reason::NO_RULE);
        }
        Ok(passed)
    }

    fn meters(&self) -> usize {
        self.kernel.limits.meters().count()
    }
}

fn hourly(burst: u32) -> String {
    format!("unit = 'packets'\nrate = '1/h'\nburst = {burst}\nservices = ['udp']")
}

#[test]
fn a_change_of_burst_or_rate_gives_nobody_a_new_start() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(10))?;
    ensure!(bed.pass(PLAIN_V4, 8)? == 8);
    let number = bed.number()?;
    ensure!(bed.set(&hourly(15))? == number);
    ensure!(bed.pass(PLAIN_V4, 20)? == 7);
    bed.set("unit = 'packets'\nrate = '2/d'\nburst = 20\nservices = ['udp']")?;
    ensure!(bed.pass(PLAIN_V4, 20)? == 5);
    bed.set(&hourly(12))?;
    ensure!(bed.pass(PLAIN_V4, 20)? == 0, "who has used more than there is now waits");
    ensure!(bed.pass(PLAIN_V6, 20)? == 12);
    // At a thousand a second what was used is back within milliseconds: nobody is locked out.
    bed.set("unit = 'packets'\nrate = '1k/s'\nburst = 12\nservices = ['udp']")?;
    let deadline_ns = Now::read().ktime_ns + 1_000_000_000;
    while bed.pass(PLAIN_V4, 1)? == 0 {
        ensure!(Now::read().ktime_ns < deadline_ns, "it is still locked out after a second");
    }
    Ok(())
}

#[test]
fn what_is_the_same_is_not_written() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(10))?;
    bed.set("unit = 'packets'\nrate = '2/h'\nservices = ['udp']")?;
    let (before, config) = (bed.kernel.limits.profiles()?, bed.kernel.maps.config()?);
    ensure!(before.len() == 1 && before[0].1.rate.origin_ns != 0, "{before:?}");
    bed.apply()?;
    ensure!(bed.kernel.limits.profiles()? == before && bed.kernel.maps.config()? == config);
    Ok(())
}

#[test]
fn other_settings_of_the_host_leave_the_limits_alone() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(3))?;
    bed.set(&hourly(4))?;
    let config = bed.kernel.maps.config()?;
    bed.kernel.maps.set_config(rules::nothing().config)?;
    ensure!(bed.kernel.maps.config()? == config);
    ensure!(bed.pass(PLAIN_V4, 9)? == 4);
    Ok(())
}

#[test]
fn a_limit_that_counts_something_else_starts_anew_and_leaves_nothing_behind() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(5))?;
    ensure!(bed.pass(PLAIN_V4, 9)? == 5 && bed.meters() == 1);
    let former = bed.number()?;
    bed.set("unit = 'packets'\nquota = '3/day'\nservices = ['udp']")?;
    ensure!(bed.number()? != former && bed.meters() == 0);
    ensure!(bed.kernel.limits.offenders().is_empty());
    ensure!(bed.kernel.limits.counters(former)? == ProfileCounters::default());
    ensure!(bed.pass(PLAIN_V4, 9)? == 3);
    Ok(())
}

/// As after a restart with another configuration, or for the throttle, which has one number.
#[test]
fn a_number_that_counts_something_else_is_cleared() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(5))?;
    let number = bed.number()?;
    ensure!(bed.pass(PLAIN_V4, 9)? == 5);
    let prefixes = format!("{}\nkey = 'client/24/56'", hourly(2));
    bed.book = LimitBook::default();
    bed.book.put("it", toml::from_str(&prefixes)?, Origin::Config, Some(number))?;
    bed.apply()?;
    ensure!(bed.meters() == 0);
    ensure!(bed.pass(PLAIN_V4, 9)? == 2);
    ensure!(bed.pass(LISTED[0], 9)? == 0, "it is in the same /24");
    Ok(())
}

#[test]
fn a_limit_that_is_off_limits_nobody_and_keeps_no_meters() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(2))?;
    ensure!(bed.pass(PLAIN_V4, 5)? == 2);
    bed.set(&format!("{}\naction = 'off'", hourly(2)))?;
    ensure!(bed.meters() == 0 && bed.kernel.limits.profiles()?.is_empty());
    ensure!(bed.pass(PLAIN_V4, 5)? == 5 && bed.meters() == 0);
    bed.set(&hourly(2))?;
    ensure!(bed.pass(PLAIN_V4, 5)? == 2);
    bed.book.remove("it");
    bed.apply()?;
    ensure!(bed.pass(PLAIN_V4, 5)? == 5 && bed.meters() == 0);
    Ok(())
}

#[test]
fn meters_of_one_profile_are_cleared_and_others_stay() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(4))?;
    bed.book.put("other", toml::from_str(&hourly(6))?, Origin::Operator, None)?;
    let together =
        "unit = 'packets'\nrate = '1/h'\nburst = 40\nkey = 'service'\nservices = ['udp']";
    bed.book.put("all", toml::from_str(together)?, Origin::Operator, None)?;
    bed.apply()?;
    for source in [PLAIN_V4, PLAIN_V6] {
        ensure!(bed.pass(source, 6)? == 4);
    }
    ensure!(bed.meters() == 4);
    let number = bed.number()?;
    bed.kernel.limits.clear_meters(number)?;
    ensure!(bed.meters() == 2);
    ensure!(bed.pass(PLAIN_V4, 9)? == 2, "the other one has six, of which four are used");
    let all = bed.book.get("all").context("a limit")?.number;
    ensure!(bed.kernel.limits.aggregate(all)? != 0);
    bed.kernel.limits.clear_meters(all)?;
    ensure!(bed.kernel.limits.aggregate(all)? == 0);
    Ok(())
}

#[test]
fn meters_and_offenders_say_who_and_how_often() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&format!("{}\nkey = 'client/24/48'", hourly(3)))?;
    for source in [PLAIN_V4, PLAIN_V6] {
        bed.pass(source, 5)?;
    }
    let (number, profile) = bed.kernel.limits.profiles()?[0];
    let secrets = bed.kernel.limits.secrets()?;
    let meters: Vec<_> = bed.kernel.limits.meters().collect();
    let mut named: Vec<_> = meters
        .iter()
        .map(|(set, meter)| Whom::of(&secrets, &profile, *set, meter.tag).to_string())
        .collect();
    named.sort();
    ensure!(named == ["192.0.2.0/24", "2001:db8::/48"], "{named:?}");
    let offenders = bed.kernel.limits.offenders();
    ensure!(offenders.len() == 2 && offenders.iter().all(|offender| offender.count == 2));
    for source in [PLAIN_V4, PLAIN_V6] {
        let place = key::place(&secrets, &profile, number, &address_of(source.address), 0);
        let noted = offenders.iter().find(|offender| offender.tag == place.tag);
        ensure!(noted.is_some_and(|offender| offender.set == u64::from(place.set)));
        let word = bed.kernel.limits.meter(&place).context("a meter")?;
        let usage = bed.kernel.limits.used(number, word, Now::read().ktime_ns);
        ensure!(usage.is_some_and(|usage| (usage.used, usage.of) == (3, 3)), "{usage:?}");
    }
    let counters = bed.kernel.limits.counters(number)?;
    ensure!((counters.passed.packets, counters.refused.packets) == (6, 4), "{counters:?}");
    Ok(())
}

#[test]
fn services_come_and_go_and_each_port_has_its_own_limits() -> Result<()> {
    require_privileges!();
    let mut bed = Bed::with(&hourly(2))?;
    let port = |first: u32| format!("unit = 'packets'\nrate = '1/h'\nservices = ['udp/{first}']");
    for turn in 0..40_u32 {
        let name = format!("l{}", turn % 5);
        bed.book.put(&name, toml::from_str(&port(50 + turn % 7))?, Origin::Operator, None)?;
        if turn % 3 == 0 {
            bed.book.remove(&format!("l{}", (turn + 2) % 5));
        }
        bed.apply()?;
        for (service, port) in (50_u16..58).map(|port| (0x1_0000 + u32::from(port), port)) {
            let counts =
                |number| Ok::<_, anyhow::Error>(bed.kernel.limits.counters(number)?.passed);
            let numbers: Vec<u32> = (1..64).collect();
            let before: Vec<_> = numbers.iter().map(|n| counts(*n)).collect::<Result<_>>()?;
            let plan: Plan = bed.book.compile().plan(service);
            // A source of its own for each turn and port, which nothing has refused yet.
            let address = [10, 1, u8::try_from(turn)?, u8::try_from(port)?];
            let source = Source { name: "somebody", address: address.into() };
            bed.kernel.run(&source.packet().udp((5000, port), b"?").build())?;
            let counts =
                |number| Ok::<_, anyhow::Error>(bed.kernel.limits.counters(number)?.passed);
            let after: Vec<_> = numbers.iter().map(|n| counts(*n)).collect::<Result<_>>()?;
            let charged = numbers.iter().zip(before.iter().zip(&after));
            let charged = charged.filter(|(_, (before, after))| before != after);
            let charged: Vec<u64> = charged.map(|(number, _)| u64::from(*number)).collect();
            let mut planned: Vec<u64> = plan.low.to_le_bytes().map(u64::from).into();
            planned.retain(|step| *step != 0);
            ensure!(charged == planned, "turn {turn}, port {port}: {charged:?}, not {planned:?}");
        }
    }
    Ok(())
}
