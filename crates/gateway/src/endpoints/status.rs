//! The status page, for people who open the address in a browser: drawn here, without a script or a second request.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::pages;
use crate::ends;
use crate::metrics::TargetCounts;
use crate::pipeline::Answer;
use crate::plan::Plan;
use crate::plan::lifecycle::Life;
use crate::shared::Shared;

/// Everything up to the name: the style and the mark.
const HEAD: &str = include_str!("status/head.html");
/// Most targets and most providers that the page lists; it says how many more there are.
const ROWS_MAX: usize = 15;

/// The page.
#[must_use]
pub fn page(shared: &Shared, plan: &Plan, head: &Parts) -> Answer {
    let mut page = String::with_capacity(12 * 1024);
    page.push_str(HEAD);
    title(&mut page, shared);
    page.push_str("<main>");
    tiles(&mut page, shared, plan);
    addresses(&mut page, &base_url(shared, head));
    targets(&mut page, &shared.metrics.counts());
    endings(&mut page, shared, plan);
    providers(&mut page, plan);
    page.push_str("</main>");
    footer(&mut page, shared);
    page.push_str("</body></html>");
    let mut answer = pages::answer(StatusCode::OK, "text/html; charset=utf-8", page);
    let headers = answer.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The address by which the reader reached us, so that what the page says can be copied.
fn base_url(shared: &Shared, head: &Parts) -> String {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = head.uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or("localhost");
    format!("{}://{host}", if shared.is_tls { "https" } else { "http" })
}

fn title(page: &mut String, shared: &Shared) {
    let (class, state) = if shared.stopping.is_cancelled() {
        ("state warn", "Draining: no new requests")
    } else if !shared.is_ready.load(Relaxed) {
        ("state warn", "Starting")
    } else {
        ("state", "Ready")
    };
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        page,
        "<h1>Pilothouse</h1><small>{version}</small><span class=\"{class}\" role=\"status\">{state}</span></header>"
    );
}

fn tiles(page: &mut String, shared: &Shared, plan: &Plan) {
    let metrics = &shared.metrics;
    page.push_str("<dl class=\"tiles\">");
    let mut tile = |label: &str, value: String, is_bad: bool| {
        let class = if is_bad { " class=\"warn\"" } else { "" };
        let _ = write!(page, "<div{class}><dt>{label}</dt><dd>{value}</dd></div>");
    };
    let (failed, lost) = (metrics.reloads_failed.load(Relaxed), shared.recorder.dropped_total());
    tile("Exchanges going on", grouped(metrics.in_flight.load(Relaxed)), false);
    tile("Client connections", grouped(metrics.connections.load(Relaxed)), false);
    tile("Recorded", grouped(shared.recorder.written_total()), false);
    tile("Refused", grouped(metrics.refused.load(Relaxed)), false);
    tile("Configuration", format!("#{}", plan.version), false);
    if failed > 0 {
        tile("Failed reloads", grouped(failed), true);
    }
    if lost > 0 {
        tile("Details lost", grouped(lost), true);
    }
    page.push_str("</dl>");
}

fn addresses(page: &mut String, url: &str) {
    let url = Text(url);
    let _ = write!(
        page,
        "<section><h2>Connect<span>the SDK that you have, at this address</span></h2><div class=\"pair\">\
         <div><h3>OpenAI SDKs</h3><pre><code><b>export</b> OPENAI_BASE_URL={url}/v1</code></pre></div>\
         <div><h3>Anthropic SDKs</h3><pre><code><b>export</b> ANTHROPIC_BASE_URL={url}</code></pre></div></div>\
         <p>Models of every provider answer to both. On this machine, <code>pilothouse tail</code> shows what passes, \
         <code>pilothouse usage</code> who spent what, and <code>pilothouse models</code> prices and retirement \
         dates.</p></section>"
    );
}

fn targets(page: &mut String, counts: &[TargetCounts]) {
    let mut called: Vec<&TargetCounts> = counts.iter().filter(|target| target.exchanges() > 0).collect();
    called.sort_by_key(|target| std::cmp::Reverse(target.exchanges()));
    page.push_str("<section><h2>Traffic<span>since the start, by model</span></h2>");
    if called.is_empty() {
        page.push_str("<p>Nothing has been called yet. The first exchange shows up here.</p></section>");
        return;
    }
    page.push_str(
        "<table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\" class=\"n\">Exchanges</th>\
         <th scope=\"col\" class=\"n\">Failed</th><th scope=\"col\" class=\"n\">Cancelled</th>\
         <th scope=\"col\" class=\"n\">Tokens in</th><th scope=\"col\" class=\"n\">Tokens out</th>\
         <th scope=\"col\" class=\"n\">Mean time</th></tr></thead><tbody>",
    );
    for target in called.iter().take(ROWS_MAX) {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}<small>{}</small></th>",
            Text(&target.model),
            Text(&target.vendor)
        );
        count(page, "Exchanges", target.exchanges(), "n");
        count(page, "Failed", target.cut + target.failed, "n bad");
        count(page, "Cancelled", target.cancelled, "n");
        count(page, "Tokens in", target.tokens_input, "n");
        count(page, "Tokens out", target.tokens_output, "n");
        cell(page, "Mean time", &took(target.duration_us / target.exchanges()), "n");
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table>");
    more(page, called.len(), "/metrics has them all");
    page.push_str("</section>");
}

