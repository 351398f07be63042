//! Connections that leave HTTP.

use http::{HeaderValue, Method, header};
use pilothouse_upstream::{Failure, Head, Request, Switched};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::script::{Act, answer, raw};
use crate::server::{Caller, Engine, Server};

on_http1! {
    bytes_behind_the_switch_belong_to_the_tunnel,
    a_connection_that_switched_is_never_called_again,
    a_refusal_to_switch_is_an_answer,
    a_switch_that_nobody_asked_for_is_refused,
}

const SWITCH: &str =
    "HTTP/1.1 103 Wait\r\n\r\nHTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

async fn switch(caller: &Caller) -> Result<Switched, Failure> {
    let head = Head::for_origin(&caller.origin, &Method::GET, "/realtime", &[]);
    let extra = [(header::UPGRADE, HeaderValue::from_static("websocket"))];
    let request = Request { head: &head, tail: "?model=m", extra: &extra, body: &[] };
    caller.client.switch(&caller.origin, &request, |_| true).await
}

async fn bytes_behind_the_switch_belong_to_the_tunnel(engine: Engine) {
    let script = vec![Act::Raw(format!("{SWITCH}early").into_bytes()), Act::AwaitGone];
    let server = Server::start(engine, vec![script]).await;
    let Ok(Switched::Open(headers, mut tunnel)) = switch(&server.caller()).await else {
        panic!("it switches")
    };
    assert_eq!(headers["upgrade"], "websocket");
    let mut early = [0; 5];
    tunnel.read_exact(&mut early).await.unwrap();
    assert_eq!(&early, b"early");
    tunnel.write_all(b"more").await.unwrap();
    tunnel.shutdown().await.unwrap();
    server.log.gone.notified().await;
}

async fn a_connection_that_switched_is_never_called_again(engine: Engine) {
    let server = Server::start(engine, vec![raw(SWITCH)]).await;
    let caller = server.caller();
    drop(switch(&caller).await);
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(server.connections(), 2);
}

async fn a_refusal_to_switch_is_an_answer(engine: Engine) {
    let server = Server::start(engine, vec![answer(401, b"no")]).await;
    let caller = server.caller();
    let Ok(Switched::Refused(refusal)) = switch(&caller).await else { panic!("it refuses") };
    assert_eq!(refusal.status, 401);
    assert_eq!(refusal.body.collect(9).await.unwrap(), "no");
    assert_eq!(server.calls()[0].path, "/v1/realtime?model=m");
}

async fn a_switch_that_nobody_asked_for_is_refused(engine: Engine) {
    let server = Server::start(engine, vec![raw(SWITCH)]).await;
    let failure = server.caller().call(b"{}").await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer(_)), "{failure}");
}
