"""A gateway before the fleet: its configuration, its address, and its ledger as the command line tells it."""

import json
import subprocess
import time

from processes import Program, environment, free_port

CONFIG = """\
[server]
listen = "127.0.0.1:{port}"

[providers.openai]
base_url = "{fleet}/v1"
api_key = "file:provider.key"

[providers.anthropic]
base_url = "{fleet}"
api_key = "file:provider.key"
{planted}
[catalog]
overlay = "overlay.toml"

[keys.tests]
secret = "file:client.key"

[store]
dir = "data"
"""
PLANTED = """
[providers.{name}]
vendor = "{vendor}"
base_url = "{url}"
api_key = "file:provider.key"
"""


class Gateway:
    """A running gateway."""

    def __init__(self, binary, folder, fleet, client_key, provider_key, planted=()):
        self.binary, self.folder = binary, folder
        (folder / "provider.key").write_text(provider_key)
        (folder / "client.key").write_text(client_key)
        overlay = subprocess.run([binary, "sim", "--catalog"], capture_output=True, env=environment(), check=True)
        (folder / "overlay.toml").write_bytes(overlay.stdout)
        port = free_port()
        more = "".join(PLANTED.format(**row) for row in planted)
        config = folder / "pilothouse.toml"
        config.write_text(CONFIG.format(port=port, fleet=fleet, planted=more))
        self.url = f"http://127.0.0.1:{port}"
        self.program = Program([binary, "serve", "--config", config], folder, "serve")
        self.program.wait_for(self.url + "/readyz")

    def records(self):
        """Every recorded exchange by its id. Waits until the ledger has caught up with what was answered."""
        before, found = -1, {}
        while len(found) != before:
            before = len(found)
            # The writer flushes many times a second; two equal readings are a ledger at rest.
            time.sleep(1.0)
            found = {record["id"]: record for record in self.read()}
        return found

    def read(self):
        command = [self.binary, "logs", "--json", "--limit", "100000", "--data", self.folder / "data"]
        done = subprocess.run([str(word) for word in command], capture_output=True, env=environment())
        if done.returncode:
            raise SystemExit(f"`pilothouse logs` failed:\n{done.stderr.decode()}")
        return json.loads(done.stdout)["exchanges"]
