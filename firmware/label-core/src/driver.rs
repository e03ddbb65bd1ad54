//! Which of several people is the driver.
//!
//! Nobody tells the rig where the wheel is: cars have it on either side, cameras stand anywhere, and some mirror the picture.
//! A camera that watches a driver shows them larger than others, and for longer. So every track gathers *weight*: seconds in
//! view, each counted by the square of the face's size against the largest face in view, old ones forgotten by and by. The
//! heaviest track becomes the driver, and stays it: another must have gathered [`SWITCH`] times its weight. Two people of about
//! one size, as in the front seats before a camera between them, leave it open who drives, and nobody is chosen.
//!
//! A driver who was lost is found again by the *seat*: where their face was, and how large. Whoever is found in the empty seat
//! and was not seen anywhere else since they came into view is the driver at once, under whatever track, and also where it is
//! another person: who sits there drives.
//!
//! *Size* is the distance of the eyes in pixels with the turn of the head undone, or a share of the person's box.

use crate::geometry::Keypoint;
use crate::id::TrackId;
use crate::labeller::{MAX_PERSONS, PersonFrame, PersonMeasurement};
use crate::time::CaptureTime;
use heapless::Vec;

/// Seconds in view before anybody is chosen …
const FIRST_S: f32 = 2.0;
/// … and a lead over the next: a seventh in size.
const FIRST_LEAD: f32 = 1.3;
/// Weight over the driver's at which another becomes the driver.
pub const SWITCH: f32 = 2.0;
/// Half of the weight is forgotten in this time, seconds …
const HALF_LIFE_S: f32 = 120.0;
/// … and of a driver out of view in this.
const AWAY_HALF_LIFE_S: f32 = 480.0;
/// How quickly size follows, and the seat, as time constants in seconds: a face that comes close for a moment is no larger.
const SIZE_S: f32 = 3.0;
const SEAT_S: f32 = 20.0;
/// In the seat: nearer to its place than so many of its sizes (two eye distances are about a face's width) …
const SEAT_RADIUS: f32 = 2.0;
/// … and of its size, within these factors.
const SEAT_SIZE: (f32, f32) = (0.6, 1.7);
/// Frames further apart than this count as this far apart.
const LONGEST_FRAME_S: f32 = 0.5;
/// Eye distance over the width of the box of a person whose two eyes are not seen.
const EYES_OF_BOX: f32 = 0.15;
/// Beyond this turn the distance of the eyes says nothing of size.
const LARGEST_YAW: f32 = 60.0;

/// Where a face is, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    center: Keypoint,
    size: f32,
}

impl Place {
    fn of(frame: &PersonFrame) -> Option<Self> {
        let place = match (frame.left, frame.right, frame.person) {
            (Ok(left), Ok(right), _) => {
                let turn = frame.yaw.abs().min(LARGEST_YAW).to_radians();
                Self {
                    center: left.center.midpoint(right.center),
                    size: left.center.distance(right.center) / libm::cosf(turn),
                }
            }
            (Ok(eye), _, Ok((sides, _))) | (_, Ok(eye), Ok((sides, _))) => Self {
                center: eye.center,
                size: EYES_OF_BOX * sides.width,
            },
            (_, _, Ok((sides, _))) => Self {
                center: Keypoint::new(sides.center().x, sides.y + EYES_OF_BOX * sides.width),
                size: EYES_OF_BOX * sides.width,
            },
            _ => return None,
        };
        (place.size.is_finite() && place.size > 0.0).then_some(place)
    }

    fn follow(&mut self, place: Self, weight: f32) {
        let to = |from: f32, to: f32| from + weight * (to - from);
        self.center = Keypoint::new(
            to(self.center.x, place.center.x),
            to(self.center.y, place.center.y),
        );
        self.size = to(self.size, place.size);
    }

    fn holds(&self, place: &Self) -> bool {
        let ratio = place.size / self.size;
        self.center.distance(place.center) <= SEAT_RADIUS * self.size
            && (SEAT_SIZE.0..=SEAT_SIZE.1).contains(&ratio)
    }
}

/// A track that may be the driver's.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    track: TrackId,
    place: Place,
    weight: f32,
    seen: CaptureTime,
    /// Seen outside the driver's seat since they came into view.
    elsewhere: bool,
}

/// Chooses the driver's track and keeps it.
#[derive(Clone, Debug, Default)]
pub struct DriverChoice {
    candidates: Vec<Candidate, MAX_PERSONS>,
    driver: Option<TrackId>,
    /// Where the driver's face usually is.
    seat: Option<Place>,
    last: Option<CaptureTime>,
}

impl DriverChoice {
    /// Nobody seen yet.
    pub const fn new() -> Self {
        Self {
            candidates: Vec::new(),
            driver: None,
            seat: None,
            last: None,
        }
    }

    /// The driver's track; `None` until one was chosen.
    pub const fn track(&self) -> Option<TrackId> {
        self.driver
    }

