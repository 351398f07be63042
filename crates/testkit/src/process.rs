//! CPU time and memory of a process and all its descendants, read from `/proc`.
//!
//! Processor time comes from `schedstat`, which counts nanoseconds per thread; the ticks in `stat` are a
//! hundred times coarser than a request. A thread that ends between two readings takes its time with it, so
//! readings are only compared across a window in which the process is in steady state.
//! Source of the formats: Linux `Documentation/filesystems/proc.rst` and `Documentation/scheduler/sched-stats.rst`.

use std::collections::HashMap;
use std::fs;

/// The given processes and everything that descends from them, each once.
pub fn tree(roots: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Some(parent) = parent_of(pid) else { continue };
        children.entry(parent).or_default().push(pid);
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while next < found.len() {
        for child in children.get(&found[next]).into_iter().flatten() {
            if !found.contains(child) {
                found.push(*child);
            }
        }
        next += 1;
    }
    found
}

/// The parent's id, from the fields after the command name (which may itself contain spaces and brackets).
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rfind(')')? + 2;
    stat.get(after_name..)?.split(' ').nth(1)?.parse().ok()
}

/// Nanoseconds of processor time that all threads of these processes have used so far.
pub fn cpu_ns(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| threads_cpu_ns(*pid)).sum()
}

fn threads_cpu_ns(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// Resident memory of these processes in KiB. Pages that two of them share are counted twice.
pub fn resident_kib(pids: &[u32]) -> u64 {
    pids.iter().filter_map(|pid| status_field_kib(*pid, "VmRSS:")).sum()
}

fn status_field_kib(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn tree_finds_the_grandchild_of_a_shell() {
        // The trailing command keeps the shell alive as a parent instead of becoming the sleep itself.
        let mut shell =
            Command::new("sh").args(["-c", "sleep 30; true"]).stdin(Stdio::null()).spawn().unwrap();
        let found = (0..1_000).find_map(|_| {
            let pids = tree(&[std::process::id()]);
            let sleeping = |pid: &u32| {
                fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "sleep")
            };
            let grandchild =
                pids.iter().copied().find(|pid| sleeping(pid) && parent_of(*pid) == Some(shell.id()));
            std::thread::yield_now();
            grandchild
        });
        if let Some(pid) = found {
            let _ = Command::new("kill").arg(pid.to_string()).status();
        }
        let _ = shell.kill();
        let _ = shell.wait();
        assert!(found.is_some(), "the sleeping grandchild was not found");
    }

    #[test]
    fn own_cpu_time_grows_with_work() {
        let me = [std::process::id()];
        let before = cpu_ns(&me);
        // Work until the kernel has accounted for some of it; ends with an endless loop only if it never does.
        let mut sum = 0u64;
        while cpu_ns(&me) <= before {
            sum = sum.wrapping_add((0..10_000u64).map(std::hint::black_box).sum::<u64>());
        }
        assert!(std::hint::black_box(sum) > 0);
    }

    #[test]
    fn own_memory_is_more_than_a_page_and_a_missing_process_has_none() {
        assert!(resident_kib(&[std::process::id()]) > 4);
        assert_eq!(resident_kib(&[u32::MAX]), 0);
    }
}
