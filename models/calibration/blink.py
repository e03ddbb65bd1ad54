"""Reference of the appliance's blink detector (firmware/label-core/src/blink.rs), in plain Python, for fitting.

    detector = Detector()
    for each decoded frame:  blinks += detector.observe(seconds, left, right, yaw, legibility)
    blinks += detector.finish()

Left, right: openness of the subject's eyes, None = not read. Legibility: disagreement of reader and mesh, contrast, grain. An eye's depth in a frame is how far it lies below the lower
of the two open levels ("shoulders") before and after; a blink is a short run of deep frames.
Left out, since nothing is fitted on them: long closures, which the appliance tells apart, and with which it drops a blink
that is part of one. No randomness; all lists are bounded."""
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """The constants of blink.rs, under its names. Depths and shares are of the open level."""
    window_s: float = 0.80            # how far to each side open shoulders are looked for
    gap_s: float = 0.25               # a longer hole in the signal cuts it in two
    min_reference: float = 0.10       # openness: a lower shoulder is no open eye
    blink_depth: float = 0.15         # least depth of a blink
    run_depth: float = 0.06           # where a run of lowered frames begins and ends
    start_share: float = 0.10         # first frame: deeper than this share of the peak
    end_share: float = 0.14           # last frame
    split_share: float = 0.6          # two valleys are two blinks if the eye re-opens between by this share of the shallower
    depth_per_degree: float = 0.012   # more depth is asked for each degree the head turns meanwhile
    noise_deviations: float = 7.0     # depth asked for, in deviations of the noise
    boundary_deviations: float = 2.5  # a boundary frame is deeper than this many
    edge_depth: float = 0.40          # depth asked for at the clip's first and last frame: one shoulder is unseen
    slow_s: float = 0.30              # wider than this at half depth is slow, ...
    slow_depth: float = 0.45          # ... and asks for this depth: looks down are slow and shallow
    max_blink_s: float = 0.85
    around_s: float = 0.40            # how well the eyes can be read is judged this long before, during and after a blink
    capacity: int = 256               # frames held
    residuals: int = 128              # noise residuals held
    min_residuals: int = 16

    def needed_depth(self, turn, noise, edge, width):
        """Least depth of a blink during which the head turned by `turn` degrees, `width` seconds wide at half depth."""
        return max(self.blink_depth + self.depth_per_degree * turn, self.noise_deviations * noise,
                   self.edge_depth if edge else 0, self.slow_depth if width > self.slow_s else 0)


class Frame:
    __slots__ = ("index", "t", "eyes", "yaw", "legibility", "depth", "depths", "levels")

    def __init__(self, index, t, eyes, yaw, legibility):
        self.index, self.t, self.eyes, self.yaw, self.legibility = index, t, eyes, yaw, legibility
        self.depth, self.depths, self.levels = 0.0, [0.0, 0.0], [0.0, 0.0]


