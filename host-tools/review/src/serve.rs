//! Connections: as many at a time as the host bears, and none that says nothing for ever.
//!
//! A request that is begun and not ended would hold its connection, and enough of them the whole desk. axum's own `serve`
//! sets no limit of time, so connections are taken in here; what was asked is still the router's.

use crate::MAX_BODY_BYTES;
use crate::error::ApiError;
use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// How long the head of a request may take, and a connection be kept without another one.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long the body may take: 64 KiB in this time is slower than any line that a page can be used over.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// Connections at a time. A page keeps up to six, one of them for events.
const MAX_CONNECTIONS: usize = 1024;

/// Wait after the system refuses a connection, which it does where files run out.
const REFUSED: Duration = Duration::from_millis(200);

/// Serves the page until `stop` turns true and the requests under way are answered.
pub async fn serve(listener: TcpListener, page: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let (stream, place) = tokio::select! {
            taken = take(&listener, &places) => taken,
            () = stopped(&mut stop) => break,
        };
        while open.try_join_next().is_some() {}
        open.spawn(connection(stream, place, page.clone(), stop.clone()));
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// An error means that the host is gone altogether.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .expect("it is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::debug!(%error, "cannot take a connection");
                tokio::time::sleep(REFUSED).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    page: Router,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small: none waits for another's packet.
    let _ = stream.set_nodelay(true);
    let page =
        page.map_request(|request: hyper::Request<hyper::body::Incoming>| request.map(Body::new));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(page));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        () = stopped(&mut stop) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        served.as_mut().graceful_shutdown();
        served.await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Reads the body before anything is done with it, as much of it as may be and as long as it may take.
pub(crate) async fn body_in_time(request: Request, next: Next) -> Response {
    // One that says how long it is need not be read to be refused.
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return too_long().into_response();
    }
    let (head, body) = request.into_parts();
    let error = match tokio::time::timeout(BODY_WITHIN, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => return next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(_)) => too_long(),
        Err(_) => ApiError::Body(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", BODY_WITHIN.as_secs()),
        ),
    };
    error.into_response()
}

fn too_long() -> ApiError {
    ApiError::Body(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("a body has {MAX_BODY_BYTES} bytes at most, all of which must arrive"),
    )
}
