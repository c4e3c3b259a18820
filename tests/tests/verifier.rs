//! The kernel accepts every program, at a bounded price.

use anyhow::{Context, Result, ensure};
use filter_user::datapath::object;
use filter_user::datapath::test_run::TestProgram;
use std::collections::BTreeMap;
use tests::{output, require_privileges};

/// Each program's most instructions, by name.
fn budgets() -> Result<BTreeMap<String, u32>> {
    Ok(toml::from_str(include_str!("../verifier-budget.toml"))?)
}

fn programs(object: &[u8]) -> Result<Vec<String>> {
    let loaded = aya::EbpfLoader::new().load(object)?;
    Ok(loaded.programs().map(|(name, _)| name.to_owned()).collect())
}

fn check(name: &str, mut program: TestProgram) -> Result<()> {
    let visited = program.verified_instructions().context("no count: 5.16 or later is needed")?;
    let budget = *budgets()?.get(name).context("a program without a budget")?;
    let line = format!("{name}: {visited} instructions visited, budget {budget}");
    output::result(&line);
    ensure!(visited <= budget, line);
    Ok(())
}

#[test]
fn each_program_loads_within_its_budget() -> Result<()> {
    require_privileges!();
    for name in ["palisade", "palisade_limit", "palisade_hello"] {
        let mut filter = TestProgram::filter()?;
        filter.choose(name);
        check(name, filter)?;
    }
    check("feed", TestProgram::feeding(&mut TestProgram::baseline("empty")?)?)?;
    check("empty", TestProgram::baseline("empty")?)?;
    for name in ["none", "ours", "lpm_trie", "hash", "classify"] {
        check(name, TestProgram::lookup(name)?)?;
    }
    check("flood", TestProgram::flood()?)?;
    for name in ["unmetered", "metered", "lru_hash"] {
        check(name, TestProgram::metering(name)?)?;
    }
    Ok(())
}

#[test]
fn each_program_has_a_budget_and_each_budget_a_program() -> Result<()> {
    require_privileges!();
    let objects = [
        object::FILTER,
        object::BASELINE,
        object::LOOKUP,
        object::METERING,
        object::FEEDING,
        object::FLOOD,
    ];
    let mut built: Vec<_> = objects.into_iter().map(programs).collect::<Result<Vec<_>>>()?.concat();
    built.sort();
    assert_eq!(built, budgets()?.into_keys().collect::<Vec<_>>());
    Ok(())
}
