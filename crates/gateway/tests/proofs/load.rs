//! Pools of model servers: calls go where there is room, by what the servers say of themselves; and what becomes of that when
//! they say nothing, or the untruth.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pilothouse_sim::Options;

use crate::harness::reading::Client;
use crate::harness::scripted::{Act, Scripted};
use crate::harness::{Fleet, House, eventually};
use crate::routes::refusal_of;

const MODEL: &str = "gpt-4o-mini";

/// A replica of the pool.
fn provider(name: &str, address: SocketAddr, more: &str) -> String {
    format!(
        "[providers.{name}]\nvendor = \"openai\"\ndialect = \"openai-chat\"\nbase_url = \"http://{address}/openai/v1\"\napi_key = \"sk-upstream-openai\"\n{more}\n"
    )
}

/// Calls of each replica, as the gateway counts them.
fn taken(house: &House) -> BTreeMap<String, u64> {
    let counts = house.server().shared().metrics.counts();
    counts.into_iter().map(|one| (one.vendor.to_string(), one.complete)).collect()
}

/// Asks so often, from so many at once.
fn ask(house: &House, route: &str, times: usize, at_once: usize) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < times {
                    let got = house.chat(&Client::Openai.ask(route, "Hello. [[words:30]]", false));
                    assert_eq!(got.status, 200, "{}", got.text());
                }
            });
        }
    });
}

/// Whether each of these has been looked at.
fn looked(house: &House, names: &[&str]) {
    let plan = house.server().plan();
    let shared = house.server().shared();
    for name in names {
        eventually("the server is looked at", || {
            let target = plan.resolve(&format!("{name}/{MODEL}")).unwrap();
            let load = target.target.metrics.gauge.load(shared.clock.now(), 0);
            load.is_measured.then_some(())
        });
    }
}

#[test]
fn full_replica_gets_fewer_calls_than_by_turns() {
    let slow = Fleet::with(Options { slots: 1, latency_scale: 1.0, ..Options::default() });
    let quick = [0, 1].map(|_| Fleet::with(Options { slots: 64, latency_scale: 0.05, ..Options::default() }));
    let metrics = "metrics = \"vllm\"";
    let pool = [
        provider("slow", slow.address(), metrics),
        provider("one", quick[0].address(), metrics),
        provider("two", quick[1].address(), metrics),
    ]
    .concat();
    let targets = format!("targets = [\"slow/{MODEL}\", \"one/{MODEL}\", \"two/{MODEL}\"]\n");
    let share = |strategy: &str| {
        let house = House::with(&format!("{pool}[routes.pool]\nstrategy = \"{strategy}\"\n{targets}"));
        looked(&house, &["slow", "one", "two"]);
        ask(&house, "pool", 60, 12);
        taken(&house)["slow"]
    };
    let (by_load, by_turns) = (share("least-loaded"), share("weighted"));
    assert!(by_load * 2 < by_turns, "{by_load} of 60 at the slow replica by load, {by_turns} by turns");
}

#[test]
fn full_pool_spills_to_the_cloud_and_a_free_one_does_not() {
    let pool = [0, 1].map(|_| Fleet::with(Options { slots: 1, latency_scale: 1.0, ..Options::default() }));
    let configuration = format!(
        "{}{}[providers.cloud]\nvendor = \"openai\"\ndialect = \"openai-chat\"\nbase_url = \"http://FLEET/openai/v1\"\n\
         [routes.pool]\nstrategy = \"least-loaded\"\n\
         targets = [\"one/{MODEL}\", \"two/{MODEL}\", {{ target = \"cloud/{MODEL}\", spill = true }}]\n",
        provider("one", pool[0].address(), "metrics = \"vllm\""),
        provider("two", pool[1].address(), "metrics = \"vllm\""),
    );
    let house =
        House::with(&configuration.replace("FLEET/openai/v1\"\n", "FLEET/openai/v1\"\napi_key = \"sk-a\"\n"));
    looked(&house, &["one", "two"]);
    ask(&house, "pool", 3, 1);
    let taken_by = |name: &str| taken(&house).get(name).copied().unwrap_or(0);
    assert_eq!((taken_by("cloud"), taken_by("one") + taken_by("two")), (0, 3), "there is room");
    ask(&house, "pool", 60, 30);
    assert!(taken_by("cloud") > 10, "{:?}", taken(&house));
    assert!(taken_by("one") > 0 && taken_by("two") > 0, "{:?}", taken(&house));
}

/// A metrics page that does as it is told, and counts how often it was asked.
struct Page {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone, Debug)]
enum Says {
    /// So many are waiting.
    Waiting(u32),
    /// Nothing, and the connection stays open.
    Nothing,
    /// That there is no such page.
    Gone,
    /// Another document, again and again until nobody wants it any more.
    Endless(&'static str),
}

impl Page {
    fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::new(AtomicUsize::new(0)));
        let (told, count) = (Arc::clone(&says), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for socket in listener.incoming() {
                let Ok(mut socket) = socket else { return };
                let _ = socket.read(&mut [0; 4096]);
                count.fetch_add(1, Ordering::SeqCst);
                let says = told.lock().unwrap().clone();
                let _ = match says {
                    Says::Waiting(waiting) => {
                        let page = format!(
                            "# HELP vllm:num_requests_running Running.\nvllm:num_requests_running{{model_name=\"m\"}} 0\n\
                             vllm:num_requests_waiting{{model_name=\"m\"}} {waiting}\nvllm:kv_cache_usage_perc{{model_name=\"m\"}} 0.0\n"
                        );
                        let length = page.len();
                        write!(
                            socket,
                            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
                        )
                    }
                    Says::Nothing => {
                        held.push(socket);
                        Ok(())
                    }
                    Says::Gone => write!(
                        socket,
                        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    ),
                    Says::Endless(text) => {
                        let _ = write!(socket, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
                        while socket.write_all(text.repeat(1024).as_bytes()).is_ok() {}
                        Ok(())
                    }
                };
            }
        });
        Self { address, says, asked }
    }

    fn now_says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Two replicas at the fleet, the odd one with metrics at `page`, the sound one with the fleet's own.