    /// Takes who is in view in the next frame.
    pub fn observe(&mut self, at: CaptureTime, seen: &[PersonMeasurement]) {
        let before = self.last.replace(at);
        let since = before.map_or(0.0, |last| {
            at.seconds_since(last).clamp(0.0, LONGEST_FRAME_S)
        });
        for person in seen {
            self.place(person, at, before, since);
        }
        self.weigh(at, since);
        let driver = self.driver;
        let in_view = self.find(driver).filter(|driver| driver.seen == at);
        if let Some(driver) = in_view {
            let place = driver.place;
            let follow = 1.0 - libm::expf(-since / SEAT_S);
            self.seat.get_or_insert(place).follow(place, follow);
        } else if let Some(found) = self.found_in_seat(at) {
            self.take_over(found);
            return;
        }
        self.choose();
    }

    fn find(&self, track: Option<TrackId>) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|candidate| Some(candidate.track) == track)
    }

    fn place(
        &mut self,
        person: &PersonMeasurement,
        at: CaptureTime,
        before: Option<CaptureTime>,
        since: f32,
    ) {
        let seat = self.seat;
        let is_elsewhere = |place: &Place| seat.is_some_and(|seat| !seat.holds(place));
        let known = self
            .candidates
            .iter_mut()
            .find(|candidate| candidate.track == person.track);
        let place = Place::of(&person.frame);
        match (known, place) {
            (Some(known), place) => {
                if Some(known.seen) != before {
                    known.elsewhere = false;
                }
                known.seen = at;
                if let Some(place) = place {
                    let size = 1.0 - libm::expf(-since / SIZE_S);
                    let size = known.place.size + size * (place.size - known.place.size);
                    known.place = Place { size, ..place };
                    known.elsewhere |= is_elsewhere(&known.place);
                }
            }
            (None, Some(place)) => {
                if self.candidates.is_full() {
                    self.forget_lightest();
                }
                // Room was made above.
                let _ = self.candidates.push(Candidate {
                    track: person.track,
                    place,
                    weight: 0.0,
                    seen: at,
                    elsewhere: is_elsewhere(&place),
                });
            }
            (None, None) => {}
        }
    }

    fn forget_lightest(&mut self) {
        let driver = self.driver;
        let lightest = (0..self.candidates.len())
            .filter(|&at| Some(self.candidates[at].track) != driver)
            .min_by(|&a, &b| {
                let weight = |at: usize| self.candidates[at].weight;
                weight(a).total_cmp(&weight(b))
            });
        if let Some(lightest) = lightest {
            self.candidates.swap_remove(lightest);
        }
    }

    fn weigh(&mut self, at: CaptureTime, since: f32) {
        let in_view = self.candidates.iter().filter(|one| one.seen == at);
        let largest = in_view.map(|one| one.place.size).fold(0.0, f32::max);
        for one in &mut self.candidates {
            let away = one.seen != at;
            let half_life = if away && Some(one.track) == self.driver {
                AWAY_HALF_LIFE_S
            } else {
                HALF_LIFE_S
            };
            one.weight *= libm::exp2f(-since / half_life);
            if !away && largest > 0.0 {
                let share = one.place.size / largest;
                one.weight += since * share * share;
            }
        }
    }

    /// Somebody in the driver's empty seat who came from nowhere else.
    fn found_in_seat(&self, at: CaptureTime) -> Option<TrackId> {
        let seat = self.seat?;
        self.candidates
            .iter()
            .filter(|one| one.seen == at && !one.elsewhere && seat.holds(&one.place))
            .max_by(|a, b| a.place.size.total_cmp(&b.place.size))
            .map(|one| one.track)
    }

    /// Whoever was found is the driver, with the weight that the seat has gathered.
    fn take_over(&mut self, found: TrackId) {
        let gathered = self.find(self.driver).map_or(0.0, |driver| driver.weight);
        let driver = self.driver.replace(found);
        self.candidates.retain(|one| Some(one.track) != driver);
        for one in &mut self.candidates {
            if one.track == found {
                one.weight += gathered;
            }
        }
    }

    fn choose(&mut self) {
        let heaviest = |but: Option<TrackId>| {
            self.candidates
                .iter()
                .filter(|one| Some(one.track) != but)
                .max_by(|a, b| a.weight.total_cmp(&b.weight))
        };
        let Some(leader) = heaviest(self.driver) else {
            return;
        };
        let chosen = if let Some(driver) = self.find(self.driver) {
            leader.weight > SWITCH * driver.weight
        } else {
            let next = heaviest(Some(leader.track)).map_or(0.0, |next| next.weight);
            // Of the weight that anybody gathers in that time a little is forgotten.
            leader.weight >= 0.95 * FIRST_S && leader.weight >= FIRST_LEAD * next
        };
        if chosen {
            (self.driver, self.seat) = (Some(leader.track), Some(leader.place));
        }
    }
}

#[cfg(test)]
mod tests;
