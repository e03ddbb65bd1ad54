//! Reads a board file, table by table.

use crate::problem::{BoardError, Problems};
use crate::rules;
use crate::schema::{
    Board, Broker, Budget, Camera, Outbox, Panel, Perception, Pins, Pipe, Recording, Session,
    Source, Tls, Word,
};
use crate::section::{Found, OtherForm, Section};
use std::path::Path;
use toml::de::DeTable;

impl Board {
    /// Reads and checks a board file.
    pub fn read(path: &Path) -> Result<Self, BoardError> {
        let text = std::fs::read_to_string(path).map_err(|source| BoardError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, text)
    }

    /// Checks the text of a board file that is, or is to be, at `path`.
    pub fn parse(path: &Path, text: String) -> Result<Self, BoardError> {
        let problems = Problems::new(&text);
        let (document, broken) = DeTable::parse_recoverable(&text);
        for error in &broken {
            let at = error.span().map_or(0, |span| span.start);
            problems.tell_broken(at, error.message());
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let board = whole(Section::top(&problems, document.get_ref()), folder);
        let problems = problems.into_list();
        match board {
            Some(board) if problems.is_empty() => Ok(Self { text, ..board }),
            _ => Err(BoardError::Wrong {
                path: path.to_owned(),
                problems,
            }),
        }
    }
}

fn whole(mut top: Section<'_>, folder: &Path) -> Option<Board> {
    let name = top.name("name");
    let site = top.name("site");
    let rig = top.name("rig");
    let hardware = top.word("hardware");
    // What goes together is held together also where the rest of the source is wrong.
    let mut fps = None;
    let source = top
        .table("source")
        .and_then(|s| source(s, folder, &mut fps));
    let perception = top.table("perception").and_then(|s| perception(s, folder));
    let budget = top.table("budget").and_then(|s| budget(s, fps));
    let has_pins = top.has("pins");
    let session = top.table("session").and_then(|s| session(s, has_pins));
    let outbox = top.table("outbox").and_then(|s| outbox(s, folder));
    let recording = top.maybe("recording", |top, key| {
        top.table(key)
            .and_then(|s| recording(s, folder, source.as_ref()))
    });
    let broker = top.table("broker").and_then(|s| broker(s, folder));
    let known = hardware.map(|found| found.value);
    let panel = top.maybe("panel", |top, key| {
        top.table(key).and_then(|s| panel(s, known))
    });
    let pins = top.maybe("pins", |top, key| {
        let panel = panel.as_ref().and_then(Option::as_ref);
        top.table(key).and_then(|s| pins(s, known, panel))
    });
    top.finish(&[]);
    Some(Board {
        name: name?.value,
        site: site?.value,
        rig: rig?.value,
        hardware: known?,
        source: source?,
        perception: perception?,
        budget: budget?,
        session: session?,
        outbox: outbox?,
        recording: recording?,
        broker: broker?,
        panel: panel?,
        pins: pins?,
        text: String::new(),
    })
}

const CLIP_KEYS: OtherForm = OtherForm {
    keys: &["path", "seconds"],
    is_for: "this key is for a source of kind \"clip\"",
};
const CAMERA_KEYS: OtherForm = OtherForm {
    keys: &[
        "device",
        "formats",
        "exposure-us",
        "gain",
        "anti-flicker",
        "infrared-lamp",
    ],
    is_for: "this key is for a source of kind \"camera\"",
};
const PIPE_KEYS: OtherForm = OtherForm {
    keys: &["command", "format"],
    is_for: "this key is for a source of kind \"pipe\"",
};
const LIVE_KEYS: OtherForm = OtherForm {
    keys: &["width", "height", "fps", "timeout-ms"],
    is_for: "this key is for a source of kind \"camera\" or \"pipe\"",
};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Clip,
    Camera,
    Pipe,
}

impl Word for Kind {
    const ALL: &'static [(&'static str, Self)] = &[
        ("camera", Self::Camera),
        ("pipe", Self::Pipe),
        ("clip", Self::Clip),
    ];
}

fn source(mut section: Section<'_>, folder: &Path, fps: &mut Option<Found<f64>>) -> Option<Source> {
    // Without it, no key can be judged.
    match section.word("kind")?.value {
        Kind::Clip => {
            let path = section.path("path", folder);
            let seconds = section.maybe("seconds", |s, key| {
                s.number(key, 0.001..=1_000_000.0, "seconds")
            });
            section.finish(&[PIPE_KEYS, CAMERA_KEYS, LIVE_KEYS]);
            Some(Source::Clip {
                path: path?.value,
                seconds: seconds?.map(|found| found.value),
            })
        }
        Kind::Camera => camera(section, fps).map(Source::Camera),
        Kind::Pipe => pipe(section, fps).map(Source::Pipe),
    }
}

