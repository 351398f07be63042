"""Models that end: targets a day before it, in a brownout, and behind their day; and what clients must be told of each.

The model is one that only the fleet has, so that its only days are those that are written here, and no run of this matrix
comes too late. They are moments counted from the run's beginning, so that no midnight falls between.
"""

import dataclasses
import datetime
import email.utils

import matrix

OWNER = "harbour-office"
LINK = "https://wiki.example/leave-it"
DEPRECATED_H = -720
PLAN = """\
[plan]
version = 1
from = "{old}"
to = "{new}"
made = "2026-11-23"
catalogue_as_of = "2026-11-22"

[[stages]]
share = 1.0
"""
PROVIDER = """
[lifecycle."{old}"]
owner = "{owner}"
link = "{link}"
deprecated = {deprecated}
retires = {retires}
"""


@dataclasses.dataclass(frozen=True)
class State:
    """Where a target stands. Times are hours from now; `says` are words of the refusal, if calls are refused."""

    retires_h: int
    # Lines of the target's table beside those that all have.
    lines: str
    says: str | None = None
    has_plan: bool = False


BROWNOUT = 'successor = "{new}"\nbrownouts = [{{ from = {begins}, to = {ends}, answer = "refuse" }}]\n'
STATES = {
    "tomorrow": State(24, 'successor = "{new}"\n'),
    "brownout": State(120, BROWNOUT, "does not take this call: a brownout"),
    "over": State(-24, 'on_retired = "fail"\nsuccessor = "{new}"\n', "has retired"),
    "followed": State(-24, 'on_retired = "successor"\nplan = "plans/{provider}.toml"\n', has_plan=True),
}


class Endings:
    """The targets that end, as one run has them."""

    def __init__(self, now=None):
        self.now = (now or datetime.datetime.now(datetime.timezone.utc)).replace(microsecond=0)

    def at(self, hours):
        return self.now + datetime.timedelta(hours=hours)

    def written(self, hours):
        return self.at(hours).strftime("%Y-%m-%dT%H:%M:%SZ")

    def config(self, providers):
        """Tables for `(name, upstream, state)` of each provider whose model ends."""
        text = ""
        for provider, upstream, name in providers:
            state, words = STATES[name], self.names(provider, upstream)
            words |= {"owner": OWNER, "link": LINK, "provider": provider}
            words |= {"deprecated": self.written(DEPRECATED_H), "retires": self.written(state.retires_h)}
            words |= {"begins": self.written(-1), "ends": self.written(24)}
            text += (PROVIDER + state.lines).format(**words)
        return text

    @staticmethod
    def asked(cell):
        """The name that the client asks for."""
        return Endings.names(provider_of(cell), cell.upstream)["old"]

    @staticmethod
    def names(provider, upstream):
        return {"old": f"{provider}/{matrix.ENDING}", "new": f"{upstream}/{matrix.MODELS[upstream]}"}

    def plans(self, providers):
        """File name -> text of each plan that has to be accepted before the gateway starts."""
        rows = [(provider, upstream) for provider, upstream, name in providers if STATES[name].has_plan]
        return {f"{provider}.toml": PLAN.format(**self.names(provider, upstream)) for provider, upstream in rows}

    def problems(self, cell, headers):
        """What is wrong with the headers of an answer, whoever shows them."""
        wanted = {
            "deprecation": f"@{int(self.at(DEPRECATED_H).timestamp())}",
            "sunset": email.utils.format_datetime(self.at(STATES[cell.case.ends].retires_h), usegmt=True),
        }
        found = {name.lower(): value for name, value in headers.items()}
        wrong = [
            f"`{name}` is {found.get(name)!r}, not {value!r}" for name, value in wanted.items() if found.get(name) != value
        ]
        new = self.names(provider_of(cell), cell.upstream)["new"]
        for link in (f'</v1/models/{new}>; rel="successor-version"', f'<{LINK}>; rel="sunset"'):
            # Several headers of one name are one list (RFC 9110, 5.3), in which SDKs show them.
            if link not in found.get("link", "").split(", "):
                wrong.append(f"`link` is {found.get('link')!r}, without {link!r}")
        return wrong

    def sentence(self, cell):
        """Words that a refusal has: the target and where it stands, who follows, where to read, whom to ask."""
        state, names = STATES[cell.case.ends], self.names(provider_of(cell), cell.upstream)
        return [f"`{names['old']}`", state.says, f"`{names['new']}`", LINK, OWNER, str(self.at(state.retires_h).date())]


def provider_of(cell):
    """The provider whose model stands where the cell wants it."""
    return f"{cell.upstream}-{cell.case.ends}"


def providers():
    """(name, upstream, state) of all of them."""
    return [(f"{upstream}-{state}", upstream, state) for upstream in matrix.UPSTREAMS for state in STATES]
