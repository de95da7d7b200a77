"""A plot that moves: pictures of one figure shown in turn, without a script.

Who asks for reduced motion, and paper, get the last one. The others can stop it at any time: it
rests while the pointer is on it or it has the focus (WCAG 2.2, 2.2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist

from training.report.drawing import Plot

SECONDS = 0.8  # of a frame
HELD = 4  # frames' time of the last one


@dataclass(frozen=True)
class Animation:
    """A plot and what of it is shown at a time.

    Attributes
    ----------
    plot : Plot
    frames : sequence of sequences of Artist
        All are on the figure; what is in none of them stays.
    """

    plot: Plot
    frames: Sequence[Sequence[Artist]]

    @property
    def name(self) -> str:
        """Name of the plot."""
        return self.plot.name

    @property
    def title(self) -> str:
        """Title of the plot."""
        return self.plot.title

    @property
    def alt(self) -> str:
        """What it shows."""
        return self.plot.alt

    def svg(self) -> str:
        """Return the moving picture."""
        for n, artists in enumerate(self.frames):
            for k, artist in enumerate(artists):
                artist.set_gid(f"frame-{n}-{k}")
        opening, rest = self.plot.svg().split(">", 1)
        return f'{opening} id="{self.name}" tabindex="0">{self._style()}{rest}'

    def png(self) -> bytes:
        """Return the last frame."""
        for artists in self.frames[:-1]:
            for artist in artists:
                artist.set_visible(False)
        picture = self.plot.png()
        for artists in self.frames[:-1]:
            for artist in artists:
                artist.set_visible(True)
        return picture

    def _style(self) -> str:
        """Return the rules that show one frame after the other."""
        last = len(self.frames) - 1
        length = (last + HELD) * SECONDS
        turn, stay = (100 * n / (last + HELD) for n in (1, HELD))
        every, final = (f'[id^="{self.name}-frame-{which}"]' for which in ("", f"{last}-"))
        # delays are negative: from the first moment on every frame is somewhere in its turn
        delays = "".join(
            f'[id^="{self.name}-frame-{n}-"] {{ animation-delay: {n * SECONDS - length:.1f}s; }}\n'
            for n in range(last + 1)
        )
        return f"""<style>
{every} {{ visibility: hidden; }}
{final} {{ visibility: visible; }}
@keyframes {self.name}-turn {{ 0% {{ visibility: visible; }} {turn:.3f}% {{ visibility: hidden; }}
  100% {{ visibility: hidden; }} }}
@keyframes {self.name}-stay {{ 0% {{ visibility: visible; }} {stay:.3f}% {{ visibility: hidden; }}
  100% {{ visibility: hidden; }} }}
@media screen and (prefers-reduced-motion: no-preference) {{
{every} {{ animation: {self.name}-turn {length:.1f}s step-end infinite; }}
{final} {{ animation-name: {self.name}-stay; }}
{delays}#{self.name}:is(:hover, :focus) {every} {{ animation-play-state: paused; }}
}}
</style>"""