class Detector:
    def __init__(self, rules=Rules()):
        self.rules = rules
        self.count = 0                                # frames observed
        self.first_t = None
        self.held, self.next = [], 0                  # frames of this segment; position of the next one to judge
        self.whole = True                             # `held` still begins with its segment's first frame
        self.run = None                               # position where the open run of lowered frames began
        self.previous = [(None, None), (None, None)]  # last two openness values of each eye
        self.residuals = []
        self.ended = False

    def observe(self, t, left, right, yaw, legibility=(0.0, 0.0, 0.0)):
        blinks = []
        if self.first_t is None:
            self.first_t = t
        index, self.count = self.count, self.count + 1
        if self.held and t - self.held[-1].t > self.rules.gap_s:
            blinks += self._flush()
        if left is not None or right is not None:
            frame = Frame(index, t, (left, right), yaw, legibility)
            self._learn_noise(frame)
            if len(self.held) >= self.rules.capacity:
                blinks += self._make_room()
            self.held.append(frame)
        while self.next < len(self.held) and t - self.held[self.next].t >= self.rules.window_s:
            blinks += self._judge()
        return blinks

    def finish(self):
        self.ended = True
        return self._flush()

    # ---- noise: median of half the second difference

    def _learn_noise(self, frame):
        for k in (0, 1):
            value, (last, before) = frame.eyes[k], self.previous[k]
            if value is None:
                self.previous[k] = (None, None)
                continue
            if value == last:                         # a repeated picture carries nothing
                continue
            if last is not None and before is not None:
                if len(self.residuals) == self.rules.residuals:
                    self.residuals.pop(0)
                self.residuals.append(abs(last - (value + before) / 2))
            self.previous[k] = (value, last)

    def _noise(self):
        if len(self.residuals) < self.rules.min_residuals:
            return 0.0
        return sorted(self.residuals)[len(self.residuals) // 2] * (1.4826 / 1.2247)

    # ---- depth of each frame below its shoulders

    def _flush(self):
        blinks = []
        while self.next < len(self.held):
            blinks += self._judge(last=True)
        if self.run is not None:
            blinks += self._close(len(self.held))
        self.held, self.next, self.run, self.whole = [], 0, None, True
        return blinks

    def _make_room(self):
        blinks = []
        if self.next == 0:
            blinks += self._judge()
        if self.run == 0:
            blinks += self._close(self.next)
        if len(self.held) >= self.rules.capacity:
            del self.held[0]
            self.next -= 1
            self.whole = False
            if self.run is not None:
                self.run -= 1
        return blinks

    def _judge(self, last=False):
        rules, held, at = self.rules, self.held, self.next
        frame = held[at]
        head = frame.t - rules.window_s < self.first_t                             # the left window begins before the clip
        tail = last and self.ended and held[-1].t < frame.t + rules.window_s       # the right one ends after it
        seen = 0
        for k in (0, 1):
            value = frame.eyes[k]
            if value is None:
                continue
            before, after = self._shoulder(k, at, -1), self._shoulder(k, at, 1)
            level = min(before, after)
            if head and after > level:
                level = after
            if tail and before > level:
                level = before
            frame.levels[k] = level
            if level >= rules.min_reference:
                frame.depths[k] = min(1.0, max(0.0, 1 - value / level))
            seen += 1
        frame.depth = (frame.depths[0] + frame.depths[1]) / seen
        self.next += 1
        blinks = []
        if frame.depth >= rules.run_depth:
            if self.run is None:
                self.run = at
        elif self.run is not None:
            blinks = self._close(at)
        if self.run is None:                          # forget what no later window needs
            old = 0
            while old < self.next and held[old].t < frame.t - rules.window_s:
                old += 1
            if old:
                del held[:old]
                self.next -= old
                self.whole = False
        return blinks

    def _shoulder(self, k, at, step):
        """Second largest openness of eye k within the window on one side, frame included; the largest of fewer than 5."""
        first = second = -9.0
        seen, j, t = 0, at, self.held[at].t
        while 0 <= j < len(self.held) and abs(self.held[j].t - t) <= self.rules.window_s:
            value = self.held[j].eyes[k]
            if value is not None:
                seen += 1
                if value > first:
                    first, second = value, first
                elif value > second:
                    second = value
            j += step
        return first if seen < 5 else second

    # ---- a run of lowered frames -> blinks

    def _close(self, stop):
        """Cuts the run that ends before `stop` where the eye re-opens, and judges each piece."""
        begin, self.run = self.run, None
        held, rules, blinks = self.held, self.rules, []
        peak = low = begin                            # deepest frame so far, and the shallowest since
        for i in range(begin, stop):
            if held[i].depth > held[peak].depth and low == peak:
                peak = low = i
                continue
            if held[i].depth < held[low].depth:
                low = i
                continue
            shallower = min(held[peak].depth, held[i].depth)
            if low > peak and shallower >= rules.blink_depth and held[low].depth <= (1 - rules.split_share) * shallower:
                blinks += self._blink(begin, low)
                begin, peak, low = low, i, i
                continue
            if held[i].depth > held[peak].depth:
                peak = low = i
        return blinks + self._blink(begin, stop)

    def _blink(self, begin, stop):
        """The blink among the frames begin .. stop - 1, if it is one."""
        rules, held = self.rules, self.held
        peak = max(range(begin, stop), key=lambda i: held[i].depth)
        depth = held[peak].depth
        if depth < rules.blink_depth:
            return []
        seen = [value is not None for value in held[peak].eyes]
        level = sum(v for v, s in zip(held[peak].levels, seen) if s) / sum(seen)
        noise = self._noise() / max(level, rules.min_reference) / (math.sqrt(2) if all(seen) else 1.0)
        start = end = half_start = half_end = peak
        while start > begin and held[start - 1].depth >= max(rules.start_share * depth, rules.boundary_deviations * noise):
            start -= 1
        while end + 1 < stop and held[end + 1].depth >= max(rules.end_share * depth, rules.boundary_deviations * noise):
            end += 1
        while half_start > start and held[half_start - 1].depth >= 0.5 * depth:
            half_start -= 1
        while half_end < end and held[half_end + 1].depth >= 0.5 * depth:
            half_end += 1
        duration, width = held[end].t - held[start].t, held[half_end].t - held[half_start].t
        yaws = [f.yaw for f in held[max(0, start - 1):end + 2]]
        turn = max(yaws) - min(yaws)
        edge = (start == 0 and self.whole and held[0].t - rules.window_s < self.first_t) or (self.ended and end == len(held) - 1)
        if depth < rules.needed_depth(turn, noise, edge, width) or duration > rules.max_blink_s:
            return []
        left, right = (d if s else None for d, s in zip(held[peak].depths, seen))
        near = [f.legibility for f in held if held[start].t - rules.around_s <= f.t <= held[end].t + rules.around_s]
        return [dict(frames=(held[start].index, held[end].index), depth=depth, left=left, right=right, width=width,
                     turn=turn, yaw=held[peak].yaw, noise=noise, edge=edge, flanks=duration - width,
                     held=(half_end - half_start + 1) / (end - start + 1), legibility=[sum(v) / len(near) for v in zip(*near)])]


FEATURES = ("depth", "depth/noise", "disagree", "width", "turn", "yaw", "at edge", "flanks", "held", "ln off")


def features(b):
    """What confidence is fitted on, in the order of FEATURES and of base.toml."""
    both = b["left"] is not None and b["right"] is not None
    return [b["depth"],
            min(12.0, b["depth"] / max(b["noise"], 0.004)) / 12.0,
            abs(b["left"] - b["right"]) / max(b["depth"], 0.05) if both else 0.5,
            min(b["width"], 0.6),
            b["turn"] / 30.0,
            abs(b["yaw"]) / 45.0,
            1.0 if b["edge"] else 0.0,
            min(b["flanks"], 0.8),
            b["held"],
            math.log(max(b["legibility"][0], 1e-3))]                # by how much reader and mesh differ