fn two(page: &Page) -> String {
    let own = |name: &str, more: &str| {
        format!(
            "[providers.{name}]\nvendor = \"openai\"\ndialect = \"openai-chat\"\nbase_url = \"http://FLEET/openai/v1\"\napi_key = \"sk-upstream-openai\"\n{more}\n"
        )
    };
    format!(
        "{}{}[routes.pool]\nstrategy = \"least-loaded\"\ntargets = [\"odd/{MODEL}\", \"sound/{MODEL}\"]\n",
        own("odd", &format!("metrics = \"http://{}/metrics\"", page.address)),
        own("sound", "metrics = \"vllm\""),
    )
}

#[test]
fn replica_whose_metrics_hang_or_vanish_or_never_end_is_left_alone_until_they_are_back() {
    for says in [Says::Nothing, Says::Gone, Says::Endless("# a line\n")] {
        let page = Page::start(says.clone());
        let house = House::with(&two(&page));
        looked(&house, &["sound"]);
        ask(&house, "pool", 10, 2);
        let taken_by = |name: &str| taken(&house).get(name).copied().unwrap_or(0);
        assert_eq!((taken_by("odd"), taken_by("sound")), (0, 10), "{says:?}");
        page.now_says(Says::Waiting(0));
        looked(&house, &["odd"]);
        ask(&house, "pool", 20, 2);
        assert!(taken_by("odd") > 0, "{says:?}: {:?}", taken(&house));
    }
}

#[test]
fn calls_are_answered_although_no_replica_tells_anything() {
    let page = Page::start(Says::Gone);
    let house = House::with(
        &two(&page).replace("metrics = \"vllm\"", &format!("metrics_url = \"http://{}/x\"", page.address)),
    );
    eventually("both were asked about", || (page.asked() >= 2).then_some(()));
    ask(&house, "pool", 20, 4);
    let taken = taken(&house);
    assert_eq!(taken.values().sum::<u64>(), 20, "{taken:?}");
    assert!(taken.values().all(|count| *count > 0), "by the calls of ours that are there: {taken:?}");
    let page = house.get("/metrics", &[]).text();
    assert!(!page.contains("pilothouse_server_looks_failed_total 0\n"), "{page}");
}

#[test]
fn replica_that_says_that_it_is_free_and_answers_nobody_gets_no_more_than_a_queue_full() {
    let page = Page::start(Says::Waiting(0));
    let stuck = Scripted::start(vec![Act::Hold(Vec::new()); 40]);
    let configuration =
        two(&page).replacen("http://FLEET/openai/v1", &format!("http://{}/v1", stuck.address), 1);
    let house = House::with(&configuration);
    looked(&house, &["odd", "sound"]);
    let sound = || taken(&house).get("sound").copied().unwrap_or(0) as usize;
    let body = Client::Openai.ask("pool", "Hello.", false).to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut open = Vec::new();
    for nth in 1..=30 {
        let mut socket = std::net::TcpStream::connect(house.address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        // Those at the stuck one are never answered: nobody waits for them.
        open.push(socket);
        eventually("the call is taken", || (stuck.calls() + sound() >= nth).then_some(()));
    }
    assert!((1..=5).contains(&stuck.calls()), "{} of 30 at a server that never answers", stuck.calls());
    assert_eq!(sound(), 30 - stuck.calls());
}

#[test]
fn looking_ends_with_its_configuration_and_begins_with_another() {
    let page = Page::start(Says::Waiting(0));
    let house = House::with(&two(&page));
    looked(&house, &["odd", "sound"]);
    let without = two(&page).replace(&format!("metrics = \"http://{}/metrics\"", page.address), "");
    house.reload(&without).unwrap();
    eventually("the last plan is gone", || {
        let before = page.asked();
        std::thread::sleep(Duration::from_millis(2_500));
        (page.asked() == before).then_some(())
    });
    let before = page.asked();
    house.reload(&two(&page)).unwrap();
    eventually("it is asked again", || (page.asked() > before + 1).then_some(()));
}

#[test]
fn metrics_of_nobody_known_are_refused_with_the_names_that_are() {
    let of = |line: &str| {
        format!("[providers.box]\nvendor = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\n{line}\n")
    };
    let refused = refusal_of(&of("metrics = \"tgi\""));
    assert!(refused.contains("one of vllm, sglang, llamacpp, trt-llm, or a URL"), "{refused}");
    let refused = refusal_of(&of("metrics_url = \"ftp://x\""));
    assert!(refused.contains("must begin with http://"), "{refused}");
    for sound in [
        "metrics = \"llama-cpp\"",
        "metrics = \"http://127.0.0.1:9/metrics\"",
        "metrics = \"sglang\"\nmetrics_url = \"http://127.0.0.1:9/m\"",
    ] {
        assert_eq!(refusal_of(&of(sound)), "", "{sound}");
    }
}
