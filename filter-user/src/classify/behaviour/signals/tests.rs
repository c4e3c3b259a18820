//! Each signal fires for what it is about, and not for what only looks like it.

use super::*;
use crate::classify::behaviour::profile::Login;
use crate::classify::behaviour::sample::{CHROMIUM, CURL, Client, fired};
use crate::classify::behaviour::seen::{Field, Request, Sni};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/142.0.0.0 Safari/537.36";

fn page() -> Request<'static> {
    Request { method: "GET", path: "/", status: 200, ..Request::default() }
}

fn as_browser() -> Request<'static> {
    let (said, hint) = (Field::Is("en"), Field::Is("\"Chromium\";v=\"142\""));
    Request { user_agent: Field::Is(AGENT), accept_language: said, client_hints: hint, ..page() }
}

fn after(
    tls: crate::classify::behaviour::seen::Tls<'static>,
    request: Request<'_>,
) -> Vec<&'static str> {
    let mut client = Client::new(tls);
    (0..5).for_each(|_| client.asks(request, None));
    client.fired()
}

#[test]
fn a_user_agent_fits_the_hello() {
    assert_eq!(after(CURL, as_browser()), ["agent-at-odds"]);
    assert_eq!(after(CHROMIUM, as_browser()), [""; 0]);
    assert_eq!(after(CURL, page()), [""; 0]);
}

#[test]
fn a_system_counts_where_the_hello_is_what_the_agent_says() {
    use crate::classify::behaviour::seen::Tls;
    use crate::classify::syn::System;
    let on = |tls, system| Tls { system: Some(system), ..tls };
    assert_eq!(after(on(CHROMIUM, System::Linux), as_browser()), [""; 0]);
    assert_eq!(after(on(CHROMIUM, System::Windows), as_browser()), ["system-at-odds"]);
    // A proxy that opens TLS opens the connection as well.
    assert_eq!(after(on(CURL, System::Windows), as_browser()), ["agent-at-odds"]);
}

#[test]
fn nobody_reads_hundreds_of_pages_in_seconds() {
    let fired = |step_ms| {
        let mut client = Client::new(CHROMIUM);
        for i in 0..400 {
            let path = format!("/page{}", i * 1000);
            client.asks(Request { path: &path, ..page() }, None);
            client.now_ms += step_ms;
        }
        client.fired().contains(&"rush")
    };
    assert!(fired(20) && !fired(100));
}

#[test]
fn a_browser_names_a_language_and_gives_hints() {
    let mute = Request { accept_language: Field::Absent, ..as_browser() };
    assert_eq!(after(CHROMIUM, mute), ["no-language"]);
    let unhinted = Request { client_hints: Field::Absent, ..as_browser() };
    assert_eq!(after(CHROMIUM, unhinted), ["no-client-hints"]);
    let unlogged = Request { user_agent: Field::Is(AGENT), ..page() };
    assert_eq!(after(CHROMIUM, unlogged), [""; 0]);
}

#[test]
fn handshakes_without_requests_are_silent_where_there_is_a_log() {
    let mut client = Client::new(CURL);
    (0..20).for_each(|_| client.shakes(Sni::Name("a.test"), 0));
    assert_eq!(client.fired(), ["silent-handshakes"]);
    assert_eq!(fired(&Look { has_log: false, ..client.look() }), [""; 0]);
    (0..2).for_each(|_| client.asks(page(), None));
    assert_eq!(client.fired(), [""; 0]);
}

#[test]
fn very_many_handshakes_are_a_rate() {
    let mut client = Client::new(CURL);
    (0..20_000).for_each(|_| client.shakes(Sni::Name("a.test"), 0));
    assert!(client.fired().contains(&"handshake-rate"));
    client.now_ms += 3_600_000;
    client.shakes(Sni::Name("a.test"), 0);
    assert!(!client.fired().contains(&"handshake-rate"));
}

#[test]
fn a_timer_is_regular() {
    let mut client = Client::new(CURL);
    for _ in 0..30 {
        client.now_ms += 30_000;
        client.asks(page(), None);
    }
    assert_eq!(client.fired(), ["regular"]);
}

#[test]
fn many_names_are_probed_and_no_name_is_odd() {
    let mut client = Client::new(CURL);
    (0..40).for_each(|i| client.shakes(Sni::Name(&format!("{i}.test")), 0));
    assert_eq!(client.fired(), ["many-names", "silent-handshakes"]);
    for sni in [Sni::None, Sni::Address] {
        let mut client = Client::new(CURL);
        (0..5).for_each(|_| client.shakes(sni, 0));
        assert_eq!(client.fired(), ["no-names"]);
    }
}

#[test]
fn many_fingerprints_of_one_program_are_odd_and_an_office_is_not() {
    let mut client = Client::new(CURL);
    (0..10).for_each(|i| client.shakes(Sni::Name("a.test"), i));
    assert_eq!(client.fired(), ["many-fingerprints"]);
    for i in 0..10 {
        client.asks(Request { user_agent: Field::Is(&format!("app/{i}")), ..page() }, None);
    }
    assert_eq!(client.fired(), [""; 0]);
}

