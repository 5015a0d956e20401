//! The pages that come with the binary: what browsers may do with them, and how long they keep them.

use axum::http::{Method, StatusCode, header};

use crate::support::{Answer, run};

fn text(answer: &Answer, name: header::HeaderName) -> &str {
    answer.headers.get(name).unwrap().to_str().unwrap()
}

/// Addresses that a page asks for itself: scripts, styles, icons.
fn asked_for(page: &str) -> Vec<&str> {
    let after = page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1));
    after.filter_map(|rest| rest.split('"').next()).filter(|path| path.starts_with("/assets/")).collect()
}

#[tokio::test]
async fn the_hub_is_served_under_a_strict_policy_with_everything_it_asks_for() {
    run(async |clinic| {
        let page = clinic.app.request(Method::GET, "/", &[], "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(text(&page, header::CONTENT_TYPE).starts_with("text/html"));
        let policy = text(&page, header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let html = std::str::from_utf8(&page.bytes).unwrap();
        assert!(!html.contains("<style") && !html.contains("style=\""), "the policy allows no inline style");
        assert!(!html.contains("<script>"), "nor an inline script");

        let assets = asked_for(html);
        assert!(assets.iter().any(|path| path.starts_with("/assets/hub/")), "{html}");
        for path in assets {
            let asset = clinic.app.request(Method::GET, path, &[], "").await;
            assert_eq!(asset.status, StatusCode::OK, "{path}");
            assert_eq!(text(&asset, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            // A name of what was built holds a digest of it; all else is asked about again.
            let caching = text(&asset, header::CACHE_CONTROL);
            assert_eq!(caching.contains("immutable"), path.starts_with("/assets/hub/"), "{path}: {caching}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    run(async |clinic| {
        let page = clinic.app.request(Method::GET, "/", &[], "").await;
        assert_eq!(text(&page, header::CACHE_CONTROL), "no-cache");
        let tag = text(&page, header::ETAG).to_owned();
        let again = clinic.app.request(Method::GET, "/", &[("if-none-match", &tag)], "").await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        let other = clinic.app.request(Method::GET, "/", &[("if-none-match", "\"0\"")], "").await;
        assert_eq!(other.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn nothing_beside_the_pages_is_served() {
    run(async |clinic| {
        for path in [
            "/assets/hub/nothing.js",
            "/assets/hub/../package.json",
            "/assets/shared/../README.md",
            "/simulator",
        ] {
            let answer = clinic.app.request(Method::GET, path, &[], "").await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}
