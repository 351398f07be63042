//! The status page: what it shows, and that nothing of others becomes part of it.

use crate::harness::House;
use crate::harness::reading::Client;

#[test]
fn the_page_shows_addresses_that_can_be_copied_what_was_called_and_by_whom_it_is_answered() {
    let house = House::open();
    let before = house.get("/", &[]);
    assert!(before.text().contains("Nothing has been called yet"), "{}", before.text());
    let got = house.chat(&Client::Openai.ask("openai/gpt-4o", "Hello.", false));
    house.record(&got);
    let page = house.get("/", &[("host", "localhost:4141")]);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text();
    for part in [
        "OPENAI_BASE_URL=http://localhost:4141/v1<",
        "ANTHROPIC_BASE_URL=http://localhost:4141<",
        ">Ready<",
        ">gpt-4o<small>openai</small>",
        "anthropic-messages",
        &house.fleet.address().to_string(),
    ] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    house.server().begin_stop();
    assert!(house.get("/", &[]).text().contains("Draining"));
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = House::open().get("/", &[]);
    let policy = page.header("content-security-policy").unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let text = page.text();
    for word in ["<script", " src=", "<link", "@import", "url(", " onload=", " onclick=", "http-equiv"] {
        assert!(!text.contains(word), "`{word}` is in: {text}");
    }
}

#[test]
fn a_model_name_that_is_markup_is_shown_as_text() {
    let house = House::open();
    let got = house.chat(&Client::Openai.ask("openai/<img src=x onerror=alert(1)>", "Hello.", false));
    house.record(&got);
    let text = house.get("/", &[]).text();
    assert!(text.contains("&lt;img src=x onerror=alert(1)&gt;"), "{text}");
    assert!(!text.contains("<img"), "{text}");
}
