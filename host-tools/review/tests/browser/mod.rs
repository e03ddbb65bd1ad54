//! A real browser: Debian's Chromium, driven through `chromedriver`.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const INSTALL: &str =
    "the browser test needs Chromium and its driver: apt-get install chromium chromium-driver";

/// How long the page may take for anything that is asked of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that are not written, as the driver names them.
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const SHIFT: char = '\u{e008}';
pub(crate) const ARROW_RIGHT: char = '\u{e014}';
pub(crate) const ARROW_DOWN: char = '\u{e015}';

/// What the reader's system asks for, by Chromium's number of it.
#[derive(Clone, Copy)]
pub(crate) enum Theme {
    Dark = 0,
    Light = 1,
}

/// A browser with a fresh profile; it is gone when this is dropped.
pub(crate) struct Browser {
    client: Client,
    driver: Driver,
    _profile: TempDir,
}

struct Driver {
    process: Child,
    /// Kept open: a driver that cannot write what it has to say ends.
    _said: BufReader<ChildStdout>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser belongs to the driver's group and would outlive it. Nothing to be done if they are gone already.
        let group = Pid::from_raw(self.process.id().cast_signed());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

impl Browser {
    pub(crate) async fn open(address: &str) -> Self {
        Self::open_in(address, Theme::Light).await
    }

