"""Where the clients' packages are: virtual environments and a folder of Node packages, all pinned, all ignored by git.

llama-index does not work with openai 3.x and anthropic 1.x yet, google-genai not with the tenacity of LangChain, and
Pydantic AI not with its 3.x, so that each lives in an environment of its own.
"""

import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / ".tools"
PYTHONS = {
    "agents": ("python-agents", HERE / "python/requirements-agents.txt"),
    "python": ("python", HERE / "python/requirements.txt"),
    "anthropic-1": ("python-anthropic-1", HERE / "python/requirements-anthropic-1.txt"),
    "google": ("python-google", HERE / "python/requirements-google.txt"),
    "llama": ("python-llama", HERE / "python/requirements-llama.txt"),
}
NODE = HERE / "node"


def python(name):
    """The interpreter of a virtual environment; made, or renewed when its requirements changed."""
    folder, requirements = PYTHONS[name]
    home = TOOLS / folder
    interpreter, stamp = home / "bin/python", home / "requirements.installed"
    wanted = requirements.read_text()
    if interpreter.exists() and stamp.exists() and stamp.read_text() == wanted:
        return interpreter
    print(f"installing Python packages into {home}", file=sys.stderr)
    # Made by the interpreter that everybody has, not by one that itself is in an environment.
    base = shutil.which("python3") if sys.prefix != sys.base_prefix else sys.executable
    subprocess.run([base, "-m", "venv", "--clear", home], check=True)
    install = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    subprocess.run(install, check=True)
    stamp.write_text(wanted)
    return interpreter


def node():
    """The node program, after the locked packages have been installed where they changed."""
    lock, stamp = NODE / "package-lock.json", NODE / "node_modules/.installed-lock"
    wanted = lock.read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(f"installing Node packages into {NODE / 'node_modules'}", file=sys.stderr)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=NODE, check=True)
        stamp.write_text(wanted)
    return "node"


def command(client):
    """How a client's program is started."""
    if client.env == "node":
        return [node(), NODE / client.program]
    return [python(client.env), HERE / "python" / client.program]