/// Targets that end and are configured, on a route, or called since the start; nothing where there are none.
fn endings(page: &mut String, shared: &Shared, plan: &Plan) {
    let now = shared.clock.now();
    let mut lives: BTreeMap<Box<str>, Arc<Life>> = BTreeMap::new();
    let called = shared.metrics.counts();
    let called = called.iter().filter(|target| target.exchanges() > 0);
    let called = called.filter_map(|target| plan.life_of(&format!("{}/{}", target.vendor, target.model)));
    let on_routes = plan.routes.values().flat_map(|route| &route.targets);
    let on_routes = on_routes.filter_map(|resolution| resolution.target.life.clone());
    for life in plan.lifecycles.configured().cloned().chain(on_routes).chain(called) {
        lives.insert(life.target.clone(), life);
    }
    if lives.is_empty() {
        return;
    }
    let conflicts = shared.ends.conflicts();
    page.push_str(
        "<section><h2>Ends<span>models that are retired</span></h2><table><thead><tr><th scope=\"col\">Model</th>\
         <th scope=\"col\">State</th><th scope=\"col\">Day</th><th scope=\"col\">From then on</th></tr></thead><tbody>",
    );
    for life in lives.values().take(ROWS_MAX) {
        let conflict = conflicts.iter().find(|one| ends::still_holds(life, one, now));
        let gone = conflict.map_or("", |_| "; gone already, says its vendor");
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td data-label=\"State\">{}{gone}</td><td data-label=\"Day\">{}</td>\
             <td data-label=\"From then on\">{}</td></tr>",
            Text(&life.target),
            life.state(now).as_str(),
            life.day().unwrap_or_else(|| "not known".into()),
            Text(&ends::on_the_day(life))
        );
    }
    page.push_str("</tbody></table>");
    more(page, lives.len(), "/api/v1/lifecycle has them all");
    page.push_str("</section>");
}

fn providers(page: &mut String, plan: &Plan) {
    let origin = if plan.is_discovered { "found on this machine" } else { "of the configuration" };
    let _ = write!(page, "<section><h2>Providers<span>{origin}</span></h2>");
    if plan.providers.is_empty() {
        page.push_str(
            "<p>None yet. Set <code>OPENAI_API_KEY</code> or <code>ANTHROPIC_API_KEY</code> and start again, or write \
             a <code>[providers.NAME]</code> section.</p></section>",
        );
        return;
    }
    page.push_str(
        "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Speaks</th><th scope=\"col\">At</th></tr>\
         </thead><tbody>",
    );
    for provider in plan.providers.iter().take(ROWS_MAX) {
        let _ = write!(page, "<tr><th scope=\"row\">{}</th><td>", Text(&provider.name));
        for surface in &provider.surfaces {
            let _ = write!(page, "<span class=\"tag\">{}</span>", surface.dialect);
        }
        page.push_str("</td><td>");
        let mut places: Vec<String> = provider
            .surfaces
            .iter()
            .map(|surface| format!("{}{}", surface.origin.authority(), surface.origin.path_prefix()))
            .collect();
        places.dedup();
        let _ = write!(page, "{}</td></tr>", Text(&places.join(", ")));
    }
    page.push_str("</tbody></table>");
    more(page, plan.providers.len(), "the configuration has them all");
    page.push_str("</section>");
}

fn footer(page: &mut String, shared: &Shared) {
    let second = shared.clock.now().seconds() % 86_400;
    let _ = write!(
        page,
        "<footer><span>As of {:02}:{:02}:{:02} UTC</span><a href=\"/\">Refresh</a><a href=\"/metrics\">Metrics</a>\
         <a href=\"/v1/models\">Models</a></footer>",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
}

/// A number; a zero steps back, so that the others are seen.
fn count(page: &mut String, label: &str, number: u64, class: &str) {
    cell(page, label, &grouped(number), if number == 0 { "n zero" } else { class });
}

fn cell(page: &mut String, label: &str, value: &str, class: &str) {
    let _ = write!(page, "<td class=\"{class}\" data-label=\"{label}\">{value}</td>");
}

fn more(page: &mut String, count: usize, where_else: &str) {
    if count > ROWS_MAX {
        let _ = write!(page, "<p>and {} more: {where_else}</p>", count - ROWS_MAX);
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            // Thin and unbreakable, so that a number stays one.
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A length of time, from microseconds.
fn took(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{}.{:02} s", us / 1_000_000, us / 10_000 % 100),
    }
}

/// Text that is no markup, wherever it came from.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;"),
                '<' => out.write_str("&lt;"),
                '>' => out.write_str("&gt;"),
                '"' => out.write_str("&quot;"),
                '\'' => out.write_str("&#39;"),
                other => out.write_char(other),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_is_never_markup() {
        assert_eq!(
            Text("<b class=\"a\" id='b'>&amp;").to_string(),
            "&lt;b class=&quot;a&quot; id=&#39;b&#39;&gt;&amp;amp;"
        );
    }

    #[test]
    fn numbers_and_times_are_written_for_people() {
        let written = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([0, 12_300, 1_050_000, 61_000_000].map(took), ["0 µs", "12 ms", "1.05 s", "61.00 s"]);
    }

    #[test]
    fn many_targets_are_cut_short_with_their_number_and_the_busiest_come_first() {
        let counts: Vec<TargetCounts> = (0..40)
            .map(|nth| TargetCounts {
                vendor: "odd".into(),
                model: format!("m{nth}-<i>").into(),
                complete: nth,
                ..TargetCounts::default()
            })
            .collect();
        let mut page = String::new();
        targets(&mut page, &counts);
        assert!(page.contains("and 24 more"), "{page}");
        assert!(page.find("m39-&lt;i&gt;").unwrap() < page.find("m38-").unwrap());
        assert!(!page.contains("m0-") && !page.contains("<i>"), "what was never called is left out");
    }
}