fn try_accounts(client: &mut Client, tries: u32, accounts: u32, login: Login) {
    for i in 0..tries {
        let account = format!("{}@a.test", char::from_u32(97 + i % accounts).unwrap());
        let request = Request { path: "/login", account: Some(&account), ..page() };
        client.asks(Request { method: "POST", status: 401, ..request }, Some(login));
    }
}

#[test]
fn failures_count_by_their_share() {
    let mut client = Client::new(CURL);
    try_accounts(&mut client, 9, 1, Login::Failed);
    assert_eq!(client.fired(), [""; 0]);
    try_accounts(&mut client, 1, 1, Login::Failed);
    assert_eq!(client.fired(), ["login-failures"]);
    try_accounts(&mut client, 50, 1, Login::Failed);
    assert_eq!(client.fired(), ["login-failures", "login-hammering"]);
    try_accounts(&mut client, 20, 1, Login::Passed);
    assert_eq!(client.fired(), [""; 0]);
}

#[test]
fn many_accounts_count_where_they_stay_closed() {
    let mut client = Client::new(CURL);
    try_accounts(&mut client, 8, 8, Login::Failed);
    assert_eq!(client.fired(), ["many-accounts"]);
    try_accounts(&mut client, 8, 8, Login::Passed);
    assert_eq!(client.fired(), [""; 0]);
}

#[test]
fn who_fails_as_its_group_does_is_one_of_it() {
    let of_group = |client: &Client| {
        fired(&Look { failing_together: Some(30), ..client.look() })
            .into_iter()
            .filter(|name| !name.ends_with("-together"))
            .collect::<Vec<_>>()
    };
    let (mut program, mut browser) = (Client::new(CURL), Client::new(CHROMIUM));
    assert_eq!(of_group(&program), [""; 0]);
    for client in [&mut program, &mut browser] {
        try_accounts(client, 1, 1, Login::Failed);
    }
    assert_eq!(of_group(&program), ["failing-group"]);
    assert_eq!(of_group(&browser), [""; 0]);
    try_accounts(&mut browser, 1, 1, Login::Failed);
    assert_eq!(of_group(&browser), ["failing-browsers"]);
    try_accounts(&mut browser, 1, 1, Login::Passed);
    assert_eq!(of_group(&browser), [""; 0]);
}

#[test]
fn numbers_in_a_row_are_enumeration() {
    let mut client = Client::new(CURL);
    (100..140).for_each(|i| client.asks(Request { path: &format!("/o/{i}"), ..page() }, None));
    assert_eq!(client.fired(), ["enumeration"]);
    let mut client = Client::new(CURL);
    (0..40).for_each(|i| client.asks(Request { path: &format!("/o/{}", i * 37), ..page() }, None));
    assert_eq!(client.fired(), [""; 0]);
}

#[test]
fn many_missing_paths_are_a_search_and_a_dead_link_is_not() {
    let mut client = Client::new(CURL);
    let missing = Request { status: 404, ..page() };
    (0..40).for_each(|_| client.asks(missing, None));
    assert_eq!(client.fired(), [""; 0]);
    (0..40).for_each(|i| client.asks(Request { path: &format!("/{}", i * 37), ..missing }, None));
    assert_eq!(client.fired(), ["not-found"]);
}

#[test]
fn breadth_is_many_paths_each_once() {
    let mut client = Client::new(CURL);
    (0..250).for_each(|i| client.asks(Request { path: &format!("/{}", i * 37), ..page() }, None));
    assert_eq!(client.fired(), ["breadth"]);
    (0..300).for_each(|_| client.asks(page(), None));
    assert_eq!(client.fired(), [""; 0]);
}

#[test]
fn a_group_fails_together_over_a_list_of_accounts() {
    let mut client = Client::new(CURL);
    try_accounts(&mut client, 25, 25, Login::Failed);
    let together = Look { failing_together: Some(30), ..client.look() };
    let of_group = SIGNALS.iter().filter(|signal| signal.about == Group);
    let fired = of_group.filter(|signal| (signal.look)(&together).is_some());
    let fired: Vec<_> = fired.map(|signal| signal.name).collect();
    assert_eq!(fired, ["failing-together", "accounts-together"]);
}

#[test]
fn a_group_reads_very_broadly_together() {
    let mut client = Client::new(CURL);
    (0..600).for_each(|i| client.asks(Request { path: &format!("/{}", i * 37), ..page() }, None));
    assert!(client.fired().contains(&"breadth-together"));
    (0..300).for_each(|_| client.asks(page(), None));
    assert!(!client.fired().contains(&"breadth-together"));
}

#[test]
fn what_many_get_in_through_is_a_proxy() {
    let mut client = Client::new(CURL);
    (0..5).for_each(|_| client.asks(as_browser(), None));
    try_accounts(&mut client, 12, 12, Login::Passed);
    assert_eq!(client.fired(), [""; 0]);
}