/// What a camera and a pipe have in common.
struct Live {
    width: u32,
    height: u32,
    fps: f32,
    timeout_ms: u32,
}

fn live(section: &mut Section<'_>, told_fps: &mut Option<Found<f64>>) -> Option<Live> {
    let width = section.whole("width", 32..=8192, "pixels");
    let height = section.whole("height", 32..=8192, "pixels");
    let fps = section.number("fps", 1.0..=240.0, "frames per second");
    *told_fps = fps;
    let timeout = section.whole("timeout-ms", 100..=60_000, "milliseconds");
    for (key, side) in [("width", width), ("height", height)] {
        rules::reject_odd_sides(section, key, side);
    }
    rules::reject_a_time_out_within_a_frame(section, timeout, fps);
    Some(Live {
        width: width?.value as u32,
        height: height?.value as u32,
        fps: fps?.value as f32,
        timeout_ms: timeout?.value as u32,
    })
}

fn camera(mut section: Section<'_>, fps: &mut Option<Found<f64>>) -> Option<Camera> {
    let device = section.device("device", "/dev/", "/dev/video0");
    let formats = section.words("formats");
    let live = live(&mut section, fps);
    let exposure = section.maybe("exposure-us", |s, key| {
        s.whole(key, 1..=1_000_000, "microseconds")
    });
    let gain = section.maybe("gain", |s, key| {
        s.whole(key, -32_768..=65_535, "the camera's own units")
    });
    let anti_flicker = section.maybe("anti-flicker", Section::word);
    let infrared_lamp = section.maybe("infrared-lamp", Section::flag);
    rules::reject_an_exposure_longer_than_a_frame(&section, exposure.flatten(), *fps);
    section.finish(&[CLIP_KEYS, PIPE_KEYS]);
    let live = live?;
    Some(Camera {
        device: device?.value,
        formats: formats?,
        width: live.width,
        height: live.height,
        fps: live.fps,
        exposure_us: exposure?.map(|found| found.value as u32),
        gain: gain?.map(|found| found.value as i32),
        anti_flicker: anti_flicker?.map(|found| found.value),
        infrared_lamp: infrared_lamp?.map(|found| found.value),
        timeout_ms: live.timeout_ms,
    })
}

fn pipe(mut section: Section<'_>, fps: &mut Option<Found<f64>>) -> Option<Pipe> {
    let command = section.texts(
        "command",
        "a list of the program and its arguments, such as [\"rpicam-vid\", \"-o\", \"-\"]",
    );
    let format = section.word("format");
    let live = live(&mut section, fps);
    section.finish(&[CLIP_KEYS, CAMERA_KEYS]);
    let live = live?;
    Some(Pipe {
        command: command?
            .value
            .iter()
            .map(|one| one.value.to_owned())
            .collect(),
        format: format?.value,
        width: live.width,
        height: live.height,
        fps: live.fps,
        timeout_ms: live.timeout_ms,
    })
}

/// How often the dearest models look where the board file says nothing: what accuracy was measured with.
const CADENCE_MS: u32 = 2000;

fn perception(mut section: Section<'_>, folder: &Path) -> Option<Perception> {
    let mut path = |key| section.path(key, folder);
    let cards = path("cards");
    let files = path("files");
    let runtime = path("runtime");
    let calibration = path("calibration");
    let golden = path("golden");
    let threads = section.whole("threads", 1..=8, "processor threads");
    let max_faces = section.whole("max-faces", 1..=8, "people");
    let mut cadence = |key| section.maybe(key, |s, key| s.whole(key, 200..=60_000, "milliseconds"));
    let person_every = cadence("person-every-ms");
    let search_every = cadence("search-every-ms");
    let mut card = |key| section.name_of_card(key);
    let short_range = card("short-range");
    let full_range = card("full-range");
    let mesh = card("mesh");
    let eye_reader = card("eye-reader");
    let person = card("person");
    let person_mask = card("person-mask");
    section.finish(&[]);
    Some(Perception {
        cards: cards?.value,
        files: files?.value,
        runtime: runtime?.value,
        calibration: calibration?.value,
        golden: golden?.value,
        threads: threads?.value as u32,
        max_faces: max_faces?.value as usize,
        person_every_ms: person_every?.map_or(CADENCE_MS, |every| every.value as u32),
        search_every_ms: search_every?.map_or(CADENCE_MS, |every| every.value as u32),
        short_range: short_range?,
        full_range: full_range?,
        mesh: mesh?,
        eye_reader: eye_reader?,
        person: person?,
        person_mask: person_mask?,
    })
}

