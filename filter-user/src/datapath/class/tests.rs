use super::*;
use crate::limit::{LimitBook, LimitSettings, Origin};
use filter_common::abi::limit::{OTHER, SERVICE_WORDS};
use proptest::prelude::*;

/// The two maps, and who reads them.
struct Kernel {
    words: Vec<u64>,
    plans: Vec<Plan>,
}

impl Kernel {
    fn empty() -> Self {
        Self { words: vec![0; SERVICE_WORDS as usize], plans: vec![Plan::default(); CLASSES] }
    }

    /// The plan that a packet finds.
    fn plan(&self, service: u32) -> Plan {
        self.plans[usize::from(crate::limit::compile::class(&self.words, service))]
    }

    fn seen(&self) -> Vec<Plan> {
        (0..=OTHER).step_by(13).chain(OTHER - 9..=OTHER).map(|service| self.plan(service)).collect()
    }
}

fn done(classes: &mut Classes, change: &ClassChange) {
    change.plans.iter().for_each(|(class, plan)| classes.wrote_plan(*class, *plan));
    change.words.iter().for_each(|(at, word)| classes.wrote_word(*at, *word));
}

/// Limits on few, wide ranges of ports.
fn books() -> impl Strategy<Value = Vec<LimitBook>> {
    let limit = (4_u32..12, 1_u32..4_000, 1_u32..4_000, any::<bool>());
    let book = prop::collection::vec(limit, 0..6).prop_map(|limits| {
        let mut book = LimitBook::default();
        for (number, from, len, is_tcp) in limits {
            let protocol = if is_tcp { "tcp" } else { "udp" };
            let service = format!("{protocol}/{}-{}", from * 8, from * 8 + len);
            let text = format!("unit = 'packets'\nrate = '1/s'\nservices = ['{service}']");
            let settings: LimitSettings = toml::from_str(&text).unwrap();
            book.put(&number.to_string(), settings, Origin::Config, Some(number)).unwrap();
        }
        book
    });
    prop::collection::vec(book, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// After every single write a packet finds its old or its new plan.
    #[test]
    fn no_packet_ever_meets_a_strange_plan(books in books()) {
        let mut kernel = Kernel::empty();
        let mut classes = Classes::new(kernel.words.clone(), kernel.plans.clone());
        for book in books {
            let compiled = book.compile();
            let before = kernel.seen();
            let change = classes.change(compiled);
            for (class, plan) in &change.plans {
                kernel.plans[*class as usize] = *plan;
            }
            prop_assert_eq!(&kernel.seen(), &before, "a plan in use has changed");
            for (at, word) in &change.words {
                kernel.words[*at as usize] = *word;
            }
            done(&mut classes, &change);
            for service in 0..=OTHER {
                prop_assert_eq!(kernel.plan(service), compiled.plan(service));
            }
            let again = classes.change(compiled);
            prop_assert!(again.plans.is_empty() && again.words.is_empty());
        }
    }
}

#[test]
fn a_class_that_was_given_up_is_the_last_to_be_used_again() {
    let mut classes = Classes::new(vec![0; SERVICE_WORDS as usize], vec![Plan::default(); CLASSES]);
    let mut given = Vec::new();
    for i in 0..300_u32 {
        let mut book = LimitBook::default();
        let text = "unit = 'packets'\nrate = '1/s'\nservices = ['tcp/80']";
        let number = Some(4 + i % 7);
        book.put("web", toml::from_str(text).unwrap(), Origin::Config, number).unwrap();
        let change = classes.change(book.compile());
        given.push(change.plans[0].0);
        done(&mut classes, &change);
    }
    assert!(given.windows(200).all(|some| some[1..].iter().all(|class| *class != some[0])));
    assert!(!given.contains(&0));
}

#[test]
fn what_a_free_class_once_was_is_not_what_it_becomes() {
    let steps = |step| Plan { low: step, high: 0 };
    let mut plans = vec![Plan::default(); CLASSES];
    plans[1] = steps(5);
    let classes = Classes::new(vec![0; SERVICE_WORDS as usize], plans);
    let mut choice = Choice { classes: &classes, used: classes.used(), new: Vec::new() };
    assert_eq!([choice.number(steps(4)), choice.number(steps(5))], [1, 2]);
}
