//! TLS: which protocol is spoken, whose certificates are accepted, and what a refusal says.

use std::time::Duration;

use pilothouse_upstream::{Failure, Origin, OriginOptions, Phase, Timeouts, TlsFiles};
use tokio::net::TcpListener;

use crate::authority::Authority;
use crate::server::{Caller, Engine, Server, Setup};

fn options(tls: TlsFiles) -> OriginOptions {
    OriginOptions { tls, ..OriginOptions::default() }
}

const BOTH: [Engine; 2] = [Engine::Tls, Engine::Http2];

#[tokio::test]
async fn a_server_that_only_speaks_http1_is_called_by_http1_although_http2_is_offered() {
    let server = Server::start(Engine::Tls, vec![]).await;
    let caller = Caller::new(&server.url(), &options(server.authority.trusted(true)));
    for _ in 0..2 {
        assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused_with_the_setting_to_use() {
    for engine in BOTH {
        let server = Server::start(engine, vec![]).await;
        // Unknown, and known by name with another key, as after an authority was made anew.
        let anew = Authority::new();
        let http2 = engine == Engine::Http2;
        for tls in [TlsFiles { http2, ..TlsFiles::default() }, anew.trusted(http2)] {
            let refused = Caller::new(&server.url(), &options(tls)).call(b"{}").await.unwrap_err();
            let words = refused.into_error("acme").to_string();
            assert!(words.contains("`acme`") && words.contains("`ca_file`"), "{words}");
        }
        assert!(server.calls().is_empty());
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_with_the_name() {
    let server = Server::start(Engine::Tls, vec![]).await;
    let url = format!("https://localhost:{}", server.port);
    let refused = Caller::new(&url, &options(server.authority.trusted(false))).call(b"{}").await.unwrap_err();
    let words = refused.to_string();
    assert!(words.contains("`localhost` in base_url"), "{words}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_with_the_url_to_use() {
    let server = Server::start(Engine::Plain, vec![]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers_plainly = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut tcp, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        tcp
    };
    let caller = Caller::new(&format!("https://127.0.0.1:{port}"), &options(server.authority.trusted(false)));
    let (refused, _tcp) = tokio::join!(caller.call(b"{}"), answers_plainly);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("http://"), "{words}");
}

#[tokio::test]
async fn a_server_that_only_speaks_http2_is_refused_with_the_setting_to_use() {
    let server = Server::start(Engine::Http2, vec![]).await;
    let refused = Caller::new(&server.url(), &options(server.authority.trusted(false))).call(b"{}").await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("`http2 = true`"), "{words}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    for engine in BOTH {
        let setup = Setup { wants_client_certificate: true, ..Setup::default() };
        let server = Server::start_with(engine, vec![], setup).await;
        let tls = server.authority.trusted_with_certificate(engine == Engine::Http2);
        assert_eq!(Caller::new(&server.url(), &options(tls)).call(b"{}").await.unwrap().body, "honest");
    }
}

#[tokio::test]
async fn a_server_that_misses_our_certificate_says_which_settings_hold_it() {
    for engine in BOTH {
        let setup = Setup { wants_client_certificate: true, ..Setup::default() };
        let server = Server::start_with(engine, vec![], setup).await;
        let refused = server.caller().call(b"{}").await.unwrap_err();
        assert!(refused.is_safe_to_retry(), "nothing was taken up: {refused:?}");
        let words = refused.to_string();
        assert!(words.contains("`client_certificate` and `client_key`"), "{engine:?}: {words}");
        assert!(server.calls().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_does_not_accept_our_certificate_says_so() {
    for engine in BOTH {
        let setup = Setup { wants_client_certificate: true, ..Setup::default() };
        let server = Server::start_with(engine, vec![], setup).await;
        // Ours is signed by somebody whom the server does not know.
        let stranger = Authority::new();
        let strange = stranger.trusted_with_certificate(engine == Engine::Http2);
        let tls = TlsFiles { ca_file: server.authority.trusted(false).ca_file, ..strange };
        let refused = Caller::new(&server.url(), &options(tls)).call(b"{}").await.unwrap_err();
        let words = refused.to_string();
        assert!(words.contains("`client_certificate`"), "{engine:?}: {words}");
    }
}

#[tokio::test]
async fn a_handshake_that_stands_still_ends_at_the_connect_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let timeouts = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let authority = Authority::new();
    let options = OriginOptions { timeouts, tls: authority.trusted(true), ..OriginOptions::default() };
    let caller = Caller::new(&format!("https://127.0.0.1:{port}"), &options);
    let failure = caller.call(b"{}").await.unwrap_err();
    assert_eq!(failure, Failure::Timeout(Phase::Connect));
    assert!(failure.is_safe_to_retry());
}

#[test]
fn certificate_files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let authority = Authority::new();
    let good = authority.trusted_with_certificate(false);
    let wrong = [
        TlsFiles { ca_file: Some(missing.clone()), ..TlsFiles::default() },
        TlsFiles { ca_file: Some(empty.clone()), ..TlsFiles::default() },
        TlsFiles { client_key: Some(missing.clone()), ..good.clone() },
        TlsFiles { client_certificate: Some(empty.clone()), ..good.clone() },
    ];
    for tls in wrong {
        let words = Origin::new("https://127.0.0.1", &options(tls)).unwrap_err().to_string();
        assert!(words.contains("missing.pem") || words.contains("empty.pem"), "{words}");
    }
    let half = TlsFiles { client_key: None, ..good };
    let words = Origin::new("https://127.0.0.1", &options(half)).unwrap_err().to_string();
    assert!(words.contains("give both"), "{words}");
}
