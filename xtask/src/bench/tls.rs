//! The fleet behind TLS and HTTP/2: nginx ends the encryption in front of it, with a certificate made for the run.
//!
//! The fleet itself speaks plain HTTP/1.1, as its users' tests want it. Nobody weighs the nginx that stands here.

use super::process::{self, Running};
use crate::workspace;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The running terminator, and who vouches for it.
pub(crate) struct Terminator {
    pub(crate) running: Running,
    /// PEM file of the authority that signed its certificate.
    pub(crate) authority: PathBuf,
}

/// The commands that make an authority and a certificate for 127.0.0.1, each in the folder.
const CERTIFICATES: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench-authority \
     -keyout authority.key -out authority.pem",
    "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1 \
     -keyout server.key -out server.csr",
    "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
     -extfile server.ext -out server.pem",
];

/// Starts nginx with TLS and HTTP/2 in front of the fleet.
pub(crate) fn terminate(folder: &Path, fleet: &str) -> Result<Terminator> {
    workspace::need("openssl", "openssl")?;
    let home = folder.join("tls");
    std::fs::create_dir_all(&home)?;
    std::fs::write(
        home.join("server.ext"),
        "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n",
    )?;
    for arguments in CERTIFICATES {
        workspace::output(Command::new("openssl").args(arguments.split_whitespace()).current_dir(&home))?;
    }
    let (encrypted, plain) = (process::free_address()?, process::free_address()?);
    let home_text = home.to_string_lossy();
    let server = format!(
        "server {{\n    listen {encrypted} ssl http2 backlog=4096;\n    listen {plain};\n\
         \x20   ssl_certificate {home_text}/server.pem;\n    ssl_certificate_key {home_text}/server.key;\n\
         \x20   http2_max_concurrent_streams 1024;\n    location / {{ proxy_pass http://fleet; {} }}\n  }}",
        process::RELAY
    );
    let config = process::nginx_config(&home_text, fleet, 1, &server);
    // Readiness is asked for in plain text: the task knows no TLS.
    let mut running = process::start_nginx(folder, "nginx-tls", &plain, &config)?;
    running.address = encrypted;
    Ok(Terminator { running, authority: home.join("authority.pem") })
}

/// What nginx as a relay needs to call the terminator over TLS, kept alive.
pub(crate) fn relay(folder: &Path, terminator: &Terminator) -> Result<Running> {
    let address = process::free_address()?;
    let home = folder.join("nginx-to-tls");
    std::fs::create_dir_all(&home)?;
    let server = format!(
        "server {{\n    listen {address} backlog=4096;\n    location / {{ proxy_pass https://fleet; \
         proxy_ssl_verify on; proxy_ssl_trusted_certificate {}; proxy_ssl_name localhost; {} }}\n  }}",
        terminator.authority.display(),
        process::RELAY
    );
    let config = process::nginx_config(&home.to_string_lossy(), &terminator.running.address, 1, &server);
    process::start_nginx(folder, "nginx-to-tls", &address, &config)
}
