"""The programs of a run: the fleet, the gateway before it, and one process per client."""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
START_S = 60
CLIENT_S = 600


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**more):
    """Ours, without what would lead an SDK past the gateway."""
    lead = ("OPENAI_", "ANTHROPIC_", "LANGCHAIN_", "LANGSMITH_", "GOOGLE_", "GEMINI_", "AWS_", "PILOTHOUSE")
    lost = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(lead) and k.upper() not in lost}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "127.0.0.1,localhost", **more}


class Program:
    """A running program whose output goes to a file."""

    def __init__(self, command, folder, name):
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdout=out, stderr=subprocess.STDOUT, cwd=folder, env=environment()
            )
        self.name = name

    def wait_for(self, url):
        """Returns once `url` answers 200."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, timeout=2) as response:
                    if response.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        raise SystemExit(f"{self.name} did not become ready at {url}:\n{self.log.read_text(errors='replace')[-4000:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run_client(command, job, cwd=HERE):
    """Runs one client over all its cells; returns its versions and its results by cell."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(),
    )
    try:
        out, err = process.communicate(json.dumps(job).encode(), CLIENT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += f"\nended after {CLIENT_S} s".encode()
    lines = [json.loads(line) for line in out.decode().splitlines() if line.startswith("{")]
    results = {line["cell"]: line for line in lines if "cell" in line}
    versions = next((line["versions"] for line in lines if "versions" in line), {})
    return versions, results, err.decode(errors="replace")[-4000:]
