//! One GET on this machine, enough to ask the host for its numbers: no TLS, no redirects, no keep-alive.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long the host may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of `http://127.0.0.1:PORT/PATH`.
pub(crate) fn get(port: u16, path: &str) -> Result<Vec<u8>> {
    let asked = || format!("GET http://127.0.0.1:{port}{path}");
    let answer = exchange(port, path).with_context(asked)?;
    let (status, body) = split(&answer).with_context(asked)?;
    if status != 200 {
        bail!(
            "{}: status {status}: {}",
            asked(),
            String::from_utf8_lossy(body)
        );
    }
    Ok(body.to_vec())
}

fn exchange(port: u16, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0 answers come whole and end with the connection.
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// (status, body) of an answer.
fn split(answer: &[u8]) -> Result<(u16, &[u8])> {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("no HTTP answer")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|code| code.parse().ok())
        .context("no HTTP status")?;
    Ok((status, &answer[end + 4..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answer_once(answer: &'static [u8]) -> (u16, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            assert!(stream.read(&mut asked).unwrap() > 0);
            stream.write_all(answer).unwrap();
        });
        (port, server)
    }

    #[test]
    fn a_body_comes_back_and_a_refusal_is_an_error_with_its_text() {
        let (port, server) = answer_once(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"x\":1}");
        assert_eq!(get(port, "/api/summary").unwrap(), b"{\"x\":1}");
        server.join().unwrap();
        let (port, server) = answer_once(b"HTTP/1.0 503 Busy\r\n\r\nnot yet");
        let text = format!("{:#}", get(port, "/api/summary").unwrap_err());
        assert!(
            text.contains("503") && text.contains("not yet") && text.contains("/api/summary"),
            "{text}"
        );
        server.join().unwrap();
    }

    #[test]
    fn nobody_listening_is_an_error() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(get(free, "/").is_err());
    }
}
