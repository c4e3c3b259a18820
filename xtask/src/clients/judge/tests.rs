use super::*;

fn visit(client: &'static str, mtu: u16) -> Visit {
    let (version, address) = ("1.0".to_owned(), "203.0.113.11".to_owned());
    let ja3 = vec!["j".to_owned()];
    Visit { client, browser: false, version, mtu, address, said: String::new(), ja3 }
}

fn hello(ja4: &str) -> Hello {
    let (client, ja3) = ("203.0.113.11".to_owned(), "j".to_owned());
    Hello { client, ja4: ja4.to_owned(), ja3, segments: 1, grease_removed: false }
}

fn row(oracle: &[&str], filter: &[&str]) -> Row {
    let hellos: Vec<Hello> = oracle.iter().map(|ja4| hello(ja4)).collect();
    let ja4 = filter.iter().map(ToString::to_string).collect();
    let mut visit = visit("curl", 1500);
    visit.ja3.truncate(hellos.len());
    Row::new(visit, &hellos, Told { ja4, ..Told::default() }, true)
}

#[test]
fn the_same_hellos_in_any_order_are_ok() {
    assert_eq!(row(&["a", "b", "a"], &["b", "a", "a"]).verdict, Verdict::Ok);
    assert!(row(&["a"], &["a"]).holds());
}

#[test]
fn another_fingerprint_differs() {
    assert_eq!(row(&["a", "b"], &["a", "c"]).verdict, Verdict::Differs);
}

#[test]
fn a_fingerprint_too_many_differs() {
    assert_eq!(row(&["a"], &["a", "a"]).verdict, Verdict::Differs);
    assert_eq!(row(&[], &["a"]).verdict, Verdict::Differs);
}

#[test]
fn a_hello_that_is_not_told_is_missing() {
    let row = row(&["a", "a"], &["a"]);
    assert_eq!(row.verdict, Verdict::Missing);
    assert!(row.problem().unwrap().contains("1 of 2 hellos"));
}

#[test]
fn no_hello_is_not_ok() {
    let row = row(&[], &[]);
    assert_eq!(row.verdict, Verdict::NoHello);
    assert!(!row.holds());
}

#[test]
fn another_ja3_differs() {
    let mut visit = visit("curl", 1500);
    visit.ja3.push("other".to_owned());
    let told = Told { ja4: vec!["a".to_owned()], ..Told::default() };
    let row = Row::new(visit, &[hello("a")], told, true);
    assert_eq!(row.verdict, Verdict::Differs);
    assert!(row.problem().unwrap().contains("JA3"));
}

#[test]
fn a_client_that_is_not_served_is_a_problem() {
    let told = Told { ja4: vec!["a".to_owned()], ..Told::default() };
    let row = Row::new(visit("curl", 576), &[hello("a")], told, false);
    assert_eq!(row.verdict, Verdict::Ok);
    assert_eq!(row.problem().unwrap(), "curl at MTU 576: it got no page");
}

#[test]
fn a_browser_needs_several_segments_where_packets_are_small() {
    let told = Told { ja4: vec!["a".to_owned()], ..Told::default() };
    let of = |mtu, segments| {
        let visit = Visit { browser: true, ..visit("Chromium", mtu) };
        let hello = Hello { segments, ..hello("a") };
        Row::new(visit, &[hello], told.clone(), true).holds()
    };
    assert!(of(1500, 1) && of(576, 3));
    assert!(!of(576, 2));
}

#[test]
fn so_many_kinds_are_wanted() {
    let rows = [row(&["x"], &["x"]), Row { client: "wget", ..row(&["x"], &["x"]) }];
    assert!(problems(&rows, &[], 2).is_empty());
    assert_eq!(problems(&rows, &[], 3), ["2 kinds of client were tried, not 3"]);
}

#[test]
fn who_is_required_has_to_be_tried() {
    let rows = [row(&["x"], &["x"])];
    assert!(problems(&rows, &["curl"], 1).is_empty());
    assert_eq!(problems(&rows, &["curl", "Chromium"], 1), ["Chromium was not tried"]);
    assert!(!problems(&[], &["curl"], 0).is_empty());
}

#[test]
fn a_client_that_was_silent_once_does_not_count() {
    let rows = [row(&["x"], &["x"]), row(&[], &[])];
    assert!(tried(&rows).is_empty());
}
