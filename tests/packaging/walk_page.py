"""A page of a run in a real browser: what it loads, whether it fits a phone, and whether it answers.

``python tests/packaging/walk_page.py report.html`` needs ``chromium`` and the package ``tornado`` (part of the extra
``cluster``) and exits with a list of what is wrong: a request to the network, something wider than a phone's screen, a
figure that says nothing under the pointer, a table that neither sorts nor searches.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.websocket import websocket_connect

PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
_WIDER = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().width > 0 &&
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.wide, .scroll, details:not([open])'))
  .map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""
_SILENT = """[...document.querySelectorAll('.figure')].filter(figure => {
  const tip = document.getElementById('tip'), e = figure.querySelector('[data-tip]');
  if (!e) return true;
  e.scrollIntoView({block: 'center'});
  const at = e.getBoundingClientRect(), place = {bubbles: true, clientX: at.x + 1, clientY: at.y + 1};
  for (const name of ['pointerover', 'pointermove', 'mouseover', 'mousemove'])
    e.dispatchEvent(new (name[0] == 'p' ? PointerEvent : MouseEvent)(name, place));
  return tip.hidden || tip.textContent != e.dataset.tip;
}).map(figure => figure.querySelector('h4').textContent)"""
_DEAF = """[...document.querySelectorAll('.table')].filter(box => {
  if (box.querySelector('tbody').rows.length < 3) return false;
  const body = box.querySelector('tbody'), search = box.querySelector('input[type=search]');
  const said = () => [...body.rows].map(row => row.cells[0].textContent).join('|');
  const head = box.querySelector('thead th'), words = body.rows[0].cells[0].textContent.trim();
  head.click(); const up = said(); head.click();
  const all = new Set([...body.rows].map(row => row.cells[0].textContent)).size;
  search.value = '⁂'; search.dispatchEvent(new Event('input', {bubbles: true}));
  const none = [...body.rows].every(row => row.hidden || getComputedStyle(row).display == 'none');
  search.value = words; search.dispatchEvent(new Event('input', {bubbles: true}));
  const some = [...body.rows].some(row => !row.hidden && getComputedStyle(row).display != 'none');
  search.value = ''; search.dispatchEvent(new Event('input', {bubbles: true}));
  return (all > 1 && up == said()) || !none || !some;
}).map(box => box.querySelector('h4').textContent)"""


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    """A browser without a window, and the connection to its only page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-allow-origins=*", f"--user-data-dir={home}")
        command = ["chromium", *options, "--remote-debugging-port=0", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = Path(home) / "DevToolsActivePort"
            for _ in range(100):
                if port.is_file() and port.read_text("utf-8").strip():
                    break
                await asyncio.sleep(0.2)
            address = f"http://127.0.0.1:{port.read_text('utf-8').split()[0]}/json"
            pages = json.load(urllib.request.urlopen(address))
            place = next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
            yield await websocket_connect(place, max_message_size=10**9)
        finally:
            process.terminate()
            process.wait()


async def walk(page: Path) -> list[str]:
    """What is wrong with the page."""
    asked: list[str] = []
    async with browser() as connection:

        async def call(number: int, method: str, **given: Any) -> Any:
            await connection.write_message(json.dumps({"id": number, "method": method, "params": given}))
            while True:
                answer = json.loads(await connection.read_message())
                if answer.get("method") == "Network.requestWillBeSent":
                    asked.append(answer["params"]["request"]["url"][:100])
                if answer.get("id") == number:
                    return answer["result"]

        await call(1, "Network.enable")
        await call(2, "Emulation.setDeviceMetricsOverride", **PHONE)
        await call(3, "Page.navigate", url=page.resolve().as_uri())
        await asyncio.sleep(3)
        found = []
        for number, (fault, script) in enumerate(
            (("wider than a phone", _WIDER), ("silent figure", _SILENT), ("deaf table", _DEAF)), start=4
        ):
            answer = await call(number, "Runtime.evaluate", expression=script, returnByValue=True)
            found += [f"{fault}: {said}" for said in answer["result"].get("value", [str(answer)[:300]])]
    return found + [f"asked for {url}" for url in asked if not url.startswith("file:")]


def main() -> int:
    """Print what is wrong with the page; returns 1 if anything is."""
    wrong = asyncio.run(walk(Path(sys.argv[1])))
    print("\n".join(wrong) or "nothing is loaded, everything fits and answers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
