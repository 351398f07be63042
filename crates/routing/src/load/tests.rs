//! Tests of model servers' metrics.

use super::*;
use proptest::prelude::*;

/// Abridged from a running vLLM 0.11, its two engines.
const VLLM: &str = "# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"} 7.0
vllm:num_requests_running{engine=\"1\",model_name=\"Qwen/Qwen3-8B\"} 2.0
vllm:num_requests_running{engine=\"0\",model_name=\"other}\\\"\"} 100.0
vllm:num_requests_waiting{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"} 3.0
vllm:num_requests_waiting{engine=\"1\",model_name=\"Qwen/Qwen3-8B\"} 0.0
vllm:num_requests_waiting_by_reason{reason=\"x\"} 50.0
vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"} 0.25 1700000000
vllm:kv_cache_usage_perc{engine=\"1\",model_name=\"Qwen/Qwen3-8B\"} 0.5
";

#[test]
fn engines_are_added_up_and_the_fullest_cache_counts() {
    let sample = parse(VLLM, ModelServer::Vllm, Some("Qwen/Qwen3-8B"));
    assert_eq!(sample, Ok(Sample { waiting: 3, running: 9, cache: 0.5 }));
    assert_eq!(parse(VLLM, ModelServer::Vllm, None).map(|sample| sample.running), Ok(109));
}

#[test]
fn every_server_is_read_by_its_own_names() {
    let sglang = "sglang:num_queue_reqs 2\nsglang:num_running_reqs 4\nsglang:token_usage 0.1\n";
    let llama =
        "llamacpp:requests_deferred 2\nllamacpp:requests_processing 4\nllamacpp:kv_cache_tokens 900\n";
    let trt =
        "trtllm_num_requests_waiting 2\ntrtllm_num_requests_running 4\ntrtllm_kv_cache_utilization 0.1\n";
    let old = VLLM.replace("kv_cache_usage_perc", "gpu_cache_usage_perc");
    let read = |text, server| parse(text, server, None).expect("readable");
    assert_eq!(read(sglang, ModelServer::Sglang), Sample { waiting: 2, running: 4, cache: 0.1 });
    assert_eq!(read(llama, ModelServer::LlamaCpp), Sample { waiting: 2, running: 4, cache: 0.0 });
    assert_eq!(read(trt, ModelServer::TrtLlm), Sample { waiting: 2, running: 4, cache: 0.1 });
    assert_eq!(read(&old, ModelServer::Vllm).cache, 0.5);
    for server in ModelServer::ALL {
        assert_eq!(ModelServer::parse(server.as_str()), Some(server));
    }
}

#[test]
fn document_of_another_server_or_with_wild_values_is_refused() {
    let missing = parse(VLLM, ModelServer::Sglang, None).expect_err("names of another server");
    assert_eq!(missing, LoadError::Missing("sglang:num_queue_reqs"));
    assert!(missing.to_string().contains("`metrics`"));
    for wild in ["NaN", "-1", "1e9", "+Inf"] {
        let text = VLLM.replace("} 3.0", &format!("}} {wild}"));
        assert_eq!(
            parse(&text, ModelServer::Vllm, None),
            Err(LoadError::BadValue("vllm:num_requests_waiting")),
            "{wild}"
        );
    }
    let text = VLLM.replace("} 0.5", "} 50");
    assert_eq!(parse(&text, ModelServer::Vllm, None), Err(LoadError::BadValue("vllm:kv_cache_usage_perc")));
    let long = " ".repeat(DOCUMENT_BYTES_MAX + 1);
    assert_eq!(parse(&long, ModelServer::Vllm, None), Err(LoadError::TooLong));
}

#[test]
fn score_is_the_worse_of_queue_and_cache() {
    let gauge = Gauge::default();
    let score = |sample, in_flight| {
        gauge.store(UnixMs(10_000), sample);
        gauge.load(UnixMs(10_500), in_flight).score
    };
    let near = |score: f32, wanted: f32| (score - wanted).abs() < 0.001;
    assert!(near(score(Sample { waiting: 5, running: 8, cache: 0.1 }, 13), 1.0));
    assert!(near(score(Sample { waiting: 0, running: 8, cache: 0.8 }, 8), 1.0));
    assert!(near(score(Sample { waiting: 1, running: 8, cache: 0.4 }, 0), 0.5));
    // Ten calls of ours cannot be in figures that know of eight.
    assert!(near(score(Sample { waiting: 0, running: 8, cache: 0.0 }, 10), 0.4));
}

#[test]
fn figures_that_are_old_or_missing_mean_saturated() {
    let gauge = Gauge::default();
    assert_eq!(gauge.load(UnixMs(0), 0), Load { score: 1.0, is_measured: false });
    gauge.store(UnixMs(10_000), Sample::default());
    assert_eq!(gauge.load(UnixMs(10_000 + STALE_MS), 0), Load { score: 0.0, is_measured: true });
    let stale = gauge.load(UnixMs(10_001 + STALE_MS), 5);
    assert_eq!(stale, Load { score: 2.0, is_measured: false });
}

proptest! {
    #[test]
    fn no_document_makes_the_reader_panic(text in "\\PC{0,300}", suffix in "[ {}=\"\\\\a-z0-9.\n]{0,120}") {
        for server in ModelServer::ALL {
            let named = format!("{}{suffix}\n{text}", server.names().waiting[0]);
            let _ = parse(&named, server, Some("m"));
            let _ = parse(&text, server, None);
        }
    }
}
