//! The programs that a benchmark starts: each ends with us, whatever ends us.

use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running program; killed when dropped.
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) address: String,
    child: Option<Child>,
    pid: u32,
}

/// What the fleet answers without a credential, through nginx too.
pub(crate) const FLEET_READY: &str = "/_sim/totals";

/// How long a program may take to answer its first request.
const READY_LIMIT: Duration = Duration::from_secs(60);

impl Running {
    /// Starts a program in `folder`, its output in `<name>.log` there, with as many open files as allowed.
    pub(crate) fn start(name: &str, address: &str, folder: &Path, command: &[String]) -> Result<Running> {
        let log = File::create(folder.join(format!("{name}.log")))?;
        // The kernel ends the child when this process ends, so an interrupted run leaves nothing behind.
        let mut start = Command::new("setpriv");
        start.args(["--pdeathsig", "TERM", "sh", "-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]);
        start.args(command).current_dir(folder).stdin(Stdio::null());
        let child = start
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {name} (setpriv is part of util-linux)"))?;
        let pid = child.id();
        Ok(Running { name: name.to_owned(), address: address.to_owned(), child: Some(child), pid })
    }

    /// Something that somebody else started and will stop.
    pub(crate) fn foreign(name: &str, address: &str, pid: u32) -> Running {
        Running { name: name.to_owned(), address: address.to_owned(), child: None, pid }
    }

    /// Whether we started it.
    pub(crate) fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for a 200 at `path`; returns how long it took since `began`.
    pub(crate) fn wait_ready(&mut self, path: &str, began: Instant, folder: &Path) -> Result<Duration> {
        loop {
            if let Ok((200, _)) = get(&self.address, path) {
                return Ok(began.elapsed());
            }
            let ended = match self.child.as_mut() {
                Some(child) => child.try_wait()?,
                None => None,
            };
            if ended.is_some() || began.elapsed() > READY_LIMIT {
                let log =
                    std::fs::read_to_string(folder.join(format!("{}.log", self.name))).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(8).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                bail!(
                    "{} is not ready at {}{path}; its last words:\n{}",
                    self.name,
                    self.address,
                    tail.join("\n")
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Asks it to end, waits, and insists after ten seconds.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = Command::new("kill").arg(self.pid.to_string()).status();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One GET: status and body. Enough for readiness and for the fleet's totals.
pub(crate) fn get(address: &str, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").context("the answer has no head")?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Ok((status, unchunk(body)));
    }
    Ok((status, body.to_owned()))
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        let Some(data) = rest.get(..size).filter(|data| !data.is_empty()) else { break };
        whole.push_str(data);
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// An address on loopback that nobody listens on now.
pub(crate) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// What makes nginx a relay at its best: kept-alive upstream connections and no buffering.
pub(crate) const RELAY: &str =
    "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; proxy_read_timeout 600s;";

/// nginx as a relay in front of `upstream`, started with so many workers.
pub(crate) fn nginx(folder: &Path, upstream: &str, workers: u32) -> Result<Running> {
    let name = format!("nginx{workers}");
    let address = free_address()?;
    let home = folder.join(&name);
    std::fs::create_dir_all(&home)?;
    let server = format!(
        "server {{\n    listen {address} backlog=4096;\n    location / {{ proxy_pass http://fleet; {RELAY} }}\n  }}"
    );
    start_nginx(folder, &name, &address, &nginx_config(&home.to_string_lossy(), upstream, workers, &server))
}

/// Starts nginx with a configuration and waits until it serves at `address`.
pub(crate) fn start_nginx(folder: &Path, name: &str, address: &str, config: &str) -> Result<Running> {
    workspace::need("nginx", "nginx-light")?;
    let file = folder.join(format!("{name}.conf"));
    std::fs::write(&file, config)?;
    let command =
        ["nginx", "-c", &file.to_string_lossy(), "-e", "stderr", "-g", "daemon off;"].map(str::to_owned);
    let began = Instant::now();
    let mut running = Running::start(name, address, folder, &command)?;
    running.wait_ready(FLEET_READY, began, folder)?;
    Ok(running)
}

/// A configuration with one server: no log, bodies kept in memory, every file below `home`.
pub(crate) fn nginx_config(home: &str, upstream: &str, workers: u32, server: &str) -> String {
    let user = match workspace::output(Command::new("id").arg("-un")) {
        Ok(name) if name.trim() == "root" => "user root;",
        _ => "",
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {home}/{kind};\n"))
        .collect();
    format!(
        "worker_processes {workers};\n{user}\npid {home}/nginx.pid;\nerror_log {home}/error.log warn;\n\
         events {{ worker_connections 8192; }}\nhttp {{\n  access_log off;\n{temporary}\
         \x20 keepalive_requests 1000000000;\n  client_body_buffer_size 256k;\n  client_max_body_size 64m;\n\
         \x20 upstream fleet {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; }}\n  {server}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_bodies_are_put_together() {
        assert_eq!(unchunk("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "abcde");
        assert_eq!(unchunk("zz"), "");
    }
}
