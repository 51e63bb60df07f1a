"""Figures of a benchmark: intervals, the JSON file, the Markdown table and the picture."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap
from trajectory_learning.benchmarks.interface import Measure, Paths, Problem, Row, Score

RESAMPLES = 10_000
CONFIDENCE = 0.95

Line = dict[str, Any]
"""A row of the JSON file."""


def score_as_json(score: Score) -> dict[str, Any]:
    """A score as it is kept between runs."""
    return {
        "measures": {
            name: {
                "values": np.asarray(m.values, dtype=float).tolist(),
                "reference": None if m.reference is None else np.asarray(m.reference).tolist(),
            }
            for name, m in score.measures.items()
        },
        "train_cpu_s": score.train_cpu_s,
        "step_ms_p50": score.step_ms_p50,
        "paths": None
        if score.paths is None
        else {name: getattr(score.paths, name).round(3).tolist() for name in ("data", "driven")},
    }


def score_from_json(content: Mapping[str, Any]) -> Score:
    """The inverse of `score_as_json`."""
    measures = {
        name: Measure(
            np.array(m["values"]), None if m["reference"] is None else np.array(m["reference"])
        )
        for name, m in content["measures"].items()
    }
    # Rows that were kept before there were pictures have none.
    drawn = content.get("paths")
    paths = Paths(**{name: np.array(drawn[name]) for name in drawn}) if drawn else None
    return Score(measures, content["train_cpu_s"], content["step_ms_p50"], paths)


def interval(measure: Measure) -> tuple[float, float, float]:
    """Mean, or ratio of means, and its bias-corrected and accelerated bootstrap interval.

    Where every episode is alike, or there is one, the interval is the figure itself.

    **Source**: B. Efron, "Better bootstrap confidence intervals", 1987.
    """
    values = np.asarray(measure.values, dtype=float)
    columns: tuple[NDArray[np.float64], ...] = (values,)
    if measure.reference is not None:
        columns = (values, np.asarray(measure.reference, dtype=float))

    def figure(*sampled: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        means = [np.mean(column, axis=axis) for column in sampled]
        return np.asarray(means[0] if len(means) == 1 else means[0] / means[1])

    mean = float(figure(*columns))
    if len(values) < 2 or all(np.ptp(column) == 0 for column in columns):
        return mean, mean, mean
    with warnings.catch_warnings():
        # Where resampling never moves the figure, BCa has no interval and says so.
        warnings.simplefilter("ignore")
        found = bootstrap(
            columns, figure, paired=True, n_resamples=RESAMPLES, confidence_level=CONFIDENCE,
            method="BCa", batch=1000, rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
    low, high = float(found.low), float(found.high)
    return mean, low if np.isfinite(low) else mean, high if np.isfinite(high) else mean


def pooled(scores: Sequence[Score], metric: str) -> Measure:
    """A metric over the runs of several seeds: each episode's mean, for the episodes are the same.

    The interval is then one over episodes; the spread over seeds is in ``seed_means``.
    """
    measures = [score.measures[metric] for score in scores]
    values = np.mean([m.values for m in measures], axis=0)
    return Measure(values, measures[0].reference)


def lines_of(row: Row, setting: str, scores: Sequence[Score]) -> list[Line]:
    """The lines of a row, one a metric; ``scores`` by seed."""
    lines = []
    timed = [score.step_ms_p50 for score in scores if score.step_ms_p50 is not None]
    for metric in scores[0].measures:
        mean, low, high = interval(pooled(scores, metric))
        by_seed = [interval_free(score.measures[metric]) for score in scores]
        lines.append(
            {
                "method": row.method,
                "setting": setting,
                "metric": metric,
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "paper": row.paper.get(metric),
                "train_cpu_s": float(np.mean([score.train_cpu_s for score in scores])),
                "step_ms_p50": float(np.median(timed)) if timed else None,
                "seed_means": by_seed,
            }
        )
    return lines


def interval_free(measure: Measure) -> float:
    """The figure without its interval."""
    mean = float(np.mean(measure.values))
    return mean if measure.reference is None else mean / float(np.mean(measure.reference))


def write(problem: Problem, lines: Sequence[Line], settings: Mapping[str, Any], path: Path) -> None:
    """Write the JSON file."""
    content = {"problem": problem.name, "settings": settings, "rows": list(lines)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def markdown(problem: Problem, lines: Sequence[Line]) -> str:
    """The table, a heading a setting; the paper's figure beside ours."""
    text = [f"# {problem.title}", ""]
    for setting in dict.fromkeys(line["setting"] for line in lines):
        text += [
            f"## {setting}",
            "",
            "| method | metric | ours [95 %] | paper | training | step p50 |",
            "|---|---|---|---|---|---|",
        ]
        for line in lines:
            if line["setting"] != setting:
                continue
            paper = "" if line["paper"] is None else f"{line['paper']:.3f}"
            step = "" if line["step_ms_p50"] is None else f"{line['step_ms_p50']:.3f} ms"
            text.append(
                f"| {line['method']} | {line['metric']} | {line['mean']:.3f} "
                f"[{line['ci_low']:.3f}, {line['ci_high']:.3f}] | {paper} "
                f"| {line['train_cpu_s']:.0f} s | {step} |"
            )
        text.append("")
    return "\n".join(text)


def draw(problem: Problem, lines: Sequence[Line], path: Path) -> None:
    """Headline figures with their intervals, a panel a setting; a cross is the paper's figure."""
    settings = list(dict.fromkeys(line["setting"] for line in lines))
    columns = min(3, len(settings))
    rows = -(-len(settings) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.4 * columns, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for panel in axes.flat[len(settings) :]:
        panel.set_visible(False)
    for panel, setting in zip(axes.flat, settings, strict=False):
        own = [line for line in lines if line["setting"] == setting]
        headline = own[0]["metric"]
        own = [line for line in own if line["metric"] == headline]
        for y, line in enumerate(own):
            panel.plot([line["ci_low"], line["ci_high"]], [y, y], color="tab:blue", linewidth=2)
            panel.plot(line["mean"], y, "o", color="tab:blue")
            if line["paper"] is not None:
                panel.plot(line["paper"], y, "x", color="tab:red")
        panel.set_yticks(range(len(own)), [line["method"] for line in own], fontsize=8)
        panel.invert_yaxis()
        means = np.array([line["mean"] for line in own])
        if means.min() > 0 and means.max() / means.min() > 20:
            panel.set_xscale("log")
        panel.set_title(setting, fontsize=9)
        panel.set_xlabel(headline, fontsize=8)
        panel.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def draw_paths(drawn: Mapping[str, Paths], path: Path) -> None:
    """Where each row went (blue, a dot at the end) over where the data did (grey)."""
    columns = min(4, len(drawn))
    rows = -(-len(drawn) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4 * columns, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for panel in axes.flat[len(drawn) :]:
        panel.set_visible(False)
    for panel, (title, paths) in zip(axes.flat, drawn.items(), strict=False):
        for lines, colour in ((paths.data, "0.75"), (paths.driven, "tab:blue")):
            panel.plot(lines[..., 0].T, lines[..., 1].T, color=colour, linewidth=0.8)
        panel.plot(*paths.driven[:, -1].T, "o", color="tab:blue", markersize=3)
        panel.set_title(title, fontsize=8)
        panel.set_aspect("equal")
    figure.savefig(path, dpi=80)
    plt.close(figure)
