//! Requests about limit profiles.

use super::{Lab, refused};
use crate::control::api::{Done, LimitInfo, TopEntry};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn profiles_are_set_and_removed() {
    let lab = Lab::start();
    assert!(lab.client.get::<Vec<LimitInfo>>("/v1/limits").await.unwrap().is_empty());
    let set = json!({ "unit": "connections", "rate": "100/s", "services": ["tcp/443"] });
    for (method, path, request) in [
        (Method::PUT, "/v1/limits/web", set),
        (Method::DELETE, "/v1/limits/web", json!(null)),
        (Method::PUT, "/v1/limits/top", json!({})),
        (Method::DELETE, "/v1/limits/top", json!(null)),
    ] {
        let done: Done = lab.client.send(method, path, &request).await.unwrap();
        assert_eq!(done.changed, 1, "{path}");
    }
    let expected = [
        "limit web Some(Connections) Some(\"100/s\") Some(1)",
        "no limit web",
        "limit top None None None",
        "no limit top",
    ];
    assert_eq!(lab.asked(), expected);
}

#[tokio::test]
async fn the_busiest_keys_are_bounded_in_number() {
    let lab = Lab::start();
    for (query, asked) in [
        ("", "top 20 None"),
        ("?n=3&profile=web", "top 3 Some(\"web\")"),
        ("?n=999999999", "top 10000 None"),
    ] {
        let path = format!("/v1/limits/top{query}");
        assert!(lab.client.get::<Vec<TopEntry>>(&path).await.unwrap().is_empty());
        assert_eq!(lab.asked(), [asked]);
    }
    for path in ["/v1/limits/top?n=x", "/v1/limits/top?n=-1", "/v1/limits/top?m=1"] {
        assert!(refused(lab.client.get::<Vec<TopEntry>>(path).await).contains("not understood"));
    }
    let said = refused(lab.client.get::<LimitInfo>("/v1/limits/web").await);
    assert!(said.contains("/v1/limits"), "{said}");
}

#[tokio::test]
async fn what_no_profile_can_be_is_refused() {
    let lab = Lab::start();
    for (request, says) in [
        (json!({ "unit": "requests" }), "requests"),
        (json!({ "key": "finger" }), "finger"),
        (json!({ "rate": "0/s" }), "zero"),
        (json!({ "rate": "-5/s" }), "negative"),
        (json!({ "rate": "5/fortnight" }), "fortnight"),
        (json!({ "quota": "5GB/week" }), "week"),
        (json!({ "burst": 0 }), "zero"),
        (json!({ "services": ["tcp/65536"] }), "65536"),
        (json!({ "services": ["sctp/80"] }), "sctp"),
        (json!({ "action": "accept" }), "accept"),
        (json!({ "brust": 5 }), "brust"),
    ] {
        let sent = lab.client.send::<Done>(Method::PUT, "/v1/limits/web", &request).await;
        let said = refused(sent);
        assert!(said.contains(says), "{request} gave {said}");
    }
    assert_eq!(lab.asked(), [""; 0]);
}
