//! A cascade's quality on questions of known difficulty: the measurement of `cargo xtask cascade`, at a small size.

#[path = "../../examples/cascade/measure.rs"]
mod measure;

#[test]
fn cascade_by_agreement_costs_less_than_always_strong_and_is_right_more_often_than_always_cheap() {
    let report = measure::run(7, 120).unwrap();
    let row = |route: &str| report.row(route).unwrap();
    let (cheap, strong) = (row("always-cheap"), row("always-strong"));
    for cascade in [row("checks"), row("agreement")] {
        assert!(cascade.cost < strong.cost && cascade.cost > cheap.cost, "{}", report.table());
        assert!(cascade.right > cheap.right, "{}", report.table());
        assert!((10..80).contains(&(cascade.escalated * 100 / cascade.asked)), "{}", report.table());
    }
    assert!(row("agreement").right > row("checks").right, "{}", report.table());
    assert!(row("agreement").right * 100 >= strong.right * 90, "{}", report.table());
    let all: i128 = report.rows.iter().map(|row| row.cost.0).sum();
    assert_eq!(all, report.billed, "the ledger and the fleet's own books say the same");
    assert!(
        report.arithmetic().contains("answers of anthropic/claude-opus-4-7: "),
        "{}",
        report.arithmetic()
    );
}

/// The seed of `cargo xtask cascade`.
const SEED: u64 = 20_261_123;

#[test]
fn figures_in_the_book_are_what_the_command_prints() {
    let report = measure::run(SEED, 400).unwrap();
    let printed = format!("{}\n\n```\n{}\n```\n", report.table(), report.arithmetic());
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/strategies.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("<!-- cascade:begin -->\n").unwrap();
    let (found, tail) = rest.split_once("<!-- cascade:end -->\n").unwrap();
    if found != printed && std::env::var_os("UPDATE_GOLDEN").is_some() {
        let page = format!("{head}<!-- cascade:begin -->\n{printed}<!-- cascade:end -->\n{tail}");
        std::fs::write(&path, page).unwrap();
        return;
    }
    assert_eq!(found, printed, "strategies.md differs; UPDATE_GOLDEN=1 writes it anew");
}
