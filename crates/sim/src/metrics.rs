//! The metrics page in the shape of a vLLM server, so that load-aware routing can be tried.
//!
//! Names: <https://docs.vllm.ai/en/latest/usage/metrics/>, 2026-11-22.

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) running: u64,
    pub(crate) waiting: u64,
    pub(crate) slots: u64,
    pub(crate) prompt_tokens: u64,
    pub(crate) generation_tokens: u64,
}

/// The page, in the Prometheus text format.
pub(crate) fn page(load: &Load) -> String {
    let share = load.running as f64 / load.slots.max(1) as f64;
    let rows = [
        (
            "num_requests_running",
            "gauge",
            "Number of requests in model execution batches.",
            load.running as f64,
        ),
        ("num_requests_waiting", "gauge", "Number of requests waiting to be processed.", load.waiting as f64),
        ("kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", share),
        ("prompt_tokens_total", "counter", "Number of prefill tokens processed.", load.prompt_tokens as f64),
        (
            "generation_tokens_total",
            "counter",
            "Number of generation tokens processed.",
            load.generation_tokens as f64,
        ),
    ];
    rows.iter()
        .map(|(name, kind, help, value)| {
            let family = name.trim_end_matches("_total");
            format!("# HELP vllm:{family} {help}\n# TYPE vllm:{family} {kind}\nvllm:{name}{{model_name=\"sim\"}} {value}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_has_the_names_that_routers_read() {
        let page = super::page(&super::Load {
            running: 1,
            waiting: 2,
            slots: 4,
            prompt_tokens: 5,
            generation_tokens: 6,
        });
        for line in [
            "vllm:num_requests_running{model_name=\"sim\"} 1",
            "vllm:num_requests_waiting{model_name=\"sim\"} 2",
            "vllm:kv_cache_usage_perc{model_name=\"sim\"} 0.25",
            "vllm:generation_tokens_total{model_name=\"sim\"} 6",
        ] {
            assert!(page.lines().any(|l| l == line), "{page}");
        }
    }
}
