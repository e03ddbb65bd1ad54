//! YOLO and YOLO-pose, as Ultralytics documents them: a text file a picture, a line an object.
//!
//! `labels/<subset>/<clip>/<frame>.txt` beside `images/<subset>/<clip>/<frame>.png`, which are part of the export where media were given;
//! `<subset>.txt` lists the pictures, and `data.yaml` names them. A line is `class cx cy w h`, of a pose followed by `x y v` of the
//! left and the right eye; all but class and visibility are shares of the picture's width and height. The centre, not the corner, comes first.
//! Ultralytics refuses what lies outside the picture, so boxes are clipped to it; visibility is 2, and 0 (with x = y = 0) for an eye that is not told.
//!
//! A picture with an empty file is background. Only pictures are listed in which nobody is left out for want of a box; a picture whose only
//! candidates were rejected has an empty file: a hard negative.

use crate::clip::{BoxAt, Clip, PointAt, Standing};
use crate::coco::{NO_PICTURE, picture_name};
use crate::cvat::lose_beside_labels;
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::{Moment, Person, has_place, moments};
use label_core::LabelKind;
use std::fmt::Write as _;

/// With eyes or without.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Yolo {
    Detect,
    Pose,
}

impl Writer for Yolo {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        lose_beside_labels(clip, to);
        let count = |wanted: &dyn Fn(&crate::Label) -> bool| {
            clip.labels.iter().filter(|label| wanted(label)).count() as u64
        };
        let held = |label: &crate::Label| label.standing.is_held();
        to.lose(
            "states and events: left out",
            count(&|label| held(label) && !has_place(label.kind)),
        );
        to.lose(
            "provenance, confidence and track of a box: left out",
            count(&|label| held(label) && has_place(label.kind)),
        );
        let abstained = |label: &crate::Label| label.standing == Standing::Abstained;
        to.lose("abstentions: left out", count(&abstained));
        let rejected = |label: &crate::Label| label.standing == Standing::Rejected;
        to.lose(
            "rejected states, events and eyes: left out",
            count(&|label| rejected(label) && label.kind != LabelKind::BboxPerson),
        );
        if *self == Self::Detect {
            let eye = |label: &crate::Label| {
                held(label) && has_place(label.kind) && label.kind != LabelKind::BboxPerson
            };
            to.lose("eyes: left out, `yolo-pose` holds them", count(&eye));
        }
        let density = to.density;
        let passed_over = moments(clip, density, |moment| self.picture(clip, moment, to))?;
        to.lose(NO_PICTURE, passed_over);
        Ok(())
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        let list = format!("{}.txt", to.subset);
        if to.output.is_new(&list) {
            to.output.append(&list, b"")?;
        }
        let path = "data.yaml";
        if to.output.is_new(path) {
            let pose = "kpt_shape: [2, 3]\nflip_idx: [1, 0]\n";
            let head = format!(
                "# Without `path`, places are those beside this file.\nnames:\n  0: person\n{}",
                if *self == Self::Pose { pose } else { "" }
            );
            to.output.append(path, head.as_bytes())?;
        }
        // Ultralytics asks for train and val; a set that is not divided serves as both.
        let subset = to.subset;
        let roles = if subset == "all" {
            "train: all.txt\nval: all.txt\n".to_owned()
        } else {
            format!("{subset}: {list}\n")
        };
        to.output.append(path, roles.as_bytes())
    }
}

impl Yolo {
    fn picture(
        self,
        clip: &Clip,
        moment: &Moment<'_>,
        to: &mut Target<'_>,
    ) -> Result<(), FormatError> {
        let boxless = moment.people.values().any(|person| person.bbox.is_none());
        let unsaid = moment
            .abstained
            .iter()
            .any(|label| label.kind == LabelKind::BboxPerson && label.track.is_some());
        if boxless || unsaid {
            to.lose("pictures with somebody whose box is not told: left out, they would count as background", 1);
            return Ok(());
        }
        let mut text = String::new();
        for person in moment.people.values() {
            self.line(clip, person, to, &mut text);
        }
        to.pictures.push(moment.frame);
        let name = picture_name(clip, moment.frame);
        let subset = to.subset;
        to.output
            .whole(&format!("labels/{subset}/{name}.txt"), text.as_bytes())?;
        to.output.append(
            &format!("{subset}.txt"),
            format!("./images/{subset}/{name}.{}\n", clip.beside.ending()).as_bytes(),
        )
    }

    fn line(self, clip: &Clip, person: &Person<'_>, to: &mut Target<'_>, text: &mut String) {
        let Some((_, at)) = person.bbox else { return };
        let (width, height) = (f64::from(clip.width), f64::from(clip.height));
        let (left, right) = (at.x.clamp(0.0, width), (at.x + at.width).clamp(0.0, width));
        let (top, bottom) = (
            at.y.clamp(0.0, height),
            (at.y + at.height).clamp(0.0, height),
        );
        if right <= left || bottom <= top {
            to.lose("boxes outside the picture: left out", 1);
            return;
        }
        let clipped = BoxAt {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top,
        };
        if clipped != at {
            to.lose("boxes that leave the picture: clipped to it", 1);
        }
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "0 {:.6} {:.6} {:.6} {:.6}",
            f64::midpoint(left, right) / width,
            f64::midpoint(top, bottom) / height,
            clipped.width / width,
            clipped.height / height
        );
        if self == Self::Pose {
            for eye in person.eyes() {
                let inside =
                    |at: &PointAt| (0.0..=width).contains(&at.x) && (0.0..=height).contains(&at.y);
                match eye.map(|(_, at)| at) {
                    Some(at) if inside(&at) => {
                        let _ = write!(text, " {:.6} {:.6} 2", at.x / width, at.y / height);
                    }
                    eye => {
                        to.lose(
                            "eyes outside the picture: left out",
                            u64::from(eye.is_some()),
                        );
                        text.push_str(" 0.000000 0.000000 0");
                    }
                }
            }
        }
        text.push('\n');
    }
}
