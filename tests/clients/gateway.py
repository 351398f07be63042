"""A gateway before the fleet: its configuration, its address, and its ledger as the command line tells it."""

import json
import subprocess
import time

import endings
import matrix
from processes import Program, environment, free_port

CONFIG = """\
[server]
listen = "127.0.0.1:{port}"

[providers.openai]
dialect = "openai-chat"
base_url = "{fleet}/v1"
api_key = "file:provider.key"

[providers.anthropic]
base_url = "{fleet}"
api_key = "file:provider.key"

[providers.gemini]
base_url = "{fleet}/v1beta"
api_key = "file:provider.key"

[providers.responses]
vendor = "openai"
dialect = "openai-responses"
base_url = "{fleet}/v1"
api_key = "file:provider.key"

[providers.bedrock]
dialect = "bedrock-converse"
base_url = "{fleet}/bedrock"
api_key = "file:provider.key"
{planted}
[catalog]
overlay = "overlay.toml"

[keys.tests]
secret = "file:client.key"

[store]
dir = "data"
{endings}"""
# The classes of tokens that the fleet counts.
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
PLANTED = """
[providers.{name}]
vendor = "{vendor}"
dialect = "{dialect}"
base_url = "{url}"
api_key = "file:provider.key"
"""


class Gateway:
    """A running gateway."""

    def __init__(self, binary, folder, fleet, keys, planted=(), translate=False):
        self.binary, self.folder = binary, folder
        self.endings = endings.Endings()
        (folder / "provider.key").write_text(keys[1])
        (folder / "client.key").write_text(keys[0])
        overlay = subprocess.run([binary, "sim", "--catalog"], capture_output=True, env=environment(), check=True)
        (folder / "overlay.toml").write_bytes(overlay.stdout)
        port = free_port()
        more = "".join(PLANTED.format(**row) for row in [*planted, *self.ending(fleet)])
        config = folder / "pilothouse.toml"
        ends = self.endings.config(endings.providers())
        text = CONFIG.format(port=port, fleet=fleet, planted=more, endings=ends)
        config.write_text(text + ("\n[debug]\nforce_translate = true\n" if translate else ""))
        self.url = f"http://127.0.0.1:{port}"
        self.program = Program([binary, "serve", "--config", config], folder, "serve")
        self.program.wait_for(self.url + "/readyz")

    def ending(self, fleet):
        """Providers whose model ends, with the plans that some of them need, accepted as a person would."""
        plans = self.folder / "plans"
        plans.mkdir(exist_ok=True)
        for name, text in self.endings.plans(endings.providers()).items():
            (plans / name).write_text(text)
            accept = [self.binary, "migrate", "accept", "--by", endings.OWNER, plans / name]
            subprocess.run(accept, capture_output=True, env=environment(), check=True)
        return [
            {
                "name": name,
                "vendor": "openai" if upstream == "responses" else upstream,
                "dialect": matrix.DIALECTS[upstream],
                "url": fleet + matrix.VERSIONS[upstream],
            }
            for name, upstream, _ in endings.providers()
        ]

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
        return self.ask("logs", "--limit", "100000")["exchanges"]

    def bill(self):
        """What the ledger says of all answers whose usage the vendor reported."""
        tokens, price = {}, 0
        for row in self.ask("usage", "--by", "model", "--since", "1h")["rows"]:
            reported = row["reported"]
            price += reported["cost"]["picousd"] if reported["cost"] else 0
            for name in CLASSES:
                tokens[name] = tokens.get(name, 0) + reported["tokens"][name]
        return {"tokens": tokens, "picousd": price}

    def ask(self, *words):
        """What a reading command of the program says, as JSON."""
        command = [str(word) for word in (self.binary, *words, "--json", "--data", self.folder / "data")]
        done = subprocess.run(command, capture_output=True, env=environment())
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()}")
        return json.loads(done.stdout)
