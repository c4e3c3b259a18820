//! Requests about lists.

use super::{Lab, refused};
use crate::control::api::{Done, ListDetail, ListInfo};
use axum::http::Method;

#[tokio::test]
async fn lists_are_made_changed_and_dropped() {
    let lab = Lab::start();
    let lists: Vec<ListInfo> = lab.client.get("/v1/lists").await.unwrap();
    assert_eq!(lists[0].name, "feed");
    let create = serde_json::json!({ "name": "new", "action": "limit:slow" });
    let set = serde_json::json!({ "priority": -3 });
    let add = serde_json::json!({ "prefixes": ["192.0.2.1"], "lasts": "10m" });
    let remove = serde_json::json!({ "prefixes": ["192.0.2.1"] });
    for (method, path, request) in [
        (Method::POST, "/v1/lists", create),
        (Method::PATCH, "/v1/lists/feed", set),
        (Method::POST, "/v1/lists/feed/entries", add),
        (Method::DELETE, "/v1/lists/feed/entries", remove),
        (Method::DELETE, "/v1/lists/feed", serde_json::Value::Null),
    ] {
        let done: Done = lab.client.send(method, path, &request).await.unwrap();
        assert_eq!(done.changed, 1, "{path}");
    }
    let expected = [
        "create new limit:slow",
        "set feed Some(-3)",
        "add feed [\"192.0.2.1\"] Some(\"10m\")",
        "remove feed [\"192.0.2.1\"]",
        "drop feed",
    ];
    assert_eq!(lab.asked(), expected);
}

#[tokio::test]
async fn what_is_misspelt_is_refused() {
    let lab = Lab::start();
    let client = &lab.client;
    let request = serde_json::json!({ "name": "new", "action": "blok" });
    let said = refused(client.send::<Done>(Method::POST, "/v1/lists", &request).await);
    assert!(said.contains("limit:PROFILE"), "{said}");
    let request = serde_json::json!({ "shadwo": true });
    let said = refused(client.send::<Done>(Method::PATCH, "/v1/lists/feed", &request).await);
    assert!(said.contains("shadwo"), "{said}");
    let said = refused(client.send::<Done>(Method::POST, "/v1/lists/feed", &request).await);
    assert!(said.contains("POST"), "{said}");
    for path in ["/v1/lists/feed?limit=x", "/v1/lists/feed?limt=1"] {
        let said = refused(client.get::<ListDetail>(path).await);
        assert!(said.contains("not understood"), "{said}");
    }
    assert_eq!(lab.asked(), [""; 0]);
}

#[tokio::test]
async fn a_list_is_shown_up_to_a_limit() {
    let lab = Lab::start();
    for (query, limit) in [("", 1000), ("?limit=7", 7), ("?limit=999999999", 100_000)] {
        let detail: ListDetail = lab.client.get(&format!("/v1/lists/feed{query}")).await.unwrap();
        assert_eq!(detail.more, limit, "{query}");
    }
    assert!(refused(lab.client.get::<ListDetail>("/v1/lists/x").await).contains("no list"));
}