fn budget(mut section: Section<'_>, fps: Option<Found<f64>>) -> Option<Budget> {
    let hot = section.number("hot-c", 30.0..=120.0, "°C");
    let cool = section.number("cool-c", 20.0..=119.0, "°C");
    let late = section.whole("late-ms", 20..=10_000, "milliseconds");
    rules::reject_cool_above_hot(&section, cool, hot);
    rules::reject_late_within_a_frame(&section, late, fps);
    section.finish(&[]);
    Some(Budget {
        hot_c: hot?.value as f32,
        cool_c: cool?.value as f32,
        late_ms: late?.value as u32,
    })
}

fn session(mut section: Section<'_>, has_pins: bool) -> Option<Session> {
    let start = section.word("start");
    if !has_pins {
        rules::reject_a_start_by_a_button_that_is_not_there(&section, start);
    }
    section.finish(&[]);
    Some(Session {
        start: start?.value,
    })
}

fn outbox(mut section: Section<'_>, folder: &Path) -> Option<Outbox> {
    let dir = section.path("dir", folder);
    let max_mib = section.whole("max-mib", 8..=1_048_576, "MiB");
    section.finish(&[]);
    Some(Outbox {
        dir: dir?.value,
        max_mib: max_mib?.value as u64,
    })
}

fn recording(
    mut section: Section<'_>,
    folder: &Path,
    source: Option<&Source>,
) -> Option<Recording> {
    let dir = section.path("dir", folder);
    let encoder = section.word("encoder");
    let segment = section.whole("segment-s", 1..=600, "seconds");
    let max_mib = section.whole("max-mib", 64..=16_777_216, "MiB");
    let keep_hours = section.whole("keep-hours", 1..=87_600, "hours");
    rules::reject_pictures_that_the_camera_does_not_send(&section, encoder, source);
    section.finish(&[]);
    Some(Recording {
        dir: dir?.value,
        encoder: encoder?.value,
        segment_s: segment?.value as u32,
        max_mib: max_mib?.value as u64,
        keep_hours: keep_hours?.value as u32,
    })
}

fn broker(mut section: Section<'_>, folder: &Path) -> Option<Broker> {
    let host = section.text("host", "a name or an address, in quotes");
    let port = section.whole("port", 1..=65_535, "TCP port");
    let tls = section.maybe("tls", |s, key| {
        s.table(key).and_then(|section| tls(section, folder))
    });
    let host = host.filter(|host| rules::reject_an_address_that_is_no_host(&section, *host));
    section.finish(&[]);
    Some(Broker {
        host: host?.value.to_owned(),
        port: port?.value as u16,
        tls: tls?,
    })
}

fn tls(mut section: Section<'_>, folder: &Path) -> Option<Tls> {
    let ca = section.path("ca", folder);
    let cert = section.path("cert", folder);
    let key = section.path("key", folder);
    rules::reject_one_file_for_two_things(&section, [("ca", &ca), ("cert", &cert), ("key", &key)]);
    section.finish(&[]);
    Some(Tls {
        ca: ca?.value,
        cert: cert?.value,
        key: key?.value,
    })
}

fn panel(mut section: Section<'_>, hardware: Option<crate::Hardware>) -> Option<Panel> {
    let bus = section.device("bus", "/dev/i2c-", "/dev/i2c-1");
    let address = section.i2c_address("address");
    let access = section.word("access");
    let upside_down = section.flag("upside-down");
    let bus = bus.filter(|bus| rules::reject_a_bus_without_number(&section, bus));
    rules::reject_rppal_off_a_pi(&section, access, hardware);
    section.finish(&[]);
    Some(Panel {
        bus: bus?.value,
        address: address?,
        access: access?.value,
        upside_down: upside_down?.value,
    })
}

fn pins(
    mut section: Section<'_>,
    hardware: Option<crate::Hardware>,
    panel: Option<&Panel>,
) -> Option<Pins> {
    let access = section.word("access");
    let chip = section.maybe("chip", Section::chip);
    let range = rules::pin_range(hardware);
    let mut lines = ["heartbeat", "recording", "fault", "button"].map(|key| {
        (
            key,
            section.whole(key, range.clone(), rules::pin_unit(hardware)),
        )
    });
    let button_active_low = section.flag("button-active-low");
    rules::reject_rppal_off_a_pi(&section, access, hardware);
    rules::reject_a_chip_for_rppal_and_none_for_the_kernel(&section, access);
    rules::reject_duplicate_pins(&section, &lines);
    rules::reject_pins_of_the_panel(&section, &lines, hardware, panel);
    section.finish(&[]);
    let mut line = |place: usize| lines[place].1.take().map(|found| found.value as u32);
    Some(Pins {
        access: access?.value,
        chip: chip?.map(|found| found.value).unwrap_or_default(),
        heartbeat: line(0)?,
        recording: line(1)?,
        fault: line(2)?,
        button: line(3)?,
        button_active_low: button_active_low?.value,
    })
}
