"""How a field looks: what a panel says of it, for all fields and for this one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grafana.preview.boards import Panel
from grafana.preview.units import written

# Grafana's own palette of the dark theme, in its order.
PALETTE = (
    "#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0",
    "#37872D", "#FADE2A", "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477",
    "#B7DBAB", "#F4D598", "#70DBED", "#F9BA8F", "#F29191", "#82B5D8", "#E5A8E2", "#AEA2E0",
    "#629E51", "#E5AC0E", "#64B0C8", "#E0752D", "#BF1B00", "#0A50A1", "#962D82", "#614D93",
    "#9AC48A", "#F2C96D", "#65C5DB", "#F9934E", "#EA6460", "#5195CE", "#D683CE", "#806EB7",
    "#3F6833", "#967302", "#2F575E", "#99440A", "#58140C", "#052B51", "#511749", "#3F2B5B",
    "#E0F9D7", "#FCEACA", "#CFFAFF", "#F9E2D2", "#FCE2DE", "#BADFF4", "#F9D9F9", "#DEDAF7",
)  # fmt: skip
_NAMED = {
    "green": "#73BF69", "red": "#F2495C", "yellow": "#FADE2A", "blue": "#5794F2", "orange": "#FF9830",
    "purple": "#B877D9", "text": "#CCCCDC", "transparent": "transparent", "gray": "#8E8E8E", "grey": "#8E8E8E",
}  # fmt: skip
FOREGROUND = "#CCCCDC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The look of one field."""

    values: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    now: float = 0.0

    def text(self, value: Any) -> str:
        """Return a value as it is written: mapped, or in its unit."""
        mapped = self._mapped(value)
        if mapped.get("text"):
            return str(mapped["text"])
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return str(self.values.get("noValue", "-"))
        if isinstance(value, str):
            return value
        return written(value, self.values.get("unit", ""), self.values.get("decimals"), now=self.now)

    def color(self, value: Any, place: int = 0, name: str = "") -> str:
        """Return the color of a value; the place of the series, or its name, chooses from the palette."""
        mapped = self._mapped(value)
        if mapped.get("color"):
            return named(mapped["color"])
        chosen = self.values.get("color") or {}
        match chosen.get("mode"):
            case "fixed" | "shades":
                return named(chosen.get("fixedColor", FOREGROUND))
            case "palette-classic":
                return PALETTE[place % len(PALETTE)]
            case "palette-classic-by-name":
                return PALETTE[_hash(name) % len(PALETTE)]
            case _:
                return self._threshold(value) if "thresholds" in self.values else (FOREGROUND)

    def _threshold(self, value: Any) -> str:
        if not isinstance(value, int | float):
            return FOREGROUND
        steps = self.values["thresholds"].get("steps", [])
        reached = [step for step in steps if step.get("value") is None or value >= step["value"]]
        return named(reached[-1]["color"]) if reached else FOREGROUND

    def _mapped(self, value: Any) -> Mapping[str, Any]:
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        for mapping in self.values.get("mappings", ()):
            options = mapping["options"]
            match mapping["type"]:
                case "value" if not missing:
                    found = options.get(value if isinstance(value, str) else written(value))
                    if found:
                        return dict(found)
                case "range" if not missing and isinstance(value, int | float):
                    least, most = options.get("from"), options.get("to")
                    if (least is None or value >= least) and (most is None or value <= most):
                        return dict(options["result"])
                case "special":
                    if missing and "n" in options["match"]:
                        return dict(options["result"])
                case "regex" if isinstance(value, str) and re.search(options["pattern"].strip("/"), value):
                    return dict(options["result"])
                case _:
                    pass
        return {}


def _hash(name: str) -> int:
    """Return the number by which Grafana chooses the color of a name."""
    number = 0
    for letter in name:
        number = ((number << 5) - number + ord(letter)) & 0xFFFFFFFF
    return abs(number - (1 << 32) if number >= 1 << 31 else number)


def named(color: str) -> str:
    """Return a color as CSS knows it; Grafana's names have shades in front."""
    if color.startswith(("#", "rgb", "transparent")):
        return color
    plain = re.sub(r"^(super-light|light|semi-dark|dark)-", "", color)
    return _NAMED.get(plain, color)


def style_of(panel: Panel, name: str, *, ref: str = "", now: float = 0.0) -> Style:
    """Return the look of the field of this name, overrides included."""
    config = panel.get("fieldConfig", {})
    values = dict(config.get("defaults", {}))
    custom = dict(values.get("custom", {}))
    for override in config.get("overrides", ()):
        if _meant(override["matcher"], name, ref):
            for each in override["properties"]:
                if each["id"].startswith("custom."):
                    custom[each["id"].removeprefix("custom.")] = each.get("value")
                else:
                    values[each["id"]] = each.get("value")
    return Style(values=values, custom=custom, now=now)


def _meant(matcher: Mapping[str, Any], name: str, ref: str) -> bool:
    options = matcher.get("options")
    match matcher["id"]:
        case "byName":
            return bool(options == name)
        case "byRegexp":
            return re.search(str(options).strip("/"), name) is not None
        case "byFrameRefID":
            return bool(options == ref)
        case _:
            return False
