#!/usr/bin/env python3
"""Fails where a preset that runs tests is built without the checks of assumptions: tests of these skip there.
But release: it is what ships, and the gate runs them in the sanitized trees.

Usage: check_presets.py ROOT"""
import json
import pathlib
import sys

presets = json.loads((pathlib.Path(sys.argv[1]) / "CMakePresets.json").read_text())
built = {preset["name"]: preset.get("cacheVariables", {}) for preset in presets["configurePresets"]}
tested = [name for preset in presets["testPresets"] if (name := preset["configurePreset"]) != "release"]
unchecked = [name for name in tested if built[name].get("BYTEFORMER_DCHECKS") != "ON"]
if unchecked or not tested:
    sys.exit(f"BYTEFORMER_DCHECKS is not ON in the presets {unchecked}, whose tests the gate runs: {tested}")
