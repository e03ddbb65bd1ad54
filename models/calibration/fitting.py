"""What the three fits share: the command line, the logistic regression, and the comparison with base.toml."""
import argparse, os, sys, tomllib
from decimal import Decimal
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "2"                   # sums are split as when base.toml was fitted: fit_person.py says why it matters
import numpy as np
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def arguments(description, signals=False):
    """Parses the command line, and makes the ruler (`score.py`) and the eye reader's face tracking importable."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", nargs="?", type=Path, default=ROOT / "../shared/data", help="data folder; default: ../shared/data beside the project")
    p.add_argument("--ruler", type=Path, default=ROOT / "../shared/tools", help="folder of score.py; default: ../shared/tools beside the project")
    p.add_argument("--models", type=Path, default=ROOT / ".rigel/models", help="model files; default: where `cargo xtask setup` puts them")
    p.add_argument("--cache", type=Path, default=ROOT / ".rigel/calibration", help="mesh points are kept here; delete it when models change")
    p.add_argument("--against", type=Path, default=HERE / "base.toml", help="calibration to compare with; default: base.toml")
    if signals:
        p.add_argument("--stress", type=Path, default=ROOT / ".rigel/stress", help="clips made worse; default: where `cargo xtask bench --stress` puts them")
        p.add_argument("--signals", type=Path, default=ROOT / ".rigel/calibration/signals", help="what was measured is kept here; delete it when models or firmware change")
        p.add_argument("--eye-signal", type=Path, default=ROOT / "target/release/examples/eye_signal", help="the program that measures")
        p.add_argument("--board", type=Path, default=ROOT / "boards/sim.toml")
    a = p.parse_args()
    for what, path in (("data", a.data), ("--models", a.models), ("--ruler", a.ruler / "score.py"), ("--against", a.against)):
        if not path.exists():
            p.error(f"{what}: {path} is not there")
    os.environ["MODELS"] = str(a.models.resolve())    # read by teacher.py when it is imported
    sys.path[:0] = [str(a.ruler), str(HERE.parent / "eye-reader"), str(ROOT / "host-tools/xtask/ruler")]
    return a


def logistic(x, right, weight, strength, centre=0.0, spread=1.0, **solver):
    """L2-regularised logistic regression -> [bias, weight of each feature], for the features as they are.

    `strength` is scikit-learn's C. The penalty acts on (x - centre) / spread. lbfgs from zero: nothing is drawn at random."""
    model = LogisticRegression(C=strength, **solver).fit((x - centre) / spread, right, sample_weight=weight)
    slope = model.coef_[0] / spread
    return np.r_[model.intercept_[0] - (slope * centre).sum(), slope]


def probability(coefficients, x):
    return 1 / (1 + np.exp(-(coefficients[0] + x @ coefficients[1:])))


def left_out(x, right, group, fit):
    """Probability of each row from a fit that saw no row of its group. `fit` takes a mask of rows."""
    p = np.zeros(len(right))
    for g in sorted(set(group)):
        p[group == g] = probability(fit(group != g), x[group == g])
    return p


def compare(path, block, names, coefficients, x):
    """Prints fitted beside written numbers; the exit status: 0 where all agree to the digits written, else 1."""
    written = tomllib.loads(path.read_text(), parse_float=Decimal)[block]
    numbers = [written["bias"], *written["weights"]]
    if len(numbers) != len(coefficients):
        sys.exit(f"{path.name} [{block}] has {len(numbers)} coefficients, the fit {len(coefficients)}")
    print(f"{'':14s}   fitted  {path.name}")
    differ = 0
    for name, fitted, number in zip(["bias", *names], coefficients, numbers):
        same = round(Decimal(float(fitted)), -number.as_tuple().exponent) == number
        differ += not same
        print(f"{name:14s} {fitted:9.4f}  {number}{'' if same else '   DIFFERS'}")
    for name, low, high, (floor, top) in zip(names, x.min(0), x.max(0), written["ranges"]):
        print(f"{name:14s} seen from {low:.2f} to {high:.2f}; {path.name} holds it to {floor} .. {top}")
    print(f"[{block}] " + (f"{differ} of {len(numbers)} coefficients DIFFER from {path.name}" if differ else f"equals {path.name}"))
    return 1 if differ else 0
