"""The reviewed list of cells that cannot be: `impossible.toml`, each with its reason."""

import pathlib
import tomllib

import matrix

FILE = pathlib.Path(__file__).resolve().parent / "impossible.toml"


def read():
    """(client, upstream, case) -> reason. Refuses entries that name nothing, or say no reason."""
    known = {(cell.client.id, cell.upstream, cell.case.name) for cell in matrix.cells()}
    found = {}
    for entry in tomllib.loads(FILE.read_text()).get("cell", []):
        for upstream in entry["upstreams"]:
            for client in entry["clients"]:
                for case in entry["cases"]:
                    key = (client, upstream, case)
                    if key not in known:
                        raise SystemExit(f"{FILE.name} declares {key}, which is no cell")
                    if len(entry["reason"]) < 40:
                        raise SystemExit(f"{FILE.name} gives no reason for {key}")
                    found[key] = entry["reason"]
    return found