    pub(crate) async fn open_in(address: &str, theme: Theme) -> Self {
        let chromium = find(&["chromium", "chromium-browser", "google-chrome"]);
        let (driver, port) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--window-size=1366,768".to_owned(),
            format!("--blink-settings=preferredColorScheme={}", theme as u8),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let wishes = json!({ "goog:chromeOptions": { "binary": chromium, "args": args } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wishes.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromedriver starts Chromium");
        client.goto(address).await.unwrap();
        Self {
            client,
            driver,
            _profile: profile,
        }
    }

    /// Presses keys one after another, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        for key in keys.chars() {
            let press = KeyActions::new("keyboard".to_owned())
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key });
            self.client.perform_actions(press).await.unwrap();
        }
    }

    /// Presses a key while another is held down.
    pub(crate) async fn chord(&self, held: char, key: char) {
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        self.client.perform_actions(press).await.unwrap();
    }

    /// Clicks the button that reads so, once there is one; again where the page drew it anew, or something else over it, in between.
    pub(crate) async fn click_button(&self, text: &str) {
        let path = format!("//button[normalize-space()='{text}']");
        let clicked = async {
            loop {
                let button = self
                    .client
                    .wait()
                    .at_most(PATIENCE)
                    .for_element(Locator::XPath(&path))
                    .await
                    .unwrap_or_else(|error| panic!("there is no button {text}: {error}"));
                match button.click().await {
                    Err(CmdError::Standard(error))
                        if matches!(
                            error.error,
                            ErrorStatus::StaleElementReference
                                | ErrorStatus::ElementClickIntercepted
                        ) => {}
                    done => break done.unwrap(),
                }
            }
        };
        tokio::time::timeout(PATIENCE, clicked)
            .await
            .unwrap_or_else(|elapsed| panic!("the button {text} cannot be clicked ({elapsed})"));
    }

    /// Takes hold of an element in its middle and drags it by so many CSS pixels.
    pub(crate) async fn drag(&self, css: &str, x: f64, y: f64) {
        let element = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css} does not appear: {error}"));
        let glide = Some(Duration::from_millis(40));
        let drag = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveToElement {
                element,
                duration: None,
                x: 0.0,
                y: 0.0,
            })
            .then(PointerAction::Down {
                button: MOUSE_BUTTON_LEFT,
            })
            .then(PointerAction::MoveBy {
                duration: glide,
                x: x / 2.0,
                y: y / 2.0,
            })
            .then(PointerAction::MoveBy {
                duration: glide,
                x: x / 2.0,
                y: y / 2.0,
            })
            .then(PointerAction::Up {
                button: MOUSE_BUTTON_LEFT,
            });
        self.client.perform_actions(drag).await.unwrap();
    }

    /// Clicks so many CSS pixels beside the middle of an element.
    pub(crate) async fn click_beside(&self, css: &str, x: f64, y: f64) {
        self.clicks(css, x, y, 1).await;
    }

    /// Clicks twice half way between the middles of two elements.
    pub(crate) async fn double_click_between(&self, css: &str, other: &str) {
        let half = format!(
            "const [a, b] = {:?}.map((css) => document.querySelector(css).getBoundingClientRect());
             return [(b.x + b.width / 2 - a.x - a.width / 2) / 2, (b.y + b.height / 2 - a.y - a.height / 2) / 2];",
            [css, other]
        );
        let (x, y): (f64, f64) = serde_json::from_value(self.ask(&half).await).unwrap();
        self.clicks(css, x, y, 2).await;
    }

    async fn clicks(&self, css: &str, x: f64, y: f64, times: u32) {
        let element = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css} does not appear: {error}"));
        let mut clicks = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveToElement {
            element,
            duration: None,
            x,
            y,
        });
        for _ in 0..times {
            clicks = clicks
                .then(PointerAction::Down {
                    button: MOUSE_BUTTON_LEFT,
                })
                .then(PointerAction::Up {
                    button: MOUSE_BUTTON_LEFT,
                });
        }
        self.client.perform_actions(clicks).await.unwrap();
    }

    /// Waits for an element and gives its text.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css} does not appear: {error}"))
            .text()
            .await
            .unwrap()
    }

    /// Waits until a script gives true.
    pub(crate) async fn until(&self, script: &str) {
        let function = format!(
            "const done = arguments[0];
             const look = () => {{ ({script}) ? done(true) : setTimeout(look, 20); }}; look();"
        );
        let waited = tokio::time::timeout(PATIENCE, self.client.execute_async(&function, vec![]));
        match waited.await {
            Ok(answer) => assert_eq!(answer.unwrap(), json!(true)),
            Err(elapsed) => panic!("it does not come true ({elapsed}): {script}"),
        }
    }

    /// How long after doing something a script gives true in a frame that is drawn, in milliseconds by the page's own clock.
    pub(crate) async fn measure(&self, act: &str, comes_true: &str) -> f64 {
        let function = format!(
            "const done = arguments[0]; const began = performance.now();
             {act};
             const look = () => {{ ({comes_true}) ? done(performance.now() - began) : requestAnimationFrame(look); }};
             requestAnimationFrame(look);"
        );
        let waited = tokio::time::timeout(PATIENCE, self.client.execute_async(&function, vec![]));
        let took = waited
            .await
            .unwrap_or_else(|elapsed| panic!("it does not come true ({elapsed}): {comes_true}"));
        took.unwrap().as_f64().unwrap()
    }

    /// The longest time between two frames while something is done in each of a second's, in milliseconds.
    pub(crate) async fn longest_frame(&self, act: &str) -> f64 {
        let function = format!(
            "const done = arguments[0]; const began = performance.now(); let last = began; let longest = 0;
             const frame = (now) => {{
                 longest = Math.max(longest, now - last); last = now;
                 if (now - began > 1000) {{ done(longest); return; }}
                 {act};
                 requestAnimationFrame(frame);
             }};
             requestAnimationFrame(frame);"
        );
        let longest = self.client.execute_async(&function, vec![]).await;
        longest.unwrap().as_f64().unwrap()
    }

    /// What a script gives.
    pub(crate) async fn ask(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Makes the window so large that the page has so many CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let inside = "return [outerWidth - innerWidth, outerHeight - innerHeight]";
        let frame: (u32, u32) = serde_json::from_value(self.ask(inside).await).unwrap();
        self.client
            .set_window_size(width + frame.0, height + frame.1)
            .await
            .unwrap();
        let so_large = format!("innerWidth === {width} && innerHeight === {height}");
        self.until(&so_large).await;
    }

    /// Writes what is seen into a PNG file, with the pointer out of the way.
    pub(crate) async fn picture(&self, file: &Path) {
        let away = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo {
            duration: None,
            x: 1.0,
            y: 1.0,
        });
        self.client.perform_actions(away).await.unwrap();
        std::fs::write(file, self.client.screenshot().await.unwrap()).unwrap();
    }

    /// Closes the browser in order; a test that failed leaves it to the driver's end.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.driver);
    }
}

/// The driver picks a free port and says which.
fn start_driver() -> (Driver, u16) {
    let mut child = Command::new(find(&["chromedriver"]))
        .arg("--port=0")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver can be started");
    let mut said = BufReader::new(child.stdout.take().expect("its output was asked for"));
    let mut line = String::new();
    let port = loop {
        line.clear();
        let read = said.read_line(&mut line).expect("its output can be read");
        assert!(read > 0, "chromedriver ended before it listened");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            break port.trim_end().trim_end_matches('.').parse().unwrap();
        }
    };
    let driver = Driver {
        process: child,
        _said: said,
    };
    (driver, port)
}

fn find(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{} is not here: {INSTALL}", names[0]))
}
