//! What ffmpeg says on its standard error, line by line.

use std::io::BufRead;
use std::sync::mpsc::Sender;

/// Complaints kept word for word; more are only counted.
const KEPT_COMPLAINTS: usize = 3;

/// A frame that the `showinfo` filter told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShownFrame {
    pub(super) pts: Option<i64>,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) gray: bool,
    pub(super) full_range: bool,
}

/// Anything else worth knowing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    TimeBase(i64, i64),
    FrameRate(f64),
    Duration(f64),
    Codec(String),
    Complaint(String),
}

/// One line's worth.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    Frame(ShownFrame),
    Said(Said),
}

/// Passes on what `lines` say until they end.
pub(super) fn listen(lines: impl BufRead, to: &Sender<Event>) {
    // Lines may hold any bytes: file names and metadata are echoed.
    for line in lines.split(b'\n').map_while(Result::ok) {
        for event in parse(&String::from_utf8_lossy(&line)) {
            if to.send(event).is_err() {
                return;
            }
        }
    }
}

fn parse(line: &str) -> Vec<Event> {
    let line = line.trim();
    if line.starts_with("[Parsed_showinfo") {
        return showinfo(line);
    }
    if let Some(at) = line.find(" Video: ")
        && line.contains("Stream #0:")
    {
        let codec: String = line[at + 8..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        return vec![Event::Said(Said::Codec(codec))];
    }
    if let Some(text) = line.split("Duration: ").nth(1) {
        let parts = text.split(',').next().unwrap_or_default().split(':');
        let seconds = parts
            .map(|part| part.trim().parse::<f64>())
            .try_fold(0.0, |sum, part| part.map(|p| sum * 60.0 + p));
        return seconds
            .ok()
            .map(|s| Event::Said(Said::Duration(s)))
            .into_iter()
            .collect();
    }
    for mark in ["[error] ", "[fatal] ", "[panic] "] {
        if let Some(at) = line.find(mark) {
            return vec![Event::Said(Said::Complaint(
                line[at + mark.len()..].to_owned(),
            ))];
        }
    }
    Vec::new()
}

fn showinfo(line: &str) -> Vec<Event> {
    if let Some(config) = line.split("config in ").nth(1) {
        let ratio = |name: &str| {
            let text = config
                .split(name)
                .nth(1)?
                .trim_start()
                .split([',', ' '])
                .next()?;
            let (a, b) = text.split_once('/')?;
            Some((a.parse::<i64>().ok()?, b.parse::<i64>().ok()?)).filter(|(a, b)| *a > 0 && *b > 0)
        };
        let base = ratio("time_base:").map(|(a, b)| Said::TimeBase(a, b));
        let rate = ratio("frame_rate:").map(|(a, b)| Said::FrameRate(a as f64 / b as f64));
        return base.into_iter().chain(rate).map(Event::Said).collect();
    }
    // "n:   0 pts:      0 pts_time:0 ... fmt:yuv420p ... s:360x288 ...": values may stand off from their names.
    let value = |name: &str| {
        let at = line.find(&format!(" {name}:"))? + name.len() + 2;
        line[at..].split_whitespace().next()
    };
    let size = value("s").and_then(|text| text.split_once('x'));
    let size = size.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let (Some((width, height)), Some(format), Some(_)) = (size, value("fmt"), value("n")) else {
        return Vec::new();
    };
    vec![Event::Frame(ShownFrame {
        pts: value("pts").and_then(|pts| pts.parse().ok()),
        width,
        height,
        gray: format.starts_with("gray"),
        full_range: format.starts_with("yuvj")
            || format.starts_with("gray")
            || value("color_range") == Some("pc"),
    })]
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) time_base: Option<(i64, i64)>,
    pub(super) frame_rate: Option<f64>,
    pub(super) duration_s: Option<f64>,
    pub(super) codec: String,
    complaints: Vec<String>,
    complaint_count: usize,
}

impl Talk {
    pub(super) fn take(&mut self, said: Said) {
        match said {
            Said::TimeBase(numerator, denominator) => {
                self.time_base = Some((numerator, denominator));
            }
            Said::FrameRate(rate) => self.frame_rate = Some(rate),
            Said::Duration(seconds) => self.duration_s = Some(seconds),
            // The output's stream line follows with "rawvideo"; the first line is the input's.
            Said::Codec(codec) if self.codec.is_empty() => self.codec = codec,
            Said::Codec(_) => {}
            Said::Complaint(text) => {
                self.complaint_count += 1;
                if self.complaints.len() < KEPT_COMPLAINTS {
                    self.complaints.push(text);
                }
            }
        }
    }

    /// The first thing that went wrong.
    pub(super) fn first_error(&self) -> String {
        let first = self.complaints.first();
        if first.is_some_and(|said| said.ends_with("matches no streams.")) {
            return "there is no video track in it".to_owned();
        }
        first
            .cloned()
            .unwrap_or_else(|| "no frame came out of it".to_owned())
    }

    /// Everything that went wrong, in a sentence.
    pub(super) fn damage(&self) -> Option<String> {
        let kept = self.complaints.join("; ");
        match self.complaint_count {
            0 => None,
            count if count > KEPT_COMPLAINTS => {
                Some(format!("{kept}; and {} more", count - KEPT_COMPLAINTS))
            }
            _ => Some(kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_two_ffmpeg_versions_are_understood() {
        let v5 = "[Parsed_showinfo_1 @ 0x55d] [info] n:   3 pts:   1536 pts_time:0.125   pos:     2283 fmt:yuvj420p sar:0/1 s:360x288 i:P iskey:0 type:P ";
        let v7 = "[Parsed_showinfo_1 @ 0x55d] [info] n:   3 pts:NOPTS pts_time:NOPTS duration:512 duration_time:0.04 fmt:gray cl:left sar:1/1 s:1080x1920 i:P iskey:1 type:I ";
        let frame = |line| match parse(line).as_slice() {
            [Event::Frame(frame)] => *frame,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            frame(v5),
            ShownFrame {
                pts: Some(1536),
                width: 360,
                height: 288,
                gray: false,
                full_range: true
            }
        );
        assert_eq!(
            frame(v7),
            ShownFrame {
                pts: None,
                width: 1080,
                height: 1920,
                gray: true,
                full_range: true
            }
        );
        assert_eq!(
            parse(
                "[Parsed_showinfo_1 @ 0x1] [info] config in time_base: 1/12288, frame_rate: 24/1"
            ),
            [
                Event::Said(Said::TimeBase(1, 12288)),
                Event::Said(Said::FrameRate(24.0))
            ]
        );
        assert_eq!(
            parse(
                "[info]   Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 360x288"
            ),
            [Event::Said(Said::Codec("h264".into()))]
        );
        assert_eq!(
            parse("[info]   Duration: 00:03:20.50, start: 0.000000, bitrate: 152 kb/s"),
            [Event::Said(Said::Duration(200.5))]
        );
        assert_eq!(
            parse("[mov,mp4 @ 0x55] [error] moov atom not found"),
            [Event::Said(Said::Complaint("moov atom not found".into()))]
        );
    }

    #[test]
    fn a_flood_of_complaints_is_counted_not_kept() {
        let mut talk = Talk::default();
        for i in 0..10 {
            talk.take(Said::Complaint(format!("bad {i}")));
        }
        assert_eq!(talk.damage().unwrap(), "bad 0; bad 1; bad 2; and 7 more");
    }
}
