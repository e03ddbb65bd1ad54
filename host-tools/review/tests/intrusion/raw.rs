//! Bytes on a socket: what is too much, what never ends, and what only looks like an address.

use crate::desk_of_people::Desk;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Longer than anything may take.
const PATIENCE: Duration = Duration::from_secs(50);

struct Server {
    _runtime: Runtime,
    address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Server {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = watch::channel(false);
        let address = runtime.block_on(async {
            let desk = Desk::open().await;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                review::serve(listener, desk.router.clone(), stopped).await;
                drop(desk);
            });
            address
        });
        Self {
            _runtime: runtime,
            address,
            _stop: stop,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What comes back until the connection ends; its head says so itself, or the server closes it.
    fn say(&self, said: &[u8]) -> String {
        let mut stream = self.connect();
        // It may have heard enough before the end.
        let _ = stream.write_all(said);
        heard(&mut stream)
    }

    fn get(&self, path: &str) -> String {
        self.say(
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
    }
}

fn heard(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}; heard {:?}", String::from_utf8_lossy(&answer)),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(length: &str) -> String {
    format!(
        "POST /api/verdicts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    )
}

fn status(answer: &str) -> u16 {
    let code = answer.split_whitespace().nth(1);
    code.and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// The most memory that this process ever held, in bytes.
fn most_memory() -> u64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = told
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read_and_costs_no_memory() {
    let server = Server::start();
    assert_eq!(status(&server.get("/healthz")), 200);
    let before = most_memory();

    let told = server.say(post("Content-Length: 104857600").as_bytes());
    assert_eq!(status(&told), 413, "{told}");
    assert!(told.contains("65536 bytes at most"), "{told}");

    // One that does not say how long it is: 100 MB of it, or as much as is taken.
    let mut stream = server.connect();
    stream
        .write_all(post("Transfer-Encoding: chunked").as_bytes())
        .unwrap();
    let piece = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    let mut taken = 0;
    while taken < 100 << 20 && stream.write_all(&piece).is_ok() {
        taken += piece.len();
    }
    assert!(taken < 50 << 20, "{taken} bytes were taken");
    let grown = most_memory() - before;
    assert!(grown < 24 << 20, "{grown} bytes more");
    assert_eq!(status(&server.get("/healthz")), 200);
}

#[test]
fn too_many_names_and_too_deep_a_nest_are_refused_in_words() {
    let server = Server::start();
    let ask = |body: &str| {
        let length = format!("Content-Length: {}", body.len());
        server.say(format!("{}{body}", post(&length)).as_bytes())
    };
    let labels = |count: usize| {
        let names = vec!["\"rig-sim:7340033:10:0\""; count].join(",");
        format!(r#"{{"labels":[{names}],"verdict":"accept","millis":1}}"#)
    };
    let million = ask(&labels(1_000_000));
    // The rest may never have been read, and then the connection is cut rather than answered.
    assert!(million.is_empty() || status(&million) == 413, "{million}");
    let told = ask(&labels(501));
    assert_eq!(status(&told), 422, "{told}");
    assert!(told.contains("1 to 500"), "{told}");
    for deep in ["[".repeat(60_000), r#"{"labels":"#.repeat(6_000)] {
        let told = ask(&deep);
        assert!((400..=422).contains(&status(&told)), "{told}");
        assert!(told.contains("\"error\""), "{told}");
    }
    let head = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    let told = server.say(head.as_bytes());
    assert!(told.is_empty() || status(&told) == 431, "{told}");
    let many = "X: y\r\n".repeat(5000);
    let told = server.say(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes());
    assert!(told.is_empty() || status(&told) == 431, "{told}");
    assert_eq!(status(&server.get("/healthz")), 200);
}

#[test]
fn a_request_that_is_begun_and_not_ended_is_let_go_and_holds_nobody_up() {
    let server = Server::start();
    let begun = Instant::now();
    let mut heads: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
            stream
        })
        .collect();
    let mut body = server.connect();
    body.write_all(post("Content-Length: 100").as_bytes())
        .unwrap();
    body.write_all(b"{\"labels\":").unwrap();
    assert_eq!(status(&server.get("/api/labels")), 200);
    for stream in &mut heads {
        // Let go, with or without a word.
        let told = heard(stream);
        assert!(told.is_empty() || status(&told) == 408, "{told}");
    }
    let told = heard(&mut body);
    assert_eq!(status(&told), 408, "{told}");
    assert!(told.contains("did not arrive within 20 s"), "{told}");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn no_address_leads_out_of_the_page() {
    let server = Server::start();
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/assets/%00",
        "/..%5c..%5cCargo.toml",
        "/index.html/../../Cargo.toml",
        "/api/pictures/..%2f..%2f..%2fetc%2fpasswd.jpg",
        "/api/evidence/..%2f..%2flabels.db.jpg",
        "/api/calibrations/..%2f..%2fCargo.toml",
        "/%0d%0aX-Injected:%20yes",
        "file:///etc/passwd",
        "http://evil.example/",
    ] {
        let told = server.get(path);
        assert!((400..500).contains(&status(&told)), "{path}: {told}");
        for leaked in ["root:", "[package]", "SQLite", "\r\nX-Injected"] {
            assert!(!told.contains(leaked), "{path}: {told}");
        }
    }
}
