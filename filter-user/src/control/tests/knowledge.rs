//! Requests about what is known of clients.

use super::{Lab, refused};
use crate::classify::knowledge::{Knowledge, MAX_BYTES};
use crate::control::api::{Done, KnowledgeInfo};
use axum::http::Method;
use serde_json::json;

const PATH: &str = "/v1/knowledge";

#[tokio::test]
async fn knowledge_is_shown_imported_and_reset() {
    let lab = Lab::start();
    let info: KnowledgeInfo = lab.client.get(PATH).await.unwrap();
    assert_eq!(info.summary, Knowledge::default().summary());
    let import = json!({ "file": "a", "text": "b\n", "signature": "c", "force": true });
    // As many quotes as fit: each takes two bytes on its way.
    let long = json!({ "file": "a", "text": "\"".repeat(MAX_BYTES) });
    for (method, request) in
        [(Method::PUT, import), (Method::PUT, long), (Method::DELETE, json!(null))]
    {
        let done: Done = lab.client.send(method, PATH, &request).await.unwrap();
        assert_eq!(done.changed, 1);
    }
    let long = format!("know a {MAX_BYTES} None 0 false");
    assert_eq!(lab.asked(), ["know a 2 Some(\"c\") 0 true", &long, "know as shipped"]);
}

#[tokio::test]
async fn what_no_import_can_be_is_refused() {
    let lab = Lab::start();
    for (request, says) in [
        (json!({ "text": "" }), "file"),
        (json!({ "file": "a" }), "text"),
        (json!({ "file": "a", "text": "", "forced": true }), "forced"),
        (json!({ "file": "a", "text": "", "keys": ["RW"] }), "minisign.pub"),
        (json!({ "file": "a", "text": "\"".repeat(2 * MAX_BYTES) }), "limit"),
    ] {
        let sent = lab.client.send::<Done>(Method::PUT, PATH, &request).await;
        let said = refused(sent);
        assert!(said.contains(says), "{said} lacks {says}");
    }
    assert_eq!(lab.asked(), [""; 0]);
}
