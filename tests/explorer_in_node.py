"""Runs the modules of an explorer's page under Node, as the page itself does in a browser."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[1] / "latent_nmr" / "report" / "explorer"
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
DRIVER = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [folder, page, task] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}.mjs`));
const { inflate, unpack } = await load("arrays");
const { makeSpace } = await load("space");
const { readRecord, featuresOf } = await load("record");
const { trustedPoint } = await load("regions");
const { asHash, firstState, fromHash } = await load("state");
const html = readFileSync(page, "utf8");
const content = (id) => new RegExp(`<script[^>]* id="${id}">([^]*?)</script>`).exec(html)[1];
const facts = JSON.parse(content("facts"));
const arrays = unpack(await inflate(content("arrays").trim()), facts.arrays);
const space = makeSpace(facts, arrays);
const grid = Array.from(arrays.time);
const listed = (_, own) => (ArrayBuffer.isView(own) ? Array.from(own) : own);
const plain = (value) => JSON.parse(JSON.stringify(value, listed));
const rowOf = ([text, m0]) => {
  try {
    return featuresOf(readRecord(text), grid, facts.echo, m0);
  } catch (error) {
    return { error: error.message, needsM0: error.needsM0 };
  }
};
const answers = {
  decode: (points) => points.map(space.decode),
  encode: (rows) => rows.map(space.encode),
  curve: (rows) => rows.map(space.curve),
  judge: (points) => points.map((point) => space.judge(point)),
  nearest: (points) => points.map((point) => space.nearest(point, 3)),
  start: () => trustedPoint(space, arrays, facts),
  arrays: (names) => names.map((name) => arrays[name]),
  features: (texts) => texts.map(rowOf),
  hash: (hashes) => hashes.map((hash) => {
    const state = fromHash(hash, firstState(facts), facts);
    return { state, hash: asHash(state) };
  }),
};
const asked = JSON.parse(readFileSync(task, "utf8"));
const found = Object.entries(asked).map(([name, values]) => [name, plain(answers[name](values))]);
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
"""


def in_node(page: Path, **asked):
    """What the modules answer about a page: see `answers` in the driver."""
    driver, task = page.with_suffix(".mjs"), page.with_suffix(".json")
    driver.write_text(DRIVER, "utf-8")
    task.write_text(json.dumps(asked), "utf-8")
    command = ["node", driver, MODULES, page, task]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
