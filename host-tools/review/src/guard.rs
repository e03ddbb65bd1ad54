//! What every request has to pass, and what every answer carries.
//!
//! The page runs in a browser that also shows other sites. Three doors are shut: a name under another's control that
//! points to this machine (the `Host` must be ours), a form or script of another site (`POST` must come from this
//! origin), and foreign content in the page (the content security policy). Programs that are no browser send neither
//! `Sec-Fetch-Site` nor `Origin` and are let through; who they are is for [`crate::people`] to ask.

use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Which hosts we answer to.
pub(crate) struct Guard {
    listen: IpAddr,
    names: Vec<String>,
}

/// `blob:`: filmstrips are kept in memory by the page, never in the browser's cache on disk.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ANSWERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

impl Guard {
    pub(crate) fn new(listen: SocketAddr, names: Vec<String>) -> Self {
        Self {
            listen: listen.ip(),
            names,
        }
    }

    /// Whether a host name of a request is one of ours. The port is not compared: it changes when it is forwarded, and
    /// nobody gains by it.
    fn knows(&self, host: &str) -> bool {
        let name = without_port(host);
        if let Ok(ip) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            // A name can be bent to another address; an address cannot.
            return ip.is_loopback() || ip == self.listen || self.listen.is_unspecified();
        }
        name.eq_ignore_ascii_case("localhost")
            || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn admit(&self, request: &Request) -> Result<(), ApiError> {
        let host = host_of(request).ok_or(ApiError::Host)?;
        if !self.knows(host) {
            return Err(ApiError::Host);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            && !is_same_origin(request.headers(), host)
        {
            return Err(ApiError::CrossSite);
        }
        Ok(())
    }
}

/// Lets a request in or refuses it, and marks the answer.
pub(crate) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in ANSWERS {
        headers.insert(name, value);
    }
    // Faces and labels stay out of caches; only the page's own files say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// HTTP/2 puts the host into the address, HTTP/1 into a header.
fn host_of(request: &Request) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST)?.to_str().ok(),
    }
}

fn without_port(host: &str) -> &str {
    match host.rfind(']') {
        // Whatever follows an address in brackets other than a port makes it a name, and no name of ours.
        Some(end) if host[end + 1..].is_empty() || host[end + 1..].starts_with(':') => {
            &host[..=end]
        }
        Some(_) => "",
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Browsers say where a request comes from; a page cannot change these headers.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    headers.get(header::ORIGIN).is_none_or(|origin| {
        origin
            .to_str()
            .ok()
            .and_then(|origin| {
                origin
                    .strip_prefix("http://")
                    .or(origin.strip_prefix("https://"))
            })
            .is_some_and(|from| from.eq_ignore_ascii_case(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(listen: &str) -> Guard {
        Guard::new(listen.parse().unwrap(), vec!["desk.example".to_owned()])
    }

    #[test]
    fn only_names_that_cannot_be_bent_are_answered_to() {
        let local = guard("127.0.0.1:8080");
        for ours in [
            "localhost:8080",
            "LOCALHOST",
            "127.0.0.1:8080",
            "127.0.0.1",
            "[::1]:9000",
            "desk.example:8080",
        ] {
            assert!(local.knows(ours), "{ours}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "192.168.1.5",
            "",
            "[::1].evil.example",
        ] {
            assert!(!local.knows(foreign), "{foreign}");
        }
        assert!(guard("0.0.0.0:8080").knows("192.168.1.5:8080"));
        assert!(!guard("0.0.0.0:8080").knows("evil.example:8080"));
        assert!(guard("192.168.1.5:8080").knows("192.168.1.5"));
    }
}
