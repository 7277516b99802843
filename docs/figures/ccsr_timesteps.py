"""Draws `ccsr_timesteps.svg`: which timesteps each variant of CCSR visits.

python docs/figures/ccsr_timesteps.py
"""

from __future__ import annotations

from pathlib import Path

from ccsr_bench.ccsr.schedule import LAST_TIMESTEP, Schedule, alphas_cumprod

ROWS = [
    ("CCSR-S1", (1, 0.6666, 0.0)),
    ("CCSR-S2 = (6, 2/3, 1/2)", (6, 0.6667, 0.5)),
    ("(12, 2/3, 1/2)", (12, 0.6667, 0.5)),
    ("(18, 2/3, 1/2)", (18, 0.6667, 0.5)),
    ("(6, 2/3, 1/3)", (6, 0.6667, 0.3333)),
    ("(6, 5/6, 1/2)", (6, 0.8333, 0.5)),
    ("(6, 5/6, 2/3)", (6, 0.8333, 0.6667)),
    ("(6, 1/2, 1/6)", (6, 0.5, 0.1667)),
    ("V1 = (6, 1, 1/2): no jump", (6, 1.0, 0.5)),
]
LEFT, RIGHT, TOP, ROW = 220, 800, 70, 44
WIDTH, HEIGHT = 940, TOP + ROW * len(ROWS) + 70
INK, FAINT, JUMP, STEP, DECODE = "#1f2933", "#c3cbd4", "#b4530a", "#1d5fa8", "#1f7a3f"


def x(timestep: float) -> float:
    """Return the x coordinate of a timestep; noise is on the left."""
    return RIGHT - (RIGHT - LEFT) * timestep / LAST_TIMESTEP


def text(at: float, y: float, words: str, *, anchor: str = "middle", colour: str = INK, size: int = 13) -> str:
    """Return one line of text."""
    return f'<text x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{words}</text>'


def arc(start: float, stop: float, y: float, colour: str, marker: str) -> str:
    """Return a curved arrow above the axis, from one x coordinate to another."""
    height = min(26, 8 + abs(stop - start) / 12)
    return (
        f'<path d="M {start:.1f} {y - 5} Q {(start + stop) / 2:.1f} {y - height - 5:.1f} {stop:.1f} {y - 6}" '
        f'fill="none" stroke="{colour}" stroke-width="1.6" marker-end="url(#{marker})"/>'
    )


def row(y: float, name: str, schedule: Schedule) -> list[str]:
    """Return the drawing of one variant."""
    calls = schedule.network_calls
    parts = [
        text(LEFT - 16, y + 4, name, anchor="end"),
        text(RIGHT + 52, y + 4, f"{calls} call{'s' if calls > 1 else ''}", anchor="start"),
        f'<line x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}" stroke="{FAINT}"/>',
    ]
    visited = [LAST_TIMESTEP] if schedule.jumps else []
    if schedule.jumps and schedule.loop:
        parts.append(arc(x(LAST_TIMESTEP), x(schedule.loop[0]), y, JUMP, "jump"))
    parts += [arc(x(a), x(b), y, STEP, "step") for a, b in zip(schedule.loop, schedule.loop[1:], strict=False)]
    visited += schedule.loop
    parts.append(arc(x(visited[-1]), x(0) + 26, y, DECODE, "decode"))
    for timestep in visited:
        colour = JUMP if timestep == LAST_TIMESTEP and schedule.jumps else STEP
        parts.append(f'<circle cx="{x(timestep):.1f}" cy="{y}" r="4.5" fill="{colour}"/>')
        parts.append(text(x(timestep), y + 17, str(timestep), size=11))
    return parts


def draw() -> str:
    """Return the figure as SVG."""
    markers = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
        for name, colour in (("jump", JUMP), ("step", STEP), ("decode", DECODE))
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" role="img">',
        "<title>Timesteps that each variant of CCSR visits</title>",
        f'<defs>{markers}</defs><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 24, "noise, t = 999", anchor="start"),
        text(RIGHT + 26, 24, "image, t = 0", anchor="end"),
    ]
    for share in (0.1, 0.25, 0.5, 0.75, 0.95):
        timestep = int((alphas_cumprod() > share).sum()) - 1
        parts.append(text(x(timestep), 44, f"{share:g}", size=11, colour="#66727f"))
        parts.append(f'<line x1="{x(timestep):.1f}" y1="48" x2="{x(timestep):.1f}" y2="54" stroke="{FAINT}"/>')
    parts.append(text(LEFT - 16, 44, "share of signal", anchor="end", size=11, colour="#66727f"))
    for index, (name, times) in enumerate(ROWS):
        parts += row(TOP + 30 + ROW * index, name, Schedule.of(*times))
    y = HEIGHT - 22
    for at, colour, words in (
        (LEFT - 150, JUMP, "jump: estimate x0, noise it again to t_max"),
        (LEFT + 190, STEP, "DDPM step"),
        (LEFT + 320, DECODE, "the estimate of x0 at the last timestep is decoded"),
    ):
        parts.append(
            f'<circle cx="{at}" cy="{y - 4}" r="4.5" fill="{colour}"/>{text(at + 10, y, words, anchor="start")}'
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(draw(), encoding="utf-8")
