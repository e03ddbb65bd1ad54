//! Runs the detector of light changes over grids, for the script that fits it:
//! `light_change differences` prints what it compares, `light_change verdicts BIAS WEIGHT… (LOW HIGH)…` what it decides.
//!
//! Standard input: clips, each a line `clip FRAMES`, then a line a frame: microseconds and the grid's cells in steps.

#![expect(clippy::unwrap_used, reason = "a tool for fits: a mistake ends it")]

use label_core::confidence::LogisticCalibration;
use label_core::scene::LightGrid;
use label_core::scene::light_change::{LIGHT_FEATURES, LightCalibration, LightChangeDetector};
use label_core::{CaptureTime, FrameIndex, Span, Verdict};
use std::io::{BufRead, Write};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let prints_verdicts = arguments.next().unwrap() == "verdicts";
    let numbers: Vec<f32> = arguments.map(|number| number.parse().unwrap()).collect();
    let changed = if prints_verdicts {
        LogisticCalibration {
            ceiling: 1.0,
            bias: numbers[0],
            weights: core::array::from_fn(|place| numbers[1 + place]),
            ranges: core::array::from_fn(|place| {
                let at = 1 + LIGHT_FEATURES + 2 * place;
                (numbers[at], numbers[at + 1])
            }),
        }
    } else {
        LogisticCalibration {
            ceiling: 0.0,
            bias: 0.0,
            weights: [0.0; LIGHT_FEATURES],
            ranges: [(0.0, 0.0); LIGHT_FEATURES],
        }
    };
    let calibration = LightCalibration {
        changed,
        surest_none: 1.0,
    };
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut lines = std::io::stdin().lock().lines().map(Result::unwrap);
    while let Some(head) = lines.next() {
        let frames: FrameIndex = head.strip_prefix("clip ").unwrap().parse().unwrap();
        let mut detector = Box::new(LightChangeDetector::new());
        let mut tell = |span: Span, verdict: Verdict<bool>| {
            if prints_verdicts {
                let frame = span.frames.start;
                match verdict {
                    Ok(said) => {
                        let (value, confidence) = (u8::from(said.value), said.confidence.get());
                        writeln!(output, "{frame} {value} {confidence} {}", said.raw).unwrap();
                    }
                    Err(reason) => writeln!(output, "{frame} {reason}").unwrap(),
                }
            }
        };
        let mut compared = Vec::new();
        for frame in 0..frames {
            let line = lines.next().unwrap();
            let mut words = line.split_ascii_whitespace();
            let at = CaptureTime(words.next().unwrap().parse().unwrap());
            let mut cells = words.map(|cell| cell.parse().unwrap());
            let grid = LightGrid::new(core::array::from_fn(|_| cells.next().unwrap()));
            detector.observe(frame, at, &grid, &calibration, &mut tell);
            if !prints_verdicts {
                compared.extend(detector.differences().map(|found| (frame, found)));
            }
        }
        detector.finish(&mut tell);
        for (frame, (span, found)) in compared {
            let [a, b, c, d] = found.features();
            writeln!(output, "{frame} {span} {a} {b} {c} {d}").unwrap();
        }
        writeln!(output, "end").unwrap();
    }
}
